"""Time a command as a whole process: wall-clock seconds and the CPU-seconds of it and all its children."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class BenchmarkError(Exception):
    """A measured command failed, so there is nothing to report."""


@dataclass(frozen=True)
class Usage:
    """Seconds of the wall clock and of the CPU (user and system, all processes of the command), and what it printed."""

    wall: float
    cpu: float
    output: str = ""


def measure(arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path = ROOT) -> Usage:
    """Run a command to its end; BenchmarkError with its last lines if it fails."""
    started = time.monotonic()
    process = subprocess.Popen(
        list(arguments), cwd=folder, env=dict(environment), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    output = process.stdout.read().decode(errors="replace") if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        tail = "\n".join(output.splitlines()[-15:])
        raise BenchmarkError(f"{' '.join(arguments)} ended with {process.returncode}:\n{tail}")
    return Usage(wall=time.monotonic() - started, cpu=usage.ru_utime + usage.ru_stime, output=output)


def median_of(runs: int, once: Callable[[], Usage]) -> Usage:
    """The median of several runs, each figure by itself."""
    usages = [once() for _ in range(runs)]
    return Usage(statistics.median(usage.wall for usage in usages), statistics.median(usage.cpu for usage in usages))


def elapsed(action: Callable[[], object]) -> float:
    """Wall-clock seconds of a call in this process."""
    started = time.monotonic()
    action()
    return time.monotonic() - started
