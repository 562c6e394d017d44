"""The types of the ASGI specification that this server uses (https://asgi.readthedocs.io), and reading a body."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from model_server.errors import ClientDisconnectedError, RequestError
from model_server.settings import Limits

Scope = Mapping[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def headers(scope: Scope) -> dict[bytes, bytes]:
    """Headers of a request by lower-case name; of one that is repeated, the last."""
    return dict(scope["headers"])


class _Body:
    """The pieces of a body so far; none of them once there are too many bytes."""

    def __init__(self, maximum: int, declared: bytes | None) -> None:
        self._maximum = maximum
        self._size = 0
        self._chunks: list[bytes] = []
        self.too_large = declared is not None and int(declared) > maximum

    def add(self, message: Message) -> bool:
        """Take the next piece, or drop everything; whether there is more to come.

        Raises ClientDisconnectedError if the message says so.
        """
        if message["type"] == "http.disconnect":
            raise ClientDisconnectedError("the client went away while it sent its request")
        chunk: bytes = message["body"]
        self._size += len(chunk)
        self.too_large = self.too_large or self._size > self._maximum
        if self.too_large:
            self._chunks.clear()
        else:
            self._chunks.append(chunk)
        return bool(message["more_body"])

    def content(self) -> bytes:
        """The whole body; raises RequestError (413) if it is too large."""
        if self.too_large:
            raise RequestError(413, f"a body may have {self._maximum} bytes at most; send fewer records at a time")
        return b"".join(self._chunks)


class BodyReader:
    """Reads bodies within a size and a time. One timer looks after all of them: one each would cost as much as the
    prediction itself, so a body that is late is noticed up to a quarter of the limit later."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._began: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def read(self, receive: Receive, *, declared: bytes | None) -> bytes:
        """Body of a request, counted while it arrives and never held beyond the limit.

        The rest of a body that is too large is read and dropped, since most clients look for an answer only when they
        have sent everything. Raises RequestError (413, or 408 when the body does not arrive in time) or
        ClientDisconnectedError.
        """
        task = self._watch()
        body = None
        try:
            message = await receive()
            if self._is_all(message):
                return cast(bytes, message["body"])
            body = _Body(self._limits.body_bytes, declared)
            while body.add(message):
                message = await receive()
        except asyncio.CancelledError:
            if task not in self._late:
                raise
            task.uncancel()
            if body is None or not body.too_large:
                seconds = self._limits.body_seconds
                raise RequestError(408, f"the body did not arrive within {seconds:g} s") from None
        finally:
            del self._began[task]
            self._late.discard(task)
        return body.content()

    def _is_all(self, message: Message) -> bool:
        """True for what nearly every request is: one piece of reasonable size."""
        return (
            message["type"] == "http.request"
            and not message["more_body"]
            and len(message["body"]) <= self._limits.body_bytes
        )

    def _watch(self) -> asyncio.Task[Any]:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        if task is None:
            raise RuntimeError("a body is read in a task")
        self._began[task] = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self._limits.body_seconds / 4, self._cancel_late)
        return task

    def _cancel_late(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        latest = loop.time() - self._limits.body_seconds
        for task, began in self._began.items():
            if began <= latest and task not in self._late:
                self._late.add(task)
                task.cancel()
        if self._began:
            self._timer = loop.call_later(self._limits.body_seconds / 4, self._cancel_late)
