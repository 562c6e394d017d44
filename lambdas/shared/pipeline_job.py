"""A job that CodePipeline gives to a Lambda function, and the one answer that it must get.

Without an answer the action hangs until CodePipeline's own timeout. Must not know what a job does.
https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from lambdas.shared.errors import MalformedEventError

# https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_FailureDetails.html
_LONGEST_MESSAGE = 5000
# The job was answered before, or its execution was stopped meanwhile: nobody waits for this answer.
_ANSWERED = frozenset({"InvalidJobStateException", "JobNotFoundException"})


class UserParametersError(MalformedEventError):
    """The action's UserParameters are not what the function needs: correct the pipeline."""


@dataclass(frozen=True, slots=True)
class PipelineJob:
    """One job; `user_parameters` is the text of the action's configuration."""

    id: str
    user_parameters: str

    def parameters(self, *names: str) -> tuple[str, ...]:
        """The values of `names` in UserParameters, in that order; UserParametersError if one is missing."""
        try:
            given = json.loads(self.user_parameters)
        except ValueError:
            given = None
        values = given if isinstance(given, Mapping) else {}
        missing = [name for name in names if not isinstance(values.get(name), str) or not values[name]]
        if missing:
            raise UserParametersError(
                f"UserParameters should be a JSON object with {', '.join(names)}; missing: {', '.join(missing)}; "
                "correct the action in the release stack"
            )
        return tuple(values[name] for name in names)


def parse_job(event: Mapping[str, Any]) -> PipelineJob:
    """The job of an invocation by CodePipeline; MalformedEventError when it is none."""
    try:
        job = event["CodePipeline.job"]
        configuration = job["data"]["actionConfiguration"]["configuration"]
        return PipelineJob(str(job["id"]), str(configuration.get("UserParameters", "")))
    except (KeyError, TypeError, AttributeError) as error:
        raise MalformedEventError(f"the event is no job of CodePipeline: {error!r}") from error


class JobAnswers:
    """Answers jobs. `client` is a boto3 CodePipeline client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def succeed(self, job: PipelineJob, *, variables: Mapping[str, str], summary: str) -> bool:
        """End the action as succeeded, with output variables; False if the job needs no answer any more."""
        return self._answer(
            self._client.put_job_success_result,
            jobId=job.id,
            outputVariables=dict(variables),
            executionDetails={"summary": summary[:2048], "percentComplete": 100},
        )

    def fail(self, job: PipelineJob, *, reason: str) -> bool:
        """End the action as failed, with the reason; False if the job needs no answer any more."""
        details = {"type": "JobFailed", "message": reason[:_LONGEST_MESSAGE]}
        return self._answer(self._client.put_job_failure_result, jobId=job.id, failureDetails=details)

    def _answer(self, operation: Any, **request: Any) -> bool:
        try:
            operation(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] not in _ANSWERED:
                raise
            return False
        return True
