"""The monitors' schedules on the deployed app: off in development, and a person can turn one on."""

import json
from typing import Any

from tests.journeys.deployed_app import DeployedApp
from tests.lambdas.schemas import check_event
from tests.waiting import wait_for


def test_a_schedule_that_is_turned_on_starts_its_monitor(app: DeployedApp) -> None:
    """The function judges the window before the scheduled time, and says why there is nothing to judge."""
    scheduler = app.cloud.client("scheduler")
    schedules = [scheduler.get_schedule(Name=found["Name"]) for found in scheduler.list_schedules()["Schedules"]]
    monitors = {json.loads(schedule["Target"]["Input"])["monitor"]: schedule for schedule in schedules}
    assert {name: schedule["State"] for name, schedule in monitors.items()} == {
        "inputs": "DISABLED",
        "outcomes": "DISABLED",
    }
    fields = ("Name", "FlexibleTimeWindow", "ScheduleExpressionTimezone", "Target", "Description")
    kept = {name: monitors["inputs"][name] for name in fields}

    scheduler.update_schedule(**kept, State="ENABLED", ScheduleExpression="rate(5 minutes)")

    def called_twice() -> list[dict[str, Any]] | None:
        told = app.events("Monitoring Skipped")
        return told if len(told) > 1 else None

    told = wait_for(called_twice, what="two calls of the monitor")
    scheduler.delete_schedule(Name=kept["Name"])
    for event in told:
        check_event(event["source"], "Monitoring Skipped", event["detail"])
        assert event["detail"]["monitor"] == "inputs"
        assert event["detail"]["reason"] == "no version has been released yet"
    assert app.cloud.page("idle") == {"idle": True}
    assert app.cloud.page("status")["refused"] == []
