"""``python -m nlptk`` is the ``nlptk`` command."""

import sys

from nlptk.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
