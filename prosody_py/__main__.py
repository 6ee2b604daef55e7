"""`python -m prosody_py` is the command `prosody-py`."""

import sys

from prosody_py.app.main import main

if __name__ == "__main__":
    sys.exit(main())
