"""Starts one training run for one request of the retraining loop, however often the request is repeated.

Must not decide whether to train (the loop does) nor whether a model is good (the pipeline compares it with the
champion that is named here).
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.shared.champion import NO_CHAMPION
from lambdas.shared.champion_search import ChampionSearch
from lambdas.shared.errors import MalformedEventError
from lambdas.shared.packages import ModelPackage


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """What to train on, and why; `files_manifest` is an S3 URI, `execution` the ARN of the loop that asks."""

    dataset: str
    data_version: str
    files_manifest: str
    reason: str
    execution: str


@dataclass(frozen=True, slots=True)
class Training:
    """What the function works with. `sagemaker` is a boto3 client, `commit` that of the deployed code."""

    sagemaker: Any
    champions: ChampionSearch
    pipeline: str
    commit: str

    def start(self, request: TrainingRequest) -> tuple[str, ModelPackage | None]:
        """Start the pipeline; gives the execution's ARN, that of the first start on a repetition, and the champion.

        SageMaker answers a known ClientRequestToken with the execution that it belongs to:
        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StartPipelineExecution.html
        """
        champion = self.champions.find()
        answer = self.sagemaker.start_pipeline_execution(
            PipelineName=self.pipeline,
            PipelineExecutionDisplayName=f"data-{request.data_version}",
            PipelineExecutionDescription=f"{request.reason}; {request.dataset}, version {request.data_version}"[:3072],
            PipelineParameters=[
                {"Name": name, "Value": value} for name, value in self._parameters(request, champion).items()
            ],
            ClientRequestToken=self._token(request),
        )
        return str(answer["PipelineExecutionArn"]), champion

    def _parameters(self, request: TrainingRequest, champion: ModelPackage | None) -> dict[str, str]:
        parameters = {
            "DataVersion": request.data_version,
            "SnapshotFiles": request.files_manifest,
            "Commit": self.commit,
            "ChampionModelPackageArn": champion.arn if champion else NO_CHAMPION,
        }
        # Without a champion the pipeline's own default holds: the parameter may not be an empty URI.
        return parameters | ({"ChampionModelUri": str(champion.model_url)} if champion else {})

    def _token(self, request: TrainingRequest) -> str:
        parts = (self.pipeline, request.execution, request.data_version)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def parse_request(event: Mapping[str, Any]) -> TrainingRequest:
    """The request; MalformedEventError naming what is wrong with it."""
    names = ("dataset", "dataVersion", "filesManifest", "reason", "execution")
    wrong = [name for name in names if not isinstance(event.get(name), str) or not event[name]]
    if wrong:
        raise MalformedEventError(f"the request for a training lacks {', '.join(wrong)}; correct the state machine")
    if not event["filesManifest"].startswith("s3://"):
        raise MalformedEventError(f"filesManifest is no S3 URI: {event['filesManifest']!r}")
    return TrainingRequest(*(event[name] for name in names))
