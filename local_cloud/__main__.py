"""`python -m local_cloud`: see `local_cloud/cli/main.py`."""

import signal
import sys
from typing import Any

from local_cloud.cli.main import main


def _interrupt(_signal: int, _frame: Any) -> None:
    """SIGTERM ends a command as Ctrl-C does: `up` must not leave a server behind that is just starting."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    sys.exit(main())
