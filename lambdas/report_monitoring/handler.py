"""Entry point of the function that announces what an analysis found: parses the event, calls the logic, answers.

Trigger: EventBridge, "Object Created" for a monitor's report. Must hold no decisions.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3

from lambdas.report_monitoring.logic import Reports
from lambdas.shared.event_sources import MONITORING_SOURCE
from lambdas.shared.events import EventBus
from lambdas.shared.json_log import JsonLog
from lambdas.shared.s3 import Bucket
from lambdas.shared.settings import required_variables

_LOG = JsonLog("report_monitoring")


def handle(event: Mapping[str, Any], context: object) -> dict[str, str]:
    """Announce one report; {"announced": kind of the event}, or {"outcome": "dropped"}."""
    detail = event.get("detail")
    key = str(detail.get("object", {}).get("key", "")) if isinstance(detail, Mapping) else ""
    if not key:
        _LOG.error("the event names no object; correct the pattern of the EventBridge rule", event_id=event.get("id"))
        return {"outcome": "dropped"}
    announced = reports().announce(key)
    if announced is None:
        _LOG.warning("the report is gone", key=key)
        return {"outcome": "dropped"}
    _LOG.info(announced, key=key)
    return {"announced": announced}


@cache
def reports() -> Reports:
    """The function's dependencies, made by the first invocation of each cold start."""
    project, stage, bucket, bus = required_variables(os.environ, ("PROJECT", "STAGE", "ARTIFACT_BUCKET", "EVENT_BUS"))
    return Reports(
        bucket=Bucket(boto3.client("s3"), bucket),
        bus=EventBus(boto3.client("events"), bus=bus, source=MONITORING_SOURCE),
        subject={"project": project, "stage": stage},
    )
