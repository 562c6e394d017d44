"""Entry point of the function that starts training: parses the request, calls the logic, returns the execution.

Trigger: the state machine of the retraining loop. Every error propagates to it, by its class. Must hold no decisions.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3

from lambdas.shared.champion import NO_CHAMPION, ChampionParameter
from lambdas.shared.champion_search import ChampionSearch
from lambdas.shared.json_log import JsonLog
from lambdas.shared.settings import required_variables
from lambdas.start_training.logic import Training, parse_request

VARIABLES = ("PIPELINE_NAME", "MODEL_PACKAGE_GROUP", "COMMIT", "CHAMPION_PARAMETER")

_LOG = JsonLog("start_training")


def handle(event: Mapping[str, Any], context: object) -> dict[str, str]:
    """Start training on the given snapshot; {"execution": ARN}."""
    request = parse_request(event)
    execution, champion = training().start(request)
    _LOG.info(
        "training started, or already under way under the same token",
        execution=execution,
        dataset=request.dataset,
        data_version=request.data_version,
        reason=request.reason,
        champion=champion.arn if champion else NO_CHAMPION,
    )
    return {"execution": execution}


@cache
def training() -> Training:
    """The function's dependencies, made by the first invocation of each cold start."""
    pipeline, group, commit, parameter = required_variables(os.environ, VARIABLES)
    sagemaker = boto3.client("sagemaker")
    return Training(
        sagemaker=sagemaker,
        champions=ChampionSearch(sagemaker, ChampionParameter(boto3.client("ssm"), parameter), group),
        pipeline=pipeline,
        commit=commit,
    )
