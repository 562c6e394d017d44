"""Calls AWS services for Task states, with the rights of the state machine's role.

Which calls exist is decided in `resources.py`. Nothing is retried here: Retry belongs to the state machine.
https://docs.aws.amazon.com/step-functions/latest/dg/connect-to-services.html
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from local_cloud.clients import Clients
from local_cloud.stepfunctions.following import followed
from local_cloud.stepfunctions.interpretation import Following, TaskCall, TaskFailure
from local_cloud.stepfunctions.resources import Integration, parse_resource
from local_cloud.stepfunctions.values import compact, iso, milliseconds, to_request, to_result

PRINCIPAL = "states.amazonaws.com"
SESSION = "StepFunctions"
_RUNTIME = "States.Runtime"
# The optimized integrations show the answer's HTTP side too.
_OPTIMIZED_METADATA: Mapping[str, Any] = MappingProxyType({"SdkHttpMetadata": {"HttpStatusCode": 200}})
# What the SDKs of Step Functions call a service, and the exception they raise for errors that its model lacks.
_OPTIMIZED_ERRORS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "dynamodb": ("DynamoDB", "AmazonDynamoDBException"),
        "events": ("EventBridge", "AmazonEventBridgeException"),
        "lambda": ("Lambda", "AWSLambdaException"),
        "sagemaker": ("SageMaker", "AmazonSageMakerException"),
        "sns": ("SNS", "AmazonSNSException"),
        "sqs": ("SQS", "AmazonSQSException"),
        "states": ("StepFunctions", "AWSStepFunctionsException"),
    }
)
_SDK_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "applicationautoscaling": "ApplicationAutoScaling",
        "cloudformation": "CloudFormation",
        "cloudwatch": "CloudWatch",
        "cloudwatchlogs": "CloudWatchLogs",
        "codebuild": "CodeBuild",
        "codepipeline": "CodePipeline",
        "dynamodb": "DynamoDb",
        "eventbridge": "EventBridge",
        "sagemaker": "SageMaker",
        "sagemakerruntime": "SageMakerRuntime",
    }
)


class Tasks:
    """The task runner (see `interpretation.TaskRunner`)."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def call(self, call: TaskCall) -> Any:
        """The task's result as plain JSON values; raises TaskFailure with the error name that AWS gives."""
        integration = parse_resource(call.resource)
        if call.resource.split(":")[2] == "lambda":
            return self._invoke(call, {"FunctionName": call.resource, "Payload": call.parameters})["Payload"]
        if integration.service == "lambda" and not integration.is_sdk:
            return self._invoke(call, call.parameters)
        parameters = dict(call.parameters)
        if integration.name == "events":
            parameters["Entries"] = [_traceable(entry, call) for entry in parameters.get("Entries", [])]
        result = self._request(integration, call, parameters)
        if not integration.is_sdk:
            result |= _OPTIMIZED_METADATA
        if integration.name == "events" and result.get("FailedEntryCount"):
            raise TaskFailure("EventBridge.FailedEntry", compact(result))
        return result

    def follow(self, call: TaskCall, output: Mapping[str, Any]) -> Following:
        """Wait for the job that `call` began."""

        def request(operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
            name = parse_resource(call.resource)
            return self._request(
                Integration(name.name, name.service, operation, name.pattern, is_sdk=False), call, parameters
            )

        return followed(parse_resource(call.resource), call.parameters, output, request=request)

    def _invoke(self, call: TaskCall, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """https://docs.aws.amazon.com/step-functions/latest/dg/connect-lambda.html"""
        integration = parse_resource("arn:aws:states:::lambda:invoke")
        given = {"Payload": {}} | dict(parameters)
        answer = self._request(integration, call, given | {"Payload": compact(given["Payload"])})
        payload = answer.get("Payload", "null")
        if answer.get("FunctionError"):
            raise TaskFailure(_error_type(payload), payload)
        return {**answer, **_OPTIMIZED_METADATA, "Payload": json.loads(payload or "null")}

    def _request(self, integration: Integration, call: TaskCall, parameters: Mapping[str, Any]) -> dict[str, Any]:
        moment = iso if integration.is_sdk else milliseconds
        try:
            client = self._clients.as_role(
                integration.service,
                role_arn=call.role_arn,
                principal=PRINCIPAL,
                session_name=SESSION,
                region=call.region,
                source_arn=call.machine_arn,
            )
            model = client.meta.service_model.operation_model(integration.operation)
            request = to_request(model.input_shape, parameters)
            answer = getattr(client, xform_name(integration.operation))(**request)
        except ClientError as error:
            raise _failure(integration, error) from error
        except ParamValidationError as error:
            shown = compact(parameters)
            raise TaskFailure(
                _RUNTIME, f"The Parameters '{shown}' could not be used to start the Task: [{error}]"
            ) from error
        except BotoCoreError as error:
            prefix, fallback = _names(integration)
            raise TaskFailure(f"{prefix}.{fallback}", str(error)) from error
        return to_result(model.output_shape, answer, moment=moment)


def _traceable(entry: Mapping[str, Any], call: TaskCall) -> dict[str, Any]:
    """An entry of PutEvents; the optimized integration adds where it comes from."""
    return {**entry, "Resources": [*entry.get("Resources", []), call.machine_arn, call.execution_arn]}


def _error_type(payload: str) -> str:
    try:
        return str(json.loads(payload)["errorType"])
    except (ValueError, KeyError, TypeError):
        return "Lambda.Unknown"


def _names(integration: Integration) -> tuple[str, str]:
    if not integration.is_sdk:
        return _OPTIMIZED_ERRORS[integration.name]
    name = _SDK_NAMES.get(integration.name, integration.name.capitalize())
    return name, f"{name}Exception"


def _failure(integration: Integration, error: ClientError) -> TaskFailure:
    """The error as Step Functions names it: by the exception's class in its SDK."""
    prefix, fallback = _names(integration)
    modelled = type(error).__name__
    name = fallback if modelled == "ClientError" else modelled.removesuffix("Exception") + "Exception"
    answer, metadata = error.response["Error"], error.response.get("ResponseMetadata", {})
    details = (
        f"Service: {prefix}, Status Code: {metadata.get('HTTPStatusCode')}, Request ID: {metadata.get('RequestId')}"
        if integration.is_sdk
        else f"Service: {fallback.removesuffix('Exception')}; Status Code: {metadata.get('HTTPStatusCode')}; "
        f"Error Code: {answer.get('Code')}; Request ID: {metadata.get('RequestId')}; Proxy: null"
    )
    return TaskFailure(f"{prefix}.{name}", f"{answer.get('Message', '')} ({details})")
