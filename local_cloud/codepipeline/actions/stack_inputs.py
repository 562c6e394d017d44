"""What a CloudFormation action hands to CloudFormation: template, parameters, tags, from artifacts and configuration.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-cfn-artifacts.html
"""

import json
from collections.abc import Mapping
from typing import Any

from local_cloud.codepipeline.actions.base import ActionFailure, ActionWork
from local_cloud.codepipeline.artifacts import StoredArtifact, read_file

_TEMPLATE_CONFIGURATION = ("Parameters", "Tags")


def stack_request(work: ActionWork, *, token: str | None) -> dict[str, Any]:
    """The parameters that CreateStack, UpdateStack and CreateChangeSet share."""
    given = work.configuration
    settings = _template_configuration(work)
    parameters = {**settings.get("Parameters", {}), **_overrides(work)}
    request: dict[str, Any] = {
        "StackName": given["StackName"],
        "TemplateBody": _file(work, given["TemplatePath"]),
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": _text(work, key, value)} for key, value in parameters.items()
        ],
        "RoleARN": given["RoleArn"],
    }
    if "Tags" in settings:
        request["Tags"] = [{"Key": key, "Value": value} for key, value in settings["Tags"].items()]
    if "Capabilities" in given:
        request["Capabilities"] = [name.strip() for name in given["Capabilities"].split(",")]
    return request | ({"ClientRequestToken": token} if token else {})


def _template_configuration(work: ActionWork) -> Mapping[str, Any]:
    path = work.configuration.get("TemplateConfiguration")
    if not path:
        return {}
    settings = _object(_file(work, path), what=path)
    if unknown := sorted(settings.keys() - set(_TEMPLATE_CONFIGURATION)):
        raise _wrong(f"{path}: {unknown} are not emulated by the local cloud; it has Parameters and Tags")
    return settings


def _overrides(work: ActionWork) -> Mapping[str, Any]:
    text = work.configuration.get("ParameterOverrides")
    return _object(text, what="ParameterOverrides") if text else {}


def _text(work: ActionWork, key: str, value: Any) -> str:
    """A parameter's value; an override may take it from an artifact."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping) and list(value) == ["Fn::GetArtifactAtt"]:
        return _artifact_attribute(work, *value["Fn::GetArtifactAtt"])
    if isinstance(value, Mapping) and list(value) == ["Fn::GetParam"]:
        artifact, file_name, name = value["Fn::GetParam"]
        found = _object(_file(work, f"{artifact}::{file_name}"), what=file_name).get(name)
        if isinstance(found, str):
            return found
        raise _wrong(f"{file_name} in artifact {artifact} has no text under {name}, which parameter {key} needs")
    raise _wrong(f"The value of parameter {key} must be text, Fn::GetArtifactAtt or Fn::GetParam, not {value!r}")


def _artifact_attribute(work: ActionWork, name: str, attribute: str) -> str:
    artifact = _artifact(work, name)
    attributes = {
        "BucketName": artifact.bucket,
        "ObjectKey": artifact.key,
        "URL": f"https://{artifact.bucket}.s3.{work.context.region}.amazonaws.com/{artifact.key}",
    }
    if attribute not in attributes:
        raise _wrong(f"Fn::GetArtifactAtt: an artifact has {sorted(attributes)}, not {attribute}")
    return attributes[attribute]


def _artifact(work: ActionWork, name: str) -> StoredArtifact:
    if name not in work.inputs:
        raise _wrong(f"{name} is not an input artifact of the action; it has {sorted(work.inputs)}")
    return work.inputs[name]


def _file(work: ActionWork, path: str) -> str:
    name, _, file_name = path.partition("::")
    return read_file(work.role.client("s3"), _artifact(work, name), file_name)


def _object(text: str, *, what: str) -> Mapping[str, Any]:
    try:
        parsed = json.loads(text)
    except ValueError as error:
        raise _wrong(f"{what} is not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise _wrong(f"{what} must be a JSON object")
    return parsed


def _wrong(message: str) -> ActionFailure:
    return ActionFailure(message, code="ConfigurationError")
