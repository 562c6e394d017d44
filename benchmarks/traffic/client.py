"""Steady load on InvokeEndpoint over plain sockets: a pace instead of as fast as it goes, and no second tries.

A request is due at its time whether or not those before it have their answers, as with independent callers; so a
server that is down for a while meets all the requests of that while.
"""

import asyncio
import itertools
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_ANSWER_SECONDS = 70.0  # InvokeEndpoint gives up after 60
_VARIANT_HEADER = "x-amzn-invoked-production-variant"


@dataclass(frozen=True)
class Reply:
    """What became of one request; moments are seconds since the epoch. `status` is 0 if no whole answer came."""

    id: str
    sent: float
    answered: float
    status: int
    variant: str
    body: bytes


class SteadyLoad:
    """`rate` requests per second on one endpoint for as long as the block lasts; each has an inference id of its own.

    Leaving the block waits for the answers. `replies` is only to be read then.
    """

    def __init__(self, cloud: Mapping[str, str], endpoint: str, *, body: bytes, rate: float, name: str = "r") -> None:
        self.replies: list[Reply] = []
        self._place = urlsplit(cloud["AWS_ENDPOINT_URL"])
        self._name = name
        self._rate = rate
        self._body = body
        self._head = _signed_head(cloud, f"/endpoints/{endpoint}/invocations", body)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="steady-load")

    def __enter__(self) -> "SteadyLoad":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def run_for(self, seconds: float) -> None:
        """Let the load go on for some time: what is measured, not what is waited for."""
        self._stopping.wait(seconds)

    async def _run(self) -> None:
        clock = asyncio.get_running_loop()
        started = clock.time()
        async with asyncio.TaskGroup() as requests:
            for number in itertools.count():
                await asyncio.sleep(max(0.0, started + number / self._rate - clock.time()))
                if self._stopping.is_set():
                    return
                requests.create_task(self._ask(f"{self._name}-{number}"))

    async def _ask(self, inference_id: str) -> None:
        sent = time.time()
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                status, headers, body = _parsed(await self._exchange(inference_id))
        except (OSError, TimeoutError, ValueError):
            status, headers, body = 0, {}, b""
        reply = Reply(inference_id, sent, time.time(), status, headers.get(_VARIANT_HEADER, ""), body)
        self.replies.append(reply)

    async def _exchange(self, inference_id: str) -> bytes:
        reader, writer = await asyncio.open_connection(self._place.hostname, self._place.port)
        try:
            extra = f"X-Amzn-SageMaker-Inference-Id: {inference_id}\r\n\r\n"
            writer.write(self._head + extra.encode() + self._body)
            return await reader.read(-1)
        finally:
            writer.close()


def _signed_head(cloud: Mapping[str, str], path: str, body: bytes) -> bytes:
    """The head of every request, signed once: the inference id is no header that a signature has to cover."""
    url = cloud["AWS_ENDPOINT_URL"] + path
    place = urlsplit(url).netloc
    request = AWSRequest("POST", url, data=body, headers={"Content-Type": "text/csv", "Host": place})
    credentials = Credentials(cloud["AWS_ACCESS_KEY_ID"], cloud["AWS_SECRET_ACCESS_KEY"])
    SigV4Auth(credentials, "sagemaker", cloud["AWS_REGION"]).add_auth(request)
    headers = {**dict(request.headers.items()), "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "".join(f"{line}\r\n" for line in lines).encode()


def _parsed(answer: bytes) -> tuple[int, dict[str, str], bytes]:
    """Status, headers by lower-case name, and body; ValueError if the answer is not whole."""
    head, separator, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if not separator or len(body) != int(headers["content-length"]):
        raise ValueError("the connection ended before the answer did")
    return int(first.split()[1]), headers, body
