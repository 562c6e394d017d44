"""The largest resident memory of this process so far."""

from pathlib import Path


def peak_megabytes() -> float:
    """From /proc: what the system reports to a parent may be the parent's own size before the process was started."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1e6
