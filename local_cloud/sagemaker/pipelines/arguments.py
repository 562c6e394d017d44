"""Checks a step's Arguments against the request of the API that the step calls: botocore's model is the oracle.

Values that are computed at run time are passed over; the API itself checks those.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import Shape

from local_cloud.api_model import ApiModel
from local_cloud.sagemaker.pipelines.expressions import is_expression
from local_cloud.sagemaker.pipelines.problems import bad_definition
from local_cloud.sagemaker.pipelines.steps import StepType

CREATE_OPERATIONS: Mapping[StepType, str] = {
    StepType.PROCESSING: "CreateProcessingJob",
    StepType.TRAINING: "CreateTrainingJob",
    StepType.REGISTER_MODEL: "CreateModelPackage",
}
NAME_MEMBERS: Mapping[StepType, str] = {
    StepType.PROCESSING: "ProcessingJobName",
    StepType.TRAINING: "TrainingJobName",
}


def check_arguments(kind: StepType, arguments: Mapping[str, Any], *, where: str, model: ApiModel) -> None:
    """Raise ValidationException for the first unknown, missing or mistyped member."""
    if kind is StepType.FAIL:
        if set(arguments) - {"ErrorMessage"}:
            raise bad_definition(f"{where}: a Fail step takes only Arguments.ErrorMessage.")
        return
    # The pipeline itself names the job.
    given = {NAME_MEMBERS[kind]: "generated", **arguments} if kind in NAME_MEMBERS else arguments
    found = next(_problems(model.input_shape(CREATE_OPERATIONS[kind]), given, "Arguments"), None)
    if found:
        raise bad_definition(f"{where}: {found}.")


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if is_expression(value):
        return
    if shape.type_name == "structure":
        yield from _structure_problems(shape, value, path)
    elif shape.type_name == "list":
        if not isinstance(value, list):
            yield f"{path} must be a list, not {value!r}"
            return
        for index, item in enumerate(value):
            yield from _problems(shape.member, item, f"{path}[{index}]")
    elif shape.type_name == "map":
        if not isinstance(value, Mapping):
            yield f"{path} must be an object, not {value!r}"
            return
        for key, item in value.items():
            yield from _problems(shape.value, item, f"{path}.{key}")
    elif shape.type_name == "string" and not isinstance(value, str):
        yield f"{path} must be a string, not {value!r}"
    elif shape.type_name in ("integer", "long") and (isinstance(value, bool) or not isinstance(value, int)):
        yield f"{path} must be an integer, not {value!r}"


def _structure_problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path} must be an object, not {value!r}"
        return
    for name in sorted(set(value) - set(shape.members)):
        yield f"unknown member '{path}.{name}'"
    for name in shape.required_members:
        if name not in value:
            yield f"'{path}.{name}' is required"
    for name, member in shape.members.items():
        if name in value:
            yield from _problems(member, value[name], f"{path}.{name}")
