"""Which data there is to train on: the current snapshot in the lake."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from botocore.exceptions import ClientError

from demo.aws import read_object
from demo.errors import DemoError


@dataclass(frozen=True)
class Snapshot:
    """A data version and its list of files in SageMaker's ManifestFile format."""

    data_version: str
    files_uri: str


def newest_snapshot(environment: Mapping[str, str], bucket: str, *, dataset: str) -> Snapshot:
    """The snapshot that the lake names as the current one; DemoError if there is none yet."""
    folder = f"s3://{bucket}/snapshots/{dataset}"
    try:
        pointer = json.loads(read_object(environment, f"{folder}/current.json"))
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchKey":
            raise
        raise DemoError(f"s3://{bucket} has no snapshot of {dataset}; load data first: `make up` does") from error
    return Snapshot(pointer["data_version"], f"{folder}/{pointer['data_version']}/files.manifest")
