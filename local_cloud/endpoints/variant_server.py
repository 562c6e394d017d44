"""One variant's model server: a real child process that is started, watched, replaced if it crashes or hangs, drained.

It speaks SageMaker's container contract (`GET /ping`, `POST /invocations`) and knows nothing of endpoints.
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local_cloud.endpoints.connections import HOST, ConnectionLostError, ConnectionPool, ServerAnswer
from local_cloud.endpoints.health import PING_SECONDS, HealthCheck, ping
from local_cloud.processes import ProcessEnd, ProcessError, ProcessSpec, ProcessTable, RunningProcess

INVOCATION_SECONDS = 60.0
_POLL_SECONDS = 0.02
_STARTS = 2
_TRIES = 3
_NOTICE_SECONDS = 2.0
_RESTART_PAUSE_SECONDS = 1.0
_STOP_GRACE_SECONDS = 5.0


class ServerStartError(Exception):
    """The server did not answer /ping with 200 in time, or ended before it did."""


class ServerUnavailableError(Exception):
    """No server process took the request, or each one that did ended over it."""


@dataclass(frozen=True)
class Launch:
    """How to start the server; the port is chosen at every start. `startup_seconds` is the health check's limit."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    working_directory: Path
    memory_bytes: int
    startup_seconds: float


class VariantServer:
    """The server. One process stands for all instances of the variant; mutable and thread-safe."""

    def __init__(
        self,
        launch: Launch,
        *,
        processes: ProcessTable,
        log: Callable[[str], None],
        health: HealthCheck = HealthCheck(),  # noqa: B008 - it is immutable
    ) -> None:
        self._launch = launch
        self._health = health
        self._processes = processes
        self._log = log
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._process: RunningProcess | None = None
        self._pool: ConnectionPool | None = None
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """The process that serves at this moment."""
        with self._changed:
            return self._process.pid if self._process is not None and self._pool is not None else None

    def start(self) -> None:
        """Start and return when /ping answers 200. Raises ServerStartError.

        A process that ends before that is started a second time: the port may have been taken meanwhile.
        """
        for attempt in range(1, _STARTS + 1):
            try:
                process = self._begin()
                break
            except ServerStartError:
                if attempt == _STARTS or self._stopping.is_set():
                    raise
        threading.Thread(target=self._watch, args=(process,), name=f"watch-{process.pid}", daemon=True).start()

    def invoke(self, body: bytes, headers: Mapping[str, str], *, seconds: float = INVOCATION_SECONDS) -> ServerAnswer:
        """POST /invocations. A request that a dying process leaves unanswered goes to the next process.

        Raises TimeoutError if the answer takes more than `seconds`, ServerUnavailableError if there is no server.
        """
        deadline = time.monotonic() + seconds
        for _ in range(_TRIES):
            pool = self._ready_pool(deadline)
            remaining = max(deadline - time.monotonic(), 0.001)
            try:
                return pool.request("POST", "/invocations", timeout=remaining, body=body, headers=headers)
            except ConnectionLostError:
                self._await_other_than(pool)
        raise ServerUnavailableError("the server closed the connection without an answer")

    def stop(self) -> None:
        """End the process for good, with SIGTERM first; returns when it is gone."""
        with self._changed:
            self._stopping.set()
            process, pool = self._process, self._pool
            self._pool = None
            self._changed.notify_all()
        if pool is not None:
            pool.close()
        if process is not None:
            process.stop(_STOP_GRACE_SECONDS)

    def _ready_pool(self, deadline: float) -> ConnectionPool:
        with self._changed:
            self._changed.wait_for(
                lambda: self._pool is not None or self._stopping.is_set(), deadline - time.monotonic()
            )
            if self._pool is None:
                raise ServerUnavailableError("no server process is ready")
            return self._pool

    def _await_other_than(self, pool: ConnectionPool) -> None:
        """Give the watcher the moment that it needs to notice that the process behind `pool` has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._pool is not pool, _NOTICE_SECONDS)

    def _watch(self, process: RunningProcess) -> None:
        """Start the server again whenever it ends or hangs. Runs in a thread of its own."""
        while True:
            problem = self._await_trouble(process)
            with self._changed:
                pool, self._pool = self._pool, None
                self._changed.notify_all()
            # Requests that a hung process still holds are let go by this, and go to its successor.
            process.stop(0)
            if pool is not None:
                pool.close()
            if self._stopping.is_set():
                return
            self._log(f"The server {problem}; it is started again.")
            again = self._restart()
            if again is None:
                return
            process = again

    def _await_trouble(self, process: RunningProcess) -> str:
        """What is wrong with the process: that it ended, or that one /ping after the other failed."""
        failures, problem = 0, None
        while failures < self._health.failures:
            with contextlib.suppress(TimeoutError):
                result = process.wait(self._health.interval_seconds)
                memory = " (out of memory)" if result.end is ProcessEnd.OUT_OF_MEMORY else ""
                return f"ended with exit code {result.exit_code}{memory}"
            with self._changed:
                pool = self._pool
            if pool is None:
                continue  # it is being stopped, and will have ended at the next look
            problem = ping(pool, timeout=self._health.timeout_seconds)
            failures = failures + 1 if problem else 0
        return f"failed {failures} health checks in a row (/ping: {problem})"

    def _restart(self) -> RunningProcess | None:
        while not self._stopping.is_set():
            self.restarts += 1
            try:
                return self._begin()
            except ServerStartError as error:
                self._log(f"The server could not be started again: {error}")
                # A server that fails at once would otherwise keep a core busy for as long as its endpoint lives.
                self._stopping.wait(_RESTART_PAUSE_SECONDS)
        return None

    def _begin(self) -> RunningProcess:
        """Start a process and wait until it is healthy."""
        port = _free_port()
        environment = {**self._launch.environment, "SAGEMAKER_BIND_TO_PORT": str(port), "MODEL_SERVER_HOST": HOST}
        specification = ProcessSpec(
            arguments=self._launch.arguments,
            environment=environment,
            working_directory=self._launch.working_directory,
            memory_bytes=self._launch.memory_bytes,
        )
        try:
            process = self._processes.start(specification, on_line=self._log)
        except ProcessError as error:
            raise ServerStartError(str(error)) from error
        with self._changed:
            self._process = process
        pool = ConnectionPool(port)
        try:
            self._await_health(process, pool)
            with self._changed:
                if self._stopping.is_set():
                    raise ServerStartError("it was stopped")
                self._pool = pool
                self._changed.notify_all()
        except ServerStartError:
            process.stop(0)
            raise
        return process

    def _await_health(self, process: RunningProcess, pool: ConnectionPool) -> None:
        deadline = time.monotonic() + self._launch.startup_seconds
        problem = "no answer"
        while (remaining := deadline - time.monotonic()) > 0:
            if not process.running:
                raise ServerStartError(f"it ended with exit code {process.wait().exit_code}")
            if self._stopping.is_set():
                raise ServerStartError("it was stopped")
            found = ping(pool, timeout=min(PING_SECONDS, remaining))
            if found is None:
                return
            problem = found
            self._stopping.wait(_POLL_SECONDS)  # a server tells nobody that it is ready
        raise ServerStartError(f"/ping did not answer 200 within {self._launch.startup_seconds:g} s ({problem})")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
