"""The versions of a model package group, and which of them an endpoint serves.

Must not start a release.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from releases.errors import ReleasesError
from releases.names import Names

APPROVED = "Approved"
NO_CHAMPION = "none"


@dataclass(frozen=True)
class Registry:
    """One group; `sagemaker` is a boto3 client."""

    sagemaker: Any
    group: str

    def version(self, number: int) -> dict[str, Any]:
        """The description of version `number`; ReleasesError naming those that there are."""
        numbers = []
        pages = self.sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName=self.group, SortBy="CreationTime", SortOrder="Descending"
        )
        for page in pages:
            for summary in page["ModelPackageSummaryList"]:
                found = version_of(summary["ModelPackageArn"])
                if found == str(number):
                    return self.describe(summary["ModelPackageArn"])
                numbers.append(found)
        raise ReleasesError(f"{self.group} has no version {number}; it has: {', '.join(numbers) or 'none yet'}")

    def describe(self, arn: str) -> dict[str, Any]:
        """The description of a version by its ARN; ReleasesError if there is none."""
        try:
            described: dict[str, Any] = self.sagemaker.describe_model_package(ModelPackageName=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ValidationException", "ResourceNotFound"):
                raise
            raise ReleasesError(f"there is no model package {arn}") from error
        return described

    def is_approved(self, arn: str) -> bool:
        """Whether a version exists and is approved."""
        try:
            return self.describe(arn).get("ModelApprovalStatus") == APPROVED
        except ReleasesError:
            return False

    def approve(self, arn: str, *, reason: str) -> None:
        """Approve a version in the caller's name, which starts its release."""
        self.sagemaker.update_model_package(
            ModelPackageArn=arn, ModelApprovalStatus=APPROVED, ApprovalDescription=reason
        )

    def served_by(self, endpoint: str) -> str | None:
        """ARN of the version that an endpoint serves; None if there is no endpoint or no registered version in it."""
        try:
            config = self.sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
            described = self.sagemaker.describe_endpoint_config(EndpointConfigName=config)
            variant = described["ProductionVariants"][0]
            model = self.sagemaker.describe_model(ModelName=variant["ModelName"])
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ValidationException", "ResourceNotFound"):
                raise
            return None
        return _package_of(model)


def _package_of(model: Mapping[str, Any]) -> str | None:
    containers = [*model.get("Containers", ()), model.get("PrimaryContainer", {})]
    return next((str(item["ModelPackageName"]) for item in containers if "ModelPackageName" in item), None)


def version_of(arn: str | None) -> str:
    """The number in a version's ARN, and `none` where there is no version."""
    return arn.rsplit("/", 1)[-1] if arn and arn != NO_CHAMPION else NO_CHAMPION


def read_champion(ssm: Any, names: Names) -> str | None:
    """ARN of the version that the last successful release made live; None before the first.

    The parameter outlives its stack: what it says of an earlier deployment's registry does not count.
    """
    try:
        arn = str(ssm.get_parameter(Name=names.champion_parameter)["Parameter"]["Value"])
    except ssm.exceptions.ParameterNotFound:
        return None
    return arn if f":model-package/{names.group}/" in arn else None
