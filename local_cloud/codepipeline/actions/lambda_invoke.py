"""Lambda invoke: hands a job to a function, and waits until the function reports how it went.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Lambda.html
"""

import json
import time
from collections.abc import Iterable
from typing import Any

from local_cloud.codepipeline.actions.base import ActionFailure, ActionOutcome, ActionShape, ActionWork
from local_cloud.codepipeline.artifacts import StoredArtifact
from local_cloud.codepipeline.declaration import ActionDeclaration
from local_cloud.codepipeline.jobs import Job, JobDesk, JobResult

_CONTINUATION_SECONDS = 30.0
_ACTION_SECONDS = 24 * 60 * 60.0
_SHORTEST_WAIT_SECONDS = 60.0
_GRACE_SECONDS = 10.0


class LambdaInvoke:
    """Invoke/AWS/Lambda/1.

    AWS waits up to 24 hours for a result. Here a function has its own timeout, and a minute at the least: nobody wants
    to wait a day to learn that it crashed.
    """

    shape = ActionShape(
        inputs=(0, 5),
        outputs=(0, 5),
        required=frozenset({"FunctionName"}),
        optional=frozenset({"UserParameters"}),
    )

    def __init__(self, desk: JobDesk) -> None:
        self._desk = desk

    def problems(self, action: ActionDeclaration) -> Iterable[str]:
        """Nothing beyond the shape."""
        return ()

    def run(self, work: ActionWork) -> ActionOutcome:
        """Invoke the function; again for as long as it asks to be, with what it wants to be told."""
        name = work.configuration["FunctionName"]
        client = work.role.client("lambda")
        limit = _result_limit(work, name)
        deadline = time.monotonic() + max(_ACTION_SECONDS * work.clock.scale, limit)
        result = self._invoke(work, client, limit=limit, continuation=None)
        while result.continuation and not result.failure:
            if time.monotonic() > deadline:
                raise ActionFailure(f"The AWS Lambda function {name} has not ended its job in time")
            work.control.pause(_CONTINUATION_SECONDS * work.clock.scale)
            result = self._invoke(work, client, limit=limit, continuation=result.continuation)
        if result.failure:
            code, message = result.failure
            raise ActionFailure(message, code=code, external_id=result.external_id)
        return ActionOutcome(summary=result.summary, external_id=result.external_id, variables=result.variables)

    def _invoke(self, work: ActionWork, client: Any, *, limit: float, continuation: str | None) -> JobResult:
        name = work.configuration["FunctionName"]
        data = _job_data(work, continuation)
        job = Job(work.context.account, {**data, **_context(work)}, work.control)
        self._desk.open(job)
        try:
            payload = {"CodePipeline.job": {"id": job.id, "accountId": job.account, "data": _as_event(work, data)}}
            client.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(payload))
            result = work.control.wait(limit)
        finally:
            self._desk.close(job)
        if not isinstance(result, JobResult):
            raise ActionFailure(
                f"The AWS Lambda function {name} failed to return a result. Check the function to verify that it has "
                "permission to call the PutJobSuccessResult action and that it made a call to PutJobSuccessResult or "
                "PutJobFailureResult."
            )
        return result


def _result_limit(work: ActionWork, name: str) -> float:
    client = work.role.clients.system("lambda", account=work.context.account, region=work.context.region)
    timeout = float(client.get_function_configuration(FunctionName=name)["Timeout"])
    return max(_SHORTEST_WAIT_SECONDS, timeout + _GRACE_SECONDS)


def _job_data(work: ActionWork, continuation: str | None) -> dict[str, Any]:
    """The members of JobData that the event has as well."""
    credentials = work.role.credentials()
    data: dict[str, Any] = {
        "actionConfiguration": {"configuration": dict(work.configuration)},
        "inputArtifacts": [_artifact(artifact) for artifact in work.inputs.values()],
        "outputArtifacts": [_artifact(artifact) for artifact in work.outputs.values()],
        "artifactCredentials": {
            "accessKeyId": credentials.access_key_id,
            "secretAccessKey": credentials.secret_access_key,
            "sessionToken": credentials.session_token,
        },
    }
    if continuation:
        data["continuationToken"] = continuation
    if work.store.encryption_key:
        data["encryptionKey"] = {"id": work.store.encryption_key, "type": "KMS"}
    return data


def _context(work: ActionWork) -> dict[str, Any]:
    """What GetJobDetails tells beyond the event."""
    return {
        "actionTypeId": work.action.document["actionTypeId"],
        "pipelineContext": {
            "pipelineName": work.pipeline_name,
            "stage": {"name": work.stage_name},
            "action": {"name": work.action.name, "actionExecutionId": work.action_execution_id},
            "pipelineArn": work.pipeline_arn,
            "pipelineExecutionId": work.execution_id,
        },
    }


def _as_event(work: ActionWork, data: dict[str, Any]) -> dict[str, Any]:
    """The event differs from GetJobDetails: artifacts without a revision say so, credentials tell when they end."""
    expiration = work.role.credentials().expiration
    expires = {"expirationTime": int(expiration.timestamp() * 1000)} if expiration else {}
    artifacts = {
        name: [{"revision": None, **artifact} for artifact in data[name]]
        for name in ("inputArtifacts", "outputArtifacts")
    }
    return {**data, **artifacts, "artifactCredentials": data["artifactCredentials"] | expires}


def _artifact(artifact: StoredArtifact) -> dict[str, Any]:
    location = {"type": "S3", "s3Location": {"bucketName": artifact.bucket, "objectKey": artifact.key}}
    revision = {"revision": artifact.revision} if artifact.revision else {}
    return {"name": artifact.name, **revision, "location": location}
