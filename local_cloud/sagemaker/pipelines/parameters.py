"""Values for a pipeline's parameters: defaults, the request's values, and whether both are allowed."""

import json
from collections.abc import Mapping, Sequence

from local_cloud.sagemaker.pipelines.steps import Parameter, Scalar
from local_cloud.service import invalid


def parameter_values(declared: Sequence[Parameter], given: Sequence[Mapping[str, str]]) -> dict[str, Scalar]:
    """Every parameter's typed value. Raises ValidationException for unknown, missing, mistyped or excluded ones."""
    texts = {item["Name"]: item["Value"] for item in given}
    names = {parameter.name for parameter in declared}
    if unknown := sorted(set(texts) - names):
        raise invalid(f"Parameters [{', '.join(unknown)}] are not defined in the pipeline definition.")
    return {parameter.name: _value(parameter, texts.get(parameter.name)) for parameter in declared}


def as_text(value: Scalar) -> str:
    """A value as ListPipelineParametersForExecution shows it."""
    return value if isinstance(value, str) else json.dumps(value)


def _value(parameter: Parameter, text: str | None) -> Scalar:
    value = parameter.default if text is None else _typed(parameter, text)
    if value is None:
        raise invalid(f"Parameter [{parameter.name}] has no default value and needs one from the request.")
    if parameter.allowed and value not in parameter.allowed:
        allowed = ", ".join(as_text(item) for item in parameter.allowed)
        raise invalid(f"Parameter [{parameter.name}]: {as_text(value)!r} is not one of [{allowed}].")
    return value


def _typed(parameter: Parameter, text: str) -> Scalar:
    if parameter.type == "String":
        return text
    if parameter.type == "Boolean":
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
    else:
        try:
            return int(text) if parameter.type == "Integer" else float(text)
        except ValueError:
            pass  # reported below, with the parameter's name
    raise invalid(f"Parameter [{parameter.name}]: {text!r} is not of type {parameter.type}.")
