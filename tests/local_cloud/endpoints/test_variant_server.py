"""The health check of a model server, and what its process is given."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from local_cloud.endpoints.health import HealthCheck
from local_cloud.endpoints.variant_server import Launch, ServerStartError, VariantServer
from local_cloud.processes import ProcessTable
from tests.waiting import wait_for


def _server(
    tmp_path: Path, *, startup_seconds: float, health: HealthCheck | None = None, **behaviour: object
) -> VariantServer:
    folder = tmp_path / "ml" / "model"
    folder.mkdir(parents=True)
    (folder / "behaviour.json").write_text(json.dumps({"version": "v1", **behaviour}))
    launch = Launch(
        arguments=(sys.executable, str(Path(__file__).with_name("model_program.py")), "serve"),
        environment={"ML_BASE_DIR": str(folder.parent)},
        working_directory=tmp_path,
        memory_bytes=2**30,
        startup_seconds=startup_seconds,
    )
    processes = ProcessTable(tmp_path / "processes")
    return VariantServer(launch, processes=processes, log=lambda line: None, health=health or HealthCheck())


def test_a_server_that_is_never_healthy_is_ended(tmp_path: Path) -> None:
    """A /ping that does not answer 200 within the limit is an error, and leaves no process."""
    server = _server(tmp_path, startup_seconds=1.0, ping=503)

    with pytest.raises(ServerStartError, match=r"did not answer 200 within 1 s \(status 503\)"):
        server.start()

    assert server.pid is None
    assert not list((tmp_path / "processes").rglob("*.json"))


def test_a_stopped_server_is_not_started_again(tmp_path: Path) -> None:
    """`stop` ends the process for good; the watcher takes it for no crash."""
    server = _server(tmp_path, startup_seconds=30)
    server.start()
    assert server.invoke(b"1", {}).body == b"v1:1"

    server.stop()

    assert (server.pid, server.restarts) == (None, 0)


def test_a_server_that_hangs_is_replaced(tmp_path: Path) -> None:
    """A process that lives but does not answer /ping any more makes way; the request that it held is answered."""
    health = HealthCheck(interval_seconds=0.1, timeout_seconds=0.5, failures=2)
    server = _server(tmp_path, startup_seconds=30, health=health)
    server.start()
    hung = server.pid
    assert hung is not None
    os.kill(hung, signal.SIGSTOP)

    def replaced() -> bool:
        # The signal takes effect some time after `kill` has returned: the first requests may still be the old one's.
        assert server.invoke(b"1", {}).body == b"v1:1"
        return server.pid not in (None, hung)

    wait_for(replaced, what="another process")
    assert server.restarts == 1
    server.stop()
