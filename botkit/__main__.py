"""``python -m botkit`` is ``botkit``."""

import sys

from botkit.cli import main

if __name__ == "__main__":
    sys.exit(main())
