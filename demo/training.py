"""Train the next model as its users do: new data goes into the lake, and everything else happens by itself."""

import os
from dataclasses import dataclass
from pathlib import Path

from demo.commands import Command, python
from demo.deployed import Deployed
from demo.summary import Evidence
from demo.watching import WATCH, show_indented, show_steps_only


@dataclass(frozen=True)
class Training:
    """Trainings by upload on one deployed app."""

    deployed: Deployed

    def upload(self, years: str) -> str:
        """Put model years into the lake; the ARN of the execution that this starts. Raises DemoError if none does."""
        known = self.known()
        upload = ["-m", "sagemaker_pipelines.car_prices.batches", "upload", "--years", years, "--single-file"]
        folder = self.deployed.folder / "upload"
        command = Command(
            python(*upload, "--to", os.path.relpath(folder), "--bucket", self.deployed.lake),
            table=self.deployed.table,
            environment=self.deployed.environment,
            folder=Path.cwd(),
            show=show_indented,
            what="the upload of the model years",
        )
        command.finish_or_cancel()
        return self.started(known)

    def follow(self, execution: str) -> Evidence:
        """Show an execution step by step; the model that it registered. Raises DemoError if there is none."""
        # arn:aws:sagemaker:<region>:<account>:pipeline/<name>/execution/<id>
        watch = [*WATCH, "--pipeline", execution.split("/")[1], "--execution", execution]
        command = Command(
            python(*watch),
            table=self.deployed.table,
            environment=self.deployed.environment,
            show=show_steps_only,
            what="the pipeline",
        )
        command.finish_or_cancel()
        folder = self.deployed.folder / "evidence" / execution.rsplit("/", 1)[-1]
        return Evidence.collect(self.deployed.environment, execution, folder=folder)

    def known(self) -> frozenset[str]:
        """The executions so far; `started` finds a later one."""
        return frozenset(self._executions())

    def _executions(self) -> list[str]:
        """ARNs, the newest first, found as any user would find them."""
        listed = self.deployed.client("sagemaker").list_pipeline_executions(
            PipelineName=self.deployed.names.training_pipeline, SortOrder="Descending"
        )
        return [str(summary["PipelineExecutionArn"]) for summary in listed["PipelineExecutionSummaries"]]

    def started(self, known: frozenset[str]) -> str:
        """The ARN of an execution that is not among `known`, once there is one; DemoError if none comes."""
        started = self.deployed.wait_for(
            lambda: [execution for execution in self._executions() if execution not in known],
            what=f"an execution of {self.deployed.names.training_pipeline} on new data",
        )
        return started[0]
