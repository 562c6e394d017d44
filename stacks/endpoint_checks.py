"""What must hold of an endpoint template before a release may deploy it; plain functions over the template's JSON.

AWS accepts most of these mistakes, and some of them show only when a deployment should have been rolled back. Must not
repair anything.
https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from drift_monitor import metric_names
from stacks.errors import StacksError

Template = Mapping[str, Any]
Body = Mapping[str, Any]

# What is emitted for a variant, by namespace: by SageMaker, and by our own analyzer.
# https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
_EMITTED: Mapping[str, frozenset[str] | set[str]] = {
    metric_names.NAMESPACE: metric_names.MODEL_QUALITY,
    "AWS/SageMaker": {
        *("Invocations", "InvocationsPerInstance", "Invocation4XXErrors", "Invocation5XXErrors"),
        *("InvocationModelErrors", "ModelLatency", "OverheadLatency", "ModelSetupTime"),
    },
    "/aws/sagemaker/Endpoints": {
        *("CPUUtilization", "MemoryUtilization", "DiskUtilization"),
        *("GPUUtilization", "GPUMemoryUtilization"),
    },
}
_AWS_NAMESPACES = ("aws/", "/aws/")
_NEEDED_ALARMS = {"Invocation5XXErrors": "server errors", "ModelLatency": "latency"}
_LARGEST_PERCENT, _SMALLEST_LINEAR_PERCENT = 50, 10
_NAME_OF = {
    "AWS::SageMaker::Model": "ModelName",
    "AWS::SageMaker::EndpointConfig": "EndpointConfigName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::SageMaker::DataQualityJobDefinition": "JobDefinitionName",
}


class EndpointTemplateError(StacksError):
    """A template that would make a release unsafe; the message lists every fault with its resource."""

    def __init__(self, stack: str, found: Sequence[str]) -> None:
        lines = "".join(f"\n  {fault}" for fault in found)
        super().__init__(f"the template of stack {stack} is not safe to release, {len(found)} fault(s):{lines}")


def faults(template: Template, *, variant: str) -> list[str]:
    """Every fault of `template`, whose endpoint serves its production variant under the name `variant`."""
    checks: tuple[Callable[[Template, str], Iterator[str]], ...] = (
        _unnamed,
        _stable_endpoint,
        _model_of_the_package,
        _variants,
        _routing,
        _alarms,
        _scaling,
        _self_contained,
    )
    return [fault for check in checks for fault in check(template, variant)]


def _of(template: Template, *types: str) -> Iterator[tuple[str, Body]]:
    for name, body in template["Resources"].items():
        if body["Type"] in types:
            yield name, body.get("Properties", {})


def _branches(value: Any) -> list[Any]:
    """The values that a condition chooses between; the value itself where there is none."""
    if isinstance(value, Mapping) and "Fn::If" in value:
        _, then, otherwise = value["Fn::If"]
        return [*_branches(then), *_branches(otherwise)]
    return [] if value in (None, {"Ref": "AWS::NoValue"}) else [value]


def _unnamed(template: Template, variant: str) -> Iterator[str]:
    for name, properties in _of(template, *_NAME_OF):
        named = _NAME_OF[template["Resources"][name]["Type"]]
        if named in properties:
            yield (
                f"{name}: remove {named}: the resource is replaced by every new version, and a replacement cannot take "
                "the name of the one that it replaces"
            )


def _stable_endpoint(template: Template, variant: str) -> Iterator[str]:
    endpoints = list(_of(template, "AWS::SageMaker::Endpoint"))
    if len(endpoints) != 1:
        yield f"a template holds one endpoint, this one {len(endpoints)}"
    for name, properties in endpoints:
        if properties.get("EndpointName") != {"Ref": "EndpointName"}:
            yield f"{name}: EndpointName must be the parameter: clients know the endpoint by that name"


def _model_of_the_package(template: Template, variant: str) -> Iterator[str]:
    for name, properties in _of(template, "AWS::SageMaker::Model"):
        containers = properties.get("Containers", [])
        packages = [container.get("ModelPackageName") for container in containers]
        if packages not in ([{"Ref": "ModelPackageArn"}], [{"Ref": "ShadowModelPackageArn"}]):
            yield f"{name}: its one container must be the model package that the release names"


def _variants(template: Template, variant: str) -> Iterator[str]:
    for name, properties in _of(template, "AWS::SageMaker::EndpointConfig"):
        names = [entry.get("VariantName") for entry in properties.get("ProductionVariants", [])]
        if names != [variant]:
            yield (
                f"{name}: the production variant must be called {variant!r} in every version, not {names}: SageMaker "
                "refuses a blue/green deployment that renames it"
            )
        for shadows in _branches(properties.get("ShadowProductionVariants")):
            if len(shadows) != 1 or shadows[0].get("VariantName") == variant:
                yield f"{name}: an endpoint has at most one shadow, under a name of its own"


def _routing(template: Template, variant: str) -> Iterator[str]:
    for name, properties in _of(template, "AWS::SageMaker::Endpoint"):
        policy = properties.get("DeploymentConfig", {}).get("BlueGreenUpdatePolicy", {})
        for routing in _branches(policy.get("TrafficRoutingConfiguration")):
            yield from (f"{name}: {fault}" for fault in _step_faults(routing))
            yield from (f"{name}: {fault}" for fault in _bake_faults(template, policy, routing))


def _step_faults(routing: Body) -> Iterator[str]:
    kind = routing["Type"]
    for size, least in (("CanarySize", 1), ("LinearStepSize", _SMALLEST_LINEAR_PERCENT)):
        step = routing.get(size)
        if step is None or step["Type"] != "CAPACITY_PERCENT":
            continue
        if not least <= step["Value"] <= _LARGEST_PERCENT:
            yield f"{size} is {step['Value']} %, and SageMaker allows {least} to {_LARGEST_PERCENT} % for {kind}"
    expected = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}.get(kind)
    if expected and expected not in routing:
        yield f"a {kind} deployment needs {expected}"


def _bake_faults(template: Template, policy: Body, routing: Body) -> Iterator[str]:
    bake = (
        policy.get("TerminationWaitInSeconds", 0)
        if routing["Type"] == "ALL_AT_ONCE"
        else routing.get("WaitIntervalInSeconds", 0)
    )
    for name, alarm in _of(template, "AWS::CloudWatch::Alarm"):
        needed = alarm["Period"] * alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"])
        if needed > bake:
            yield f"alarm {name} needs {needed} s to go off, but a {routing['Type']} step bakes for {bake} s only"


def _alarms(template: Template, variant: str) -> Iterator[str]:
    alarms = dict(_of(template, "AWS::CloudWatch::Alarm"))
    for name, properties in _of(template, "AWS::SageMaker::Endpoint"):
        rollback = properties.get("DeploymentConfig", {}).get("AutoRollbackConfiguration", {}).get("Alarms", [])
        used = [entry["AlarmName"].get("Ref") for entry in rollback if isinstance(entry["AlarmName"], Mapping)]
        watched = {alarms[alarm]["MetricName"] for alarm in used if alarm in alarms}
        for metric, what in _NEEDED_ALARMS.items():
            if metric not in watched:
                yield f"{name}: no rollback alarm watches {what} ({metric})"
        for alarm in sorted(set(alarms) - set(used)):
            yield f"{name}: alarm {alarm} does not roll a deployment back: add it to AutoRollbackConfiguration"
    for name, properties in alarms.items():
        yield from (f"alarm {name}: {fault}" for fault in _alarm_faults(properties, variant))


def _alarm_faults(alarm: Body, variant: str) -> Iterator[str]:
    namespace, metric = str(alarm["Namespace"]), alarm["MetricName"]
    emitted, ours = _EMITTED.get(namespace, frozenset()), namespace == metric_names.NAMESPACE
    if (ours or namespace.lower().startswith(_AWS_NAMESPACES)) and metric not in emitted:
        known, who = ", ".join(sorted(emitted)) or "nothing", "the analyzer" if ours else "an endpoint"
        yield f"{who} does not emit {metric} in {namespace}, so it would never go off; there it emits: {known}"
    dimensions = {entry["Name"]: entry["Value"] for entry in alarm.get("Dimensions", [])}
    if dimensions != {"EndpointName": {"Ref": "EndpointName"}, "VariantName": variant}:
        yield f"its dimensions must be EndpointName (the parameter) and VariantName = {variant!r}"
    if alarm.get("TreatMissingData") != "notBreaching":
        yield "TreatMissingData must be notBreaching: an endpoint without requests reports nothing, and is well"


def _scaling(template: Template, variant: str) -> Iterator[str]:
    targets = dict(_of(template, "AWS::ApplicationAutoScaling::ScalableTarget"))
    expected = {"Fn::Join": ["", ["endpoint/", {"Ref": "EndpointName"}, f"/variant/{variant}"]]}
    for name, properties in targets.items():
        if properties["ResourceId"] != expected:
            yield f"{name}: ResourceId must name variant {variant!r} of the endpoint"
    for name, properties in _of(template, "AWS::SageMaker::Endpoint"):
        if targets and True not in _branches(properties.get("RetainAllVariantProperties")):
            yield f"{name}: set RetainAllVariantProperties: without it every release resets what scaling arrived at"


def _self_contained(template: Template, variant: str) -> Iterator[str]:
    if "Rules" in template or "BootstrapVersion" in template.get("Parameters", {}):
        yield "a release cannot pass parameters of the CDK's bootstrap: use a synthesizer without them"
    for name, body in template["Resources"].items():
        if body["Type"].startswith(("AWS::IAM::", "AWS::Lambda::", "Custom::")):
            yield f"{name}: {body['Type']} does not belong here: a release changes the endpoint and nothing else"
