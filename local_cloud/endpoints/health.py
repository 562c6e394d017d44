"""SageMaker's health check of a container: GET /ping, which has to answer 200 within two seconds.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
It only asks: what follows from the answers is the server's to decide.
"""

from dataclasses import dataclass

from local_cloud.endpoints.connections import ConnectionLostError, ConnectionPool

PING_SECONDS = 2.0


@dataclass(frozen=True)
class HealthCheck:
    """A /ping every `interval_seconds`; after `failures` in a row the server counts as hung.

    In real seconds, whatever the clock's scale: a process does not recover faster for it.
    """

    interval_seconds: float = 5.0
    timeout_seconds: float = PING_SECONDS
    failures: int = 3


def ping(pool: ConnectionPool, *, timeout: float) -> str | None:
    """What is wrong with the server behind `pool`; None if it is healthy."""
    try:
        status = pool.request("GET", "/ping", timeout=timeout).status
    except (ConnectionLostError, TimeoutError):
        return "no answer"
    return None if status == 200 else f"status {status}"
