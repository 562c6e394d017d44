"""The load client and the attribution of answers to versions."""

import asyncio
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from botocore.credentials import Credentials

from demo.attribution import KnownPredictions
from demo.load import Call, SteadyLoad, Target, summarize


@contextmanager
def _endpoint(statuses: Iterator[int]) -> Iterator[tuple[Target, list[str]]]:
    """A server that answers with these statuses, and the Authorization headers that it got."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(self.headers["Authorization"])
            self.send_response(next(statuses))
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"1.5\n")

        def log_message(self, *_: object) -> None:
            """Tests print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        yield Target(url, "prices", "us-east-1", Credentials("key", "secret")), seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _send(target: Target, *, requests: int) -> list[Call]:
    load = SteadyLoad(target, [b"1\n", b"2\n"], rate=500, connections=2)
    looks = itertools.count()
    asyncio.run(load.run(lambda: next(looks) >= requests))
    return load.calls


def test_every_request_is_sent_once_signed_and_told_of() -> None:
    """A failure is one call with its status and is not repeated; the load ends when it has all answers."""
    with _endpoint(itertools.chain([424], itertools.repeat(200))) as (target, seen):
        calls = _send(target, requests=20)

    assert len(calls) == len(seen) == 20
    assert all(header.startswith("AWS4-HMAC-SHA256 Credential=key/") for header in seen)
    assert summarize(calls).failures == 1
    assert {call.record for call in calls} == {0, 1}
    assert {call.answer for call in calls} == {"1.5\n"}


def test_an_endpoint_that_is_not_there_is_a_failed_call() -> None:
    """No answer is status 0 with the reason, and nothing is raised."""
    with _endpoint(itertools.repeat(200)) as (target, _):
        pass
    (call,) = _send(target, requests=1)

    assert call.status == 0
    assert "Connect" in call.answer


def test_an_answer_tells_the_version_that_gave_it() -> None:
    """By the prediction for that record, or by failing where only one version fails; anything else is unexplained."""
    known = KnownPredictions({"1": [100.0, 200.0, 300.0], "2": [101.0, None, 300.0]})

    def version(record: int, status: int, answer: str) -> str | None:
        return known.version_of(Call(record, 0.0, 0.1, status, answer))

    assert version(0, 200, "100.00001\n") == "1"
    assert version(0, 200, "101.0\n") == "2"
    assert version(1, 424, "ModelError") == "2"
    assert version(0, 200, "100.5\n") is None
    assert version(0, 424, "ModelError") is None
    assert version(2, 200, "300.0\n") is None
    assert version(0, 200, "no number") is None
