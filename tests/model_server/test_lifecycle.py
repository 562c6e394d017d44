"""Start and end: a server that cannot predict never listens, and one that is told to end finishes what it began."""

import http.client
import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sagemaker_pipelines.artifacts import sha256_hex
from tests.model_server.bodies import as_csv
from tests.model_server.conftest import Offline
from tests.model_server.running_server import CSV, RunningServer, server_environment, start_server
from tests.running_cloud import ROOT
from tests.sagemaker_pipelines.jobs import Job
from tests.waiting import wait_for


def run_to_end(python: Path, base: Path, *arguments: str, **settings: str) -> tuple[int, dict[str, Any]]:
    """Exit status and last log entry of a server that should not start."""
    result = subprocess.run(
        [str(python), "-m", "model_server", *arguments],
        cwd=ROOT,
        env=server_environment(base, settings),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in result.stdout + result.stderr
    return result.returncode, json.loads(result.stdout.splitlines()[-1])


def reseal(model: Path, name: str) -> None:
    """Make the manifest agree with a changed file, as one who tampers with both would."""
    manifest = json.loads((model / "manifest.json").read_text())
    manifest["files"][name] = sha256_hex((model / name).read_bytes())
    (model / "manifest.json").write_text(json.dumps(manifest))


def change_a_byte(model: Path) -> None:
    """One bit of the model."""
    content = bytearray((model / "model.onnx").read_bytes())
    content[len(content) // 2] ^= 1
    (model / "model.onnx").write_bytes(content)


def change_the_pickle(model: Path) -> None:
    """A file that is not even served."""
    (model / "model.pickle").write_bytes(b"other")


def remove_the_model(model: Path) -> None:
    """Half an archive."""
    (model / "model.onnx").unlink()


def remove_the_manifest(model: Path) -> None:
    """A model that was packed by hand."""
    (model / "manifest.json").unlink()


def list_another_folder(model: Path) -> None:
    """A manifest that leads out of the artifact."""
    manifest = json.loads((model / "manifest.json").read_text())
    manifest["files"]["../outside"] = "0" * 64
    (model / "manifest.json").write_text(json.dumps(manifest))


def list_too_little(model: Path) -> None:
    """A manifest that says nothing about the model."""
    manifest = json.loads((model / "manifest.json").read_text())
    del manifest["files"]["model.onnx"]
    (model / "manifest.json").write_text(json.dumps(manifest))


def replace_the_model(model: Path) -> None:
    """What is not ONNX, with a manifest that agrees."""
    (model / "model.onnx").write_bytes(b"not a model")
    reseal(model, "model.onnx")


def promise_another_price(model: Path) -> None:
    """Golden records of another model, with a manifest that agrees."""
    golden = json.loads((model / "golden_records.json").read_text())
    golden["records"][3]["prediction"] *= 1.01
    (model / "golden_records.json").write_text(json.dumps(golden))
    reseal(model, "golden_records.json")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (change_a_byte, "model.onnx has the SHA-256"),
        (change_the_pickle, "model.pickle has the SHA-256"),
        (remove_the_model, "model.onnx cannot be read"),
        (remove_the_manifest, "manifest.json is missing"),
        (list_another_folder, "lists '../outside', which is not a file of the artifact"),
        (list_too_little, "does not list model.onnx"),
        (replace_the_model, "model.onnx cannot be loaded"),
        (promise_another_price, "does not predict golden record 4"),
    ],
)
def test_a_server_with_a_broken_artifact_does_not_start(
    exported_job: Job, changed_base: Path, change: Callable[[Path], None], reason: str
) -> None:
    """Exit status 1 and one line that says which file and why; no /ping is ever answered."""
    change(changed_base / "model")
    status, entry = run_to_end(exported_job.interpreter.python, changed_base, "serve")

    assert status == 1
    assert entry["message"].startswith("the model server does not start: ")
    assert reason in entry["message"]


def test_a_port_in_use_is_named(exported_job: Job, model_base: Path) -> None:
    """With the variable that sets another one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, entry = run_to_end(exported_job.interpreter.python, model_base, "serve", SAGEMAKER_BIND_TO_PORT=port)

    assert status == 1
    assert f"cannot listen on 127.0.0.1:{port}" in entry["message"]


def test_another_command_is_refused(exported_job: Job, model_base: Path) -> None:
    """SageMaker calls an image with `train` when a training job names no module of its own."""
    status, entry = run_to_end(exported_job.interpreter.python, model_base, "train")

    assert status == 2
    assert "'train' is no command of the model server" in entry["message"]


def test_the_log_tells_which_model_is_served(server: RunningServer) -> None:
    """Data version and commit, and the digest of the manifest that covers every file."""
    entry = server.log_entries()[0]

    assert (entry["project"], entry["data_version"], entry["commit"]) == ("car_prices", "0123456789abcdef", "abc")
    assert len(entry["manifest_sha256"]) == 64


def test_sigterm_lets_a_request_finish(exported_job: Job, model_base: Path, offline: Offline, tmp_path: Path) -> None:
    """The body's second half arrives after the signal; its answer comes, new connections do not, the status is 0."""
    body = as_csv(offline.records.rows).encode()
    with start_server(exported_job.interpreter.python, model_base, tmp_path / "log") as running:
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
        connection.putrequest("POST", "/invocations")
        connection.putheader("content-type", CSV)
        connection.putheader("content-length", str(len(body)))
        connection.endheaders(body[:100])
        assert running.request("GET", "/ping").status == 200
        running.process.terminate()
        wait_for(lambda: not _accepts(running.port), what="the server to stop listening")
        connection.send(body[100:])
        answer = connection.getresponse()

        assert answer.status == 200
        assert len(answer.read().splitlines()) == len(offline.prices)
        assert running.process.wait(timeout=10) == 0
        assert running.log_entries()[-1]["message"] == "stopped"


def test_a_request_that_never_finishes_does_not_keep_the_server(
    exported_job: Job, model_base: Path, tmp_path: Path
) -> None:
    """SageMaker kills the container after 30 s; the server is gone before that."""
    limits = {"MODEL_SERVER_DRAIN_SECONDS": "1", "MODEL_SERVER_BODY_SECONDS": "300"}
    with (
        start_server(exported_job.interpreter.python, model_base, tmp_path / "log", **limits) as running,
        socket.create_connection(("127.0.0.1", running.port)) as endless,
    ):
        endless.sendall(b"POST /invocations HTTP/1.1\r\ncontent-type: text/csv\r\ncontent-length: 9\r\n\r\nab")
        assert running.request("GET", "/ping").status == 200

        assert running.stop() == 0


def test_an_idle_connection_does_not_keep_the_server(exported_job: Job, model_base: Path, tmp_path: Path) -> None:
    """Neither one that is kept alive nor one that never said anything."""
    with start_server(exported_job.interpreter.python, model_base, tmp_path / "log") as running:
        kept = http.client.HTTPConnection("127.0.0.1", running.port)
        kept.request("GET", "/ping")
        assert kept.getresponse().read()
        with socket.create_connection(("127.0.0.1", running.port)):
            assert running.stop() == 0
        kept.close()


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionError:
        return False
    return True
