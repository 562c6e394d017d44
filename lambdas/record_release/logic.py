"""Keeps the book of releases: who released what, when, why, instead of what, and how it ended.

A successful release becomes the champion; any other leaves it alone. Repeatable: the record is written last, so that
an invocation that died is repeated, and one that did not is not. Must not deploy or approve.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lambdas.record_release.execution import Execution, Executions
from lambdas.record_release.request import UnfinishedRelease
from lambdas.shared.champion import NO_CHAMPION, ChampionParameter
from lambdas.shared.errors import LambdaError
from lambdas.shared.events import Event, EventBus
from lambdas.shared.json_log import JsonLog
from lambdas.shared.packages import ModelPackage, describe_package
from lambdas.shared.release_records import SUCCEEDED, ReleaseRecords

APPROVAL_STAGE = "Approve"


class RecordError(LambdaError):
    """The execution cannot be recorded; its text is the action's failure."""


@dataclass(frozen=True, slots=True)
class Recording:
    """What the function works with, made once per cold start. `sagemaker` is a boto3 client."""

    sagemaker: Any
    executions: Executions
    records: ReleaseRecords
    champion: ChampionParameter
    bus: EventBus
    stage: str
    log: JsonLog

    def complete(self, execution_id: str, package_arn: str) -> str:
        """Record a release that production serves and has been verified; URI of the record."""
        execution = self.executions.read(execution_id)
        if execution.started is None or execution.package_arn != package_arn:
            raise RecordError(
                f"execution {execution_id} releases {execution.package_arn}, not {package_arn}; nothing was recorded"
            )
        key = self.records.key(started=execution.started, execution_id=execution_id)
        known = self.records.bucket.read_json(key)
        if known is None or known.value["result"] != SUCCEEDED:
            self._complete(execution, key)
        return self.records.bucket.uri(key)

    def _complete(self, execution: Execution, key: str) -> None:
        to, live = str(execution.package_arn), self.champion.read()
        previous = next(self.records.live_before(execution.id), live if live != to else None) or NO_CHAMPION
        record = self._record(execution, result=SUCCEEDED, previous=previous, live=to)
        if live != to:
            self.champion.write(to)
        detail = self._facts(execution, key) | {"previous": previous, "reason": execution.reason}
        self.bus.send(Event("Release Completed", detail))
        self.records.bucket.write_json(key, record)
        self.log.info("release completed", key=key, package=to, previous=previous)

    def fail(self, ended: UnfinishedRelease) -> str | None:
        """Record a release that did not become live; URI of the record.

        None if the execution names no version, as the one that CodePipeline starts itself when it makes a pipeline.
        """
        execution = self.executions.read(ended.execution_id)
        if execution.package_arn is None:
            self.log.info("no release: the execution names no version", execution=execution.id)
            return None
        key = self.records.key(started=execution.started or ended.time, execution_id=execution.id)
        live = self.champion.read() or NO_CHAMPION
        record = self._record(execution, result=ended.result, previous=live, live=live)
        known = self.records.bucket.read_json(key)
        if known is None or not _same_end(known.value, record):
            self.bus.send(Event("Release Failed", self._failure(execution, key, record)))
            self.records.bucket.write_json(key, record)
            self.log.warning("release failed", key=key, result=ended.result, failed=record["failed"], live=live)
        return self.records.bucket.uri(key)

    def _record(self, execution: Execution, *, result: str, previous: str, live: str) -> dict[str, Any]:
        arn = str(execution.package_arn)
        package = describe_package(self.sagemaker, arn)
        approval = execution.action_of(APPROVAL_STAGE)
        return {
            "format": 1,
            "project": self.records.project,
            "stage": self.stage,
            "execution_id": execution.id,
            "pipeline": self.executions.pipeline,
            "started": _text(execution.started),
            "ended": _text(execution.ended),
            "result": result,
            "from": previous,
            "to": arn,
            "live": live,
            "reason": execution.reason,
            "started_by": execution.trigger,
            "production_approval": {"by": approval.by, "status": approval.status, "comment": approval.message}
            if approval
            else None,
            "failed": _failed(execution, result),
            "verification": execution.verification,
            "model": _model(package) if package else None,
        }

    def _failure(self, execution: Execution, key: str, record: Mapping[str, Any]) -> dict[str, Any]:
        failed = record["failed"]
        return self._facts(execution, key) | {
            "result": record["result"],
            "failedStage": failed["stage"],
            "failedAction": failed["action"],
            "message": failed["message"],
            "live": record["live"],
        }

    def _facts(self, execution: Execution, key: str) -> dict[str, Any]:
        return {
            "project": self.records.project,
            "stage": self.stage,
            "modelPackageArn": execution.package_arn,
            "executionId": execution.id,
            "record": self.records.bucket.uri(key),
        }


def _failed(execution: Execution, result: str) -> dict[str, str] | None:
    """Which action ended a release, and its own words; None for a success."""
    if result == SUCCEEDED:
        return None
    action = execution.failed
    if action is None:
        return {"stage": "none", "action": "none", "message": execution.status_summary or f"the execution was {result}"}
    return {"stage": action.stage, "action": action.name, "message": action.message or "the action gives no reason"}


def _model(package: ModelPackage) -> dict[str, Any]:
    """What of the registry has to be readable when the version is gone."""
    return {
        "version": package.version,
        "artifact": package.model_url,
        "evaluation": package.evaluation_uri,
        "approval": package.approval,
        "approved_by": package.changed_by,
        "approval_description": package.approval_description,
        "properties": dict(package.properties),
    }


def _same_end(known: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    """Whether the record is known; a success is final, since nothing follows the action that reports it."""
    return known["result"] == SUCCEEDED or all(known[name] == record[name] for name in ("result", "ended"))


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
