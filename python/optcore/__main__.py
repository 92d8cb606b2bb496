"""`python -m optcore`: the same as the command `optcore`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
