"""How each kind of target is called: one function per service, keyed by the service in the target's ARN.

Who makes the call (the target's role, or EventBridge itself where the target's policy allows it) and what happens
when it fails is decided in `delivery.py`. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from local_cloud.events.arns import Arn, queue_url
from local_cloud.events.failures import DeliveryError
from local_cloud.events.transform import MISSING, value_at


@dataclass(frozen=True)
class Call:
    """One delivery: `body` is the target's input, `event` the original; `delivery_id` stays the same in retries."""

    target: Mapping[str, Any]
    arn: Arn
    body: str
    event: Mapping[str, Any]
    delivery_id: str
    endpoint_url: str


@dataclass(frozen=True)
class TargetKind:
    """`client` is the boto3 service; `action` what the target's policy must allow, None where a role is needed."""

    client: str
    action: str | None
    send: Callable[[Any, Call], object]


def kind_of(arn: Arn) -> TargetKind:
    """How to call a target; raises DeliveryError for a kind that the local cloud does not call."""
    kind = _KINDS.get(arn.service)
    if kind is None:
        known = ", ".join(sorted(_KINDS))
        raise DeliveryError(
            "INVALID_PARAMETER", f"the local cloud does not deliver to {arn.text}; it delivers to {known}"
        )
    return kind


def _lambda(client: Any, call: Call) -> object:
    return client.invoke(FunctionName=call.arn.text, InvocationType="Event", Payload=call.body.encode())


def _sqs(client: Any, call: Call) -> object:
    group = (call.target.get("SqsParameters") or {}).get("MessageGroupId")
    ordering = {"MessageGroupId": _dynamic(group, call)} if group else {}
    url = queue_url(call.endpoint_url, call.arn)
    return client.send_message(QueueUrl=url, MessageBody=call.body, **ordering)


def _sns(client: Any, call: Call) -> object:
    return client.publish(TopicArn=call.arn.text, Message=call.body)


def _states(client: Any, call: Call) -> object:
    name = f"{call.event['id']}_{call.delivery_id}"[:80]
    return client.start_execution(stateMachineArn=call.arn.text, input=call.body, name=name)


def _sagemaker(client: Any, call: Call) -> object:
    given = (call.target.get("SageMakerPipelineParameters") or {}).get("PipelineParameterList") or []
    parameters = [{"Name": item["Name"], "Value": _dynamic(item["Value"], call)} for item in given]
    return client.start_pipeline_execution(
        PipelineName=call.arn.name, PipelineParameters=parameters, ClientRequestToken=call.delivery_id
    )


def _codepipeline(client: Any, call: Call) -> object:
    """https://docs.aws.amazon.com/codepipeline/latest/userguide/tutorials-pipeline-variables.html"""
    overrides = _overrides(call, names=("variables", "sourceRevisions"))
    return client.start_pipeline_execution(name=call.arn.name, clientRequestToken=call.delivery_id, **overrides)


def _codebuild(client: Any, call: Call) -> object:
    overrides = _overrides(call, names=("environmentVariablesOverride", "sourceVersion", "buildspecOverride"))
    return client.start_build(projectName=call.arn.name, idempotencyToken=call.delivery_id, **overrides)


def _logs(client: Any, call: Call) -> object:
    group = call.arn.resource.removeprefix("log-group:").removesuffix(":*")
    client.create_log_stream(logGroupName=group, logStreamName=call.delivery_id)
    moment = int(datetime.now(UTC).timestamp() * 1000)
    return client.put_log_events(
        logGroupName=group, logStreamName=call.delivery_id, logEvents=[{"timestamp": moment, "message": call.body}]
    )


def _events(client: Any, call: Call) -> object:
    entry = {
        "Source": call.event["source"],
        "DetailType": call.event["detail-type"],
        "Detail": json.dumps(call.event["detail"]),
        "Resources": call.event["resources"],
        "EventBusName": call.arn.text,
    }
    answer = client.put_events(Entries=[entry])
    if answer.get("FailedEntryCount"):
        failed = answer["Entries"][0]
        raise DeliveryError("ERROR_FROM_TARGET", f"{failed.get('ErrorCode')}: {failed.get('ErrorMessage')}")
    return answer


def _dynamic(value: str, call: Call) -> str:
    """A parameter that is a path is taken from the original event.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html#targets-specifics-dynamic-path-parameters
    """
    if not value.startswith("$."):
        return value
    found = value_at(call.event, value)
    if found is MISSING:
        raise DeliveryError("INVALID_PARAMETER", f"the event has nothing at {value}, which {call.arn.text} needs")
    return found if isinstance(found, str) else json.dumps(found)


def _overrides(call: Call, *, names: tuple[str, ...]) -> dict[str, Any]:
    """Those fields of an input made for the target which its start call knows; none for the plain event."""
    if not (call.target.get("Input") or call.target.get("InputTransformer")):
        return {}
    try:
        given = json.loads(call.body)
    except ValueError as error:
        raise DeliveryError("INVALID_JSON", f"the input of {call.arn.text} is not JSON: {error}") from error
    return {name: given[name] for name in names if name in given} if isinstance(given, dict) else {}


_KINDS: Mapping[str, TargetKind] = {
    "lambda": TargetKind("lambda", "lambda:InvokeFunction", _lambda),
    "sqs": TargetKind("sqs", "sqs:SendMessage", _sqs),
    "sns": TargetKind("sns", "sns:Publish", _sns),
    "logs": TargetKind("logs", "logs:PutLogEvents", _logs),
    "events": TargetKind("events", "events:PutEvents", _events),
    "states": TargetKind("stepfunctions", None, _states),
    "sagemaker": TargetKind("sagemaker", None, _sagemaker),
    "codepipeline": TargetKind("codepipeline", None, _codepipeline),
    "codebuild": TargetKind("codebuild", None, _codebuild),
}
