"""Entry point of the function that starts the analysis of a window: parses the request, calls the logic, answers.

Trigger: EventBridge Scheduler, or a person. Errors of AWS propagate, so that they are tried again and then go to the
dead-letter queue; a request that no retry can mend is logged and answered as dropped. Must hold no decisions.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import boto3

from lambdas.shared.champion import ChampionParameter
from lambdas.shared.errors import MalformedEventError
from lambdas.shared.event_sources import MONITORING_SOURCE
from lambdas.shared.events import EventBus
from lambdas.shared.json_log import JsonLog
from lambdas.shared.s3 import Bucket
from lambdas.shared.settings import required_variables
from lambdas.start_monitoring.files import MonitoredFiles
from lambdas.start_monitoring.logic import Monitoring
from lambdas.start_monitoring.request import Monitor, parse_monitors, parse_request

_LOG = JsonLog("start_monitoring")


def handle(event: Mapping[str, Any], context: object) -> dict[str, str]:
    """Start the analysis of one window; see `Monitoring.start` for the answer."""
    try:
        monitor, window = parse_request(event, monitors())
    except MalformedEventError as error:
        _LOG.error(str(error))
        return {"outcome": "dropped", "reason": str(error)}
    answer = monitoring().start(monitor, window, now=datetime.now(UTC))
    _LOG.info(f"monitor {monitor.name}: {answer['outcome']}", window=window.document(), **answer)
    return answer


@cache
def monitors() -> dict[str, Monitor]:
    """The monitors of the function's settings."""
    settings, minutes = required_variables(os.environ, ("MONITORS", "DELIVERY_MINUTES"))
    return parse_monitors(json.loads(settings), delivery=timedelta(minutes=int(minutes)))


@cache
def monitoring() -> Monitoring:
    """The function's dependencies, made by the first invocation of each cold start."""
    project, stage, pipeline, parameter, bus, runs, labelled, policy = required_variables(
        os.environ,
        (
            *("PROJECT", "STAGE", "MONITORING_PIPELINE", "CHAMPION_PARAMETER"),
            *("EVENT_BUS", "RUNS_PREFIX", "LABELLED_URI", "POLICY"),
        ),
    )
    bucket, captured, labels, endpoint, variant = required_variables(
        os.environ, ("ARTIFACT_BUCKET", "CAPTURE_PREFIX", "GROUND_TRUTH_PREFIX", "ENDPOINT_NAME", "VARIANT_NAME")
    )
    return Monitoring(
        sagemaker=boto3.client("sagemaker"),
        champion=ChampionParameter(boto3.client("ssm"), parameter),
        files=MonitoredFiles(Bucket(boto3.client("s3"), bucket), captured, labels, endpoint, variant),
        bus=EventBus(boto3.client("events"), bus=bus, source=MONITORING_SOURCE),
        pipeline=pipeline,
        runs_prefix=runs,
        labelled_uri=labelled,
        policy=json.loads(policy),
        subject={"project": project, "stage": stage},
    )
