"""Answers of the server as bytes: predictions in the three media types, and refusals as JSON."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from model_server.media_types import MediaType

_JSON = b"application/json"


class Answer(NamedTuple):
    """Status, body and headers of one HTTP answer, as ASGI takes them."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]


def predictions(values: Sequence[float], media_type: MediaType) -> Answer:
    """Predictions in the order of the records, each written so that reading it gives the same float.

    CSV has one per line, JSON {"predictions": [...]}, JSON Lines {"prediction": ...} per line.
    """
    texts = map(repr, values)
    if media_type is MediaType.CSV:
        body = "\n".join(texts) + "\n"
    elif media_type is MediaType.JSON:
        body = f'{{"predictions": [{", ".join(texts)}]}}'
    else:
        body = "".join(f'{{"prediction": {text}}}\n' for text in texts)
    return _answer(200, body.encode(), media_type.value.encode())


def refusal(
    status: int,
    reason: str,
    *,
    row: int | None = None,
    field: str | None = None,
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> Answer:
    """A refusal: {"error": {"row", "field", "reason"}}; row counts from 1, both are null if no record is at fault."""
    body = json.dumps({"error": {"row": row, "field": field, "reason": reason}}) + "\n"
    return _answer(status, body.encode(), _JSON, headers)


def ok() -> Answer:
    """The answer to /ping: 200 is all that SageMaker looks at."""
    return _answer(200, b'{"status": "healthy"}\n', _JSON)


def _answer(status: int, body: bytes, media_type: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()) -> Answer:
    length = str(len(body)).encode()
    return Answer(status, body, ((b"content-type", media_type), (b"content-length", length), *headers))
