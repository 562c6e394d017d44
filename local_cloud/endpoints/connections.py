"""Kept-alive HTTP connections to one model server; nothing here knows what is asked of it."""

import http.client
import threading
from collections.abc import Mapping
from dataclasses import dataclass

HOST = "127.0.0.1"
_MOST_IDLE = 32


class ConnectionLostError(Exception):
    """The server ended the connection, or did not take one, before it had answered."""


@dataclass(frozen=True)
class ServerAnswer:
    """One HTTP response; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ConnectionPool:
    """Connections to one port, each used by one thread at a time."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()

    def request(
        self, method: str, path: str, *, timeout: float, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> ServerAnswer:
        """Ask the server. Raises ConnectionLostError, or TimeoutError after `timeout` seconds without a byte.

        A kept connection that the server has closed meanwhile is replaced by a new one, once.
        """
        kept = self._take()
        if kept is not None:
            try:
                return self._exchange(kept, method, path, timeout=timeout, body=body, headers=headers or {})
            except ConnectionLostError:
                pass  # closed while it was idle: a new connection tells whether the server lives
        fresh = http.client.HTTPConnection(HOST, self.port)
        return self._exchange(fresh, method, path, timeout=timeout, body=body, headers=headers or {})

    def close(self) -> None:
        """Close what is idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self) -> http.client.HTTPConnection | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        *,
        timeout: float,
        body: bytes,
        headers: Mapping[str, str],
    ) -> ServerAnswer:
        connection.timeout = timeout
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        try:
            connection.request(method, path, body=body or None, headers=dict(headers))
            response = connection.getresponse()
            answer = ServerAnswer(
                response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()
            )
        except TimeoutError:
            connection.close()
            raise
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise ConnectionLostError(str(error)) from error
        self._give_back(connection, reusable=not response.will_close)
        return answer

    def _give_back(self, connection: http.client.HTTPConnection, *, reusable: bool) -> None:
        with self._lock:
            if reusable and len(self._idle) < _MOST_IDLE:
                self._idle.append(connection)
                return
        connection.close()
