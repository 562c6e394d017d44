"""A parsed pipeline definition: frozen data, in the terms of the pipeline definition schema 2020-12-01.

https://aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

Scalar = str | int | float | bool


class StepType(StrEnum):
    """Step types that run here; all others are refused by name."""

    PROCESSING = "Processing"
    TRAINING = "Training"
    CONDITION = "Condition"
    FAIL = "Fail"
    REGISTER_MODEL = "RegisterModel"


@dataclass(frozen=True)
class Parameter:
    """A pipeline parameter. `default` None means that every execution must give a value."""

    name: str
    type: str
    default: Scalar | None
    allowed: tuple[Scalar, ...] = ()


@dataclass(frozen=True)
class CacheConfig:
    """Step caching; `expire_after` None means that results never expire."""

    enabled: bool
    expire_after: timedelta | None


@dataclass(frozen=True)
class RetryPolicy:
    """When and how often a failed step is tried again. Exactly one of the two limits is set."""

    exception_types: frozenset[str]
    interval_seconds: float
    backoff_rate: float
    maximum_attempts: int | None
    expire_after: timedelta | None


@dataclass(frozen=True)
class PropertyFile:
    """A JSON file in a processing output, which conditions and later steps read by JSON path."""

    name: str
    output_name: str
    file_path: str


@dataclass(frozen=True)
class Branch:
    """A step inside a condition step: it runs only if that condition had this outcome."""

    condition: str
    outcome: bool


@dataclass(frozen=True)
class Step:
    """One step. `dependencies` holds every step it waits for: DependsOn, references, its condition."""

    name: str
    type: StepType
    arguments: Mapping[str, Any]
    dependencies: frozenset[str]
    branch: Branch | None = None
    display_name: str | None = None
    description: str | None = None
    cache: CacheConfig | None = None
    retry_policies: tuple[RetryPolicy, ...] = ()
    property_files: tuple[PropertyFile, ...] = ()


@dataclass(frozen=True)
class PipelineDefinition:
    """Parameters and steps, the steps of condition branches included, in the order of the definition."""

    parameters: tuple[Parameter, ...]
    steps: Mapping[str, Step]
