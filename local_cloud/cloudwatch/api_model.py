"""CloudWatch's API model as botocore ships it, with the constraints that AWS checks before anything else."""

from collections.abc import Mapping
from typing import Any

from local_cloud.api_model import ApiModel
from local_cloud.service import ServiceError


class CloudWatchModel(ApiModel):
    """Shapes of CloudWatch's operations; the checks and their wording are those of every AWS service."""

    def __init__(self) -> None:
        super().__init__("cloudwatch")

    def check(self, operation: str, params: Mapping[str, Any]) -> None:
        """Raise ValidationError, CloudWatch's name for it, for values outside their enum, pattern or length."""
        try:
            super().check(operation, params)
        except ServiceError as error:
            raise ServiceError("ValidationError", error.message) from None
