"""A version's way into production, as the people who decide about it take part in it: two approvals, and watching."""

import shlex
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.commands import run
from demo.deployed import Deployed
from demo.errors import DemoError
from releases.book import SUCCEEDED, ReleaseBook
from releases.registry import Registry, version_of
from releases.status import FINISHED, ReleaseProgress

_RELEASE_LIMIT_SECONDS = 120
# It only brings the templates, in no time.
_NOT_SHOWN = "Source"
_LINE_WIDTH = 118


@dataclass(frozen=True)
class Released:
    """How a release ended: the version's number, the pipeline's status, and the record in the book of releases."""

    version: str
    status: str
    record: Mapping[str, Any]

    @property
    def succeeded(self) -> bool:
        """Whether the version is live and verified."""
        return self.status == SUCCEEDED

    @property
    def reason(self) -> str:
        """Why it failed, in the failing action's own words."""
        failed = self.record["failed"]
        return f"{failed['stage']}: {failed['message']}" if failed else ""


@dataclass(frozen=True)
class Release:
    """Releases on one deployed app. `by_cli`: decide by the AWS CLI and show its commands, and not by boto3."""

    deployed: Deployed
    by_cli: bool = False

    def run(self, package_arn: str, *, why: str, look: Callable[[], None] = lambda: None) -> Released:
        """Approve a version, then production, and show each stage as it ends; `look` is called all the time.

        A release that fails is a result. Raises DemoError if it is refused or does not end.
        """
        known = self._book.answers()
        self._approve_version(package_arn, why)
        answer = self.deployed.wait_for(
            lambda: self._book.answer(package_arn, not_in=known),
            what=f"an answer of {self.deployed.names.start_function} to the approval",
        )
        if not answer.get("execution"):
            raise DemoError("the release was refused: " + "; ".join(answer.get("reasons", ())))
        execution = str(answer["execution"])
        status = self._follow(execution, look)
        record = self.deployed.wait_for(lambda: self._record(execution, status), what="the record of the release")
        return Released(version_of(package_arn), status, record)

    @property
    def _book(self) -> ReleaseBook:
        return ReleaseBook(self.deployed.client("s3"), self.deployed.names)

    def _record(self, execution: str, status: str) -> dict[str, Any] | None:
        """The record, once it tells the end (one of a failure is written after the pipeline has failed)."""
        newest = next(self._book.newest_first(), None)
        return newest if newest and (newest["execution_id"], newest["result"]) == (execution, status) else None

    def _approve_version(self, package_arn: str, why: str) -> None:
        if self.by_cli:
            options = {"model-package-arn": package_arn, "model-approval-status": "Approved"}
            self._cli("sagemaker", "update-model-package", {**options, "approval-description": why})
        else:
            registry = Registry(self.deployed.client("sagemaker"), self.deployed.names.group)
            registry.approve(package_arn, reason=why)
            print(f"   approved version {version_of(package_arn)} in the registry: {why}", flush=True)

    def _follow(self, execution: str, look: Callable[[], None]) -> str:
        progress = ReleaseProgress(self.deployed.client("codepipeline"), self.deployed.names.release_pipeline)
        shown: set[str] = set()

        def ended() -> str | None:
            # The status first: actions that are listed after the end cannot miss a last change.
            status = str(progress.execution(execution)["status"])
            waiting = self._waiting_approval()
            look()
            for line in _news(progress.actions(execution), shown):
                print(line, flush=True)
            if waiting and status not in FINISHED:
                self._approve_production(waiting)
            return status if status in FINISHED else None

        return self.deployed.wait_for(ended, seconds=_RELEASE_LIMIT_SECONDS, what=f"the end of release {execution}")

    def _waiting_approval(self) -> dict[str, str] | None:
        """The manual approval that is waited for."""
        pipeline = self.deployed.names.release_pipeline
        codepipeline = self.deployed.client("codepipeline")
        for state in codepipeline.get_pipeline_state(name=pipeline)["stageStates"]:
            for action in state["actionStates"]:
                latest = action.get("latestExecution", {})
                if latest.get("status") == "InProgress" and latest.get("token"):
                    place = {"stageName": state["stageName"], "actionName": action["actionName"]}
                    return {"pipelineName": pipeline, **place, "token": latest["token"]}
        return None

    def _approve_production(self, place: Mapping[str, str]) -> None:
        summary = "staging is verified"
        if self.by_cli:
            options = {
                "pipeline-name": place["pipelineName"],
                "stage-name": place["stageName"],
                "action-name": place["actionName"],
                "token": place["token"],
                "result": f"status=Approved,summary={summary}",
            }
            self._cli("codepipeline", "put-approval-result", options)
        else:
            self.deployed.client("codepipeline").put_approval_result(
                **place, result={"status": "Approved", "summary": summary}
            )

    def _cli(self, service: str, operation: str, options: Mapping[str, str]) -> None:
        """Show a command of the AWS CLI and run it."""
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        lines = [f"--{name} {shlex.quote(value)}" for name, value in options.items()]
        print(f"   $ aws {service} {operation} \\\n       " + " \\\n       ".join(lines), flush=True)
        program = str(Path(sys.executable).with_name("aws"))
        environment = {**self.deployed.environment, "AWS_PAGER": ""}
        run([program, service, operation, *words], environment=environment, what=f"aws {service} {operation}")


def _news(actions: list[dict[str, Any]], shown: set[str]) -> Iterator[str]:
    """A line for each action that has ended since the last call."""
    for action in actions:
        key, status = action["actionExecutionId"], action["status"]
        if key in shown or status == "InProgress" or action["stageName"] == _NOT_SHOWN:
            continue
        shown.add(key)
        seconds = (action["lastUpdateTime"] - action["startTime"]).total_seconds()
        result = action.get("output", {}).get("executionResult", {})
        words = result.get("errorDetails", {}).get("message") or result.get("externalExecutionSummary") or ""
        yield _wrapped(f"   {action['stageName']:<17} {status:<10} {seconds:5.1f} s  ", words)


def _wrapped(start: str, words: str) -> str:
    """A line, and where it is too long more of them below its words; names are never torn apart."""
    if not words:
        return start.rstrip()
    return textwrap.fill(
        words,
        _LINE_WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )
