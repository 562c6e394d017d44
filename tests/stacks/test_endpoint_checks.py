"""Mutants of the endpoint's template: each fault that would make a release unsafe is refused with its name."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from config.settings import Settings
from stacks.endpoint_checks import EndpointTemplateError, faults

Template = dict[str, Any]


@pytest.fixture(scope="module")
def sound(synthesize_endpoint: Callable[[Settings], Template]) -> Template:
    """The template as it is."""
    return synthesize_endpoint(Settings(stage="test"))


@pytest.fixture
def mutant(sound: Template) -> Template:
    """A copy to break."""
    return copy.deepcopy(sound)


def _properties(template: Template, kind: str, *, metric: str | None = None) -> Any:
    (found,) = (
        body["Properties"]
        for body in template["Resources"].values()
        if body["Type"] == kind and metric in (None, body["Properties"].get("MetricName"))
    )
    return found


def _endpoint(template: Template) -> Any:
    return _properties(template, "AWS::SageMaker::Endpoint")


def _configuration(template: Template) -> Any:
    return _properties(template, "AWS::SageMaker::EndpointConfig")


def _errors_alarm(template: Template) -> Any:
    return _properties(template, "AWS::CloudWatch::Alarm", metric="Invocation5XXErrors")


def _canary(template: Template) -> Any:
    policy = _endpoint(template)["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    return policy["TrafficRoutingConfiguration"]["Fn::If"][2]


def _canary_of_sixty_percent(template: Template) -> None:
    _canary(template)["CanarySize"]["Value"] = 60


def _linear_of_five_percent(template: Template) -> None:
    step = _canary(template).pop("CanarySize")
    _canary(template).update(Type="LINEAR", LinearStepSize={**step, "Value": 5})


def _canary_without_size(template: Template) -> None:
    del _canary(template)["CanarySize"]


def _bake_of_a_minute(template: Template) -> None:
    _canary(template)["WaitIntervalInSeconds"] = 60


def _metric_of_another_service(template: Template) -> None:
    _errors_alarm(template)["Namespace"] = "AWS/ApplicationELB"


def _metric_that_is_not_emitted(template: Template) -> None:
    _properties(template, "AWS::CloudWatch::Alarm", metric="ModelLatency")["MetricName"] = "Latency"


def _metric_that_our_analyzer_does_not_emit(template: Template) -> None:
    alarm = _properties(template, "AWS::CloudWatch::Alarm", metric="ModelLatency")
    alarm.update(Namespace="Cd4ml/Monitoring", MetricName="ModelQuality/MAPE")


def _alarm_on_another_variant(template: Template) -> None:
    _errors_alarm(template)["Dimensions"][1]["Value"] = "AllTraffic"


def _alarm_without_treatment_of_missing_data(template: Template) -> None:
    del _errors_alarm(template)["TreatMissingData"]


def _alarm_that_rolls_nothing_back(template: Template) -> None:
    _endpoint(template)["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"].pop(0)


def _renamed_variant(template: Template) -> None:
    _configuration(template)["ProductionVariants"][0]["VariantName"] = "version-7"


def _second_variant(template: Template) -> None:
    variants = _configuration(template)["ProductionVariants"]
    variants.append({**variants[0], "VariantName": "challenger"})


def _shadow_with_the_same_name(template: Template) -> None:
    configuration = _configuration(template)
    configuration["ShadowProductionVariants"] = configuration["ProductionVariants"]


def _fixed_config_name(template: Template) -> None:
    _configuration(template)["EndpointConfigName"] = "car-prices"


def _fixed_model_name(template: Template) -> None:
    _properties(template, "AWS::SageMaker::Model")["ModelName"] = "car-prices"


def _fixed_alarm_name(template: Template) -> None:
    _errors_alarm(template)["AlarmName"] = "car-prices-errors"


def _unstable_endpoint_name(template: Template) -> None:
    del _endpoint(template)["EndpointName"]


def _model_by_its_archive(template: Template) -> None:
    _properties(template, "AWS::SageMaker::Model")["Containers"] = [{"ModelDataUrl": "s3://bucket/model.tar.gz"}]


def _reset_of_the_fleet(template: Template) -> None:
    _endpoint(template)["RetainAllVariantProperties"] = False


def _scaling_of_another_variant(template: Template) -> None:
    target = _properties(template, "AWS::ApplicationAutoScaling::ScalableTarget")
    target["ResourceId"]["Fn::Join"][1][2] = "/variant/AllTraffic"


def _bootstrap_parameter(template: Template) -> None:
    template["Parameters"]["BootstrapVersion"] = {"Type": "String"}


def _role_in_the_template(template: Template) -> None:
    template["Resources"]["Role"] = {"Type": "AWS::IAM::Role", "Properties": {}}


def test_the_template_is_sound(sound: Template) -> None:
    """What the app synthesizes passes every check."""
    assert faults(sound, variant="champion") == []


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (_canary_of_sixty_percent, "CanarySize is 60 %, and SageMaker allows 1 to 50 % for CANARY"),
        (_linear_of_five_percent, "LinearStepSize is 5 %, and SageMaker allows 10 to 50 % for LINEAR"),
        (_canary_without_size, "a CANARY deployment needs CanarySize"),
        (_bake_of_a_minute, "needs 120 s to go off, but a CANARY step bakes for 60 s only"),
        (_metric_of_another_service, "an endpoint does not emit Invocation5XXErrors in AWS/ApplicationELB"),
        (_metric_that_is_not_emitted, "an endpoint does not emit Latency in AWS/SageMaker, so it would never go off"),
        (_metric_that_is_not_emitted, "no rollback alarm watches latency (ModelLatency)"),
        (
            _metric_that_our_analyzer_does_not_emit,
            "the analyzer does not emit ModelQuality/MAPE in Cd4ml/Monitoring, so it would never go off; there it "
            "emits: ModelQuality/accuracy",
        ),
        (_alarm_on_another_variant, "its dimensions must be EndpointName (the parameter) and VariantName = 'champion'"),
        (_alarm_without_treatment_of_missing_data, "TreatMissingData must be notBreaching"),
        (_alarm_that_rolls_nothing_back, "no rollback alarm watches server errors (Invocation5XXErrors)"),
        (_alarm_that_rolls_nothing_back, "does not roll a deployment back: add it to AutoRollbackConfiguration"),
        (_renamed_variant, "the production variant must be called 'champion' in every version, not ['version-7']"),
        (_second_variant, "must be called 'champion' in every version, not ['champion', 'challenger']"),
        (_shadow_with_the_same_name, "at most one shadow, under a name of its own"),
        (_fixed_config_name, "remove EndpointConfigName: the resource is replaced by every new version"),
        (_fixed_model_name, "remove ModelName: the resource is replaced by every new version"),
        (_fixed_alarm_name, "remove AlarmName"),
        (_unstable_endpoint_name, "EndpointName must be the parameter"),
        (_model_by_its_archive, "its one container must be the model package that the release names"),
        (_reset_of_the_fleet, "set RetainAllVariantProperties: without it every release resets"),
        (_scaling_of_another_variant, "ResourceId must name variant 'champion' of the endpoint"),
        (_bootstrap_parameter, "a release cannot pass parameters of the CDK's bootstrap"),
        (_role_in_the_template, "AWS::IAM::Role does not belong here"),
    ],
)
def test_a_mutant_is_refused(mutant: Template, break_it: Callable[[Template], None], message: str) -> None:
    """Each fault is found, and its message names the resource and what to do."""
    break_it(mutant)

    assert [fault for fault in faults(mutant, variant="champion") if message in fault]


def test_all_faults_are_told_at_once(mutant: Template) -> None:
    """One synth shows everything that is wrong with a template."""
    _renamed_variant(mutant)
    _fixed_config_name(mutant)

    error = EndpointTemplateError("Cd4ml-test-CarPricesEndpoint", faults(mutant, variant="champion"))

    assert str(error).startswith(
        "the template of stack Cd4ml-test-CarPricesEndpoint is not safe to release, 2 fault(s)"
    )
    assert len(str(error).splitlines()) == 3


def test_a_fault_ends_the_synth(
    synthesize_endpoint: Callable[[Settings], Template], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A renamed variant in the code does not get as far as a template that somebody could release."""
    monkeypatch.setattr("stacks.endpoint_stack.CHAMPION", "version-7")

    with pytest.raises(EndpointTemplateError, match="the production variant must be called 'champion'"):
        synthesize_endpoint(Settings(stage="test"))
