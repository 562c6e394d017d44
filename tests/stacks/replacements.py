"""What CloudFormation does with each resource when a template or a parameter changes: nothing, update or replace.

Reasons from the registry's schemas alone: a changed create-only property replaces, a replaced resource changes whoever
refers to it.
"""

from collections.abc import Mapping
from typing import Any

from tests.stacks.registry_schema import create_only

Template = Mapping[str, Any]
SAME, UPDATE, REPLACE = "same", "update", "replace"


def resolved(value: Any, parameters: Mapping[str, Any], conditions: Mapping[str, bool]) -> Any:
    """`value` with parameters filled in and conditions decided."""
    if isinstance(value, list):
        return [resolved(item, parameters, conditions) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("Ref") in parameters:
        return parameters[value["Ref"]]
    if "Fn::If" in value:
        name, then, otherwise = value["Fn::If"]
        return resolved(then if conditions[name] else otherwise, parameters, conditions)
    return {name: resolved(item, parameters, conditions) for name, item in value.items()}


def deployed(template: Template, *, version: int, monitored: bool = True, **parameters: Any) -> dict[str, Any]:
    """An endpoint's template as production deploys it with a version; `parameters` besides those that it always has."""
    given = {
        "ModelPackageArn": f"arn:aws:sagemaker:eu-west-1:123456789012:model-package/car-prices-test-0a1b2c3d/{version}",
        "EndpointName": "car-prices-test-production",
        "ExecutionRoleArn": "arn:aws:iam::123456789012:role/endpoint",
        "CaptureUri": "s3://artifacts/monitoring/capture",
        "EncryptionKeyArn": "arn:aws:kms:eu-west-1:123456789012:key/1",
        "AlarmTopicArn": "arn:aws:sns:eu-west-1:123456789012:failures",
        "InstanceCount": 2,
        "MaximumInstanceCount": 4,
        **parameters,
    }
    assert set(given) == set(template["Parameters"])
    conditions = {"OneInstance": False, "Scales": True, "Monitored": monitored}
    return {**template, "Resources": resolved(template["Resources"], given, conditions)}


def plan(old: Template, new: Template) -> dict[str, str]:
    """SAME, UPDATE or REPLACE for each resource of `new`, which `old` holds too; both are resolved."""
    decided: dict[str, str] = {}
    while len(decided) < len(new["Resources"]):
        before = len(decided)
        for name, body in new["Resources"].items():
            needs = _referred(body) & set(new["Resources"])
            if name not in decided and needs <= set(decided):
                decided[name] = _decide(old["Resources"][name], body, replaced=_replaced(decided))
        assert len(decided) > before, "the template refers to itself in a circle"
    return decided


def order(template: Template) -> list[str]:
    """Resources in the order in which CloudFormation works on them."""
    done: list[str] = []
    while len(done) < len(template["Resources"]):
        done += [
            name
            for name, body in template["Resources"].items()
            if name not in done and _referred(body) & set(template["Resources"]) <= set(done)
        ]
    return done


def _replaced(decided: Mapping[str, str]) -> set[str]:
    return {name for name, action in decided.items() if action == REPLACE}


def _decide(old: Mapping[str, Any], new: Mapping[str, Any], *, replaced: set[str]) -> str:
    before, after = old.get("Properties", {}), new.get("Properties", {})
    changed = {
        name
        for name in set(before) | set(after)
        if before.get(name) != after.get(name) or _referred(after.get(name)) & replaced
    }
    if changed & create_only(new["Type"]):
        return REPLACE
    return UPDATE if changed else SAME


def _referred(value: Any) -> set[str]:
    """Logical ids that occur in references below `value`, explicit dependencies included."""
    if isinstance(value, list):
        return set().union(*map(_referred, value))
    if not isinstance(value, dict):
        return set()
    found = set().union(*map(_referred, value.values()))
    if isinstance(value.get("Ref"), str):
        found.add(value["Ref"])
    if "Fn::GetAtt" in value:
        found.add(value["Fn::GetAtt"][0])
    return found | set(value.get("DependsOn", []))
