"""CloudWatch's API model as botocore ships it, with the constraints that AWS checks before anything else."""

import functools
from collections.abc import Mapping
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

from local_cloud.sagemaker.model import ApiModel
from local_cloud.service import ServiceError


class CloudWatchModel(ApiModel):
    """Shapes of CloudWatch's operations; the checks and their wording are those of every AWS service."""

    def __init__(self) -> None:
        self._service = _service_model()

    def check(self, operation: str, params: Mapping[str, Any]) -> None:
        """Raise ValidationError, CloudWatch's name for it, for values outside their enum, pattern or length."""
        try:
            super().check(operation, params)
        except ServiceError as error:
            raise ServiceError("ValidationError", error.message) from None


@functools.cache
def _service_model() -> ServiceModel:
    """Read once for all engines of a process."""
    return ServiceModel(Loader().load_service_model("cloudwatch", "service-2"), "cloudwatch")
