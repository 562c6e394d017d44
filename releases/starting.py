"""Starts releases and rollbacks: approves if asked to, and otherwise asks the function that checks every release.

Must not start the pipeline itself: then evidence and artifact would go unchecked.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from releases.book import ReleaseBook
from releases.errors import ReleasesError
from releases.names import Names
from releases.registry import APPROVED, Registry, version_of

# From the approval to the function's answer: EventBridge takes a second or two, the checks as long.
_ANSWER_SECONDS = 120.0


@dataclass(frozen=True)
class Starter:
    """What starts releases; `lambda_client` is boto3's, `caller` the ARN of who asks."""

    lambda_client: Any
    registry: Registry
    book: ReleaseBook
    names: Names
    caller: str
    poll_seconds: float

    def start(self, version: int, *, reason: str, approve: bool) -> str:
        """Release a version; the execution's id. ReleasesError with the reasons if it is refused."""
        package = self.registry.version(version)
        arn, status = package["ModelPackageArn"], package.get("ModelApprovalStatus")
        if status == APPROVED:
            return self._request(arn, reason=reason)
        if not approve:
            raise ReleasesError(f"version {version} is {status}; read its evidence, then approve it with --approve")
        known = self.book.answers()
        self.registry.approve(arn, reason=reason)
        answer = _wait_for(lambda: self.book.answer(arn, not_in=known), poll_seconds=self.poll_seconds)
        if answer is None:
            raise ReleasesError(
                f"version {version} is approved, but {self.names.start_function} did not answer within "
                f"{_ANSWER_SECONDS:.0f} s; look at its log and its dead-letter queue"
            )
        return _execution_of(answer)

    def rollback(self, version: int | None, *, reason: str, champion: str | None) -> tuple[str, str]:
        """Release an earlier version again, the last good one unless `version` is given; its ARN and the execution."""
        arn = self.registry.version(version)["ModelPackageArn"] if version else self._last_good(champion)
        if not self.registry.is_approved(arn):
            number = version_of(arn)
            raise ReleasesError(
                f"version {number} is not approved any more; "
                f"if it is good after all: python -m releases start --version {number} --approve"
            )
        return arn, self._request(arn, reason=f"rollback: {reason}")

    def _last_good(self, champion: str | None) -> str:
        """The champion if production serves something else, as after a failed release; otherwise the one before."""
        served = self.registry.served_by(self.names.production_endpoint)
        if champion is not None and served is not None and served != champion:
            return champion
        for arn in self.book.live_before():
            if arn != champion and self.registry.is_approved(arn):
                return arn
        raise ReleasesError(
            f"no version but {version_of(champion)} was live before and is still approved; name one with --to"
        )

    def _request(self, arn: str, *, reason: str) -> str:
        detail = {
            "modelPackageArn": arn,
            "reason": reason,
            "requestedBy": self.caller,
            "moment": datetime.now(UTC).isoformat(),
        }
        event = {"source": "cd4ml.releases", "detail-type": "Release Requested", "detail": detail}
        response = self.lambda_client.invoke(
            FunctionName=self.names.start_function, InvocationType="RequestResponse", Payload=json.dumps(event).encode()
        )
        answer = json.loads(response["Payload"].read())
        if response.get("FunctionError"):
            raise ReleasesError(
                f"{self.names.start_function} failed: {answer.get('errorMessage', answer)}; see its log"
            )
        return _execution_of(answer)


def _execution_of(answer: dict[str, Any]) -> str:
    """The execution that an answer names; ReleasesError with the reasons if it names none."""
    if answer.get("execution"):
        return str(answer["execution"])
    reasons = "\n".join(f"  - {reason}" for reason in answer.get("reasons", ()))
    raise ReleasesError(f"the release was {answer.get('outcome', 'not started')}:\n{reasons}")


def _wait_for(condition: Callable[[], dict[str, Any] | None], *, poll_seconds: float) -> dict[str, Any] | None:
    deadline = time.monotonic() + _ANSWER_SECONDS
    while (found := condition()) is None and time.monotonic() < deadline:
        time.sleep(poll_seconds)  # the pace of polling: the answer arrives as an object in S3
    return found
