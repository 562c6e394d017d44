"""The three media types of requests and answers, and how headers choose among them."""

from enum import Enum
from functools import lru_cache

from model_server.errors import RequestError


class MediaType(Enum):
    """A family of bodies; the value is what its Content-Type header says."""

    CSV = "text/csv"
    JSON = "application/json"
    JSON_LINES = "application/jsonlines"


_BY_NAME = {media_type.value: media_type for media_type in MediaType}
_SUPPORTED = ", ".join(_BY_NAME)
_UTF_8 = ("utf-8", "utf8", "us-ascii")


@lru_cache(maxsize=64)
def of_request(header: bytes) -> MediaType:
    """Media type of a request from its Content-Type; raises RequestError (415) if it is none of ours or not UTF-8."""
    content_type = header.decode("latin-1")
    name, _, parameters = content_type.partition(";")
    media_type = _BY_NAME.get(name.strip().lower())
    if media_type is None:
        raise RequestError(415, f"the content type should be one of {_SUPPORTED}, not '{content_type[:80]}'")
    for parameter in parameters.split(";"):
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "charset" and value.strip().strip('"').lower() not in _UTF_8:
            raise RequestError(415, f"the character set should be utf-8, not '{value[:40]}'")
    return media_type


def of_answer(header: bytes, requested: MediaType) -> MediaType:
    """Media type of the answer: what Accept likes best, and the request's own where it does not mind.

    Raises RequestError (406) if it takes none of ours.
    """
    return requested if header in (b"", b"*/*") else _best(header.decode("latin-1"), requested)


@lru_cache(maxsize=64)
def _best(accept: str, requested: MediaType) -> MediaType:
    best, best_quality = None, 0.0
    for part in accept.split(","):
        name, _, parameters = part.partition(";")
        media_type = _matching(name.strip().lower(), requested)
        quality = _quality(parameters)
        if media_type is not None and quality > best_quality:
            best, best_quality = media_type, quality
    if best is None:
        raise RequestError(406, f"the answer can be one of {_SUPPORTED}, not '{accept[:80]}'")
    return best


def _matching(name: str, requested: MediaType) -> MediaType | None:
    if name == "*/*" or name == f"{requested.value.partition('/')[0]}/*":
        return requested
    if name.endswith("/*"):
        return next((item for item in MediaType if item.value.startswith(name[:-1])), None)
    return _BY_NAME.get(name)


def _quality(parameters: str) -> float:
    for parameter in parameters.split(";"):
        key, _, value = parameter.partition("=")
        if key.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
