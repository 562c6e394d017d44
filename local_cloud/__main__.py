"""`python -m local_cloud`: see `local_cloud/cli/main.py`."""

import sys

from local_cloud.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
