"""Entry point of the monitoring job, in our pipeline and for Model Monitor's schedules: `python -m drift_monitor.job`.

Violations are a result, not a failure: the exit code is 0, and the exit message says what was found.
"""

import os
import sys

from drift_monitor.processor import prefer_fast_sort


def main() -> int:
    """Run the job that the environment describes; 0, or 1 with the reason in the failure file."""
    # Both before numpy is imported: its linear algebra is not worth threads here.
    prefer_fast_sort(os.environ)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from drift_monitor.job.run import run_job

    return run_job(os.environ)


if __name__ == "__main__":
    sys.exit(main())
