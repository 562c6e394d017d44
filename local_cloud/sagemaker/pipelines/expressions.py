"""Expressions of a pipeline definition: `Get`, `Std:Join`, `Std:JsonGet`. Found at parse time, resolved at run time.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-properties.html
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local_cloud.errors import LocalCloudError
from local_cloud.sagemaker.pipelines.steps import Scalar

EXECUTION_VARIABLES = frozenset(
    {
        "StartDateTime",
        "CurrentDateTime",
        "PipelineName",
        "PipelineArn",
        "PipelineExecutionId",
        "PipelineExecutionArn",
        "TrainingJobName",
        "ProcessingJobName",
    }
)
_PART = re.compile(r"\.?([A-Za-z0-9_\-]+)|\[\s*['\"]([^'\"]*)['\"]\s*\]|\[(\d+)\]")
# By which member SageMaker finds a list's item when a path names it: Outputs['train'] is the output of that name.
_NAME_MEMBERS = ("OutputName", "InputName", "ChannelName", "MetricName", "Name")


class ExpressionError(LocalCloudError):
    """An expression that names nothing, or whose value cannot be used."""


@dataclass(frozen=True)
class Reference:
    """A `Get`: what it reads, and the way into it. `parts` are member names, names of list items, and indices."""

    text: str
    parts: tuple[str | int, ...]

    @property
    def root(self) -> str:
        """Parameters, Execution or Steps."""
        return str(self.parts[0])

    @property
    def name(self) -> str:
        """The parameter, variable or step."""
        return str(self.parts[1]) if len(self.parts) > 1 else ""

    @property
    def path(self) -> tuple[str | int, ...]:
        """The way into a step's properties."""
        return self.parts[2:]


@dataclass(frozen=True)
class Scope:
    """What expressions can see while an execution runs.

    `properties` gives a finished step's Describe answer, `property_file` the parsed content of one of its files,
    `s3_json` the parsed content of an S3 object; they raise ExpressionError for what is not there.
    """

    parameters: Mapping[str, Scalar]
    variables: Callable[[str], str]
    properties: Callable[[str], Mapping[str, Any]]
    property_file: Callable[[str, str], Any]
    s3_json: Callable[[str], Any]


def references(value: Any) -> Iterator[Reference]:
    """Every `Get` in a part of a definition. Raises ExpressionError for malformed ones."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, Mapping):
        if set(value) == {"Get"}:
            yield parse_reference(value["Get"])
        else:
            for item in value.values():
                yield from references(item)


def is_expression(value: Any) -> bool:
    """Whether a value is computed when the execution runs."""
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in ("Get", "Std:Join", "Std:JsonGet")


def parse_reference(text: object) -> Reference:
    """`Steps.Train.ModelArtifacts.S3ModelArtifacts` and the like, taken apart."""
    parts = _parts(text) if isinstance(text, str) else ()
    if len(parts) < 2 or parts[0] not in ("Parameters", "Execution", "Steps"):
        raise ExpressionError(f"Get {text!r} must start with Parameters., Execution. or Steps.")
    return Reference(str(text), parts)


def resolve(value: Any, scope: Scope) -> Any:
    """A part of a definition with every expression replaced by its value."""
    if isinstance(value, list):
        return [resolve(item, scope) for item in value]
    if not isinstance(value, Mapping):
        return value
    if not is_expression(value):
        return {name: resolve(item, scope) for name, item in value.items()}
    (kind, content), *_ = value.items()
    if kind == "Get":
        return _get(parse_reference(content), scope)
    if kind == "Std:Join":
        return content.get("On", "").join(_text(resolve(item, scope)) for item in content["Values"])
    return _json_get(content, scope)


def walk(value: Any, path: tuple[str | int, ...], *, whence: str) -> Any:
    """Follow a path into a value. Raises ExpressionError naming the part that leads nowhere."""
    for part in path:
        found = _step_into(value, part)
        if found is None:
            raise ExpressionError(f"{whence}: there is no {part!r} in {_shown(value)}.")
        value = found[0]
    return value


def _get(reference: Reference, scope: Scope) -> Any:
    if reference.root == "Parameters":
        return scope.parameters[reference.name]
    if reference.root == "Execution":
        return scope.variables(reference.name)
    if reference.path[:1] == ("PropertyFiles",):
        return scope.property_file(reference.name, str(reference.path[1]))
    return walk(scope.properties(reference.name), reference.path, whence=reference.text)


def _json_get(content: Mapping[str, Any], scope: Scope) -> Any:
    if "PropertyFile" in content:
        document = _get(parse_reference(content["PropertyFile"]["Get"]), scope)
    else:
        document = scope.s3_json(str(resolve(content["S3Uri"], scope)))
    path = str(content["Path"])
    return walk(document, _parts(path.removeprefix("$")), whence=f"Std:JsonGet {path!r}")


def _parts(text: str) -> tuple[str | int, ...]:
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        found = _PART.match(text, position)
        if found is None:
            raise ExpressionError(f"{text!r} is not a property path: it cannot be read from {text[position:]!r} on.")
        name, quoted, index = found.groups()
        parts.append(int(index) if index is not None else name if name is not None else quoted)
        position = found.end()
    return tuple(parts)


def _step_into(value: Any, part: str | int) -> tuple[Any] | None:
    if isinstance(value, list):
        if isinstance(part, int):
            return (value[part],) if part < len(value) else None
        named = [item for item in value if isinstance(item, Mapping) and _named(item, part)]
        return (named[0],) if named else None
    if isinstance(value, Mapping):
        key = str(part)
        return (value[key],) if key in value else None
    return None


def _named(item: Mapping[str, Any], name: str) -> bool:
    return any(item.get(member) == name for member in _NAME_MEMBERS)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "an object with " + (", ".join(sorted(map(str, value))) or "no members")
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return f"the value {_text(value)[:80]}"
