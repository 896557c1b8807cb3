"""The command line as `python -m hbspec`."""

from __future__ import annotations

import sys

from hbspec.cli import main

if __name__ == "__main__":
    sys.exit(main())
