"""Where the outcome of an asynchronous invocation goes: on-failure and on-success destinations, dead-letter targets.

Everything is sent with the rights of the function's role, as Lambda does, so a role without them loses the record.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import json
from collections.abc import Mapping
from typing import Any

from local_cloud.clients import Clients
from local_cloud.errors import LocalCloudError
from local_cloud.events.arns import Arn, parse_arn, queue_url
from local_cloud.functions.specification import LAMBDA_PRINCIPAL, FunctionSpec

_MOST_ERROR_TEXT = 1024
"""Bytes of the ErrorMessage attribute of a dead-letter message."""


class DestinationError(LocalCloudError):
    """A destination of a kind that Lambda or the local cloud does not send to."""


class Destinations:
    """Sends records in the name of a function's role."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def send_record(self, spec: FunctionSpec, *, arn: str, record: Mapping[str, Any], succeeded: bool) -> None:
        """Send an invocation record to a queue, topic, function or event bus.

        Raises DestinationError for any other kind, botocore's ClientError when it is refused.
        """
        target = parse_arn(arn)
        body = json.dumps(record)
        if target.service == "sqs":
            self._send_message(spec, target, body, attributes={})
        elif target.service == "sns":
            self._client(spec, target, "sns").publish(TopicArn=arn, Message=body)
        elif target.service == "lambda":
            self._client(spec, target, "lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=body.encode())
        elif target.service == "events":
            self._put_event(spec, target, body, succeeded=succeeded)
        else:
            raise DestinationError(f"function {spec.name}: the local cloud does not send invocation records to {arn}")

    def send_dead_letter(
        self, spec: FunctionSpec, *, payload: str, request_id: str, error_code: int, error_message: str
    ) -> None:
        """Send the event itself to the function's DeadLetterConfig target (a queue or a topic)."""
        target = parse_arn(spec.dead_letter_arn or "")
        text = error_message.encode()[:_MOST_ERROR_TEXT].decode(errors="ignore")
        attributes = {
            "RequestID": {"DataType": "String", "StringValue": request_id},
            "ErrorCode": {"DataType": "Number", "StringValue": str(error_code)},
            "ErrorMessage": {"DataType": "String", "StringValue": text or "-"},
        }
        if target.service == "sqs":
            self._send_message(spec, target, payload, attributes=attributes)
        elif target.service == "sns":
            self._client(spec, target, "sns").publish(
                TopicArn=target.text, Message=payload, MessageAttributes=attributes
            )
        else:
            raise DestinationError(f"function {spec.name}: {target.text} is no queue or topic for dead letters")

    def _send_message(self, spec: FunctionSpec, queue: Arn, body: str, *, attributes: Mapping[str, Any]) -> None:
        self._client(spec, queue, "sqs").send_message(
            QueueUrl=queue_url(self._clients.endpoint_url, queue), MessageBody=body, MessageAttributes=attributes
        )

    def _put_event(self, spec: FunctionSpec, bus: Arn, body: str, *, succeeded: bool) -> None:
        entry = {
            "Source": "lambda",
            "DetailType": f"Lambda Function Invocation Result - {'Success' if succeeded else 'Failure'}",
            "Detail": body,
            "Resources": [spec.arn, bus.text],
            "EventBusName": bus.text,
        }
        answer = self._client(spec, bus, "events").put_events(Entries=[entry])
        if answer.get("FailedEntryCount"):
            raise DestinationError(f"function {spec.name}: {bus.text} refused the record: {answer['Entries'][0]}")

    def _client(self, spec: FunctionSpec, target: Arn, service: str) -> Any:
        return self._clients.as_role(
            service,
            role_arn=spec.role_arn,
            principal=LAMBDA_PRINCIPAL,
            session_name=spec.session_name,
            region=target.region or spec.region,
        )
