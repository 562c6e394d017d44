"""Starts one training run per data version, commit and champion, however often the event arrives.

Must not decide whether a model is good: the pipeline compares it with the champion that is named here.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.shared.champion import NO_CHAMPION, ChampionParameter
from lambdas.shared.errors import LambdaError, MalformedEventError
from lambdas.shared.packages import describe_package


class ChampionError(LambdaError):
    """The approved model package cannot serve as champion; the registry needs a correction."""


@dataclass(frozen=True, slots=True)
class NewData:
    """What a "Snapshot Created" event says; `files_manifest` is an S3 URI."""

    dataset: str
    data_version: str
    files_manifest: str


@dataclass(frozen=True, slots=True)
class Champion:
    """The model to beat: the package's ARN and the S3 URI of its model.tar.gz."""

    arn: str
    model_uri: str


@dataclass(frozen=True, slots=True)
class Training:
    """What the function works with. `sagemaker` is a boto3 client, `commit` that of the deployed code.

    `live` names the version that production serves.
    """

    sagemaker: Any
    live: ChampionParameter
    pipeline: str
    model_package_group: str
    commit: str

    def start(self, data: NewData) -> tuple[str, Champion | None]:
        """Start the pipeline on `data`; gives the execution's ARN, that of the first start on a repetition.

        SageMaker answers a known ClientRequestToken with the execution that it belongs to:
        https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_StartPipelineExecution.html
        """
        champion = self._champion()
        answer = self.sagemaker.start_pipeline_execution(
            PipelineName=self.pipeline,
            PipelineExecutionDisplayName=f"data-{data.data_version}",
            PipelineExecutionDescription=f"New data of {data.dataset}: version {data.data_version}",
            PipelineParameters=[
                {"Name": name, "Value": value} for name, value in self._parameters(data, champion).items()
            ],
            ClientRequestToken=self._token(data, champion),
        )
        return str(answer["PipelineExecutionArn"]), champion

    def _parameters(self, data: NewData, champion: Champion | None) -> dict[str, str]:
        parameters = {
            "DataVersion": data.data_version,
            "SnapshotFiles": data.files_manifest,
            "Commit": self.commit,
            "ChampionModelPackageArn": champion.arn if champion else NO_CHAMPION,
        }
        # Without a champion the pipeline's own default holds: the parameter may not be an empty URI.
        return parameters | ({"ChampionModelUri": champion.model_uri} if champion else {})

    def _token(self, data: NewData, champion: Champion | None) -> str:
        parts = (self.pipeline, data.data_version, self.commit, champion.arn if champion else NO_CHAMPION)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _champion(self) -> Champion | None:
        """The live version; before the first release the newest approved one; None when there is none yet."""
        arn = self._live() or next(self._approved_packages(), None)
        if arn is None:
            return None
        package = describe_package(self.sagemaker, arn)
        if package is None or package.model_url is None:
            raise ChampionError(
                f"the champion {arn} is not in the registry, or names no model.tar.gz (ModelDataUrl of its first "
                "container), so no model can be compared with it; release another version, or reject it"
            )
        return Champion(arn, package.model_url)

    def _live(self) -> str | None:
        """The live version, unless it is of a registry that an earlier deployment of the stack left behind."""
        arn = self.live.read()
        return arn if arn and f":model-package/{self.model_package_group}/" in arn else None

    def _approved_packages(self) -> Iterator[str]:
        """ARNs, newest first; the API's own order is ascending. An empty page may have a successor."""
        request = {
            "ModelPackageGroupName": self.model_package_group,
            "ModelApprovalStatus": "Approved",
            "SortBy": "CreationTime",
            "SortOrder": "Descending",
        }
        while True:
            page = self.sagemaker.list_model_packages(**request)
            for summary in page["ModelPackageSummaryList"]:
                yield summary["ModelPackageArn"]
            if not page.get("NextToken"):
                return
            request = request | {"NextToken": page["NextToken"]}


def parse_new_data(event: Mapping[str, Any]) -> NewData:
    """The snapshot that an event announces; MalformedEventError naming what is wrong with the event."""
    if event.get("source") != "cd4ml.ingest" or event.get("detail-type") != "Snapshot Created":
        raise MalformedEventError(
            f"expected a Snapshot Created event of cd4ml.ingest, got {event.get('source')!r} "
            f"{event.get('detail-type')!r}; correct the pattern of the EventBridge rule"
        )
    detail = event.get("detail")
    values = detail if isinstance(detail, Mapping) else {}
    names = ("dataset", "dataVersion", "filesManifest")
    wrong = [name for name in names if not isinstance(values.get(name), str) or not values[name]]
    if wrong:
        raise MalformedEventError(
            f"the Snapshot Created event lacks {', '.join(wrong)}; see docs/events/snapshot-created.json"
        )
    if not values["filesManifest"].startswith("s3://"):
        raise MalformedEventError(f"filesManifest is no S3 URI: {values['filesManifest']!r}")
    return NewData(values["dataset"], values["dataVersion"], values["filesManifest"])
