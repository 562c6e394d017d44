"""Reading a request's body: counted, timed, and gone when the caller is."""

import asyncio
from collections.abc import Sequence

import pytest

from model_server.asgi import BodyReader, Message, Receive
from model_server.errors import ClientDisconnectedError, RequestError
from model_server.settings import Limits

LIMITS = Limits(body_bytes=10, rows=1, body_seconds=0.05)


def chunk(body: bytes, *, more: bool = False) -> Message:
    """What ASGI gives for a piece of a body."""
    return {"type": "http.request", "body": body, "more_body": more}


def receive_from(messages: Sequence[Message]) -> Receive:
    """An ASGI receive that gives these messages and then nothing for ever."""
    left = list(messages)

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        return left.pop(0)

    return receive


def read(*messages: Message, declared: bytes | None = None) -> bytes:
    """Read a body in a loop of its own, for five seconds at most."""
    reading = BodyReader(LIMITS).read(receive_from(messages), declared=declared)

    async def within_five_seconds() -> bytes:
        return await asyncio.wait_for(reading, 5)

    return asyncio.run(within_five_seconds())


def test_a_body_may_come_in_pieces() -> None:
    """Joined in order."""
    assert read(chunk(b"abc", more=True), chunk(b"", more=True), chunk(b"def")) == b"abcdef"


def test_a_body_of_the_limit_is_taken() -> None:
    """One byte more is not."""
    assert read(chunk(b"0123456789"), declared=b"10") == b"0123456789"
    with pytest.raises(RequestError, match="10 bytes at most") as caught:
        read(chunk(b"01234", more=True), chunk(b"567890"))
    assert caught.value.status == 413


def test_a_body_that_is_declared_too_large_is_refused_after_it_was_sent() -> None:
    """The caller must have sent everything before it looks for an answer."""
    with pytest.raises(RequestError, match="10 bytes at most"):
        read(chunk(b"0", more=True), chunk(b""), declared=b"11")


def test_a_body_that_never_ends_is_given_up() -> None:
    """Status 408 within the limit and a quarter, whether or not anything arrives."""
    for messages in ([], [chunk(b"abc", more=True)]):
        with pytest.raises(RequestError, match=r"did not arrive within 0\.05 s") as caught:
            read(*messages)
        assert caught.value.status == 408


def test_a_body_that_is_too_large_and_never_ends_is_too_large() -> None:
    """The caller is told what it can change."""
    with pytest.raises(RequestError, match="10 bytes at most"):
        read(chunk(b"0123456789abc", more=True))


def test_a_caller_that_goes_away_is_not_answered() -> None:
    """There is nobody left to tell."""
    with pytest.raises(ClientDisconnectedError):
        read(chunk(b"abc", more=True), {"type": "http.disconnect"})


def test_being_cancelled_for_another_reason_stays_a_cancellation() -> None:
    """The server cancels what is left when its time to drain is over."""

    async def cancel() -> None:
        task = asyncio.ensure_future(BodyReader(Limits()).read(receive_from([]), declared=None))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())


def test_the_reader_forgets_what_it_has_read() -> None:
    """A server that runs for months must not collect anything by request."""

    async def read_many() -> tuple[int, int]:
        reader = BodyReader(LIMITS)
        for _ in range(100):
            await reader.read(receive_from([chunk(b"abc")]), declared=None)
        return len(reader._began), len(reader._late)

    assert asyncio.run(read_many()) == (0, 0)
