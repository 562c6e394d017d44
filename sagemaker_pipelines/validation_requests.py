"""Do the arguments of each step form a valid API request? Checked against botocore's model of SageMaker.

An expression (Get, Std:Join, Std:JsonGet) stands for a value that is known at run time only; its type is checked
where it is known, its content is not.
"""

import re
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from sagemaker_pipelines.validation_model import Definition, Finding, Step, is_expression, service_model

# Step type -> operation, and members that SageMaker itself fills in when a pipeline runs.
OPERATIONS: dict[str, tuple[str, set[str]]] = {
    "Processing": ("CreateProcessingJob", {"ProcessingJobName"}),
    "Training": ("CreateTrainingJob", {"TrainingJobName"}),
    "Tuning": ("CreateHyperParameterTuningJob", {"HyperParameterTuningJobName"}),
    "Transform": ("CreateTransformJob", {"TransformJobName"}),
    "Model": ("CreateModel", {"ModelName"}),
    "RegisterModel": ("CreateModelPackage", {"ModelPackageName"}),
}
_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
}


def request_findings(step: Step, definition: Definition) -> Iterator[Finding]:
    """Unknown, missing and malformed members of a step's arguments."""
    if step.type == "Fail":
        if set(step.arguments) != {"ErrorMessage"}:
            yield Finding(step.name, "Arguments", "a Fail step takes ErrorMessage and nothing else")
    elif step.type in OPERATIONS:
        operation, supplied = OPERATIONS[step.type]
        shape: Shape = service_model().operation_model(operation).input_shape
        for field, problem in _Checker(definition, supplied).check(step.arguments, shape, "Arguments"):
            yield Finding(step.name, field, problem)


class _Checker:
    """Walks a value and its shape side by side; yields (field, problem)."""

    def __init__(self, definition: Definition, supplied: set[str]) -> None:
        self._definition = definition
        self._supplied = supplied

    def check(self, value: Any, shape: Shape, field: str) -> Iterator[tuple[str, str]]:
        """Problems of one value."""
        if is_expression(value):
            yield from self._expression(value, shape, field)
        elif isinstance(shape, StructureShape):
            yield from self._structure(value, shape, field)
        elif isinstance(shape, ListShape):
            yield from self._list(value, shape, field)
        elif isinstance(shape, MapShape):
            yield from self._map(value, shape, field)
        else:
            yield from _scalar(value, shape, field)

    def _expression(self, value: dict[str, Any], shape: Shape, field: str) -> Iterator[tuple[str, str]]:
        if isinstance(shape, StructureShape | MapShape):
            yield field, f"an expression cannot stand for a {shape.type_name}"
        parameter = str(value.get("Get", "")).removeprefix("Parameters.")
        kind = self._definition.parameters.get(parameter, {}).get("Type")
        if isinstance(shape, StringShape) and kind in ("Integer", "Float", "Boolean"):
            yield field, f"needs a string, but the parameter '{parameter}' is {kind}: turn it into one with Std:Join"

    def _structure(self, value: Any, shape: StructureShape, field: str) -> Iterator[tuple[str, str]]:
        if not isinstance(value, dict):
            yield field, f"should be an object, not {value!r}"
            return
        supplied = self._supplied if field == "Arguments" else set()
        for name in shape.required_members:
            if name not in value and name not in supplied:
                yield f"{field}.{name}", "is missing"
        for name, item in value.items():
            if name in shape.members:
                yield from self.check(item, shape.members[name], f"{field}.{name}")
            else:
                yield f"{field}.{name}", f"unknown member of {shape.name}"

    def _list(self, value: Any, shape: ListShape, field: str) -> Iterator[tuple[str, str]]:
        if not isinstance(value, list):
            yield field, f"should be a list, not {value!r}"
            return
        yield from _size(len(value), shape, field, unit=" items")
        for index, item in enumerate(value):
            yield from self.check(item, shape.member, f"{field}[{index}]")

    def _map(self, value: Any, shape: MapShape, field: str) -> Iterator[tuple[str, str]]:
        if not isinstance(value, dict):
            yield field, f"should be an object, not {value!r}"
            return
        yield from _size(len(value), shape, field, unit=" entries")
        for name, item in value.items():
            yield from _scalar(name, shape.key, f"{field} key '{name}'")
            yield from self.check(item, shape.value, f"{field}.{name}")


def _scalar(value: Any, shape: Shape, field: str) -> Iterator[tuple[str, str]]:
    expected = _PYTHON_TYPES.get(shape.type_name)
    if expected is None:
        return
    if not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected):
        yield field, f"should be a {shape.type_name}, not {value!r}"
    elif isinstance(value, str):
        yield from _text(value, shape, field)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _size(value, shape, field, unit="")


def _text(value: str, shape: Shape, field: str) -> Iterator[tuple[str, str]]:
    yield from _size(len(value), shape, field, unit=" characters")
    choices = getattr(shape, "enum", None)
    if choices and value not in choices:
        shown = ", ".join(choices[:8]) + (", ..." if len(choices) > 8 else "")
        yield field, f"'{value}' is none of {shown}"
    pattern = shape.metadata.get("pattern")
    if pattern and _matches(value, pattern) is False:
        yield field, f"'{value}' does not match {pattern}"


def _matches(value: str, pattern: str) -> bool | None:
    """Whether the whole value matches; None for a pattern in the Java syntax that Python does not know."""
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        return None


def _size(size: float, shape: Shape, field: str, *, unit: str) -> Iterator[tuple[str, str]]:
    """Problems of a number, or of a length in `unit`, with the bounds of its shape."""
    minimum, maximum = shape.metadata.get("min"), shape.metadata.get("max")
    if minimum is not None and size < minimum:
        yield field, f"{size}{unit} is less than the minimum of {minimum}"
    if maximum is not None and size > maximum:
        yield field, f"{size}{unit} is more than the maximum of {maximum}"
