"""Executions of the training pipeline, whoever started them: what is under way, and what the last one learned from.

Must not start or stop any.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_UNDER_WAY = frozenset({"Executing", "Stopping"})
# How many of the newest are looked at: the longest page that SageMaker gives.
_LOOKED_AT = 100
_DATA_VERSION = "DataVersion"


@dataclass(frozen=True, slots=True)
class Training:
    """One execution. `data_version` is that of its parameters; empty if it was started without."""

    arn: str
    description: str
    data_version: str


@dataclass(frozen=True, slots=True)
class Trainings:
    """The executions of `pipeline`. `sagemaker` is a boto3 client."""

    sagemaker: Any
    pipeline: str

    def under_way(self) -> Training | None:
        """The newest one that has not ended."""
        return next(
            (self._training(one) for one in self._newest_first() if one["PipelineExecutionStatus"] in _UNDER_WAY), None
        )

    def last(self) -> Training | None:
        """The newest one, in whatever state."""
        return next((self._training(one) for one in self._newest_first()), None)

    def _newest_first(self) -> Iterator[dict[str, Any]]:
        yield from self.sagemaker.list_pipeline_executions(
            PipelineName=self.pipeline, SortBy="CreationTime", SortOrder="Descending", MaxResults=_LOOKED_AT
        )["PipelineExecutionSummaries"]

    def _training(self, summary: dict[str, Any]) -> Training:
        arn = str(summary["PipelineExecutionArn"])
        description = str(summary.get("PipelineExecutionDescription") or "started by hand")
        return Training(arn, description, self._data_version(arn))

    def _data_version(self, arn: str) -> str:
        pages = self.sagemaker.get_paginator("list_pipeline_parameters_for_execution")
        for page in pages.paginate(PipelineExecutionArn=arn):
            for parameter in page["PipelineParameters"]:
                if parameter["Name"] == _DATA_VERSION:
                    return str(parameter["Value"])
        return ""
