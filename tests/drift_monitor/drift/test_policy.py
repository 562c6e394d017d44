"""Alarm policies from settings."""

import pytest

from drift_monitor.drift.policy import AlarmPolicy, parse_policy
from drift_monitor.errors import SettingsError


def test_settings_override_the_defaults() -> None:
    """What is not given keeps its default."""
    policy = parse_policy({"windows_to_alarm": 2, "windows": 3, "column_effect_floors": {"price": 0.2}})
    assert policy == AlarmPolicy(windows_to_alarm=2, windows=3, column_effect_floors={"price": 0.2})
    assert (policy.floor("price"), policy.floor("year")) == (0.2, policy.effect_floor)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"effect_flor": 0.1}, "effect_flor"),
        ({"effect_floor": 1.5}, "effect_floor"),
        ({"false_discovery_rate": "0.01"}, "false_discovery_rate"),
        ({"false_discovery_rate": float("nan")}, "false_discovery_rate"),
        ({"minimum_rows": 0}, "minimum_rows"),
        ({"minimum_rows": 10.5}, "minimum_rows"),
        ({"windows": True}, "windows"),
        ({"windows_to_alarm": 3, "windows": 2}, "windows_to_alarm"),
        ({"column_effect_floors": {"price": -1}}, r"column_effect_floors\[price\]"),
        ({"column_effect_floors": [0.1]}, "column_effect_floors"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(settings: dict[str, object], named: str) -> None:
    """A typo must not leave the default in force."""
    with pytest.raises(SettingsError, match=named):
        parse_policy(settings)
