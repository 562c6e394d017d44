"""The monitor on the command line: `python -m drift_monitor baseline | analyze | replay | import --help`."""

import os
import sys

from drift_monitor.processor import prefer_fast_sort


def main() -> int:
    """Run a command."""
    # Both before numpy is imported: its linear algebra is not worth threads here.
    prefer_fast_sort(os.environ)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from drift_monitor.cli.commands import run

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
