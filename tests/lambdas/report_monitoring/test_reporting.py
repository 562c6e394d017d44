"""What an analysis found becomes one event, as its published schema says."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from lambdas.report_monitoring import handler
from lambdas.shared.errors import CorruptRecordError
from tests.lambdas.monitoring_world import ARTIFACTS, RUNS, VERSION, MonitoringWorld
from tests.lambdas.schemas import check_event

END = "20260302T120000Z"
REPORT: dict[str, Any] = {
    "version": 1,
    "subject": {"monitor": "inputs", "endpoint": "cars", "variant": "champion", "model_package_arn": VERSION},
    "window": {"start": "2026-03-02T11:00:00Z", "end": "2026-03-02T12:00:00Z"},
    "rows": 900,
    "verdict": "ok",
    "violations": [],
}


@pytest.fixture
def world() -> Iterator[MonitoringWorld]:
    """An artifact bucket."""
    with mock_aws():
        yield MonitoringWorld()


def _violation(analysis: str, subject: str) -> dict[str, str]:
    return {"analysis": analysis, "subject": subject, "description": f"{subject} has drifted, " + "x" * 300}


def test_a_violation_is_told_with_its_kinds_features_and_report(world: MonitoringWorld) -> None:
    """The event says what, which features first, and where people read on; it stays short."""
    violations = [_violation("data_quality", f"feature-{number}") for number in range(12)]
    violations += [_violation("data_quality", "feature-0"), _violation("attribution", "ndcg")]
    key = world.report(END, {**REPORT, "verdict": "violation", "violations": violations})

    assert world.announce(key) == "Violation Found"

    (event,) = world.events.of("Violation Found")
    check_event("cd4ml.monitoring", "Violation Found", event)
    assert event["kinds"] == ["attribution", "data_quality"]
    assert event["features"] == [f"feature-{number}" for number in range(10)]
    assert event["summary"].startswith("feature-0 has drifted")
    assert event["report"] == f"s3://{ARTIFACTS}/{RUNS}inputs/3/{END}/result/report.html"
    assert (event["windowStart"], event["windowEnd"]) == tuple(REPORT["window"].values())


@pytest.mark.parametrize("verdict", ["ok", "insufficient_data"])
def test_a_window_without_violation_is_told_as_well(world: MonitoringWorld, verdict: str) -> None:
    """With its verdict: too little data is not the same as all is well."""
    key = world.report(END, {**REPORT, "verdict": verdict})

    assert world.announce(key) == "Monitoring Completed"
    (event,) = world.events.of("Monitoring Completed")
    check_event("cd4ml.monitoring", "Monitoring Completed", event)
    assert (event["verdict"], event["rows"]) == (verdict, 900)


def test_a_report_of_sagemakers_own_schedule_is_told_too(world: MonitoringWorld) -> None:
    """It lies in other folders, and the job was told neither a version nor, perhaps, a window."""
    subject = {"monitor": "cars-dev-inputs", "endpoint": "cars", "variant": None, "model_package_arn": None}
    key = f"{RUNS}inputs/cars/cars-dev-inputs/2026/03/02/12/monitor_report.json"
    world.put(key, json.dumps({**REPORT, "subject": subject, "window": None}))

    assert world.announce(key) == "Monitoring Completed"
    check_event("cd4ml.monitoring", "Monitoring Completed", *world.events.of("Monitoring Completed"))


@pytest.mark.parametrize(
    "report",
    ["{torn", "[]", {"rows": 1}, {**REPORT, "subject": None}, {**REPORT, "violations": [{"analysis": "bias"}]}],
)
def test_a_corrupt_report_is_kept_for_a_person(world: MonitoringWorld, report: Any) -> None:
    """The error names the file, so that the event ends in the dead-letter queue; nothing is announced."""
    key = world.report(END, report)

    with pytest.raises(CorruptRecordError, match=f"{END}/result/monitor_report.json is no report of the monitor"):
        world.announce(key)
    assert world.events.entries == []


def test_a_report_that_is_gone_is_no_error(world: MonitoringWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has cleaned up before the event came; the handler drops it."""
    monkeypatch.setattr(handler, "reports", lambda: world)

    assert handler.handle({"detail": {"object": {"key": "gone"}}}, None) == {"outcome": "dropped"}
    assert handler.handle({"detail": None}, None) == {"outcome": "dropped"}
    key = world.report(END, REPORT)
    assert handler.handle({"detail": {"object": {"key": key}}}, None) == {"announced": "Monitoring Completed"}
