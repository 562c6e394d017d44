"""The application with a model that breaks while it runs: seen by /ping, told to the caller, explained in the log."""

import asyncio
import json
import logging
from typing import Any, cast

import numpy as np
import pytest

from model_server.application import Application
from model_server.artifact import Golden, ServedModel
from model_server.asgi import Message
from model_server.scoring import Encoder, Feature, FeatureSpec, FloatMatrix, FloatVector, Scorer
from model_server.settings import Limits

SPEC = FeatureSpec(dataset="cars", label="msrp", features=(Feature("engine_hp", median=150.0, categories=()),))


class StubScorer:
    """A scorer whose next logarithm, or error, a test sets; it stands for a model that turns bad."""

    def __init__(self) -> None:
        self.encoder = Encoder(SPEC)
        self.result: float | Exception = 10.0

    def predict_log(self, matrix: FloatMatrix) -> FloatVector:
        """The same logarithm for every row."""
        if isinstance(self.result, Exception):
            raise self.result
        return np.full(len(matrix), self.result)

    def predict_encoded(self, matrix: FloatMatrix) -> FloatVector:
        """As the real one."""
        return np.exp(self.predict_log(matrix))


def application(scorer: StubScorer) -> Application:
    """An application whose golden record has the logarithm 10."""
    golden = Golden(np.ones((1, 1), dtype=np.float32), np.array([10.0]), tolerance=1e-4)
    return Application(ServedModel(cast(Scorer, scorer), golden, {}), Limits())


def call(app: Application, method: str, path: str, body: bytes = b"") -> tuple[int, Any]:
    """Status and body of one request, without a server around it."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [(b"content-type", b"text/csv")]}
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.mark.parametrize("result", [10.001, float("nan"), RuntimeError("the session is gone")])
def test_ping_fails_as_soon_as_the_model_does(result: float | Exception) -> None:
    """SageMaker replaces an instance whose /ping fails, and only that tells it."""
    scorer = StubScorer()
    app = application(scorer)
    assert call(app, "GET", "/ping")[0] == 200

    scorer.result = result
    assert call(app, "GET", "/ping")[0] >= 500


@pytest.mark.parametrize("result", [float("nan"), RuntimeError("secret detail")])
def test_a_model_without_an_answer_is_the_server_s_fault(
    result: float | Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """500, so that the alarm on server errors sees it; the reason is in the log and not in the answer."""
    scorer = StubScorer()
    scorer.result = result
    with caplog.at_level(logging.ERROR, "model_server"):
        status, body = call(application(scorer), "POST", "/invocations", b"123.25\n")

    assert (status, body["error"]["reason"]) == (500, "the server failed to answer; its log tells why")
    assert caplog.records[0].exc_info is not None
    assert "123.25" not in caplog.text


def test_an_infinite_price_is_the_request_s_fault() -> None:
    """A linear model extrapolates without end."""
    scorer = StubScorer()
    scorer.result = 1000.0
    with np.errstate(over="ignore"):
        status, body = call(application(scorer), "POST", "/invocations", b"1\n2\n")

    assert (status, body["error"]["row"]) == (400, 1)
