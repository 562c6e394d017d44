"""Process trees: started together, measured together from /proc, ended by their own ids."""

import contextlib
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.measure import BenchmarkError

_STOP_SECONDS = 10


class ProcessGroup:
    """The processes of one server, with everything that they start."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, command: Sequence[str], *, environment: Mapping[str, str], folder: Path) -> None:
        """Start one more process; its output goes to the group's log."""
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                list(command), cwd=folder, env=dict(environment), stdout=log, stderr=subprocess.STDOUT
            )
        self._processes.append(process)

    def check(self) -> None:
        """Raise BenchmarkError with the end of the log if one of them has ended."""
        for process in self._processes:
            if process.poll() is not None:
                raise BenchmarkError(f"{process.args!r} ended with {process.returncode}:\n{self.log_tail()}")

    def log_tail(self) -> str:
        """The last lines of what the processes printed."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])

    def cpu_seconds(self) -> float:
        """Time on a CPU of all threads so far: exact to the nanosecond, whatever else the machine does."""
        total = 0
        for pid in self._pids():
            for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                with contextlib.suppress(OSError):
                    total += int(task.read_text().split()[0])
        return total / 1e9

    def memory_bytes(self) -> int:
        """Proportional set size of all processes: memory that several of them share is counted once."""
        total = 0
        for pid in self._pids():
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += 1024 * int(next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:")))
        return total

    def stop(self) -> None:
        """End all of them, the one started last first."""
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(timeout=_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def _pids(self) -> Iterator[int]:
        children: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    # The command's name, in parentheses, may hold spaces.
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    children.setdefault(parent, []).append(int(entry.name))
        waiting = [process.pid for process in self._processes]
        while waiting:
            pid = waiting.pop()
            yield pid
            waiting += children.get(pid, [])


def environment_of(**variables: str) -> dict[str, str]:
    """A small environment, the same for every server: one thread per process, nothing of the caller's."""
    return {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **variables}
