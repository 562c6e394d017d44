"""One warm execution environment of a function: a child process that answers one invocation at a time.

It knows how to talk to `bootstrap.py` and what AWS reports when the process is late, too large or gone. Which
worker runs what is the pool's business, the log's way to CloudWatch that of `logs.py`.
"""

import json
import os
import secrets
import shutil
import socket
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from local_cloud.functions.bootstrap import END_OF_LOG
from local_cloud.functions.specification import FunctionSpec
from local_cloud.processes import ProcessEnd, ProcessSpec, ProcessTable

LogLine = tuple[int, str]
"""Milliseconds since the epoch, and the text."""
_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_INIT_LIMIT_SECONDS = 10.0
_LOG_DRAIN_SECONDS = 2.0
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """What one invocation gave: `payload` is JSON text, `error_type` is set after a function error."""

    payload: str
    error_type: str | None
    duration_ms: float
    memory_mb: int
    lines: tuple[LogLine, ...]


@dataclass(frozen=True)
class Package:
    """Where the function's code lies."""

    task_root: Path
    layers: tuple[Path, ...] = ()


class _Log:
    """The lines a worker has written since they were last taken; knows which request has written its last."""

    def __init__(self) -> None:
        self._lines: list[LogLine] = []
        self._finished: set[str] = set()
        self._changed = threading.Condition()

    def add(self, text: str) -> None:
        written, marker, finished = text.partition(END_OF_LOG)
        with self._changed:
            if written or not marker:
                self._lines.append((now_ms(), written))
            if marker:
                self._finished.add(finished)
                self._changed.notify_all()

    def wait_for_end(self, marker: str) -> None:
        with self._changed:
            self._changed.wait_for(lambda: marker in self._finished, _LOG_DRAIN_SECONDS)
            self._finished.discard(marker)

    def take(self) -> tuple[LogLine, ...]:
        with self._changed:
            lines, self._lines = tuple(self._lines), []
        return lines


class _Gone(Exception):
    """The child closed its end of the socket."""


class Worker:
    """A running bootstrap; mutable, used by one invocation at a time.

    `usable` turns false for good after an init error, a time-out or the end of the process. Raises ProcessError if
    the interpreter cannot be started.
    """

    def __init__(
        self,
        spec: FunctionSpec,
        package: Package,
        *,
        processes: ProcessTable,
        environment: Mapping[str, str],
        scratch: Path,
    ) -> None:
        self.log_stream = f"{datetime.now(UTC):%Y/%m/%d}/[{spec.version}]{secrets.token_hex(16)}"
        self.usable = True
        self.init_ms = 0.0
        self._spec = spec
        self._package = package
        self._log = _Log()
        self._pending = bytearray()
        scratch.mkdir(parents=True, exist_ok=True)
        self._temporary = Path(tempfile.mkdtemp(dir=scratch))
        self._memory_bytes = 0
        self._init_answer: dict[str, Any] | None = None
        self._channel, theirs = socket.socketpair()
        with theirs:
            fd = theirs.fileno()
            self._process = processes.start(
                ProcessSpec(
                    arguments=(sys.executable, "-I", "-S", "-X", "utf8", "-u", str(_BOOTSTRAP), str(fd)),
                    environment=self._environment(environment),
                    working_directory=package.task_root,
                    memory_bytes=spec.memory_mb * _MEBIBYTE,
                ),
                on_line=self._log.add,
                pass_fds=(fd,),
            )

    def initialize(self) -> None:
        """Load the handler, once, before the first invocation, whose answer a failure becomes."""
        began = time.monotonic()
        limit = max(_INIT_LIMIT_SECONDS, self._spec.timeout_seconds)
        answer = self._exchange(self._configuration(), limit=limit, request_id="")
        if self.usable:
            self._log.wait_for_end("init")
        if answer.get("error") is not None:
            self.usable = False
            self._init_answer = answer
        self.init_ms = (time.monotonic() - began) * 1000

    def invoke(self, payload: str, *, request_id: str) -> Answer:
        """Run the handler once with the JSON text `payload`."""
        began = time.monotonic()
        answer, self._init_answer = self._init_answer, None
        if answer is None:
            request = {
                "request_id": request_id,
                "function_arn": self._spec.arn,
                "payload": payload,
                "remaining_seconds": self._spec.timeout_seconds,
            }
            answer = self._exchange(request, limit=self._spec.timeout_seconds, request_id=request_id)
            if self.usable:
                self._log.wait_for_end(request_id)
        return self._answer(answer, began=began, request_id=request_id)

    def stop(self) -> None:
        """End the process and remove its temporary folder; harmless when repeated."""
        self.usable = False
        self._process.stop(grace_seconds=0)
        self._channel.close()
        shutil.rmtree(self._temporary, ignore_errors=True)

    def _environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """Lambda's own variables over the function's.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html

        HOME and TMPDIR are ours: on AWS each execution environment has a file system of its own.
        """
        spec = self._spec
        variables = {
            "_HANDLER": spec.handler,
            "AWS_REGION": spec.region,
            "AWS_DEFAULT_REGION": spec.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
            "AWS_LAMBDA_FUNCTION_NAME": spec.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
            "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": self.log_stream,
            "AWS_LAMBDA_LOG_FORMAT": spec.log_format,
            "AWS_EC2_METADATA_DISABLED": "true",
            "LAMBDA_TASK_ROOT": str(self._package.task_root),
            "LAMBDA_RUNTIME_DIR": str(_BOOTSTRAP.parent),
            "LANG": "en_US.UTF-8",
            "PATH": os.defpath,
            "TZ": ":UTC",
            "HOME": str(self._temporary),
            "TMPDIR": str(self._temporary),
        }
        if spec.log_level:
            variables["AWS_LAMBDA_LOG_LEVEL"] = spec.log_level
        return {**spec.environment, **variables, **given}

    def _configuration(self) -> dict[str, Any]:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        parts = ("python", f"python/lib/python{version}/site-packages")
        return {
            "handler": self._spec.handler,
            "task_root": str(self._package.task_root),
            "layers": [str(layer / part) for layer in self._package.layers for part in parts],
            "site_packages": [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")],
        }

    def _exchange(self, message: Mapping[str, Any], *, limit: float, request_id: str) -> dict[str, Any]:
        """Send a line, wait for a line; the errors of AWS if the process is late or ends."""
        deadline = time.monotonic() + limit
        try:
            self._channel.settimeout(limit)
            self._channel.sendall(json.dumps(message).encode() + b"\n")
            answer: dict[str, Any] = json.loads(self._receive(deadline))
            self._memory_bytes = answer["memory_bytes"]
            return answer
        except TimeoutError:
            self.usable = False
            self._process.stop(grace_seconds=0)
            text = f"RequestId: {request_id} Error: Task timed out after {limit:.2f} seconds"
            return _failure("Sandbox.Timedout", text)
        except (_Gone, OSError):
            self.usable = False
            return self._ended(request_id)

    def _receive(self, deadline: float) -> bytes:
        while (end := self._pending.find(b"\n")) < 0:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError
            self._channel.settimeout(remaining)
            part = self._channel.recv(1 << 16)
            if not part:
                raise _Gone
            self._pending += part
        line = bytes(self._pending[:end])
        del self._pending[: end + 1]
        return line

    def _ended(self, request_id: str) -> dict[str, Any]:
        result = self._process.wait()
        if result.end is ProcessEnd.OUT_OF_MEMORY:
            self._memory_bytes = self._spec.memory_mb * _MEBIBYTE
            reason = "Runtime exited with error: signal: killed"
            return _failure("Runtime.OutOfMemory", f"RequestId: {request_id} Error: {reason}")
        if result.end is ProcessEnd.STOPPED:
            reason = "the local cloud stopped the function"
        elif result.exit_code == 0:
            reason = "Runtime exited without providing a reason"
        elif result.exit_code > 128:
            reason = f"Runtime exited with error: signal: {result.exit_code - 128}"
        else:
            reason = f"Runtime exited with error: exit status {result.exit_code}"
        return _failure("Runtime.ExitError", f"RequestId: {request_id} Error: {reason}")

    def _answer(self, answer: Mapping[str, Any], *, began: float, request_id: str) -> Answer:
        error = answer.get("error")
        payload = answer["payload"] if error is None else json.dumps(_with_request(error, request_id))
        return Answer(
            payload=payload,
            error_type=None if error is None else error["errorType"],
            duration_ms=(time.monotonic() - began) * 1000,
            memory_mb=-(-self._memory_bytes // _MEBIBYTE),
            lines=self._log.take(),
        )


def now_ms() -> int:
    """The present moment as CloudWatch Logs counts it."""
    return int(time.time() * 1000)


def _failure(error_type: str, message: str) -> dict[str, Any]:
    return {"error": {"errorType": error_type, "errorMessage": message}}


def _with_request(error: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    """An error of the start names the request that met it; a text that was made before has a gap for it."""
    named = dict(error)
    if "requestId" in named:
        named["requestId"] = request_id
    named["errorMessage"] = named["errorMessage"].replace("RequestId:  ", f"RequestId: {request_id} ")
    return named
