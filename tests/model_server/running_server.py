"""The real model server in a process of its own, with the runtime image's Python, and requests to it."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.running_cloud import ROOT
from tests.waiting import wait_for

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
_START_SECONDS = 60


@dataclass(frozen=True)
class Reply:
    """An HTTP answer, read to its end."""

    status: int
    content_type: str
    body: bytes

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> dict[str, Any]:
        """What a refusal says."""
        error: dict[str, Any] = self.json()["error"]
        return error

    @property
    def prices(self) -> list[float]:
        """The predictions, whatever the media type."""
        if self.content_type == JSON:
            predictions: list[float] = self.json()["predictions"]
            return predictions
        lines = self.body.decode().splitlines()
        return [json.loads(line)["prediction"] if self.content_type == JSON_LINES else float(line) for line in lines]


@dataclass(frozen=True)
class RunningServer:
    """A server that listens."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        """One request on a connection of its own; underscores in header names stand for hyphens."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers.get("content-type", ""), answer.read())

    def invoke(self, body: bytes | str, content_type: str = CSV, **headers: str) -> Reply:
        """POST /invocations."""
        content = body.encode() if isinstance(body, str) else body
        return self.request("POST", "/invocations", content, content_type=content_type, **headers)

    def log_entries(self) -> list[dict[str, Any]]:
        """What the server has logged so far; every line must be JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def peak_memory(self) -> int:
        """Largest resident size so far, in bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))

    def stop(self) -> int:
        """Ask it to end; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=40)


def server_environment(base: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """What the container has in its environment."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "ML_BASE_DIR": str(base),
        "MODEL_SERVER_HOST": "127.0.0.1",
        "SAGEMAKER_BIND_TO_PORT": "0",
        **settings,
    }


@contextlib.contextmanager
def start_server(python: Path, base: Path, log: Path, **settings: str) -> Iterator[RunningServer]:
    """Start a server for the model below `base` and end it afterwards."""
    command = [str(python), "-m", "model_server", "serve"]
    environment = server_environment(base, settings)
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        port = wait_for(lambda: _port(process, log), seconds=_START_SECONDS, what="the model server to listen")
        yield RunningServer(process, port, log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    text = log.read_text()
    assert process.poll() is None, f"the model server ended with {process.returncode}:\n{text}"
    entries = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    return next((entry["port"] for entry in entries if entry["message"] == "serving"), 0)
