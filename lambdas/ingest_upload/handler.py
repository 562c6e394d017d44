"""Entry point of the ingest function: parses the event, calls the logic, returns the outcome.

Trigger: EventBridge, "Object Created" of the lake bucket under raw/. Must hold no decisions.
"""

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3

from data_contracts.contract import ContractError, DataContract, parse_contract
from lambdas.ingest_upload.logic import Ingestion
from lambdas.ingest_upload.upload import parse_upload
from lambdas.shared.errors import MalformedEventError, SettingsError
from lambdas.shared.event_sources import INGEST_SOURCE
from lambdas.shared.events import EventBus
from lambdas.shared.json_log import JsonLog
from lambdas.shared.s3 import Bucket, split_uri
from lambdas.shared.settings import required_variables

VARIABLES = ("LAKE_BUCKET", "EVENT_BUS", "DATA_CONTRACTS")

_LOG = JsonLog("ingest_upload")


def handle(event: Mapping[str, Any], context: object) -> dict[str, str]:
    """Ingest the upload that `event` reports; `{"outcome": ...}`. SettingsError if the deployment is wrong."""
    try:
        upload = parse_upload(event)
    except MalformedEventError as error:
        _LOG.error(str(error), event_id=event.get("id"))
        return {"outcome": "dropped"}
    return {"outcome": str(ingestion().ingest(upload))}


@cache
def ingestion() -> Ingestion:
    """The function's dependencies, made by the first invocation of each cold start."""
    bucket, bus, contracts = required_variables(os.environ, VARIABLES)
    s3 = boto3.client("s3")
    return Ingestion(
        lake=Bucket(s3, bucket),
        bus=EventBus(boto3.client("events"), bus=bus, source=INGEST_SOURCE),
        contracts=read_contracts(s3, contracts),
        log=_LOG,
    )


def read_contracts(s3: Any, setting: str) -> dict[str, DataContract]:
    """The contracts that `DATA_CONTRACTS`, `{"dataset": "s3://bucket/key"}`, points at."""
    try:
        uris = dict(json.loads(setting))
        places = {dataset: split_uri(uri) for dataset, uri in uris.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise SettingsError(
            f'DATA_CONTRACTS must be JSON of the form {{"dataset": "s3://bucket/key"}}: {error}'
        ) from error
    contracts = {}
    for dataset, (bucket, key) in places.items():
        text = Bucket(s3, bucket).read_text(key)
        if text is None:
            raise SettingsError(f"the data contract of {dataset} is not at s3://{bucket}/{key}; deploy the stack again")
        try:
            contract = parse_contract(text, where=f"s3://{bucket}/{key}")
        except ContractError as error:
            raise SettingsError(str(error)) from error
        if contract.dataset != dataset:
            raise SettingsError(f"s3://{bucket}/{key} is the contract of {contract.dataset}, not of {dataset}")
        contracts[dataset] = contract
    return contracts
