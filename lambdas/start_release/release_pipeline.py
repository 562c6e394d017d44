"""The release pipeline as the starter sees it: starts executions, and stops those of a version that was withdrawn.

Must not decide which version is released.
https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

PRODUCTION_STAGE = "Production"
# Lengths that CodePipeline accepts: a variable's value, and the reason of a stop.
_LONGEST_VALUE, _LONGEST_STOP_REASON = 1000, 200


@dataclass(frozen=True, slots=True)
class ReleasePipeline:
    """One pipeline; `client` is a boto3 CodePipeline client."""

    client: Any
    name: str

    def start(self, *, package_arn: str, baseline_uri: str | None = None, reason: str, token: str) -> str:
        """Release `package_arn`; the execution's id, that of the first start if `token` was used before.

        `baseline_uri` is for a pipeline that has the variable, and only for that: CodePipeline refuses any other.
        """
        variables = {"ModelPackageArn": package_arn, "Reason": one_line(reason)[:_LONGEST_VALUE]}
        if baseline_uri:
            variables["BaselineUri"] = baseline_uri
        answer = self.client.start_pipeline_execution(
            name=self.name,
            variables=[{"name": name, "value": value} for name, value in variables.items()],
            clientRequestToken=token,
        )
        return str(answer["pipelineExecutionId"])

    def withdraw(self, package_arn: str, *, reason: str) -> bool:
        """Stop the executions of a version that have not begun with production; whether one has begun.

        The action in progress is finished first: a half-done stack update would be worse than a whole one.
        """
        begun = False
        for execution in list(self._under_way(package_arn)):
            if self._has_begun_production(execution):
                begun = True
            else:
                self.client.stop_pipeline_execution(
                    pipelineName=self.name,
                    pipelineExecutionId=execution,
                    abandon=False,
                    reason=one_line(reason)[:_LONGEST_STOP_REASON],
                )
        return begun

    def _under_way(self, package_arn: str) -> Iterator[str]:
        pages = self.client.get_paginator("list_pipeline_executions").paginate(pipelineName=self.name)
        for page in pages:
            for summary in page["pipelineExecutionSummaries"]:
                execution = summary["pipelineExecutionId"]
                if summary["status"] == "InProgress" and self._package_of(execution) == package_arn:
                    yield execution

    def _package_of(self, execution: str) -> str | None:
        answer = self.client.get_pipeline_execution(pipelineName=self.name, pipelineExecutionId=execution)
        variables = answer["pipelineExecution"].get("variables", ())
        return next((item["resolvedValue"] for item in variables if item["name"] == "ModelPackageArn"), None)

    def _has_begun_production(self, execution: str) -> bool:
        pages = self.client.get_paginator("list_action_executions").paginate(
            pipelineName=self.name, filter={"pipelineExecutionId": execution}
        )
        return any(
            action["stageName"] == PRODUCTION_STAGE for page in pages for action in page["actionExecutionDetails"]
        )


def one_line(text: str) -> str:
    """Text without control characters and line breaks, which no variable may have; never empty."""
    return re.sub(r"[\x00-\x1f\x7f\s]+", " ", text).strip() or "no reason given"
