"""Arbitrary requests against the running server: it answers each of them, and goes on."""

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.model_server.bodies import as_csv
from tests.model_server.conftest import Offline
from tests.model_server.running_server import CSV, JSON, JSON_LINES, RunningServer, start_server
from tests.sagemaker_pipelines.jobs import Job

REFUSALS = {400, 406, 408, 413, 415}
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
_CELL = st.text(max_size=8) | st.sampled_from(["NaN", "1e308", "-inf", "", '"', "\x00", "1_0", "٣", "2005", "Audi"])
_CELLS = st.lists(_CELL, min_size=12, max_size=16)
_LEAF = st.none() | st.booleans() | st.integers() | st.floats() | _CELL
_NAMES = st.sampled_from(["make", "model", "year", "engine_hp", "instances", "records", "colour", ""])
_JSON = st.recursive(_LEAF, lambda inner: st.lists(inner, max_size=15) | st.dictionaries(_NAMES, inner), max_leaves=30)
_BODIES = (
    st.binary(max_size=400)
    | st.lists(_CELLS, max_size=5).map(lambda rows: as_csv(rows).encode(errors="replace"))
    | st.lists(_CELLS, max_size=5).map(lambda rows: "\n".join(map(",".join, rows)).encode(errors="replace"))
    | _JSON.map(lambda value: json.dumps(value).encode())
    | st.lists(_JSON, max_size=4).map(lambda values: "\n".join(map(json.dumps, values)).encode())
)
_TYPES = st.sampled_from([CSV, JSON, JSON_LINES]) | st.text(st.characters(min_codepoint=32, max_codepoint=126))


@pytest.fixture(scope="module")
def fuzzed(server: RunningServer) -> Iterator[http.client.HTTPConnection]:
    """A connection to the server, which must be as healthy after all examples as before."""
    before = server.peak_memory()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    yield connection
    connection.close()
    assert server.request("GET", "/ping").status == 200
    assert server.peak_memory() - before < 20_000_000
    text = server.log.read_text()
    assert "Traceback" not in text
    assert '"status": 500' not in text


@FUZZ
@given(body=_BODIES, content_type=_TYPES, accept=_TYPES)
def test_any_body_is_answered(fuzzed: http.client.HTTPConnection, body: bytes, content_type: str, accept: str) -> None:
    """A prediction per record, or a refusal with a reason: never a 5xx, a stack trace or silence."""
    fuzzed.request("POST", "/invocations", body, {"content-type": content_type.strip(), "accept": accept.strip()})
    answer = fuzzed.getresponse()
    content = answer.read()

    if answer.status != 200:
        assert answer.status in REFUSALS
        assert set(json.loads(content)["error"]) == {"row", "field", "reason"}
        assert len(content) < 2000
    assert b"Traceback" not in content


@FUZZ
@given(data=st.binary(min_size=1, max_size=300), prefix=st.sampled_from([b"", b"POST /invocations HTTP/1.1\r\n"]))
def test_any_bytes_on_a_connection_do_no_harm(
    fuzzed: http.client.HTTPConnection, server: RunningServer, data: bytes, prefix: bytes
) -> None:
    """What is no HTTP is refused or dropped; the next connection is served."""
    with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(prefix + data)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(5)
        assert b"Traceback" not in connection.recv(4096)


def test_bodies_that_blow_up_when_parsed_stay_within_bounds(
    exported_job: Job, model_base: Path, offline: Offline, tmp_path: Path
) -> None:
    """6 MB of brackets, commas or line ends: the worst that the default limits let in."""
    size = 6 * 1024 * 1024 - 100
    bodies = [
        (b"[" + b"[]," * (size // 3) + b"[]]", JSON),
        (b"[" + b"{}," * (size // 3) + b"{}]", JSON),
        (b'[{"make":[' + b"1.5," * (size // 4) + b"1]}]", JSON),
        (b"[" * size, JSON),
        (b"ab," * (size // 3), CSV),
        (b"\n" * size, CSV),
        (b"\n" * size, JSON_LINES),
        (b'"' * size, CSV),
    ]
    with start_server(exported_job.interpreter.python, model_base, tmp_path / "log") as running:
        for body, content_type in bodies:
            assert running.invoke(body, content_type).status in (400, 413)
        assert running.invoke(as_csv(offline.records.rows)).status == 200
        assert running.peak_memory() < 400 * 1024 * 1024
        print(running.peak_memory() >> 20)
