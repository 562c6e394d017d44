"""The endpoint's template for every strategy, compared with CloudFormation's own schema, and what settings change."""

from collections.abc import Callable
from typing import Any

import pytest

from config.settings import Settings
from tests.stacks.registry_schema import compare

Template = dict[str, Any]
SynthesizeEndpoint = Callable[[Settings], Template]

_QUALITY = {"namespace": "CD4ML/ModelQuality", "metric_name": "Error", "breaches": "above", "threshold": 0.2}
_STRATEGIES: dict[str, dict[str, Any]] = {
    "all at once": {"deployment": {"strategy": "all_at_once"}},
    "canary in percent": {"deployment": {"strategy": "canary", "step_percent": 25}},
    "canary in instances": {"deployment": {"strategy": "canary", "step_instances": 1}},
    "linear in percent": {"deployment": {"strategy": "linear", "step_percent": 50}},
    "linear in instances": {"deployment": {"strategy": "linear", "step_instances": 1}},
    "shadow and quality": {"shadow": True, "alarms": {"quality": _QUALITY}},
}
_ROUTING: dict[str, dict[str, Any]] = {
    "all at once": {"Type": "ALL_AT_ONCE"},
    "canary in percent": {"Type": "CANARY", "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 25}},
    "canary in instances": {"Type": "CANARY", "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1}},
    "linear in percent": {"Type": "LINEAR", "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 50}},
    "linear in instances": {"Type": "LINEAR", "LinearStepSize": {"Type": "INSTANCE_COUNT", "Value": 1}},
    "shadow and quality": {"Type": "CANARY", "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10}},
}


@pytest.fixture(scope="module")
def by_strategy(synthesize_endpoint: SynthesizeEndpoint) -> dict[str, Template]:
    """One template for each way to deploy."""
    return {
        name: synthesize_endpoint(Settings.model_validate({"stage": "test", "endpoint": endpoint}))
        for name, endpoint in _STRATEGIES.items()
    }


def _the(template: Template, kind: str) -> dict[str, Any]:
    (body,) = (body for body in template["Resources"].values() if body["Type"] == kind)
    return dict(body["Properties"])


@pytest.mark.parametrize("strategy", _STRATEGIES)
def test_every_field_is_as_the_registry_has_it(by_strategy: dict[str, Template], strategy: str) -> None:
    """Each property exists in the resource type's schema, with its type, range and pattern; none is missing."""
    compared = [
        (name, *field)
        for name, body in by_strategy[strategy]["Resources"].items()
        for field in compare(body["Type"], body["Properties"])
    ]

    assert [(name, path, wrong) for name, path, wrong in compared if wrong] == []
    paths = {path for _, path, _ in compared}
    assert len(paths) > 80
    assert {
        "AWS::SageMaker::Endpoint.DeploymentConfig.BlueGreenUpdatePolicy.TrafficRoutingConfiguration.Type",
        "AWS::SageMaker::Endpoint.DeploymentConfig.AutoRollbackConfiguration.Alarms[].AlarmName",
        "AWS::SageMaker::EndpointConfig.ProductionVariants[].VariantName",
        "AWS::SageMaker::EndpointConfig.DataCaptureConfig.CaptureContentTypeHeader.CsvContentTypes[]",
        "AWS::SageMaker::Model.Containers[].ModelPackageName",
    } <= paths


def test_the_comparison_finds_faults() -> None:
    """An unknown field, a wrong type, a value out of range and a missing field are all seen."""
    wrong = {
        path: fault
        for path, fault in compare(
            "AWS::SageMaker::Endpoint",
            {
                "EndpointName": "no_underscores_here",
                "DeploymentConfig": {
                    "BlueGreenUpdatePolicy": {
                        "TerminationWaitInSeconds": 3601,
                        "MaximumExecutionTimeoutInSeconds": "60",
                    }
                },
                "Deployment": {},
                "EndpointArn": "arn",
            },
        )
        if fault
    }

    policy = "AWS::SageMaker::Endpoint.DeploymentConfig.BlueGreenUpdatePolicy"
    assert set(wrong) == {
        "/properties/EndpointArn",
        "AWS::SageMaker::Endpoint.EndpointConfigName",
        "AWS::SageMaker::Endpoint.EndpointName",
        "AWS::SageMaker::Endpoint.Deployment",
        f"{policy}.TrafficRoutingConfiguration",
        f"{policy}.TerminationWaitInSeconds",
        f"{policy}.MaximumExecutionTimeoutInSeconds",
    }


@pytest.mark.parametrize("strategy", _STRATEGIES)
def test_traffic_moves_as_the_settings_say(by_strategy: dict[str, Template], strategy: str) -> None:
    """A fleet of one machine moves at once whatever the strategy is."""
    policy = _the(by_strategy[strategy], "AWS::SageMaker::Endpoint")["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    routing = policy["TrafficRoutingConfiguration"]

    if strategy == "all at once":
        assert routing == {**_ROUTING[strategy], "WaitIntervalInSeconds": 300}
    else:
        condition, alone, fleet = routing["Fn::If"]
        assert by_strategy[strategy]["Conditions"][condition] == {"Fn::Equals": [{"Ref": "InstanceCount"}, "1"]}
        assert alone == {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 300}
        assert fleet == {**_ROUTING[strategy], "WaitIntervalInSeconds": 300}
    assert (policy["TerminationWaitInSeconds"], policy["MaximumExecutionTimeoutInSeconds"]) == (300, 3600)


def test_every_alarm_rolls_a_deployment_back(by_strategy: dict[str, Template]) -> None:
    """Server errors and latency always, and the quality signal where there is one."""
    for strategy, expected in (("all at once", 2), ("shadow and quality", 3)):
        template = by_strategy[strategy]
        alarms = {name for name, body in template["Resources"].items() if body["Type"] == "AWS::CloudWatch::Alarm"}
        rollback = _the(template, "AWS::SageMaker::Endpoint")["DeploymentConfig"]["AutoRollbackConfiguration"]
        assert {alarm["AlarmName"]["Ref"] for alarm in rollback["Alarms"]} == alarms
        assert len(alarms) == expected


def test_a_shadow_exists_only_if_a_release_names_one(by_strategy: dict[str, Template]) -> None:
    """Without a second version the endpoint is the same as without the setting."""
    template = by_strategy["shadow and quality"]
    condition, shadows, otherwise = _the(template, "AWS::SageMaker::EndpointConfig")["ShadowProductionVariants"][
        "Fn::If"
    ]

    assert template["Parameters"]["ShadowModelPackageArn"]["Default"] == "none"
    assert template["Resources"]["carpricestestshadowmodel"]["Condition"] == condition
    assert [shadow["VariantName"] for shadow in shadows] == ["shadow"]
    assert otherwise == {"Ref": "AWS::NoValue"}
    assert "ShadowModelPackageArn" not in by_strategy["all at once"]["Parameters"]


def test_scaling_survives_a_release_and_capture_settings_do_not(by_strategy: dict[str, Template]) -> None:
    """Retained is the number of machines alone: a changed capture setting takes effect."""
    endpoint = _the(by_strategy["canary in percent"], "AWS::SageMaker::Endpoint")

    condition, retained, otherwise = endpoint["RetainAllVariantProperties"]["Fn::If"]
    assert (condition, retained, otherwise) == ("Scales", True, False)
    assert endpoint["ExcludeRetainedVariantProperties"]["Fn::If"][1] == [
        {"VariantPropertyType": "DesiredWeight"},
        {"VariantPropertyType": "DataCaptureConfig"},
    ]


@pytest.mark.parametrize(
    ("instance_type", "has_key"), [("ml.m5.large", True), ("ml.m5d.large", False), ("ml.g5.xlarge", False)]
)
def test_a_machine_with_a_disk_of_its_own_takes_no_key(
    synthesize_endpoint: SynthesizeEndpoint, instance_type: str, has_key: bool
) -> None:
    """SageMaker refuses a key for hardware-encrypted disks; captured requests have theirs all the same."""
    settings = Settings.model_validate({"stage": "test", "endpoint": {"instance_type": instance_type}})

    configuration = _the(synthesize_endpoint(settings), "AWS::SageMaker::EndpointConfig")

    assert ("KmsKeyId" in configuration) is has_key
    assert configuration["DataCaptureConfig"]["KmsKeyId"] == {"Ref": "EncryptionKeyArn"}


def test_capture_can_be_off(synthesize_endpoint: SynthesizeEndpoint) -> None:
    """Nothing is kept at zero percent."""
    settings = Settings.model_validate({"stage": "test", "endpoint": {"capture_percent": 0}})

    capture = _the(synthesize_endpoint(settings), "AWS::SageMaker::EndpointConfig")["DataCaptureConfig"]

    assert (capture["EnableCapture"], capture["InitialSamplingPercentage"]) == (False, 0)
