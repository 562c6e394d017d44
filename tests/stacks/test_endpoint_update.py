"""Version N and version N + 1: what a release replaces, what it keeps, and in which order."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from config.settings import Settings
from tests.stacks.replacements import REPLACE, SAME, UPDATE, deployed, order, plan

Template = dict[str, Any]
SynthesizeEndpoint = Callable[[Settings], Template]

_MODEL, _CONFIG, _ENDPOINT = "carpricestestmodel", "carpricestestconfig", "Endpoint"
# Names that the template or CloudFormation gives; a property of ours that is called so and may not be create-only.
_NAME_PROPERTIES = ("ModelName", "EndpointConfigName", "AlarmName", "EndpointName", "DashboardName", "PolicyName")


@pytest.fixture(scope="module")
def template(synthesize_endpoint: SynthesizeEndpoint) -> Template:
    """The template with the default settings."""
    return synthesize_endpoint(Settings(stage="test"))


def test_a_new_version_replaces_model_and_configuration_only(template: Template) -> None:
    """The endpoint is updated in place, and nothing else is touched."""
    actions = plan(deployed(template, version=7), deployed(template, version=8))

    assert {name: action for name, action in actions.items() if action != SAME} == {
        _MODEL: REPLACE,
        _CONFIG: REPLACE,
        _ENDPOINT: UPDATE,
    }


def test_the_endpoint_moves_after_what_it_moves_to_exists(template: Template) -> None:
    """Model, EndpointConfig, Endpoint; what was replaced goes when all of it has succeeded."""
    places = order(deployed(template, version=7))

    assert places.index(_MODEL) < places.index(_CONFIG) < places.index(_ENDPOINT)
    assert places.index("AlarmsServerErrors352913A2") < places.index(_ENDPOINT)


@pytest.mark.parametrize(
    ("change", "replaced"),
    [
        ({"endpoint": {"instance_type": "ml.c5.large"}}, {_CONFIG}),
        ({"endpoint": {"capture_percent": 10}}, {_CONFIG}),
        ({"endpoint": {"deployment": {"strategy": "linear", "step_percent": 25}}}, set()),
        ({"endpoint": {"alarms": {"latency_p99_ms": 500.0}}}, set()),
        ({"endpoint": {"invocations_per_instance": 100}}, set()),
        ({"tags": {"cost-centre": "42"}}, set()),
    ],
)
def test_a_changed_setting_replaces_no_more_than_it_must(
    template: Template, synthesize_endpoint: SynthesizeEndpoint, change: Mapping[str, Any], replaced: set[str]
) -> None:
    """Whatever changes, the endpoint keeps its name, and nothing that is replaced carries one of ours."""
    new = deployed(synthesize_endpoint(Settings.model_validate({"stage": "test", **change})), version=7)

    actions = plan(deployed(template, version=7), new)

    assert {name for name, action in actions.items() if action == REPLACE} == replaced
    assert any(action != SAME for action in actions.values())
    for name in replaced:
        properties = new["Resources"][name]["Properties"]
        assert not set(_NAME_PROPERTIES) & set(properties), f"{name}: a custom-named resource needs replacement"


def test_a_fixed_name_would_be_noticed(template: Template) -> None:
    """The reasoning itself: under a name of ours, the same release would replace a resource by its namesake."""
    named = {**template, "Resources": {**template["Resources"]}}
    body = named["Resources"][_CONFIG]
    named["Resources"][_CONFIG] = {**body, "Properties": {**body["Properties"], "EndpointConfigName": "fixed"}}

    actions = plan(deployed(named, version=7), deployed(named, version=8))

    assert actions[_CONFIG] == REPLACE
    assert set(_NAME_PROPERTIES) & set(named["Resources"][_CONFIG]["Properties"])
