"""The SageMaker inference contract as a plain ASGI application: GET /ping and POST /invocations.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
One event loop, one thread, one model; a prediction takes microseconds, so it runs in the loop, together with those
that came in at the same moment. Every answer but a prediction is a JSON refusal. No value of a request is ever logged.
"""

import logging
import math
from collections.abc import Awaitable, Callable, Mapping

from model_server import answers, media_types
from model_server.answers import Answer
from model_server.artifact import ServedModel
from model_server.asgi import BodyReader, Receive, Scope, Send, headers
from model_server.batching import BatchScorer
from model_server.errors import ClientDisconnectedError, ModelServerError, RecordError, RequestError
from model_server.request_bodies import BodyParser
from model_server.settings import Limits

_LOG = logging.getLogger("model_server")
_INTERNAL_ERROR = "the server failed to answer; its log tells why"
# A connection whose request was not read to its end cannot carry another one.
_CLOSING_STATUSES = (408, 413)


class Application:
    """An ASGI application that serves one model."""

    def __init__(self, model: ServedModel, limits: Limits) -> None:
        self._model = model
        self._golden = model.golden.first()
        self._scorer = BatchScorer(model.scorer)
        self._bodies = BodyReader(limits)
        self._parser = BodyParser(model.scorer.encoder.spec, maximum_rows=limits.rows)
        self._routes: Mapping[str, tuple[str, Callable[[Scope, Receive], Awaitable[Answer]]]] = {
            "/invocations": ("POST", self._invoke),
            "/ping": ("GET", self._ping),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            answer = await self._answer(scope, receive)
        except ClientDisconnectedError:
            return
        start = {"type": "http.response.start", "status": answer.status, "headers": answer.headers}
        await send(start)
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        path = scope["path"]
        method, handle = self._routes.get(path, (None, None))
        if handle is None:
            return answers.refusal(404, "there is nothing here; use GET /ping or POST /invocations")
        if scope["method"] != method:
            return answers.refusal(405, f"{path} takes {method} only", headers=((b"allow", str(method).encode()),))
        try:
            return await handle(scope, receive)
        except RecordError as error:
            # The name of a field is the caller's text unless it is one of the model's.
            known = error.field if error.field in self._model.scorer.encoder.spec.names else None
            _log_refusal(path, 400, row=error.row, field=known)
            return answers.refusal(400, error.reason, row=error.row, field=error.field)
        except RequestError as error:
            _log_refusal(path, error.status)
            closing = ((b"connection", b"close"),) if error.status in _CLOSING_STATUSES else ()
            return answers.refusal(error.status, error.reason, headers=closing)
        except ClientDisconnectedError:
            raise
        except Exception:  # noqa: BLE001  last resort: the caller gets a status, the log the reason
            _LOG.exception("request failed", extra={"fields": {"path": path, "status": 500}})
            return answers.refusal(500, _INTERNAL_ERROR)

    async def _ping(self, _scope: Scope, _receive: Receive) -> Answer:
        try:
            self._model.check(self._golden)
        except ModelServerError as error:
            _LOG.error("the model is broken: %s", error)
            return answers.refusal(503, str(error))
        return answers.ok()

    async def _invoke(self, scope: Scope, receive: Receive) -> Answer:
        given = headers(scope)
        requested = media_types.of_request(given.get(b"content-type", b""))
        answered = media_types.of_answer(given.get(b"accept", b""), requested)
        if given.get(b"content-encoding", b"identity") != b"identity":
            raise RequestError(415, "the body should not be compressed")
        body = await self._bodies.read(receive, declared=given.get(b"content-length"))
        return answers.predictions(await self._predict(self._parser.parse(body, requested)), answered)

    async def _predict(self, rows: list[list[str]]) -> list[float]:
        prices = await self._scorer.predict(rows)
        if not all(map(math.isfinite, prices)):
            number, price = next((n, price) for n, price in enumerate(prices, start=1) if not math.isfinite(price))
            if math.isnan(price):
                raise ModelServerError(f"the model has no prediction for row {number}")
            raise RecordError(row=number, field=None, reason="is so far out of range that its prediction is infinite")
        return prices


def _log_refusal(path: str, status: int, *, row: int | None = None, field: str | None = None) -> None:
    _LOG.info("request refused", extra={"fields": {"path": path, "status": status, "row": row, "field": field}})
