"""Entry point of the function that starts releases: parses the event, calls the logic, returns the answer.

Trigger: EventBridge, "SageMaker Model Package State Change" of the project's group; and `python -m releases`, which
invokes it directly. Must hold no decisions.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3

from lambdas.shared.champion import ChampionParameter
from lambdas.shared.errors import MalformedEventError
from lambdas.shared.event_sources import RELEASE_SOURCE
from lambdas.shared.events import EventBus
from lambdas.shared.json_log import JsonLog
from lambdas.shared.release_records import ReleaseRecords
from lambdas.shared.s3 import Bucket
from lambdas.shared.settings import required_variables
from lambdas.start_release.checks import ReleaseChecks
from lambdas.start_release.logic import Releases
from lambdas.start_release.release_pipeline import ReleasePipeline
from lambdas.start_release.request import parse_request

VARIABLES = (
    "PROJECT",
    "STAGE",
    "RELEASE_PIPELINE",
    "MODEL_PACKAGE_GROUP",
    "ARTIFACT_BUCKET",
    "CHAMPION_PARAMETER",
    "BASELINE",
    "EVENT_BUS",
)

_LOG = JsonLog("start_release")


def handle(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Answer the decision in `event`; {"outcome": started, refused, ignored or dropped, ...}."""
    try:
        request = parse_request(event)
    except MalformedEventError as error:
        _LOG.error(str(error), event_id=event.get("id"))
        return {"outcome": "dropped", "reasons": [str(error)]}
    if request is None:
        return {"outcome": "ignored", "reasons": ["the event is no decision about the version"]}
    return releases().answer(request)


@cache
def releases() -> Releases:
    """The function's dependencies, made by the first invocation of each cold start."""
    project, stage, pipeline, group, bucket, parameter, baseline, bus = required_variables(os.environ, VARIABLES)
    s3 = boto3.client("s3")
    return Releases(
        sagemaker=boto3.client("sagemaker"),
        pipeline=ReleasePipeline(boto3.client("codepipeline"), pipeline),
        checks=ReleaseChecks(s3, group, needs_baseline=baseline == "needed"),
        records=ReleaseRecords(Bucket(s3, bucket), project),
        champion=ChampionParameter(boto3.client("ssm"), parameter),
        bus=EventBus(boto3.client("events"), bus=bus, source=RELEASE_SOURCE),
        stage=stage,
        log=_LOG,
    )
