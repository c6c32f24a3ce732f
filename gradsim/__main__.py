"""``python -m gradsim`` is the command ``gradsim``; see :mod:`gradsim.cli`."""

import sys

from gradsim.cli import main

if __name__ == "__main__":
    sys.exit(main())
