"""Invokes the endpoint as its callers do and compares what it answers with what the trained model predicts.

Must not decide what is deployed, and must not repeat a failed invocation: a caller would have seen the failure.
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.verify_endpoint.errors import VerificationError
from lambdas.verify_endpoint.golden import GoldenRecords

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
# The monitors leave requests with such ids out: they repeat a few records, and are nobody's.
VERIFICATION = "cd4ml-verification-"
# The first requests open the connection and fill caches, which steady callers do not wait for.
_WARM_UP = 3


@dataclass(frozen=True, slots=True)
class LatencyBudget:
    """At most `milliseconds` for 95 % of `invocations` with one record, as this function sees them."""

    milliseconds: float
    invocations: int


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint; `runtime` is a boto3 client without retries.

    `remaining` gives the seconds that are left, `clock` the time in seconds.
    """

    runtime: Any
    name: str
    remaining: Callable[[], float]
    clock: Callable[[], float]

    def largest_difference(self, golden: GoldenRecords) -> float:
        """Parity in each content type; VerificationError with the record that is off, or the malformed answer."""
        records = golden.json_records()
        lines = "".join(f"{json.dumps(record)}\n" for record in records)
        answers = {
            CSV: _csv_predictions(self._invoke(golden.csv_body(), CSV)),
            JSON: _json_predictions(self._invoke(json.dumps({"records": records}), JSON), JSON),
            JSON_LINES: _json_predictions(_joined(self._invoke(lines, JSON_LINES)), JSON_LINES),
        }
        return max(
            golden.largest_difference(predictions, content_type=content_type)
            for content_type, predictions in answers.items()
        )

    def check_refusal(self, golden: GoldenRecords) -> None:
        """A record that lacks a value has to be the caller's error, and nothing else."""
        malformed = golden.csv_body([golden.rows[0][:-1]])
        try:
            answer = self._send(malformed, CSV)
        except ClientError as error:
            status = _original_status(error)
            if not 400 <= status < 500:
                raise VerificationError(
                    f"{self.name} answers a record that lacks a value with {status} instead of 400: {_text(error)}"
                ) from error
            return
        raise VerificationError(
            f"{self.name} answers a record that lacks a value with a prediction: {answer[:200]!r}; it has to be refused"
        )

    def p95_milliseconds(self, golden: GoldenRecords, budget: LatencyBudget) -> float:
        """Latency of one record that 95 % do not exceed; VerificationError if it is over the budget."""
        bodies = [golden.csv_body([row]) for row in golden.rows]
        taken = []
        for number in range(_WARM_UP + budget.invocations):
            if self.remaining() <= 0:
                raise VerificationError(
                    f"{self.name} answered {number} of {_WARM_UP + budget.invocations} requests before this "
                    "function's time was over; the latency budget cannot be checked"
                )
            start = self.clock()
            self._invoke(bodies[number % len(bodies)], CSV)
            taken.append((self.clock() - start) * 1000)
        measured = sorted(taken[_WARM_UP:])
        median, p95 = measured[len(measured) // 2], measured[math.ceil(0.95 * len(measured)) - 1]
        if p95 > budget.milliseconds:
            raise VerificationError(
                f"{self.name} is too slow: 95 % of {len(measured)} invocations with one record take up to "
                f"{p95:.0f} ms, the budget is {budget.milliseconds:.0f} ms (median {median:.0f} ms)"
            )
        return p95

    def _invoke(self, body: str, content_type: str) -> str:
        try:
            return self._send(body, content_type)
        except ClientError as error:
            raise VerificationError(
                f"{self.name} does not answer golden records ({content_type}): {_original_status(error)} {_text(error)}"
            ) from error

    def _send(self, body: str, content_type: str) -> str:
        try:
            answer = self.runtime.invoke_endpoint(
                EndpointName=self.name,
                Body=body.encode(),
                ContentType=content_type,
                Accept=content_type,
                InferenceId=f"{VERIFICATION}{uuid4()}",
            )
            return str(answer["Body"].read().decode("utf-8"))
        except (BotoCoreError, UnicodeDecodeError) as error:
            raise VerificationError(f"{self.name} cannot be invoked ({content_type}): {error}") from error


def _csv_predictions(body: str) -> list[float]:
    try:
        return [float(line.split(",")[0]) for line in body.splitlines() if line.strip()]
    except ValueError as error:
        raise VerificationError(f"{CSV}: the answer should have one number per line, not {body[:200]!r}") from error


def _joined(body: str) -> str:
    """JSON Lines in the form of the JSON answer."""
    return f'{{"predictions": [{", ".join(line for line in body.splitlines() if line.strip())}]}}'


def _json_predictions(body: str, content_type: str) -> list[float]:
    """Numbers of {"predictions": [number or {"prediction": number}, ...]}."""
    try:
        items = json.loads(body)["predictions"]
        return [float(item["prediction"] if isinstance(item, Mapping) else item) for item in items]
    except (ValueError, TypeError, KeyError) as error:
        raise VerificationError(
            f"{content_type}: the answer should hold one number per record under predictions, not {body[:200]!r}"
        ) from error


def _original_status(error: ClientError) -> int:
    """The status that the container answered, or else SageMaker's own."""
    own = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return int(error.response.get("OriginalStatusCode") or own)


def _text(error: ClientError) -> str:
    return str(error.response.get("OriginalMessage") or error.response["Error"].get("Message", error))[:500]
