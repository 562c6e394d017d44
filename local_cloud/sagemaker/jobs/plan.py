"""What a job is to do, in one form for processing and training: plain data, made from the API request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CONTAINER_ROOT = "/opt/ml"


@dataclass(frozen=True)
class S3Source:
    """An input: objects under `uri` (or those a manifest at `uri` lists) go to the container folder `local_path`."""

    name: str
    uri: str
    local_path: str
    manifest: bool = False


@dataclass(frozen=True)
class S3Destination:
    """An output: the files in the container folder `local_path` go under `uri`.

    With `archive`, they become one tar.gz at `uri`, and nothing is written if there are none.
    """

    name: str
    uri: str
    local_path: str
    archive: bool = False


@dataclass(frozen=True)
class Program:
    """What runs in the image. An empty entrypoint means the image's own; empty arguments its own too."""

    image_uri: str
    entrypoint: tuple[str, ...]
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    metrics: tuple[tuple[str, str], ...] = ()
    """Metric definitions: name and regular expression with one group, applied to each log line."""


@dataclass(frozen=True)
class JobPlan:
    """One job. `configuration` maps container paths to the JSON that SageMaker puts there."""

    program: Program
    sources: tuple[S3Source, ...]
    destinations: tuple[S3Destination, ...]
    configuration: Mapping[str, Any]
    folders: tuple[str, ...]
    instance_type: str
    maximum_seconds: float
    log_group: str
    kms_key_id: str | None = None
    metrics_namespace: str | None = None
    """Where the metrics go that the container leaves in a file; only those of Model Monitor do."""
    keeps_output_when_stopped: bool = False
    """Training uploads the model of a job that was stopped; processing uploads nothing."""
