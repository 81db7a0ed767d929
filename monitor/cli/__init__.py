"""The command `loketwacht`: what people and programs ask for, and the exit codes they can rely on.

0 fine; 1 the answer is bad news (a journey is down, an agreement missed, a ledger broken); 2 wrong usage; 3 the
configuration or another input is wrong; 4 it could not be done; 130 interrupted. `check --nagios` answers 0 to 3.
`--json` goes to standard output, everything else to standard error.
"""

from monitor.cli.app import main

__all__ = ["main"]
