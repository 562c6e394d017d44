"""What the registry of one account and region holds: groups, and packages with all that was said of them."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from local_cloud.sagemaker.resources import name_key, present
from local_cloud.service import RequestContext, ServiceError, invalid


@dataclass(frozen=True)
class ModelPackageGroup:
    """A model package group."""

    name: str
    arn: str
    created: datetime
    created_by: Mapping[str, Any]
    description: str | None

    def summary(self) -> dict[str, Any]:
        """The entry of ListModelPackageGroups, and most of DescribeModelPackageGroup."""
        return present(
            {
                "ModelPackageGroupName": self.name,
                "ModelPackageGroupArn": self.arn,
                "ModelPackageGroupDescription": self.description,
                "CreationTime": self.created,
                "ModelPackageGroupStatus": "Completed",
            }
        )


@dataclass(frozen=True)
class ModelPackage:
    """A model package. `members` are the request's members, as changed by updates; an update replaces the package."""

    name: str
    arn: str
    group: str | None
    version: int | None
    created: datetime
    created_by: Mapping[str, Any]
    members: Mapping[str, Any]
    modified: datetime | None = None
    modified_by: Mapping[str, Any] | None = None

    def describe(self) -> dict[str, Any]:
        """The answer of DescribeModelPackage.

        A version has no ModelPackageName, though AWS's API model calls it required: AWS leaves it out, and SDK v3
        falls back to the ARN only then.
        """
        return dict(self.members) | present(
            {
                "ModelPackageName": self.name if self.version is None else None,
                "ModelPackageGroupName": self.group,
                "ModelPackageVersion": self.version,
                "ModelPackageArn": self.arn,
                "CreationTime": self.created,
                "CreatedBy": self.created_by,
                "LastModifiedTime": self.modified,
                "LastModifiedBy": self.modified_by,
                "ModelPackageStatus": "Completed",
                "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            }
        )

    def summary(self, *names: str) -> dict[str, Any]:
        """Those of the Describe answer's members that a list shows."""
        described = self.describe()
        return {name: described[name] for name in names if name in described}


@dataclass
class Shelf:
    """Groups by name and packages by ARN. Mutable; hold `lock` over what must be consistent.

    `numbers` counts the versions ever made in a group: a deleted version's number is not used again.
    """

    groups: dict[str, ModelPackageGroup] = field(default_factory=dict)
    packages: dict[str, ModelPackage] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def group(self, context: RequestContext, name_or_arn: str) -> ModelPackageGroup:
        """A group. Raises ValidationException, as these operations do."""
        found = self.groups.get(name_key(context, "model-package-group", name_or_arn))
        if found is None:
            raise invalid(f"ModelPackageGroup {name_or_arn} does not exist.")
        return found

    def package(self, context: RequestContext, name_or_arn: str) -> ModelPackage:
        """A package by ARN, name, or `group/version`. Raises ValidationException, as these operations do."""
        prefix = name_key(context, "model-package", name_or_arn)
        found = next((item for item in self.packages.values() if item.arn.endswith(f":model-package/{prefix}")), None)
        if found is None:
            raise invalid(f"ModelPackage {name_or_arn} does not exist.")
        return found

    def versions_of(self, group: ModelPackageGroup) -> list[ModelPackage]:
        """A group's packages, oldest first."""
        return [package for package in list(self.packages.values()) if package.group == group.name]


def conflict(message: str) -> ServiceError:
    """Something else stands in the way of the request."""
    return ServiceError("ConflictException", message)
