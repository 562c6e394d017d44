"""Load: POST /invocations over kept-alive connections, each sending its next request when the last is answered.

Runs as a process of its own with the runtime image's Python, so that its work is not counted as a server's:
`python client.py PORT CONNECTIONS SECONDS BODY_FILE...`; prints requests, failures and latencies as JSON. The bodies
are sent in turn.
"""

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import uvloop  # type: ignore[import-not-found]


class _Connection(asyncio.Protocol):
    def __init__(self, bodies: Sequence[bytes], *, deadline: float, done: asyncio.Event) -> None:
        self._requests = itertools.cycle([_request(body) for body in bodies])
        self._deadline = deadline
        self._done = done
        self._received = b""
        self._sent = 0.0
        self.latencies: list[float] = []
        self.failures = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods of asyncio.Transport without being of its kind.
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator or len(body) < _content_length(head):
            return
        now = time.perf_counter()
        self.latencies.append(now - self._sent)
        self.failures += not head.startswith(b"HTTP/1.1 200")
        if now < self._deadline:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.failures += exc is not None or time.perf_counter() < self._deadline
        self._done.set()

    def _send(self) -> None:
        self._received = b""
        self._sent = time.perf_counter()
        self._transport.write(next(self._requests))


def _request(body: bytes) -> bytes:
    head = "POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/csv\r\nContent-Length: "
    return f"{head}{len(body)}\r\n\r\n".encode() + body


def _content_length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])


async def _load(port: int, *, connections: int, seconds: float, bodies: Sequence[bytes]) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    deadline = time.perf_counter() + seconds
    opened: list[_Connection] = []
    events = [asyncio.Event() for _ in range(connections)]
    for number, event in enumerate(events):
        connection = _Connection([*bodies[number:], *bodies[:number]], deadline=deadline, done=event)
        await loop.create_connection(lambda connection=connection: connection, "127.0.0.1", port)  # type: ignore[misc]
        opened.append(connection)
    await asyncio.gather(*(event.wait() for event in events))
    latencies = sorted(latency for connection in opened for latency in connection.latencies)
    return {
        "requests": len(latencies),
        "failures": sum(connection.failures for connection in opened),
        "p50": latencies[len(latencies) // 2],
        "p99": latencies[len(latencies) * 99 // 100],
    }


if __name__ == "__main__":
    port, connections, seconds, *files = sys.argv[1:]
    load = _load(
        int(port), connections=int(connections), seconds=float(seconds), bodies=[Path(f).read_bytes() for f in files]
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(load)))
