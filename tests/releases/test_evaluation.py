"""Evaluating a version that was registered by hand: which job is run, and what is attached."""

from argparse import Namespace
from typing import Any

import pytest

from releases.errors import ReleasesError
from tests.lambdas.release_world import BUCKET, ReleaseWorld, arn
from tests.releases.desk import Desk

JOB = "arn:aws:sagemaker:us-east-1:123456789012:processing-job/pipelines-abc-evaluate"


class Evaluations:
    """The pipeline's executions and jobs; a created job "writes" an evaluation about `judged`."""

    def __init__(self, desk: Desk, *, accepted: int = 1) -> None:
        self.created: list[dict[str, Any]] = []
        self.judged = desk.world.packages[arn(1)]["CustomerMetadataProperties"]["artifact_sha256"]
        self.status = "Completed"
        self.steps = [{"StepName": "Evaluate", "StepStatus": "Succeeded", "Metadata": {"ProcessingJob": {"Arn": JOB}}}]
        self._accepted = accepted
        self._world = desk.world
        desk.sagemaker._operations |= {
            "list_pipeline_executions": lambda **_: {
                "PipelineExecutionSummaries": [{"PipelineExecutionArn": "e" * 20}]
            },
            "list_pipeline_execution_steps": lambda **_: {"PipelineExecutionSteps": self.steps},
            "describe_processing_job": self._describe,
            "create_processing_job": self._create,
        }

    def _describe(self, *, ProcessingJobName: str) -> dict[str, Any]:  # noqa: N803
        def one(name: str, uri: str) -> dict[str, Any]:
            return {"InputName": name, "S3Input": {"S3Uri": uri, "S3DataType": "S3Prefix", "LocalPath": f"/x/{name}"}}

        output = {"S3Uri": "s3://old/out", "LocalPath": "/x/evaluation", "S3UploadMode": "EndOfJob"}
        cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
        return {
            "ProcessingJobName": ProcessingJobName,
            "ProcessingJobArn": JOB,
            "ProcessingJobStatus": self.status,
            "FailureReason": "the archive is damaged",
            "ProcessingInputs": [one("model", "s3://old/model"), one("holdout", "s3://h"), one("champion", "s3://old")],
            "ProcessingOutputConfig": {"Outputs": [{"OutputName": "evaluation", "S3Output": output}]},
            "ProcessingResources": {"ClusterConfig": cluster},
            "AppSpecification": {"ImageUri": "image@sha256:1"},
            "Environment": {"CHAMPION_MODEL_PACKAGE_ARN": "none", "MAXIMUM_MAPE": "15"},
            "RoleArn": "arn:aws:iam::123456789012:role/jobs",
        }

    def _create(self, **request: Any) -> dict[str, Any]:
        self.created.append(request)
        folder = request["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
        content = {
            "candidate": {"sha256": self.judged, "data_version": "d9", "commit": None},
            "champion_model_package_arn": request["Environment"]["CHAMPION_MODEL_PACKAGE_ARN"],
            "regression_metrics": {"mae": {"value": 1.0, "interval_95_low": 0.9, "interval_95_high": 1.1}},
            "decision": {"accepted": self._accepted, "summary": "so it is"},
        }
        self._world.put_json(f"{folder.removeprefix(f's3://{BUCKET}/')}/evaluation.json", content)
        return {"ProcessingJobArn": JOB}

    def uri_of(self, name: str) -> str:
        """Where the created job reads an input."""
        (found,) = [one for one in self.created[0]["ProcessingInputs"] if one["InputName"] == name]
        uri: str = found["S3Input"]["S3Uri"]
        return uri


def _by_hand(desk: Desk) -> None:
    """Version 1 as somebody registers it: an artifact, and nothing else."""
    desk.world.register(1)
    package = desk.world.packages[arn(1)]
    del package["ModelMetrics"]
    desk.world.delete("models/1/evaluation.json")


def _evaluate(desk: Desk) -> bool:
    return desk.commands.evaluate(Namespace(version=1, package=None))


def test_the_pipelines_own_job_judges_the_version_against_the_live_one(desk: Desk, world: ReleaseWorld) -> None:
    """Holdout, image, role and limits are those of the newest Evaluate job; model and champion are of today."""
    world.register(2)
    world.released(2, minute=1)
    _by_hand(desk)
    evaluations = Evaluations(desk)
    assert _evaluate(desk)
    (request,) = evaluations.created
    assert evaluations.uri_of("model") == f"s3://{BUCKET}/models/1/model.tar.gz"
    assert evaluations.uri_of("champion") == f"s3://{BUCKET}/models/2/model.tar.gz"
    assert evaluations.uri_of("holdout") == "s3://h"
    assert request["Environment"] == {"CHAMPION_MODEL_PACKAGE_ARN": arn(2), "MAXIMUM_MAPE": "15"}
    assert request["AppSpecification"] == {"ImageUri": "image@sha256:1"}
    assert len(request["ProcessingJobName"]) <= 63


def test_the_evidence_makes_the_version_releasable(desk: Desk, world: ReleaseWorld) -> None:
    """What was refused before passes every check afterwards, and what the registry knew stays."""
    _by_hand(desk)
    Evaluations(desk)
    assert world.approve(1)["outcome"] == "refused"
    assert _evaluate(desk)
    properties = world.packages[arn(1)]["CustomerMetadataProperties"]
    assert world.approve(1, moment="2026-03-07T00:00:00Z")["outcome"] == "started"
    assert (properties["data_version"], properties["champion_model_package_arn"]) == ("d1", "none")
    assert properties["evaluation_report"].endswith("/report.html")
    assert "  accepted: so it is" in desk.lines


def test_a_rejected_model_keeps_its_evidence_and_stays_refused(desk: Desk, world: ReleaseWorld) -> None:
    """The exit status tells, and so does the release."""
    _by_hand(desk)
    Evaluations(desk, accepted=0)
    assert not _evaluate(desk)
    assert world.approve(1)["reasons"] == ["the evaluation rejected the model: so it is"]


def test_an_artifact_that_was_replaced_is_not_vouched_for(desk: Desk, world: ReleaseWorld) -> None:
    """Evidence about another archive than the registered one is not attached."""
    _by_hand(desk)
    Evaluations(desk).judged = "feed"
    with pytest.raises(ReleasesError, match="the object has been replaced since"):
        _evaluate(desk)
    assert "evaluation_statistics" not in world.packages[arn(1)]["CustomerMetadataProperties"]


def test_a_job_that_fails_attaches_nothing(desk: Desk, world: ReleaseWorld) -> None:
    """Its reason and the place of its log are told."""
    _by_hand(desk)
    Evaluations(desk).status = "Failed"
    with pytest.raises(ReleasesError, match="ended as Failed: the archive is damaged; its log is in"):
        _evaluate(desk)
    assert "evaluation_statistics" not in world.packages[arn(1)]["CustomerMetadataProperties"]


def test_without_any_evaluated_execution_there_is_no_holdout(desk: Desk) -> None:
    """The pipeline has to have run once."""
    _by_hand(desk)
    Evaluations(desk).steps = []
    with pytest.raises(ReleasesError, match="no execution of cars-dev has evaluated a model yet"):
        _evaluate(desk)
