"""The commands behind `python -m releases`, each with the clients that it needs.

Must not parse arguments and must not decide what may be released.
"""

from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from releases.book import ReleaseBook
from releases.evaluation import HandEvaluation, evaluation_lines
from releases.names import Names
from releases.registry import Registry, read_champion, version_of
from releases.starting import Starter
from releases.status import ReleaseProgress, require_execution


@dataclass(frozen=True)
class Commands:
    """The commands on one deployment; `client` is boto3.client. Each gives True if all is well."""

    names: Names
    client: Callable[[str], Any]
    show: Callable[[str], None]
    poll_seconds: float

    def start(self, arguments: Namespace) -> bool:
        """Release a version."""
        execution = self._starter.start(arguments.version, reason=arguments.reason, approve=arguments.approve)
        return self._started(execution, f"version {arguments.version}", watch=arguments.watch)

    def rollback(self, arguments: Namespace) -> bool:
        """Release an earlier version again."""
        arn, execution = self._starter.rollback(arguments.to, reason=arguments.reason, champion=self._champion())
        return self._started(execution, f"version {version_of(arn)}", watch=arguments.watch)

    def status(self, arguments: Namespace) -> bool:
        """Show what is live, what is being released, and what waits for a person."""
        if arguments.watch:
            return self._follow(require_execution(self._progress, arguments.execution))
        registry, names = self._registry, self.names
        self.show(f"champion: version {version_of(self._champion())}")
        for what, endpoint in (("production", names.production_endpoint), ("staging", names.staging_endpoint)):
            self.show(f"{what} ({endpoint}) serves: version {version_of(registry.served_by(endpoint))}")
        self.show(f"{names.release_pipeline}:")
        for line in (*self._progress.stage_lines(), *self._progress.approval_lines()):
            self.show(line)
        return True

    def history(self, arguments: Namespace) -> bool:
        """Show the release records, the newest first."""
        records = list(islice(self._book.newest_first(), arguments.limit))
        if not records:
            self.show("nothing has been released yet")
        for record in records:
            step = f"{version_of(record['from'])} -> {version_of(record['to'])}"
            failed = record["failed"]
            why = f"{failed['stage']}: {failed['message']}" if failed else record["reason"]
            self.show(f"{record['started'] or '-':<32} {step:<14} {record['result']:<11} {why}")
        return True

    def evaluate(self, arguments: Namespace) -> bool:
        """Judge a version as the training pipeline does, and attach the evidence to it."""
        arn = arguments.package or self._registry.version(arguments.version)["ModelPackageArn"]
        evaluation = HandEvaluation(
            registry=self._registry,
            s3=self.client("s3"),
            names=self.names,
            champion=self._champion(),
            poll_seconds=self.poll_seconds,
        ).run(arn, show=self.show)
        for line in evaluation_lines(evaluation):
            self.show(line)
        return bool(evaluation["decision"]["accepted"])

    def _started(self, execution: str, what: str, *, watch: bool) -> bool:
        self.show(f"{what} is being released in execution {execution}")
        if watch:
            return self._follow(execution)
        self.show(f"follow it: python -m releases --stage {self.names.stage} status --watch --execution {execution}")
        return True

    def _follow(self, execution: str) -> bool:
        self.show(f"following {execution}")
        status = self._progress.follow(execution, show=self.show, poll_seconds=self.poll_seconds)
        return status == "Succeeded"

    def _champion(self) -> str | None:
        return read_champion(self.client("ssm"), self.names)

    @cached_property
    def _registry(self) -> Registry:
        return Registry(self.client("sagemaker"), self.names.group)

    @cached_property
    def _book(self) -> ReleaseBook:
        return ReleaseBook(self.client("s3"), self.names)

    @cached_property
    def _progress(self) -> ReleaseProgress:
        return ReleaseProgress(self.client("codepipeline"), self.names.release_pipeline)

    @cached_property
    def _starter(self) -> Starter:
        return Starter(
            lambda_client=self.client("lambda"),
            registry=self._registry,
            book=self._book,
            names=self.names,
            caller=str(self.client("sts").get_caller_identity()["Arn"]),
            poll_seconds=self.poll_seconds,
        )
