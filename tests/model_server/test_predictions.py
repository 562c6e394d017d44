"""What the running server predicts is what the evaluation's code predicts, in every form of request and answer."""

import contextlib
import http.client
import json
from pathlib import Path
from typing import Any

import pytest

from tests.model_server.bodies import as_csv
from tests.model_server.conftest import Offline
from tests.model_server.running_server import CSV, JSON, JSON_LINES, RunningServer, start_server
from tests.sagemaker_pipelines.jobs import Job


def as_objects(offline: Offline) -> list[dict[str, Any]]:
    """Records as a JSON client has them: numbers as numbers, missing values left out."""
    return [
        {name: json.loads(value) if value.isdigit() else value for name, value in zip(names, row, strict=True) if value}
        for names, row in ((offline.records.columns, row) for row in offline.records.rows)
    ]


def requests_of(offline: Offline) -> dict[str, tuple[str, str]]:
    """The same records in every form: body and content type by name."""
    rows, objects = offline.records.rows, as_objects(offline)
    return {
        "csv": (as_csv(rows), CSV),
        "instances of objects": (json.dumps({"instances": objects}), JSON),
        "instances of lists": (json.dumps({"instances": rows}), JSON),
        "records": (json.dumps({"records": objects}), JSON),
        "list": (json.dumps(objects), JSON),
        "lines of objects": ("\n".join(map(json.dumps, objects)), JSON_LINES),
        "lines of lists": ("\n".join(map(json.dumps, rows)), JSON_LINES),
    }


def test_every_form_gives_the_offline_predictions(server: RunningServer, offline: Offline) -> None:
    """All records of the holdout at once, answered in the form of the request."""
    for name, (body, content_type) in requests_of(offline).items():
        reply = server.invoke(body, content_type)
        assert (reply.status, reply.content_type) == (200, content_type), (name, reply.body)
        # Float sums of a batch and of a single row may differ in the last digit of a float32.
        assert reply.prices == pytest.approx(offline.prices, rel=1e-6), name


def test_one_record_at_a_time_gives_the_same(server: RunningServer, offline: Offline) -> None:
    """A price does not depend on what else is in the request."""
    prices = [server.invoke(as_csv([row])).prices[0] for row in offline.records.rows]

    assert prices == pytest.approx(offline.prices, rel=1e-6)


def test_callers_of_the_same_moment_get_their_own_prices(server: RunningServer, offline: Offline) -> None:
    """A record each, all sent before any answer is read; one of them is wrong, and only that one is refused."""
    bodies = [as_csv([row]).encode() for row in offline.records.rows[:60]] + [b"too,short\n"]
    with contextlib.ExitStack() as open_connections:
        connections = []
        for body in bodies:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            connections.append(open_connections.enter_context(contextlib.closing(connection)))
            connection.request("POST", "/invocations", body, {"content-type": CSV})
        *answers, refused = [connection.getresponse() for connection in connections]
        prices = [float(answer.read()) for answer in answers]

    assert prices == pytest.approx(offline.prices[:60], rel=1e-6)
    assert refused.status == 400


@pytest.mark.parametrize("accept", [CSV, JSON, JSON_LINES])
def test_the_answer_has_the_form_that_is_asked_for(server: RunningServer, offline: Offline, accept: str) -> None:
    """Whatever the form of the request."""
    for body, content_type in requests_of(offline).values():
        reply = server.invoke(body, content_type, accept=accept)
        assert reply.content_type == accept
        assert reply.prices == pytest.approx(offline.prices, rel=1e-6)


def test_the_forms_of_an_answer(server: RunningServer, offline: Offline) -> None:
    """One number per line; an object; one object per line."""
    body = as_csv(offline.records.rows[:2])
    first, second = (repr(price) for price in server.invoke(body).prices)

    assert server.invoke(body).body.decode() == f"{first}\n{second}\n"
    assert server.invoke(body, accept=JSON).body.decode() == f'{{"predictions": [{first}, {second}]}}'
    lines = server.invoke(body, accept=JSON_LINES).body.decode()
    assert lines == f'{{"prediction": {first}}}\n{{"prediction": {second}}}\n'


def test_a_single_object_is_one_record(server: RunningServer, offline: Offline) -> None:
    """The shortest JSON request."""
    reply = server.invoke(json.dumps(as_objects(offline)[0]), JSON)

    assert reply.prices == pytest.approx(offline.prices[:1], rel=1e-6)


def test_an_unseen_category_and_a_missing_number_have_a_price(server: RunningServer, offline: Offline) -> None:
    """A make of next year, and a car whose power nobody states."""
    record = as_objects(offline)[0] | {"make": "Vettura Nuova 新", "engine_hp": None}

    assert server.invoke(json.dumps(record), JSON).prices[0] > 0


def test_a_request_of_20_000_rows_is_answered_in_order(
    exported_job: Job, model_base: Path, offline: Offline, tmp_path: Path
) -> None:
    """The default limits take a batch transform's payload, and the server stays below 150 MB."""
    repeats = 20_000 // len(offline.prices)
    with start_server(exported_job.interpreter.python, model_base, tmp_path / "log") as running:
        reply = running.invoke(as_csv(offline.records.rows * repeats))
        assert reply.prices == pytest.approx(offline.prices * repeats, rel=1e-6)
        assert running.peak_memory() < 150 * 1024 * 1024
