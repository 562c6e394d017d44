"""Entry point of the function that starts training: parses the event, calls the logic, returns the execution.

Trigger: EventBridge, "Snapshot Created" of cd4ml.ingest. Errors of AWS propagate, so that Lambda retries
and then uses the dead-letter queue; an event that no retry can mend is logged and dropped. Must hold no
decisions.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3

from lambdas.shared.champion import NO_CHAMPION, ChampionParameter
from lambdas.shared.errors import MalformedEventError
from lambdas.shared.json_log import JsonLog
from lambdas.shared.settings import required_variables
from lambdas.start_training.logic import Training, parse_new_data

VARIABLES = ("PIPELINE_NAME", "MODEL_PACKAGE_GROUP", "COMMIT", "CHAMPION_PARAMETER")

_LOG = JsonLog("start_training")


def handle(event: Mapping[str, Any], context: object) -> dict[str, str]:
    """Start training on the announced data; `{"execution": ARN}`, or `{"outcome": "dropped"}`."""
    try:
        data = parse_new_data(event)
    except MalformedEventError as error:
        _LOG.error(str(error), event_id=event.get("id"))
        return {"outcome": "dropped"}
    execution, champion = training().start(data)
    _LOG.info(
        "training started, or already under way under the same token",
        execution=execution,
        dataset=data.dataset,
        data_version=data.data_version,
        champion=champion.arn if champion else NO_CHAMPION,
    )
    return {"execution": execution}


@cache
def training() -> Training:
    """The function's dependencies, made by the first invocation of each cold start."""
    pipeline, group, commit, parameter = required_variables(os.environ, VARIABLES)
    return Training(
        sagemaker=boto3.client("sagemaker"),
        live=ChampionParameter(boto3.client("ssm"), parameter),
        pipeline=pipeline,
        model_package_group=group,
        commit=commit,
    )
