"""Which data there is to train on: the newest snapshot in the lake."""

from collections.abc import Mapping
from dataclasses import dataclass

from demo.aws import client
from demo.errors import DemoError


@dataclass(frozen=True)
class Snapshot:
    """A data version and its list of files in SageMaker's ManifestFile format."""

    data_version: str
    files_uri: str


def newest_snapshot(environment: Mapping[str, str], bucket: str, *, dataset: str) -> Snapshot:
    """The snapshot whose file list was written last; DemoError if there is none yet."""
    pages = client("s3", environment).get_paginator("list_objects_v2")
    listed = pages.paginate(Bucket=bucket, Prefix=f"snapshots/{dataset}/")
    lists = [entry for page in listed for entry in page.get("Contents", []) if entry["Key"].endswith("/files.manifest")]
    if not lists:
        raise DemoError(f"s3://{bucket} has no snapshot of {dataset}; load data first: `make up` does")
    newest = max(lists, key=lambda entry: entry["LastModified"])
    return Snapshot(newest["Key"].split("/")[2], f"s3://{bucket}/{newest['Key']}")
