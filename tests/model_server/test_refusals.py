"""What the running server refuses, and what it says and logs when it does."""

import http.client
import json
import socket

import pytest

from tests.model_server.bodies import as_csv
from tests.model_server.conftest import Offline
from tests.model_server.running_server import CSV, JSON, RunningServer


def test_ping_exercises_the_model(server: RunningServer) -> None:
    """200 is what SageMaker waits for."""
    assert server.request("GET", "/ping").status == 200


def test_a_wrong_value_is_answered_with_row_field_and_reason(server: RunningServer, offline: Offline) -> None:
    """The second record's year is no number."""
    rows = [list(row) for row in offline.records.rows[:3]]
    rows[1][offline.records.columns.index("year")] = "new"
    reply = server.invoke(as_csv(rows))

    assert (reply.status, reply.content_type) == (400, JSON)
    assert reply.error == {"row": 2, "field": "year", "reason": "should be a number, not 'new'"}


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e308", "1e16", "-1e300", "9" * 400])
def test_no_number_that_leaves_the_model_s_range_reaches_it(
    server: RunningServer, offline: Offline, value: str
) -> None:
    """In CSV and in JSON, where Python's parser would take them."""
    row = dict(zip(offline.records.columns, offline.records.rows[0], strict=True))
    body = json.dumps(row | {"engine_hp": "PLACE"}).replace('"PLACE"', value)
    for reply in (server.invoke(body, JSON), server.invoke(as_csv([list((row | {"engine_hp": value}).values())]))):
        assert (reply.status, reply.error["row"], reply.error["field"]) == (400, 1, "engine_hp")


def test_a_prediction_beyond_all_floats_is_refused_by_its_row(server: RunningServer, offline: Offline) -> None:
    """A linear model extrapolates; 1e15 horsepower have no price that JSON could hold."""
    rows = [list(row) for row in offline.records.rows[:2]]
    rows[1][offline.records.columns.index("engine_hp")] = "1e15"
    reply = server.invoke(as_csv(rows))

    assert reply.status == 400
    assert reply.error["row"] == 2
    assert "infinite" in reply.error["reason"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("POST", "/ping", 405), ("GET", "/invocations", 405), ("GET", "/invocations/..%2f", 404)],
)
def test_other_paths_and_methods_do_not_exist(server: RunningServer, method: str, path: str, status: int) -> None:
    """Two paths, one method each."""
    assert server.request(method, path).status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content_type": "application/x-parquet"}, 415),
        ({"content_type": CSV, "content_encoding": "gzip"}, 415),
        ({"content_type": CSV, "accept": "image/png"}, 406),
    ],
)
def test_forms_that_it_does_not_know_are_refused(server: RunningServer, headers: dict[str, str], status: int) -> None:
    """415 for what comes, 406 for what is wanted."""
    assert server.request("POST", "/invocations", b"1", **headers).status == status


def test_a_body_over_the_limit_is_refused_and_not_kept(server: RunningServer) -> None:
    """100 MB against a limit of 64 KiB: the caller gets its 413, the server keeps none of it."""
    before = server.peak_memory()
    reply = server.invoke(b"x" * 100_000_000)

    assert reply.status == 413
    assert "65536 bytes at most" in reply.error["reason"]
    assert server.peak_memory() - before < 20_000_000


def test_a_body_without_a_length_is_counted_as_it_comes(server: RunningServer) -> None:
    """Chunked transfer encoding declares nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("POST", "/invocations", (b"x" * 10_000 for _ in range(50)), {"content-type": CSV})

    assert connection.getresponse().status == 413
    connection.close()


def test_too_many_records_are_refused(server: RunningServer, offline: Offline) -> None:
    """413 with the limit, though the body is small enough."""
    reply = server.invoke("1\n" * 501)

    assert reply.status == 413
    assert "500 records at most" in reply.error["reason"]


def test_a_slow_client_is_given_up_and_delays_nobody(server: RunningServer) -> None:
    """A body that stops coming ends in 408; others are answered meanwhile."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as slow:
        slow.sendall(b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: text/csv\r\ncontent-length: 9\r\n\r\nab")
        assert server.request("GET", "/ping").status == 200
        assert slow.recv(4096).startswith(b"HTTP/1.1 408 ")


def test_a_client_that_leaves_in_the_middle_is_no_error(server: RunningServer) -> None:
    """Nothing is logged as a failure, and the server goes on."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as leaving:
        leaving.sendall(
            b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: text/csv\r\ncontent-length: 9\r\n\r\nab"
        )

    assert server.request("GET", "/ping").status == 200
    assert not [entry for entry in server.log_entries() if entry["level"] == "ERROR"]


def test_a_connection_serves_many_requests(server: RunningServer, offline: Offline) -> None:
    """Also after a refusal."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    statuses = []
    for body in (as_csv(offline.records.rows[:1]), "wrong", as_csv(offline.records.rows[:1])):
        connection.request("POST", "/invocations", body, {"content-type": CSV})
        answer = connection.getresponse()
        answer.read()
        statuses.append(answer.status)
    connection.close()

    assert statuses == [200, 400, 200]


def test_the_log_has_the_refusal_and_nothing_of_the_request(server: RunningServer) -> None:
    """Requests may hold what nobody should read in a log; names that the caller made up included."""
    server.invoke('{"make": "secret-value", "year": "secret-year"}', JSON)
    server.invoke('{"secret-name": 1}', JSON)

    last = server.log_entries()[-1]
    assert (last["message"], last["status"], last["row"], last["field"]) == ("request refused", 400, 1, None)
    assert "secret" not in server.log.read_text()
