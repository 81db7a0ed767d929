"""A filter that OpenSMTPD starts beside itself: greylisting, and answers to a whole mail, as `rules.json` says.

Its protocol is smtpd-filters(7). `python opensmtpd_filter.py RULES`; the rules are read anew at every mail.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(rules: Path) -> None:
    seen: set[str] = set()
    for line in sys.stdin:
        words = line.rstrip("\n").split("|", 7)
        if words[:2] == ["config", "ready"]:
            print("register|filter|smtp-in|rcpt-to", "register|filter|smtp-in|commit", "register|ready", sep="\n")
        elif words[0] == "filter":
            now = json.loads(rules.read_text())
            said = ""
            if words[4] == "rcpt-to":
                if words[7] in now["grey"] and words[7] not in seen:
                    seen.add(words[7])
                    said = "451 4.7.1 Greylisted, try again later"
            else:
                said = now["commit"]
            print("filter-result", *words[5:7], f"reject|{said}" if said else "proceed", sep="|")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
