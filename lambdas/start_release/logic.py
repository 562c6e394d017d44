"""Answers a decision about a version: starts its release, refuses it with reasons, or brings the previous one back.

Repeatable: a decision is answered once, and its repetitions get the first answer. Must not deploy anything and must
not approve anything: the release pipeline deploys, people approve.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lambdas.shared.champion import NO_CHAMPION, ChampionParameter
from lambdas.shared.events import Event, EventBus
from lambdas.shared.json_log import JsonLog
from lambdas.shared.packages import APPROVED, REJECTED, ModelPackage, describe_package
from lambdas.shared.release_records import ReleaseRecords
from lambdas.start_release.checks import ReleaseChecks
from lambdas.start_release.release_pipeline import ReleasePipeline
from lambdas.start_release.request import Kind, Request

_LONGEST_SUMMARY = 2000


class Outcome(StrEnum):
    """What became of a decision."""

    STARTED = "started"
    REFUSED = "refused"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome; `execution` if a release was started, `reasons` if not."""

    outcome: Outcome
    execution: str | None = None
    reasons: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"outcome": str(self.outcome), "execution": self.execution, "reasons": list(self.reasons)}


@dataclass(frozen=True, slots=True)
class Releases:
    """What the function works with, made once per cold start. `sagemaker` is a boto3 client."""

    sagemaker: Any
    pipeline: ReleasePipeline
    checks: ReleaseChecks
    records: ReleaseRecords
    champion: ChampionParameter
    bus: EventBus
    stage: str
    log: JsonLog

    def answer(self, request: Request) -> dict[str, Any]:
        """Answer a decision; {"outcome", "execution", "reasons"}. Errors of AWS propagate, so that Lambda retries."""
        marker = f"{self.records.prefix}requests/{request.token}.json"
        known = self.records.bucket.read_json(marker)
        if known is not None:
            self.log.info("decision answered before", package=request.package_arn, answer=known.value["answer"])
            return {**known.value["answer"], "repeated": True}
        answer = self._decide(request)
        self.log.info("decision answered", package=request.package_arn, kind=request.kind, **answer.document())
        # Last, so that an invocation that died before is repeated; the pipeline knows the token, too.
        self.records.bucket.create_json(marker, {"request": _asked(request), "answer": answer.document()})
        return {**answer.document(), "repeated": False}

    def _decide(self, request: Request) -> Answer:
        package = describe_package(self.sagemaker, request.package_arn)
        if package is None:
            return self._refuse(request.package_arn, ["the registry has no such version"])
        if request.kind is Kind.REJECTION:
            return self._withdraw(package, request)
        if request.kind is Kind.APPROVAL and package.approval != APPROVED:
            return Answer(Outcome.IGNORED, reasons=(f"meanwhile the version is {package.approval}",))
        return self._release(package, reason=_reason(package, request), token=request.token)

    def _release(self, package: ModelPackage, *, reason: str, token: str) -> Answer:
        reasons = self.checks.reasons_against(package)
        if reasons:
            return self._refuse(package.arn, reasons)
        baseline = package.baseline_uri if self.checks.needs_baseline else None
        execution = self.pipeline.start(package_arn=package.arn, baseline_uri=baseline, reason=reason, token=token)
        return Answer(Outcome.STARTED, execution)

    def _withdraw(self, package: ModelPackage, request: Request) -> Answer:
        """A rejected version is not deployed any further; if it is live, or becomes so, the previous one returns."""
        if package.approval != REJECTED:
            return Answer(Outcome.IGNORED, reasons=(f"meanwhile the version is {package.approval}",))
        reason = f"version {package.version} was rejected{_why(package)}"
        deploying = self.pipeline.withdraw(package.arn, reason=reason)
        live = self.champion.read()
        if live != package.arn and not deploying:
            return Answer(Outcome.IGNORED, reasons=("the version is not live, so nothing has to be replaced",))
        previous = self._previous(package.arn)
        if previous is None:
            return self._refuse(
                package.arn,
                [
                    f"{reason} while it was live, and there is no earlier, still approved release to go back to; "
                    "approve another version, or delete the endpoint's stack"
                ],
            )
        return self._release(previous, reason=f"{reason} while it was live", token=request.token)

    def _previous(self, rejected: str) -> ModelPackage | None:
        """The version that was live last, other than `rejected` and still approved."""
        for arn in self.records.live_before():
            package = describe_package(self.sagemaker, arn) if arn != rejected else None
            if package is not None and package.approval == APPROVED:
                return package
        return None

    def _refuse(self, package_arn: str, reasons: list[str]) -> Answer:
        detail = {
            "project": self.records.project,
            "stage": self.stage,
            "modelPackageArn": package_arn,
            "live": self.champion.read() or NO_CHAMPION,
            "reasons": reasons,
            "summary": "; ".join(reasons)[:_LONGEST_SUMMARY],
        }
        self.bus.send(Event("Release Refused", detail))
        return Answer(Outcome.REFUSED, reasons=tuple(reasons))


def _reason(package: ModelPackage, request: Request) -> str:
    """Why, and by whom, for the pipeline's variable and the release record."""
    if request.kind is Kind.REQUEST:
        return f"{request.reason} (requested by {request.requested_by})"
    return f"{package.approval_description or 'approved'}{_who(package)}"


def _why(package: ModelPackage) -> str:
    description = f": {package.approval_description}" if package.approval_description else ""
    return f"{description}{_who(package)}"


def _who(package: ModelPackage) -> str:
    return f" (by {package.changed_by})" if package.changed_by else ""


def _asked(request: Request) -> Mapping[str, str]:
    return {
        "kind": str(request.kind),
        "model_package_arn": request.package_arn,
        "moment": request.moment,
        "reason": request.reason,
        "requested_by": request.requested_by,
    }
