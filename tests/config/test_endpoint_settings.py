"""Endpoint settings: SageMaker's limits and the arithmetic between the values, refused with a sentence each."""

from pathlib import Path

import pytest

from config.endpoint_settings import DeploymentSettings, EndpointSettings
from config.loader import InvalidSettingsError, load_settings


def _complaint(folder: Path, text: str) -> str:
    (folder / "test.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InvalidSettingsError) as caught:
        load_settings("test", folder=folder)
    (line,) = str(caught.value).splitlines()[1:]
    return line.strip()


def _load(folder: Path, text: str) -> EndpointSettings:
    (folder / "test.toml").write_text(text, encoding="utf-8")
    return load_settings("test", folder=folder).endpoint


def test_the_defaults_are_a_canary_under_alarms(tmp_path: Path) -> None:
    """Nothing has to be set for a careful deployment."""
    endpoint = _load(tmp_path, "")

    assert (endpoint.deployment.strategy, endpoint.deployment.percent) == ("canary", 10)
    assert endpoint.minimum_instances == 2
    assert endpoint.capture_percent == 100
    assert endpoint.shadow is False


@pytest.mark.parametrize(
    "text",
    [
        'strategy = "all_at_once"',
        'strategy = "canary"\nstep_percent = 50',
        'strategy = "canary"\nstep_instances = 1',
        'strategy = "linear"\nstep_percent = 10\nmaximum_execution_timeout_seconds = 3601',
        'strategy = "linear"\nstep_percent = 50',
        'strategy = "linear"\nstep_instances = 1',
    ],
)
def test_what_sagemaker_allows_is_accepted(tmp_path: Path, text: str) -> None:
    """The edges of every range are inside."""
    assert _load(tmp_path, f"[endpoint.deployment]\n{text}").deployment.strategy in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'strategy = "canary"\nstep_percent = 60',
            "endpoint.deployment: a canary of 60 % is too large: SageMaker allows at most 50 %",
        ),
        (
            'strategy = "linear"\nstep_percent = 9',
            "endpoint.deployment: a linear step of 9 % is out of range: SageMaker allows 10 to 50 %",
        ),
        (
            'strategy = "linear"\nstep_percent = 51',
            "endpoint.deployment: a linear step of 51 % is out of range: SageMaker allows 10 to 50 %",
        ),
        (
            "step_percent = 10\nstep_instances = 1",
            "endpoint.deployment: a step is a percentage or a number of instances: remove one of the two",
        ),
        (
            'strategy = "all_at_once"\nstep_percent = 10',
            "endpoint.deployment: all_at_once moves everything in one step: remove step_percent",
        ),
        ("step_percent = 0", "endpoint.deployment.step_percent = 0: should be greater than or equal to 1"),
        (
            "wait_interval_seconds = 3601",
            "endpoint.deployment.wait_interval_seconds = 3601: should be less than or equal to 3600",
        ),
        (
            "maximum_execution_timeout_seconds = 28801",
            "endpoint.deployment.maximum_execution_timeout_seconds = 28801: should be less than or equal to 28800",
        ),
        (
            "step_instances = 2",
            "endpoint: deployment.step_instances = 2 of 2 is more than 50 %: at most 1 of the fleet's minimum may move "
            "at once",
        ),
        (
            "wait_interval_seconds = 119",
            "endpoint: a step bakes for 119 s, but the alarms need 120 s to fire: a bad version would pass unseen",
        ),
        (
            'strategy = "all_at_once"\ntermination_wait_seconds = 60',
            "endpoint: a step bakes for 60 s, but the alarms need 120 s to fire: a bad version would pass unseen",
        ),
        (
            'strategy = "linear"\nmaximum_execution_timeout_seconds = 3300',
            "endpoint: the deployment waits 3300 s (10 x 300 s, then 300 s), and "
            "deployment.maximum_execution_timeout_seconds = 3300 must be more than that",
        ),
        (
            "step_percent = 1",
            "endpoint: alarms.server_error_percent = 1.0 cannot be exceeded by a first step of 1 % of the traffic, "
            "even if it answers nothing but errors; a first step of 1 % of the traffic does not show in the latency's "
            "p99",
        ),
    ],
)
def test_a_deployment_that_cannot_work_is_explained(tmp_path: Path, text: str, message: str) -> None:
    """Sizes beyond SageMaker's limits, waits that do not add up, and steps that the alarms cannot see."""
    assert _complaint(tmp_path, f"[endpoint.deployment]\n{text}\n") == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "minimum_instances = 1",
            "endpoint: minimum_instances = 1 cannot be split: a canary deployment needs at least 2 machines, or "
            'deployment.strategy = "all_at_once"',
        ),
        ("maximum_instances = 1", "endpoint: maximum_instances = 1 is less than minimum_instances = 2"),
        ("minimum_instances = 0", "endpoint.minimum_instances = 0: should be greater than or equal to 1"),
        ("capture_percent = 101", "endpoint.capture_percent = 101: should be less than or equal to 100"),
        (
            'maximum_instances = 11\ndeployment = { strategy = "linear", step_instances = 1 }',
            "endpoint: deployment.step_instances = 1 of 11 is less than 10 %: a linear step is at least 2 of the "
            "fleet's maximum; the deployment waits 3600 s (11 x 300 s, then 300 s), and "
            "deployment.maximum_execution_timeout_seconds = 3600 must be more than that",
        ),
        (
            "alarms = { evaluation_periods = 1 }",
            "endpoint.alarms: 2 bad periods of the last 1 cannot be: datapoints_to_alarm may not exceed "
            "evaluation_periods",
        ),
    ],
)
def test_a_fleet_that_cannot_work_is_explained(tmp_path: Path, text: str, message: str) -> None:
    """Counts and percentages fit together, for the smallest fleet that scaling leaves and for the largest."""
    assert _complaint(tmp_path, f"[endpoint]\n{text}\n") == message


def test_a_quality_signal_is_a_metric_of_ours(tmp_path: Path) -> None:
    """It may roll a deployment back, but nobody can publish to AWS's own namespaces."""
    signal = '[endpoint.alarms.quality]\nnamespace = "{}"\nmetric_name = "Error"\nbreaches = "above"\nthreshold = 0.2\n'

    quality = _load(tmp_path, signal.format("Cd4ml/Monitoring")).alarms.quality
    assert quality is not None
    assert (quality.metric_name, quality.statistic) == ("Error", "Average")
    for namespace in ("AWS/SageMaker", "/aws/sagemaker/Endpoints"):
        assert "choose another one, such as Cd4ml/Monitoring" in _complaint(tmp_path, signal.format(namespace))
    assert "unknown key (did you mean 'metric_name'?)" in _complaint(
        tmp_path, signal.format("CD4ML").replace("metric_name", "metricname") + 'metric_name = "Error"\n'
    )


@pytest.mark.parametrize(
    ("strategy", "instances", "share"), [("all_at_once", None, 100.0), ("canary", None, 10.0), ("canary", 1, 25.0)]
)
def test_the_first_step_has_a_share(strategy: str, instances: int | None, share: float) -> None:
    """What the alarms must be able to see of a fleet of four."""
    settings = DeploymentSettings.model_validate({"strategy": strategy, "step_instances": instances})

    assert settings.share(4) == share
