"""Jobs that `.sync` tasks wait for: SageMaker's, described and stopped by the calls that its role needs."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from local_cloud.stepfunctions.following import followed
from local_cloud.stepfunctions.interpretation import TaskFailure
from local_cloud.stepfunctions.resources import parse_resource


class Service:
    """Answers every call with one description, and remembers the calls."""

    def __init__(self, **description: Any) -> None:
        self.description = description
        self.calls: list[tuple[str, Mapping[str, Any]]] = []

    def __call__(self, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        self.calls.append((operation, dict(parameters)))
        return self.description


@pytest.mark.parametrize("kind", ["Processing", "Training"])
def test_a_job_of_sagemaker_is_followed_to_its_end(kind: str) -> None:
    """None while it runs, the description when it has completed, States.TaskFailed with it otherwise."""
    integration = parse_resource(f"arn:aws:states:::sagemaker:create{kind}Job.sync")
    name = {f"{kind}JobName": "job-7"}
    service = Service(**{f"{kind}JobStatus": "InProgress"})
    job = followed(integration, name, {f"{kind}JobArn": "arn"}, request=service)

    assert job() is None
    service.description = {f"{kind}JobStatus": "Completed"}
    assert job() == service.description
    service.description = {f"{kind}JobStatus": "Failed", "FailureReason": "AlgorithmError"}
    with pytest.raises(TaskFailure) as failed:
        job()
    job.cancel()

    assert failed.value.error == "States.TaskFailed"
    assert json.loads(failed.value.cause)["FailureReason"] == "AlgorithmError"
    assert service.calls == [(f"Describe{kind}Job", name)] * 3 + [(f"Stop{kind}Job", name)]


def test_a_job_that_cannot_be_stopped_does_not_fail_the_execution() -> None:
    """The stop of a job is an attempt, as on AWS: the execution has ended already."""

    def refuse(operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        raise TaskFailure("SageMaker.AmazonSageMakerException", "not authorized")

    integration = parse_resource("arn:aws:states:::sagemaker:createTrainingJob.sync")

    followed(integration, {"TrainingJobName": "j"}, {}, request=refuse).cancel()
