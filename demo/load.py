"""Steady traffic on an endpoint from one event loop, with what became of every single request.

Open loop: a request is sent when its moment has come, whether or not the ones before it were answered, and its latency
counts from that moment; so a server that falls behind shows as latency and not as fewer requests. Signs as any AWS
client does, and repeats nothing: a caller would have seen the failure.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

import asyncio
import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import aiohttp
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_CONTENT_TYPE = "text/csv"
_ANSWER_LIMIT_SECONDS = 60.0
_NO_ANSWER = 0


@dataclass(frozen=True)
class Target:
    """One endpoint; `url` is that of the SageMaker runtime."""

    url: str
    endpoint: str
    region: str
    credentials: Credentials

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], endpoint: str) -> "Target":
        """The endpoint in the cloud that an environment points at."""
        return cls(
            url=environment["AWS_ENDPOINT_URL"],
            endpoint=endpoint,
            region=environment["AWS_REGION"],
            credentials=Credentials(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]),
        )

    def request(self, body: bytes) -> AWSRequest:
        """A signed InvokeEndpoint."""
        request = AWSRequest(
            method="POST",
            url=f"{self.url}/endpoints/{self.endpoint}/invocations",
            headers={"Content-Type": _CONTENT_TYPE, "Accept": _CONTENT_TYPE},
            data=body,
        )
        SigV4Auth(self.credentials, "sagemaker", self.region).add_auth(request)
        return request


@dataclass(frozen=True)
class Call:
    """One request: `record` is the place of its body, `sent` seconds since the epoch, `latency` seconds.

    `status` is the HTTP status as the caller saw it, 0 if no answer came; `answer` its body, or why there is none.
    """

    record: int
    sent: float
    latency: float
    status: int
    answer: str

    @property
    def succeeded(self) -> bool:
        """Whether the endpoint gave a prediction."""
        return self.status == 200


@dataclass(frozen=True)
class Figures:
    """What a number of calls have in common; latencies in seconds, NaN without a call."""

    requests: int
    failures: int
    p50: float
    p99: float


def summarize(calls: Sequence[Call]) -> Figures:
    """Count and percentiles (nearest rank) of all calls, the failed ones included."""
    ordered = sorted(call.latency for call in calls)

    def percentile(share: float) -> float:
        return ordered[math.ceil(share * len(ordered)) - 1] if ordered else math.nan

    failures = sum(not call.succeeded for call in calls)
    return Figures(len(ordered), failures, percentile(0.5), percentile(0.99))


@dataclass
class SteadyLoad:
    """`rate` requests per second on `connections` connections, each with one of the bodies. `calls` grows meanwhile.

    The bodies come in a random order, the same every time: in turn, they could keep step with a router that also works
    in turn, and a version would get the same few of them again and again.
    """

    target: Target
    bodies: Sequence[bytes]
    rate: float
    connections: int = 8
    calls: list[Call] = field(default_factory=list)

    async def run(self, ended: Callable[[], bool]) -> None:
        """Send until `ended` says so, then wait for the answers that are still due."""
        connector = aiohttp.TCPConnector(limit=self.connections)
        timeout = aiohttp.ClientTimeout(total=_ANSWER_LIMIT_SECONDS)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session, asyncio.TaskGroup() as group:
            order = random.Random(0)  # noqa: S311  an order, no secret
            begin = time.monotonic()
            for number in count():
                due = begin + number / self.rate
                await asyncio.sleep(max(due - time.monotonic(), 0))  # the pace of the load, not a wait for a result
                if ended():
                    break
                group.create_task(self._call(session, order.randrange(len(self.bodies)), due))

    @contextmanager
    def running(self) -> Iterator["SteadyLoad"]:
        """Send from a thread of its own while the block runs. What goes wrong in there is raised at its end."""
        ended = threading.Event()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="load") as pool:
            work = pool.submit(lambda: asyncio.run(self.run(ended.is_set)))
            try:
                yield self
            finally:
                ended.set()
            work.result()

    async def _call(self, session: aiohttp.ClientSession, record: int, due: float) -> None:
        sent = time.time() - (time.monotonic() - due)
        request = self.target.request(self.bodies[record])
        headers = {name: str(value) for name, value in request.headers.items()}
        try:
            async with session.post(request.url, data=self.bodies[record], headers=headers) as response:
                status, answer = response.status, (await response.read()).decode(errors="replace")
        except (aiohttp.ClientError, TimeoutError) as error:
            status, answer = _NO_ANSWER, f"{type(error).__name__}: {error}"
        self.calls.append(Call(record, sent, time.monotonic() - due, status, answer))
