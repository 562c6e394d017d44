"""Runs one command for the server and never lets it outlive the server.

Started by `process_launch.py` as a script of its own (`python -I -S process_supervisor.py FD`), with few imports
and of the standard library only, because every job and Lambda worker pays its start. It is the parent of
the command: the one place that can wait for it, measure it and end it. FD is a socket to the server: when
the server dies, however it dies, the socket reaches its end and the command is killed with everything it
started.

Messages from the server: a header (marshal, see `_Order`), then lines `stop GRACE_SECONDS`.
Messages to the server: `started PID` or `failed ERRNO`, then `ended EXIT_CODE END`.
"""

# ruff: noqa: PTH110, PTH123, PTH208, SIM105 - pathlib and contextlib would double the time to start

import marshal
import os
import select
import signal
import sys
import time

POLL_SECONDS = 0.05
KILLED = 128 + signal.SIGKILL
_IGNORED_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)
_CHANGED_SIGNALS = (*_IGNORED_SIGNALS, signal.SIGCHLD, signal.SIGXFSZ)  # the last by Python itself
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


class _Order:
    """What to run: marshal is safe here since one interpreter wrote it a moment ago for its own child."""

    def __init__(self, channel: int) -> None:
        size = int.from_bytes(_read_exactly(channel, 4), "big")
        values = marshal.loads(_read_exactly(channel, size))  # noqa: S302 - see above
        self.arguments: list[str] = values["arguments"]
        self.environment: dict[str, str] = values["environment"]
        self.working_directory: str = values["working_directory"]
        self.timeout_seconds: float | None = values["timeout_seconds"]
        self.timeout_grace_seconds: float = values["timeout_grace_seconds"]
        self.memory_bytes: int | None = values["memory_bytes"]
        self.pass_fds: list[int] = values["pass_fds"]


def _read_exactly(channel: int, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = os.read(channel, size - len(data))
        if not part:
            sys.exit(0)  # the server died before it had said what to run
        data += part
    return data


def _prctl(option: int, value: int) -> None:
    """Linux only; elsewhere the process group alone bounds what is killed."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _spawn(order: _Order) -> tuple[int, int]:
    """(pid, 0) of the command, leader of a session of its own, or (0, errno) when it could not be started."""
    receiving, sending = os.pipe()
    supervisor = os.getpid()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            for number in _CHANGED_SIGNALS:
                signal.signal(number, signal.SIG_DFL)
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != supervisor:
                os._exit(KILLED)
            os.chdir(order.working_directory)
            os.execvpe(order.arguments[0], order.arguments, order.environment)  # noqa: S606 - its purpose
        except OSError as error:
            os.write(sending, str(error.errno).encode())
        finally:
            os._exit(127)
    os.close(sending)
    failure = os.read(receiving, 16)
    os.close(receiving)
    if failure:
        os.waitpid(pid, 0)
        return 0, int(failure)
    return pid, 0


def _children(pid: int) -> list[int]:
    """Direct children of a process, by /proc."""
    found: list[int] = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as stream:
                found += [int(word) for word in stream.read().split()]
    except OSError:
        pass  # it ended while it was being read: its children now belong to this process
    return found


def _resident_bytes(pid: int) -> int:
    """Resident bytes by /proc; 0 for a process that has ended, waited for or not."""
    try:
        with open(f"/proc/{pid}/statm", "rb") as stream:
            return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def _proportional_bytes(pid: int) -> int:
    """Resident bytes with every shared page divided among its users (slower to find out)."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as stream:
            for line in stream:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return _resident_bytes(pid)


def _descendants_by_ps() -> dict[int, int]:
    """What `_descendants` tells, without /proc (macOS)."""
    import subprocess

    command = ["/bin/ps", "-A", "-o", "pid=,ppid=,rss=,stat="]
    listing = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    rows = [line.split() for line in listing.splitlines()]
    parents = {int(row[0]): int(row[1]) for row in rows if len(row) >= 4 and not row[3].startswith("Z")}
    resident = {int(row[0]): int(row[2]) * 1024 for row in rows if len(row) >= 4}
    family = {os.getpid()}
    while fresh := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= fresh
    return {pid: resident[pid] for pid in family - {os.getpid()}}


_HAS_PROC = os.path.exists(f"/proc/{os.getpid()}/task/{os.getpid()}/children")


def _descendants() -> dict[int, int]:
    """Living process -> resident bytes, of all the command started.

    On Linux that includes orphans in sessions of their own: this process is their subreaper.
    """
    if not _HAS_PROC:
        return _descendants_by_ps()
    found: dict[int, int] = {}
    waiting = _children(os.getpid())
    while waiting:
        pid = waiting.pop()
        waiting += _children(pid)
        if size := _resident_bytes(pid):
            found[pid] = size
    return found


def _uses_more_than(limit: int) -> bool:
    """Whether the command and its descendants hold more than `limit` bytes.

    An address-space limit is no use here: numpy and ONNX Runtime reserve far more than they touch.
    """
    family = _descendants()
    if sum(family.values()) <= limit:
        return False
    # Pages that forked workers share were counted once for each of them: look again, exactly.
    return len(family) == 1 or not _HAS_PROC or sum(map(_proportional_bytes, family)) > limit


def _send_signal(number: int, *, pid: int) -> None:
    try:
        os.kill(pid, number)  # a negative pid addresses a process group
    except (ProcessLookupError, PermissionError):
        pass  # it has ended (macOS answers "not permitted" for a group of zombies)


def _kill_everything(group: int) -> None:
    """Kill until nobody is left: what forks between the listing and the kill is met in the next round."""
    _send_signal(signal.SIGKILL, pid=-group)
    for _ in range(200):
        family = _descendants()
        if not family:
            return
        for pid in family:
            _send_signal(signal.SIGKILL, pid=pid)
        time.sleep(0.005)  # SIGKILL takes effect when the victim is next scheduled


class _Watch:
    """Waits for the command while it obeys the server, the time limit and the memory limit."""

    def __init__(self, order: _Order, *, channel: int, pid: int, wakeup: int) -> None:
        self._order = order
        self._channel = channel
        self._pid = pid
        self._wakeup = wakeup
        self._end = "exited"
        self._kill_at: float | None = None
        self._deadline = time.monotonic() + order.timeout_seconds if order.timeout_seconds is not None else None
        self._unread = b""

    def run(self) -> tuple[int, str]:
        """(exit code as a shell gives it, why it ended)."""
        while (status := self._reap()) is None:
            self._wait_for_something()
            self._enforce()
        _kill_everything(self._pid)
        code = os.waitstatus_to_exitcode(status)
        if code == -signal.SIGKILL and self._end == "exited":
            self._end = "out_of_memory"  # nobody here killed it: the kernel did, for want of memory
        return (code if code >= 0 else 128 - code), self._end

    def _reap(self) -> int | None:
        """Collect the dead; the wait status of the command itself once it is among them."""
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return None
            if pid == self._pid:
                return status

    def _wait_for_something(self) -> None:
        limits = [at for at in (self._deadline, self._kill_at) if at is not None]
        waits = [max(0.0, at - time.monotonic()) for at in limits]
        if self._order.memory_bytes is not None:
            waits.append(POLL_SECONDS)
        ready, _, _ = select.select([self._channel, self._wakeup], [], [], min(waits, default=None))
        if self._wakeup in ready:
            os.read(self._wakeup, 4096)
        if self._channel in ready:
            self._obey()

    def _obey(self) -> None:
        try:
            data = os.read(self._channel, 4096)
        except ConnectionResetError:
            data = b""
        if not data:
            _kill_everything(self._pid)
            sys.exit(0)
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self._begin_end("stopped", grace=float(line.split()[1]))

    def _enforce(self) -> None:
        now = time.monotonic()
        if self._kill_at is not None and now >= self._kill_at:
            self._kill_at = None
            _kill_everything(self._pid)
        if self._deadline is not None and now >= self._deadline:
            self._deadline = None
            self._begin_end("timed_out", grace=self._order.timeout_grace_seconds)
        if self._order.memory_bytes is not None and _uses_more_than(self._order.memory_bytes):
            self._begin_end("out_of_memory", grace=0)

    def _begin_end(self, end: str, *, grace: float) -> None:
        """Ask the command to end and set the moment of the kill; a later request only brings that forward."""
        if self._end == "exited":
            self._end = end
        kill_at = time.monotonic() + grace
        self._kill_at = kill_at if self._kill_at is None else min(self._kill_at, kill_at)
        if grace > 0:
            _send_signal(signal.SIGTERM, pid=-self._pid)


def main(channel: int) -> None:
    """Serve one command from its order to its end."""
    os.set_inheritable(channel, False)
    # A Ctrl-C or a TERM for the server's terminal is the server's to act on: it ends us through the socket.
    for number in _IGNORED_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    order = _Order(channel)
    receiving, sending = os.pipe()
    os.set_blocking(sending, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(sending, warn_on_full_buffer=False)
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    pid, errno = _spawn(order)
    if not pid:
        os.write(channel, f"failed {errno}\n".encode())
        return
    for descriptor in (0, 1, 2, *order.pass_fds):
        os.close(descriptor)  # so that the server sees the end of the output when the command's family is gone
    os.write(channel, f"started {pid}\n".encode())
    code, end = _Watch(order, channel=channel, pid=pid, wakeup=receiving).run()
    os.write(channel, f"ended {code} {end}\n".encode())


if __name__ == "__main__":
    main(int(sys.argv[1]))
