"""`python -m monitor` is the command `loketwacht`."""

import sys

from monitor.cli import main

sys.exit(main())
