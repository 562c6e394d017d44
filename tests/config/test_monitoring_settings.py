"""Settings of monitoring that could not work are refused with what would."""

from typing import Any

import pytest
from pydantic import ValidationError

from config.monitoring_settings import MonitoringSettings, RetrainingSettings

_QUALITY = {"analyses": ["model_quality"], "window_minutes": 60, "label_delay_minutes": 60}


def _inputs(**changes: Any) -> dict[str, Any]:
    return {"inputs": {"analyses": ["data_quality"], "window_minutes": 60, **changes}}


def test_the_defaults_watch_inputs_hourly_and_outcomes_daily() -> None:
    """Our own analyzer, with a day for labels to arrive."""
    settings = MonitoringSettings()

    assert settings.engine == "analyzer"
    assert settings.by_sagemaker == ()
    outcomes = settings.monitors["outcomes"]
    assert (outcomes.window_minutes, outcomes.label_delay_minutes) == (1440, 1440)


def test_sagemaker_runs_the_monitors_that_it_can_feed() -> None:
    """It hands over neither the model nor labels; what needs them stays with the analyzer's own schedule."""
    settings = MonitoringSettings.model_validate(
        {"engine": "model-monitor", "monitors": {**_inputs(window_minutes=120), "outcomes": _QUALITY}}
    )

    assert settings.by_sagemaker == ("inputs",)
    assert settings.model_copy(update={"enabled": False}).by_sagemaker == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"engine": "model-monitor"}, 'give a monitor analyses = \\["data_quality"\\]'),
        (
            {"engine": "model-monitor", "monitors": _inputs(window_minutes=90)},
            "60, 120, 180, 240, 360, 480, 720 or 1440",
        ),
        ({"engine": "model-monitor", "monitors": _inputs(window_minutes=300)}, "begins anew every day"),
        ({"monitors": {"outcomes": {**_QUALITY, "label_delay_minutes": 0}}}, "set label_delay_minutes"),
        ({"monitors": {"Inputs": _inputs()["inputs"]}}, "monitors.Inputs"),
        ({"monitors": {}}, "monitors"),
        ({"policy": {"windows": 2, "windows_to_alarm": 3}}, "3 of the last 2 windows cannot be"),
    ],
)
def test_what_cannot_work_is_refused(given: dict[str, Any], message: str) -> None:
    """Before anything is synthesized, in a sentence."""
    with pytest.raises(ValidationError, match=message):
        MonitoringSettings.model_validate(given)


def test_a_calendar_is_a_rate_or_cron_expression() -> None:
    """As EventBridge Scheduler takes it."""
    assert RetrainingSettings(schedule="cron(0 4 ? * MON *)").schedule
    with pytest.raises(ValidationError, match="schedule"):
        RetrainingSettings(schedule="weekly")
