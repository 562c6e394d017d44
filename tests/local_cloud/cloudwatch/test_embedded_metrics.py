"""Metrics in log lines."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_cloud.cloudwatch.embedded_metrics import EmbeddedMetrics
from local_cloud.cloudwatch.metrics import MetricStore
from tests.local_cloud.cloudwatch.fakes import MIDNIGHT, TurnedClock
from tests.local_cloud.operations import CONTEXT


def _line(**members: Any) -> dict[str, Any]:
    directive = {
        "Namespace": "app",
        "Dimensions": [["service"], ["service", "version"]],
        "Metrics": [{"Name": "latency", "Unit": "Milliseconds"}, {"Name": "rows"}],
    }
    about = {"Timestamp": int(MIDNIGHT.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    plain = {"_aws": about, "service": "api", "version": 2, "latency": [5, 7.5], "rows": 3}
    return plain | members


def _taken(*messages: str) -> MetricStore:
    store = MetricStore(TurnedClock())
    EmbeddedMetrics(store).take(CONTEXT, {"logEvents": [{"timestamp": 0, "message": text} for text in messages]})
    return store


def _keys(store: MetricStore) -> list[tuple[str, dict[str, str]]]:
    found = store.keys(account=CONTEXT.account, region=CONTEXT.region)
    return [(key.name, dict(key.dimensions)) for key in found]


def test_every_metric_is_recorded_with_every_set_of_dimensions() -> None:
    """A line with two metrics and two sets of dimensions makes four metrics; a list is several values."""
    store = _taken(json.dumps(_line()), "an ordinary line")

    assert _keys(store) == [
        ("latency", {"service": "api"}),
        ("latency", {"service": "api", "version": "2"}),
        ("rows", {"service": "api"}),
        ("rows", {"service": "api", "version": "2"}),
    ]
    key = store.keys(account=CONTEXT.account, region=CONTEXT.region)[0]
    (window,) = store.windows(key, end=MIDNIGHT.timestamp() + 1, width=1.0, count=1, unit="Milliseconds")
    assert window is not None
    assert (window.count, window.total) == (2, 12.5)


@pytest.mark.parametrize(
    "message",
    [
        '{"_aws": ',
        '{"_aws": 1}',
        '["_aws"]',
        json.dumps(_line(service=None) | {"latency": "slow", "rows": True}),
        json.dumps({key: value for key, value in _line().items() if key != "service"}),
        json.dumps(_line(latency=[])),
        json.dumps(_line(latency=True)),
    ],
)
def test_a_line_that_breaks_the_format_is_no_metric(message: str) -> None:
    """What is not in the format is a log line and no more."""
    assert _keys(_taken(message)) == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(_JSON, _JSON)
def test_no_line_crashes_the_log(about: Any, value: Any) -> None:
    """Whatever stands in a line, writing to the log succeeds."""
    _taken(json.dumps(_line(latency=value)), json.dumps({"_aws": about}))
    _taken(json.dumps({"_aws": {"Timestamp": 0, "CloudWatchMetrics": about}}))
