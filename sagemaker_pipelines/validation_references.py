"""Are the references of a pipeline definition right? Get, Std:Join, Std:JsonGet, DependsOn, and cycles among them."""

import re
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from botocore.model import Shape

from sagemaker_pipelines.validation_model import Definition, Finding, Step, service_model, walk_expressions

EXECUTION_VARIABLES = {
    *("PipelineName", "PipelineArn", "PipelineExecutionId", "PipelineExecutionArn", "StartDateTime", "CurrentDateTime"),
}
# A step's properties have the shape of what its job's Describe call answers.
PROPERTY_SHAPES = {
    "Processing": "DescribeProcessingJobResponse",
    "Training": "DescribeTrainingJobResponse",
    "Tuning": "DescribeHyperParameterTuningJobResponse",
    "Transform": "DescribeTransformJobResponse",
    "AutoML": "DescribeAutoMLJobV2Response",
    "Model": "DescribeModelOutput",
    "RegisterModel": "DescribeModelPackageOutput",
    "EndpointConfig": "DescribeEndpointConfigOutput",
    "Endpoint": "DescribeEndpointOutput",
}
_SEGMENT = re.compile(r"(?P<name>[A-Za-z0-9_]+)(?P<index>\[(?:\d+|'[^']*')\])?")
SCALARS = ("string", "integer", "long", "float", "double", "boolean", "timestamp")


def reference_findings(definition: Definition, experiment: Any) -> list[Finding]:
    """Findings of every expression and DependsOn, and of cycles."""
    steps = {step.name: step for step in definition.steps}
    findings = [
        Finding(None, field, problem)
        for field, expression in walk_expressions(experiment, "PipelineExperimentConfig")
        for problem in _expression_problems(expression, None, definition, steps)
    ]
    for step in definition.steps:
        for field, expression in walk_expressions(step.own_arguments, "Arguments"):
            for problem in _expression_problems(expression, step, definition, steps):
                findings.append(Finding(step.name, field, problem))
        for name in _depends_on(step):
            if name not in steps:
                findings.append(Finding(step.name, "DependsOn", f"there is no step '{name}'"))
    findings.extend(_cycle_findings(steps))
    return findings


def _expression_problems(
    expression: Mapping[str, Any], step: Step | None, definition: Definition, steps: Mapping[str, Step]
) -> Iterator[str]:
    if "Std:Join" in expression:
        join = expression["Std:Join"]
        if not isinstance(join, dict) or not isinstance(join.get("On"), str) or not join.get("Values"):
            yield "Std:Join needs a string On and a list of Values"
    elif "Std:JsonGet" in expression:
        yield from _json_get_problems(expression["Std:JsonGet"])
    else:
        yield from _get_problems(expression["Get"], step, definition, steps)


def _json_get_problems(value: Any) -> Iterator[str]:
    if not isinstance(value, dict) or not value.get("Path") or not {"PropertyFile", "S3Uri"} & value.keys():
        yield "Std:JsonGet needs a Path and a PropertyFile or S3Uri"
        return
    file = value.get("PropertyFile")
    path = file.get("Get") if isinstance(file, dict) else None
    if "PropertyFile" in value and not re.fullmatch(r"Steps\.[^.]+\.PropertyFiles\.[^.]+", str(path)):
        yield "PropertyFile should be {'Get': 'Steps.<step>.PropertyFiles.<name>'}"


def _get_problems(path: Any, step: Step | None, definition: Definition, steps: Mapping[str, Step]) -> Iterator[str]:
    root, _, rest = str(path).partition(".")
    if root == "Parameters":
        if rest not in definition.parameters:
            yield f"there is no parameter '{rest}'; there are {', '.join(definition.parameters) or 'none'}"
    elif root == "Execution":
        if rest not in EXECUTION_VARIABLES:
            yield f"there is no execution variable '{rest}'; there are {', '.join(sorted(EXECUTION_VARIABLES))}"
    elif root == "Steps":
        yield from _step_reference_problems(rest, step, steps)
    else:
        yield f"'{path}' should start with Parameters, Execution or Steps"


def _step_reference_problems(path: str, step: Step | None, steps: Mapping[str, Step]) -> Iterator[str]:
    name, _, rest = path.partition(".")
    target = steps.get(name)
    if target is None:
        yield f"there is no step '{name}'; there are {', '.join(steps)}"
        return
    branches = step.branches if step else ()
    if target.branches != branches[: len(target.branches)]:
        yield f"the step '{name}' is in the branch {target.branches[-1]} and may be skipped"
    if rest.startswith("PropertyFiles."):
        file = rest.removeprefix("PropertyFiles.")
        names = [item.get("PropertyFileName") for item in target.body.get("PropertyFiles", [])]
        if file not in names:
            yield f"the step '{name}' has no property file '{file}'; it has: {', '.join(map(str, names)) or 'none'}"
    elif target.type == "Condition":
        if rest != "Outcome":
            yield f"a condition step has only the property Outcome, not '{rest}'"
    elif target.type in PROPERTY_SHAPES:
        yield from _property_problems(rest, target)


def _property_problems(path: str, target: Step) -> Iterator[str]:
    shape: Shape = service_model().shape_for(PROPERTY_SHAPES[target.type])
    described = f"{target.type} step '{target.name}'"
    for segment in re.split(r"\.(?![^\[]*\])", path):
        match = _SEGMENT.fullmatch(segment)
        members = getattr(shape, "members", {})
        if match is None or match["name"] not in members:
            there = ", ".join(members) or "nothing"
            yield f"the {described} has no property '{path}': '{segment}' is not among {there}"
            return
        shape = members[match["name"]]
        if match["index"]:
            if shape.type_name not in ("list", "map"):
                yield f"'{segment}' of the {described} is no list or map"
                return
            key = match["index"].strip("[]'")
            if match["name"] == "Outputs" and "'" in match["index"] and key not in target.output_names:
                yield f"the {described} has no output '{key}'; it has: {', '.join(sorted(target.output_names))}"
            shape = shape.member if shape.type_name == "list" else shape.value
    if shape.type_name not in SCALARS:
        yield f"the property '{path}' of the {described} is a {shape.type_name}, no value"


def _depends_on(step: Step) -> list[str]:
    return [str(item.get("Step")) if isinstance(item, dict) else str(item) for item in step.body.get("DependsOn", [])]


def _cycle_findings(steps: Mapping[str, Step]) -> Iterator[Finding]:
    graph: dict[str, set[str]] = {name: set() for name in steps}
    for name, step in steps.items():
        needed = set(_depends_on(step))
        for _, expression in walk_expressions(step.own_arguments, "Arguments"):
            path = str(expression.get("Get", ""))
            if path.startswith("Steps."):
                needed.add(path.split(".")[1])
        # What is in a branch runs after the condition step has chosen it.
        needed.update(branch.split(".")[0] for branch in step.branches)
        graph[name] = needed & steps.keys()
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle = [str(name) for name in error.args[1]]
        yield Finding(cycle[0], "Arguments or DependsOn", f"the steps wait for each other: {' -> '.join(cycle)}")
