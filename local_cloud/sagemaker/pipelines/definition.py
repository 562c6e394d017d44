"""Reads the definition JSON of a pipeline into frozen steps, and refuses what AWS refuses at CreatePipeline.

Every error is a ValidationException that names the step and the field. What an argument must look like is asked of
`arguments.py`; what references may name, of `graph.py`.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local_cloud.api_model import ApiModel
from local_cloud.sagemaker.pipelines import conditions
from local_cloud.sagemaker.pipelines.arguments import check_arguments
from local_cloud.sagemaker.pipelines.durations import parse_duration
from local_cloud.sagemaker.pipelines.expressions import ExpressionError, references
from local_cloud.sagemaker.pipelines.graph import check_graph
from local_cloud.sagemaker.pipelines.problems import bad_definition, member
from local_cloud.sagemaker.pipelines.steps import (
    Branch,
    CacheConfig,
    Parameter,
    PipelineDefinition,
    PropertyFile,
    RetryPolicy,
    Scalar,
    Step,
    StepType,
)

VERSION = "2020-12-01"
_PARAMETER_TYPES: Mapping[str, tuple[type, ...]] = {
    "String": (str,),
    "Integer": (int,),
    "Boolean": (bool,),
    "Float": (float, int),
}
_NOT_EMULATED = (
    "AutoML",
    "Callback",
    "Cleanup",
    "ClarifyCheck",
    "EMR",
    "EMRServerless",
    "Endpoint",
    "EndpointConfig",
    "ForEach",
    "InferenceComponent",
    "Lambda",
    "Lineage",
    "Model",
    "NotebookJob",
    "QualityCheck",
    "Transform",
    "Tuning",
)
_TOP_MEMBERS = {"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "Steps", "MlflowConfig"}
_STEP_MEMBERS = {
    "Name",
    "Type",
    "Arguments",
    "DependsOn",
    "DisplayName",
    "Description",
    "CacheConfig",
    "RetryPolicies",
    "PropertyFiles",
}


def parse_definition(text: str, model: ApiModel) -> PipelineDefinition:
    """The parameters and steps of a definition. Raises ValidationException."""
    try:
        document = json.loads(text)
    except ValueError as error:
        raise bad_definition(f"it is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise bad_definition("it must be a JSON object.")
    if unknown := sorted(set(document) - _TOP_MEMBERS):
        raise bad_definition(f"unknown member {unknown[0]!r}.")
    if document.get("Version") != VERSION:
        raise bad_definition(f"Version must be {VERSION!r}, not {document.get('Version')!r}.")
    parameters = tuple(_parameters(document.get("Parameters") or []))
    steps: dict[str, Step] = {}
    for step in _steps(member(document, "Steps", list, "the definition"), None, model):
        if step.name in steps:
            raise bad_definition(f"duplicate step name {step.name!r}.")
        steps[step.name] = step
    if not steps:
        raise bad_definition("Steps must not be empty.")
    definition = PipelineDefinition(parameters, steps)
    check_graph(definition, model)
    return definition


def _parameters(items: Sequence[Any]) -> Iterator[Parameter]:
    seen: set[str] = set()
    for item in items:
        name = member(item, "Name", str, "a parameter")
        kind = member(item, "Type", str, f"Parameter {name!r}")
        if name in seen:
            raise bad_definition(f"duplicate parameter name {name!r}.")
        seen.add(name)
        if kind not in _PARAMETER_TYPES:
            raise bad_definition(
                f"Parameter {name!r}: Type must be one of {', '.join(_PARAMETER_TYPES)}, not {kind!r}."
            )
        yield Parameter(name, kind, _default(item, kind, name), tuple(item.get("EnumValues") or ()))


def _default(item: Mapping[str, Any], kind: str, name: str) -> Scalar | None:
    default: Scalar | None = item.get("DefaultValue")
    if default is not None and type(default) not in _PARAMETER_TYPES[kind]:
        raise bad_definition(f"Parameter {name!r}: DefaultValue {default!r} is not of type {kind}.")
    return default


def _steps(items: Sequence[Any], branch: Branch | None, model: ApiModel) -> Iterator[Step]:
    for item in items:
        step = _step(item, branch, model)
        yield step
        if step.type is StepType.CONDITION:
            for key, outcome in (("IfSteps", True), ("ElseSteps", False)):
                inner = step.arguments.get(key) or []
                yield from _steps(inner, Branch(step.name, outcome), model)


def _step(item: Any, branch: Branch | None, model: ApiModel) -> Step:
    name = member(item, "Name", str, "a step")
    where = f"Step {name!r}"
    if unknown := sorted(set(item) - _STEP_MEMBERS):
        raise bad_definition(f"{where}: unknown member {unknown[0]!r}.")
    kind = _type(item, where)
    arguments = member(item, "Arguments", dict, where)
    if kind is StepType.CONDITION:
        _check_conditions(arguments, where)
    else:
        check_arguments(kind, arguments, where=where, model=model)
    return Step(
        name=name,
        type=kind,
        arguments=arguments,
        dependencies=_dependencies(item, arguments, branch, where),
        branch=branch,
        display_name=item.get("DisplayName"),
        description=item.get("Description"),
        cache=_cache(item.get("CacheConfig"), where),
        retry_policies=tuple(_retry_policy(policy, where) for policy in item.get("RetryPolicies") or ()),
        property_files=tuple(_property_file(file, where) for file in item.get("PropertyFiles") or ()),
    )


def _type(item: Mapping[str, Any], where: str) -> StepType:
    kind = member(item, "Type", str, where)
    if kind in _NOT_EMULATED:
        emulated = ", ".join(StepType)
        raise bad_definition(f"{where}: Type {kind!r} is not emulated by the local cloud, which runs {emulated}.")
    if kind not in tuple(StepType):
        raise bad_definition(f"{where}: unknown Type {kind!r}.")
    return StepType(kind)


def _check_conditions(arguments: Mapping[str, Any], where: str) -> None:
    wanted = {"Conditions", "IfSteps", "ElseSteps"}
    if unknown := sorted(set(arguments) - wanted):
        raise bad_definition(f"{where}: unknown member 'Arguments.{unknown[0]}'.")
    for index, condition in enumerate(member(arguments, "Conditions", list, where)):
        if found := conditions.problem(condition):
            raise bad_definition(f"{where}: Arguments.Conditions[{index}]: {found}.")


def _dependencies(
    item: Mapping[str, Any], arguments: Mapping[str, Any], branch: Branch | None, where: str
) -> frozenset[str]:
    explicit = item.get("DependsOn") or []
    if not all(isinstance(name, str) for name in explicit):
        raise bad_definition(f"{where}: DependsOn must be a list of step names.")
    # The steps inside of a condition have references of their own.
    own = {name: value for name, value in arguments.items() if name not in ("IfSteps", "ElseSteps")}
    try:
        read = {reference.name for reference in references(own) if reference.root == "Steps"}
    except ExpressionError as error:
        raise bad_definition(f"{where}: Arguments: {error}") from error
    return frozenset({*explicit, *read, *([branch.condition] if branch else [])})


def _cache(config: Mapping[str, Any] | None, where: str) -> CacheConfig | None:
    if config is None:
        return None
    duration = config.get("ExpireAfter")
    try:
        return CacheConfig(bool(config.get("Enabled")), parse_duration(duration) if duration else None)
    except ValueError as error:
        raise bad_definition(f"{where}: CacheConfig.ExpireAfter: {error}.") from error


def _retry_policy(policy: Mapping[str, Any], where: str) -> RetryPolicy:
    types = member(policy, "ExceptionType", list, f"{where}: RetryPolicies")
    attempts, minutes = policy.get("MaxAttempts"), policy.get("ExpireAfterMin")
    if (attempts is None) == (minutes is None):
        raise bad_definition(f"{where}: RetryPolicies: give exactly one of MaxAttempts and ExpireAfterMin.")
    return RetryPolicy(
        exception_types=frozenset(types),
        interval_seconds=float(policy.get("IntervalSeconds", 1)),
        backoff_rate=float(policy.get("BackoffRate", 2.0)),
        maximum_attempts=attempts,
        expire_after=None if minutes is None else parse_duration(f"PT{int(minutes)}M"),
    )


def _property_file(file: Mapping[str, Any], where: str) -> PropertyFile:
    inside = f"{where}: PropertyFiles"
    return PropertyFile(
        name=member(file, "PropertyFileName", str, inside),
        output_name=member(file, "OutputName", str, inside),
        file_path=member(file, "FilePath", str, inside),
    )
