"""Content-Type and Accept."""

import pytest

from model_server.errors import RequestError
from model_server.media_types import MediaType, of_answer, of_request


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("text/csv", MediaType.CSV),
        ("Text/CSV; charset=UTF-8", MediaType.CSV),
        ('application/json;charset="utf-8"', MediaType.JSON),
        ("application/jsonlines", MediaType.JSON_LINES),
    ],
)
def test_a_known_content_type_is_understood(content_type: str, expected: MediaType) -> None:
    """Case and a character set of utf-8 make no difference."""
    assert of_request(content_type.encode()) is expected


@pytest.mark.parametrize("content_type", ["", "application/octet-stream", "text/csv; charset=latin-1", "csv", ";"])
def test_another_content_type_is_refused(content_type: str) -> None:
    """Status 415; the first of them is what a client sends that says nothing."""
    with pytest.raises(RequestError, match="should be") as caught:
        of_request(content_type.encode())

    assert caught.value.status == 415


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", MediaType.CSV),
        ("*/*", MediaType.CSV),
        ("text/*", MediaType.CSV),
        ("application/json", MediaType.JSON),
        ("application/*", MediaType.JSON),
        ("text/csv;q=0.5, application/jsonlines", MediaType.JSON_LINES),
        ("image/png, application/json;q=0.1", MediaType.JSON),
        ("application/json;q=0, text/csv", MediaType.CSV),
    ],
)
def test_the_best_of_what_is_accepted_is_answered(accept: str, expected: MediaType) -> None:
    """For a request in CSV, which is the answer's form unless the caller says otherwise."""
    assert of_answer(accept.encode(), MediaType.CSV) is expected


@pytest.mark.parametrize("accept", ["image/png", "application/json;q=0", "text/csv;q=x"])
def test_an_answer_that_nobody_accepts_is_refused(accept: str) -> None:
    """Status 406, with what can be had."""
    with pytest.raises(RequestError, match="the answer can be one of text/csv, application/json") as caught:
        of_answer(accept.encode(), MediaType.CSV)

    assert caught.value.status == 406
