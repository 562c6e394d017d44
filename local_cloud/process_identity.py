"""Tells whether a recorded process is still the same one: its pid may have been given to a stranger since."""

import os
import subprocess
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def process_start(pid: int) -> str | None:
    """A text that no other process with this pid ever had; None for one that has ended (or is a zombie)."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        # Fields 3 (state) and 22 (start in clock ticks after boot) of proc_pid_stat(5).
        return None if fields[0] in "ZX" else f"{_BOOT_ID.read_text().strip()}:{fields[19]}"
    command = ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)]
    state, _, started = subprocess.run(command, capture_output=True, text=True, check=False).stdout.partition(" ")
    return started.strip() if started and not state.startswith("Z") else None


def is_alive(pid: int, start: str) -> bool:
    """Whether the process that was recorded as (`pid`, `start`) still runs."""
    return process_start(pid) == start


def send_signal(pid: int, number: int) -> bool:
    """Signal a process (or, with a negative `pid`, a group); False when it does not exist any more."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
