"""Child processes of the local cloud: jobs, Lambda workers, model servers.

Each child runs in a session of its own under a supervisor (`process_supervisor.py`): it gets exactly the
given environment, its output arrives line by line, its time and memory are bounded, and neither it nor
anything it started outlives the server. This module knows nothing about what the commands do.
"""

import contextlib
import enum
import json
import logging
import os
import selectors
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from local_cloud.errors import LocalCloudError
from local_cloud.process_identity import is_alive, process_start, send_signal
from local_cloud.process_launch import Launched, LaunchError, launch
from local_cloud.process_output import LineSplitter

_DRAIN_SECONDS = 2.0
_logger = logging.getLogger(__name__)


class ProcessError(LocalCloudError):
    """A command that could not be started."""


class ProcessEnd(enum.StrEnum):
    """Why a command ended; EXITED says nothing about its exit code."""

    EXITED = "exited"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    STOPPED = "stopped"


@dataclass(frozen=True)
class ProcessSpec:
    """What to run; `environment` is all that the child gets.

    At `timeout_seconds` the child gets SIGTERM and `timeout_grace_seconds` later SIGKILL (with 0: that
    alone). `memory_bytes` bounds the resident memory of the command and all its descendants, looked at
    every 50 ms.
    """

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    working_directory: Path
    timeout_seconds: float | None = None
    memory_bytes: int | None = None
    timeout_grace_seconds: float = 0.0

    def order(self) -> dict[str, Any]:
        """What the supervisor is told: plain data."""
        return {
            "arguments": list(self.arguments),
            "environment": dict(self.environment),
            "working_directory": str(self.working_directory),
            "timeout_seconds": self.timeout_seconds,
            "timeout_grace_seconds": self.timeout_grace_seconds,
            "memory_bytes": self.memory_bytes,
        }


@dataclass(frozen=True)
class ProcessResult:
    """`exit_code` is 128 + the signal's number for a command ended by a signal, as a shell gives it."""

    exit_code: int
    end: ProcessEnd


_KILLED = ProcessResult(128 + signal.SIGKILL, ProcessEnd.OUT_OF_MEMORY)


class RunningProcess:
    """One command that was started; made by `ProcessTable.start`.

    `pid` is the command's own (and its process group's). `stdin` is there if it was asked for.
    """

    def __init__(
        self,
        launched: Launched,
        *,
        on_line: Callable[[str], None],
        on_end: Callable[["RunningProcess"], None],
    ) -> None:
        self.pid = launched.pid
        self.stdin: IO[bytes] | None = launched.supervisor.stdin
        self._supervisor = launched.supervisor
        self._channel = launched.channel
        self._on_line = on_line
        self._on_end = on_end
        self._listener_failed = False
        self._result: ProcessResult | None = None
        self._ended = threading.Event()

    def begin(self) -> None:
        """Start to listen; called once, by the table, when it knows the process."""
        threading.Thread(target=self._pump, name=f"process-{self.pid}", daemon=True).start()

    @property
    def running(self) -> bool:
        """Whether `wait` would still wait."""
        return not self._ended.is_set()

    def wait(self, timeout: float | None = None) -> ProcessResult:
        """The result, once the command has ended and the last of its output was passed on.

        Raises TimeoutError if that takes more than `timeout` seconds (the command is left alone).
        """
        if not self._ended.wait(timeout) or self._result is None:
            raise TimeoutError(f"process {self.pid} still runs after {timeout} s")
        return self._result

    def request_stop(self, grace_seconds: float = 5) -> None:
        """SIGTERM to the command's group now, SIGKILL to all descendants after the grace; does not wait."""
        with contextlib.suppress(OSError):  # it has just ended
            self._channel.sendall(f"stop {grace_seconds}\n".encode())

    def stop(self, grace_seconds: float = 5) -> ProcessResult:
        """`request_stop`, and wait for the end. Not to be called from `on_line`."""
        self.request_stop(grace_seconds)
        return self.wait()

    def _pump(self) -> None:
        """Pass the output on and learn of the end. Runs in a thread of its own."""
        output = cast(IO[bytes], self._supervisor.stdout)  # a pipe: `launch` asked for one
        splitter = LineSplitter(self._guarded)
        news = b""
        drain_until: float | None = None
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            selector.register(self._channel, selectors.EVENT_READ)
            while selector.get_map():
                patience = None if drain_until is None else max(0.0, drain_until - time.monotonic())
                ready = selector.select(patience)
                if not ready:
                    break  # the command is gone, yet a process outside its group holds the pipe open
                for key, _ in ready:
                    data = _read(key.fd)
                    if not data:
                        selector.unregister(key.fileobj)
                    if key.fileobj is output:
                        splitter.feed(data)
                    elif data:
                        news += data
                    else:
                        drain_until = time.monotonic() + _DRAIN_SECONDS
        splitter.feed(b"", final=True)
        self._finish(news)

    def _finish(self, news: bytes) -> None:
        words = news.split()
        if len(words) == 3:
            self._result = ProcessResult(int(words[1]), ProcessEnd(words[2].decode()))
        else:
            # The supervisor itself was killed, so nothing bounds the command any more.
            send_signal(-self.pid, signal.SIGKILL)
            self._result = _KILLED
        self._channel.close()
        for stream in (self._supervisor.stdout, self._supervisor.stdin):
            if stream is not None:
                _close_quietly(stream)
        self._supervisor.wait()
        self._on_end(self)
        self._ended.set()

    def _guarded(self, line: str) -> None:
        try:
            self._on_line(line)
        except Exception:
            # Any failure of the listener: the child must not block for ever on a pipe that nobody reads.
            if not self._listener_failed:
                _logger.exception("the listener of process %d failed on a line; told once", self.pid)
            self._listener_failed = True


def _read(descriptor: int) -> bytes:
    """Some bytes, or none at the end (which a stop that came too late turns into a reset)."""
    try:
        return os.read(descriptor, 65536)
    except ConnectionResetError:
        return b""


def _close_quietly(stream: IO[bytes]) -> None:
    with contextlib.suppress(BrokenPipeError):  # buffered input that the command did not live to read
        stream.close()


def _ignore(_: str) -> None:
    """Where the output goes of a command that nobody listens to."""


class ProcessTable:
    """All running children; `directory`/processes gets a file for each, for a later `kill_leftovers`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "processes"
        self._running: set[RunningProcess] = set()
        self._lock = threading.Lock()

    def start(
        self,
        spec: ProcessSpec,
        *,
        on_line: Callable[[str], None] | None = None,
        pipe_stdin: bool = False,
        pass_fds: Sequence[int] = (),
    ) -> RunningProcess:
        """Start a command.

        `on_line` gets each line of its output (stdout and stderr, merged), in a thread of this process
        alone. `pass_fds` stay open in the child under the same numbers; the caller closes its own copies.
        Raises ProcessError if the command cannot be started.
        """
        try:
            launched = launch(spec.order(), pipe_stdin=pipe_stdin, pass_fds=pass_fds)
        except LaunchError as error:
            raise ProcessError(f"cannot start {spec.arguments[0]} in {spec.working_directory}: {error}") from None
        process = RunningProcess(launched, on_line=on_line or _ignore, on_end=self._forget)
        with self._lock:
            self._running.add(process)
            self._record(process, spec)
        process.begin()
        return process

    def stop_all(self, grace_seconds: float = 5) -> None:
        """End every child, all at the same time, and wait until they are gone."""
        with self._lock:
            processes = list(self._running)
        for process in processes:
            process.request_stop(grace_seconds)
        for process in processes:
            process.wait()

    def kill_leftovers(self) -> list[str]:
        """Kill what a former server recorded and could not end; the commands killed.

        To be called before the first start.
        """
        killed = []
        for path in sorted(self._directory.glob("*.json")):
            try:
                record = json.loads(path.read_text())
                alive = is_alive(record["pid"], record["start"])
            except (ValueError, KeyError, TypeError):
                alive = False  # half written when its server was killed
            if alive and send_signal(-record["pid"], signal.SIGKILL):
                killed.append(f"{record['command']} (pid {record['pid']})")
            path.unlink(missing_ok=True)
        return killed

    def _record(self, process: RunningProcess, spec: ProcessSpec) -> None:
        start = process_start(process.pid)
        if start is not None:
            self._directory.mkdir(parents=True, exist_ok=True)
            record = {"pid": process.pid, "start": start, "command": " ".join(spec.arguments)}
            (self._directory / f"{process.pid}.json").write_text(json.dumps(record))

    def _forget(self, process: RunningProcess) -> None:
        with self._lock:
            self._running.discard(process)
            (self._directory / f"{process.pid}.json").unlink(missing_ok=True)
