"""`python -m sagemaker_pipelines.validation FILE`: would SageMaker accept this pipeline definition?

CreatePipeline checks little and starting a pipeline is slow and costs money, while neither the SDK nor an emulator
checks at all. This validator reads the definition's JSON alone and works offline: structure and names here, references
in `validation_references`, job requests against botocore's service model in `validation_requests`.

Schema: https://aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema/
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sagemaker_pipelines.validation_model import Definition, Finding, Step, flatten_steps, is_expression
from sagemaker_pipelines.validation_references import reference_findings
from sagemaker_pipelines.validation_requests import request_findings

VERSION = "2020-12-01"
TOP_LEVEL = {"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig", "Steps"}
STEP_TYPES = frozenset(
    {
        *("Processing", "Training", "Tuning", "Transform", "Model", "RegisterModel", "Condition", "Fail", "Lambda"),
        *("Callback", "QualityCheck", "ClarifyCheck", "EMR", "EMRServerless", "AutoML", "EndpointConfig", "Endpoint"),
        *("InferenceComponent", "Lineage", "Job", "Cleanup", "ForEach"),
    }
)
STEP_MEMBERS = {
    *("Name", "Type", "Arguments", "DependsOn", "DisplayName", "Description", "CacheConfig", "PropertyFiles"),
    *("RetryPolicies", "OutputParameters", "FunctionArn", "SqsQueueUrl"),
}
_COMPARISONS = {"Equals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"}
CONDITION_MEMBERS = {
    **{name: {"Type", "LeftValue", "RightValue"} for name in _COMPARISONS},
    "In": {"Type", "QueryValue", "Values"},
    "Not": {"Type", "Expression"},
    "Or": {"Type", "Conditions"},
}
PARAMETER_TYPES: dict[str, tuple[type, ...]] = {
    "String": (str,),
    "Integer": (int,),
    "Float": (int, float),
    "Boolean": (bool,),
}
_NAME = re.compile(r"[A-Za-z0-9](-*[A-Za-z0-9]){0,63}")
_PARAMETER_NAME = re.compile(r"[A-Za-z0-9\-_]{1,256}")
_DURATION = re.compile(r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?", re.IGNORECASE)


def validate_definition(definition: Mapping[str, Any]) -> list[Finding]:
    """Everything that is wrong with a definition; each finding names step and field. Empty if it is fine."""
    findings = list(_top_level_findings(definition))
    if findings:
        return findings  # without a list of named steps the rest would only repeat the same mistake
    parsed = Definition(
        parameters={item["Name"]: item for item in definition.get("Parameters", [])},
        steps=flatten_steps(definition["Steps"]),
    )
    findings.extend(_parameter_findings(definition.get("Parameters", [])))
    for name, count in Counter(step.name for step in parsed.steps).items():
        if count > 1:
            findings.append(Finding(name, "Name", f"{count} steps have this name"))
    for step in parsed.steps:
        findings.extend(_step_findings(step))
        findings.extend(request_findings(step, parsed))
    findings.extend(reference_findings(parsed, definition.get("PipelineExperimentConfig")))
    return findings


def _top_level_findings(definition: Mapping[str, Any]) -> Iterator[Finding]:
    for name in sorted(definition.keys() - TOP_LEVEL):
        yield Finding(None, name, f"unknown member; there are {', '.join(sorted(TOP_LEVEL))}")
    if definition.get("Version") != VERSION:
        yield Finding(None, "Version", f"should be '{VERSION}', not {definition.get('Version')!r}")
    steps = definition.get("Steps")
    if not isinstance(steps, list) or not steps:
        yield Finding(None, "Steps", "should be a list with at least one step")
        return
    for index, step in enumerate(flatten_steps(steps)):
        if not isinstance(step.body.get("Name"), str) or not isinstance(step.body.get("Arguments", {}), dict):
            yield Finding(None, f"Steps[{index}]", "should have a Name and an object as Arguments")
    for index, parameter in enumerate(definition.get("Parameters", [])):
        if not isinstance(parameter, dict) or not isinstance(parameter.get("Name"), str):
            yield Finding(None, f"Parameters[{index}]", "should be an object with a Name")


def _parameter_findings(parameters: list[dict[str, Any]]) -> Iterator[Finding]:
    for name, count in Counter(item["Name"] for item in parameters).items():
        field = f"Parameters.{name}"
        if count > 1:
            yield Finding(None, field, f"{count} parameters have this name")
        if not _PARAMETER_NAME.fullmatch(name):
            yield Finding(None, field, f"the name does not match {_PARAMETER_NAME.pattern}")
    for item in parameters:
        field = f"Parameters.{item['Name']}"
        kind = item.get("Type")
        if kind not in PARAMETER_TYPES:
            yield Finding(None, field, f"Type {kind!r} is none of {', '.join(PARAMETER_TYPES)}")
            continue
        default = item.get("DefaultValue")
        wrong = not isinstance(default, PARAMETER_TYPES[kind]) or (isinstance(default, bool) and kind != "Boolean")
        if "DefaultValue" in item and wrong:
            yield Finding(None, field, f"DefaultValue {default!r} is no {kind}")
        if "EnumValues" in item and "DefaultValue" in item and default not in item["EnumValues"]:
            yield Finding(None, field, f"DefaultValue {default!r} is not among EnumValues {item['EnumValues']}")


def _step_findings(step: Step) -> Iterator[Finding]:
    if not _NAME.fullmatch(step.name):
        yield Finding(step.name, "Name", f"does not match {_NAME.pattern}")
    for member in sorted(step.body.keys() - STEP_MEMBERS):
        yield Finding(step.name, member, "unknown member of a step")
    if step.type not in STEP_TYPES:
        yield Finding(step.name, "Type", f"'{step.type}' is no step type; there are {', '.join(sorted(STEP_TYPES))}")
    if "CacheConfig" in step.body:
        yield from _cache_findings(step)
    yield from _property_file_findings(step)
    if step.type == "Condition":
        conditions = step.arguments.get("Conditions")
        if not isinstance(conditions, list) or not conditions:
            yield Finding(step.name, "Arguments.Conditions", "should be a list with at least one condition")
        else:
            for index, condition in enumerate(conditions):
                yield from _condition_findings(step, condition, f"Arguments.Conditions[{index}]")


def _cache_findings(step: Step) -> Iterator[Finding]:
    cache = step.body["CacheConfig"]
    if not isinstance(cache.get("Enabled"), bool):
        yield Finding(step.name, "CacheConfig.Enabled", "should be true or false")
    duration = cache.get("ExpireAfter")
    if duration is not None and not _DURATION.fullmatch(str(duration)):
        yield Finding(step.name, "CacheConfig.ExpireAfter", f"'{duration}' is no ISO 8601 duration such as P30D")


def _property_file_findings(step: Step) -> Iterator[Finding]:
    names: set[str] = set()
    for index, file in enumerate(step.body.get("PropertyFiles", [])):
        field = f"PropertyFiles[{index}]"
        name, output = file.get("PropertyFileName"), file.get("OutputName")
        if not name or name in names:
            yield Finding(step.name, field, f"PropertyFileName {name!r} is missing or used twice")
        names.add(name)
        if output not in step.output_names:
            there = ", ".join(sorted(step.output_names)) or "none"
            yield Finding(step.name, f"{field}.OutputName", f"'{output}' is no output of the step; there are: {there}")
        if not file.get("FilePath"):
            yield Finding(step.name, f"{field}.FilePath", "is missing")


def _condition_findings(step: Step, condition: Any, field: str) -> Iterator[Finding]:
    kind = condition.get("Type") if isinstance(condition, dict) else None
    if kind not in CONDITION_MEMBERS:
        known = ", ".join(sorted(CONDITION_MEMBERS))
        yield Finding(step.name, f"{field}.Type", f"'{kind}' is no condition type; there are {known}")
        return
    for member in sorted(CONDITION_MEMBERS[kind] ^ condition.keys()):
        problem = "is missing" if member in CONDITION_MEMBERS[kind] else f"unknown member of the condition {kind}"
        yield Finding(step.name, f"{field}.{member}", problem)
    if kind == "Not":
        yield from _condition_findings(step, condition.get("Expression"), f"{field}.Expression")
    for index, inner in enumerate(condition.get("Conditions", []) if kind == "Or" else []):
        yield from _condition_findings(step, inner, f"{field}.Conditions[{index}]")
    left = condition.get("LeftValue")
    if kind in _COMPARISONS and isinstance(left, dict) and not is_expression(left):
        yield Finding(step.name, f"{field}.LeftValue", "should be a value or a Get, Std:Join or Std:JsonGet")


def main(argv: list[str] | None = None) -> int:
    """Print the findings of a definition file; exit status 1 if there are any or the file cannot be read."""
    parser = argparse.ArgumentParser(
        prog="python -m sagemaker_pipelines.validation", description="Checks a SageMaker pipeline definition offline."
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="pipeline definition as JSON")
    path = parser.parse_args(argv).file
    try:
        definition = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        print(f"error: {path} cannot be read as JSON ({error})", file=sys.stderr)
        return 1
    if not isinstance(definition, dict):
        print(f"error: {path} should hold a JSON object", file=sys.stderr)
        return 1
    findings = validate_definition(definition)
    for finding in findings:
        print(finding)
    print(f"{path}: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
