"""Step caching: a step whose resolved arguments were run before takes over the earlier run's outputs.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-caching.html
Like AWS it compares arguments, not the data behind S3 URIs.
"""

import copy
import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from local_cloud.sagemaker.pipelines.steps import Step

_LEFT_OUT = ("ProcessingJobName", "TrainingJobName", "Tags", "ExperimentConfig")


@dataclass(frozen=True)
class CachedResult:
    """A step that succeeded earlier, in `execution_arn`."""

    execution_arn: str
    ended: datetime
    metadata: Mapping[str, Any]
    properties: Mapping[str, Any]


class StepCache:
    """The newest result for each key; a pipeline's results go with it."""

    def __init__(self) -> None:
        self._results: dict[str, CachedResult] = {}
        self._lock = threading.Lock()

    def find(self, key: str, step: Step, now: datetime) -> CachedResult | None:
        """An earlier result that has not expired, if the step is cached at all."""
        if step.cache is None or not step.cache.enabled:
            return None
        with self._lock:
            result = self._results.get(key)
        expiry = step.cache.expire_after
        return result if result and (expiry is None or now - result.ended <= expiry) else None

    def keep(self, key: str, result: CachedResult) -> None:
        """Remember a success. Steps without caching are remembered too: a later definition may switch it on."""
        with self._lock:
            self._results[key] = result


def cache_key(pipeline_arn: str, step: Step, arguments: Mapping[str, Any]) -> str:
    """What must be equal: pipeline, step name and type, and all arguments but names, labels and output places."""
    compared = copy.deepcopy({name: value for name, value in arguments.items() if name not in _LEFT_OUT})
    compared.get("OutputDataConfig", {}).pop("S3OutputPath", None)
    for output in compared.get("ProcessingOutputConfig", {}).get("Outputs", ()):
        output.get("S3Output", {}).pop("S3Uri", None)
    text = json.dumps([pipeline_arn, step.name, step.type, compared], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
