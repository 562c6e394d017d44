"""Model packages: Create, Describe, BatchDescribe, List, Update, Delete.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from local_cloud.clients import Clients
from local_cloud.clock import Clock
from local_cloud.events.bus import EventBus
from local_cloud.sagemaker.events import SOURCE, detail_of, iso8601
from local_cloud.sagemaker.listing import page, sort, within
from local_cloud.sagemaker.refusals import refuse
from local_cloud.sagemaker.registry.shelf import ModelPackage, Shelf
from local_cloud.sagemaker.registry.updates import updated_members
from local_cloud.sagemaker.resources import arn, user_context
from local_cloud.sagemaker.tags import Tags
from local_cloud.service import Operation, RequestContext, ServiceError, invalid
from local_cloud.stores import Partitioned

_SUMMARY = (
    "ModelPackageName",
    "ModelPackageGroupName",
    "ModelPackageVersion",
    "ModelPackageArn",
    "ModelPackageDescription",
    "CreationTime",
    "ModelPackageStatus",
    "ModelApprovalStatus",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
)
_BATCH = tuple(name for name in _SUMMARY if name not in ("ModelPackageName", "ModelLifeCycle"))
_NOT_KEPT = ("Tags", "ClientToken", "ModelPackageName", "ModelPackageGroupName")
_SORT_KEYS = {
    "Name": lambda package: (package.name, package.version or 0),
    "CreationTime": lambda package: package.created,
}


class ModelPackages:
    """The API of model packages."""

    def __init__(
        self, shelves: Partitioned[Shelf], *, clients: Clients, clock: Clock, events: EventBus, tags: Tags
    ) -> None:
        self._shelves = shelves
        self._clients = clients
        self._clock = clock
        self._events = events
        self._tags = tags

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "CreateModelPackage": Operation(
                self._create, note="No validation jobs, no marketplace; packages are Completed at once."
            ),
            "DescribeModelPackage": Operation(self._describe),
            "BatchDescribeModelPackage": Operation(self._batch_describe),
            "ListModelPackages": Operation(self._list),
            "UpdateModelPackage": Operation(self._update),
            "DeleteModelPackage": Operation(self._delete),
        }

    def _create(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        refuse(params, ("ValidationSpecification", "SourceAlgorithmSpecification", "ManagedStorageType"))
        if ("ModelPackageGroupName" in params) == ("ModelPackageName" in params):
            raise invalid("Give either ModelPackageGroupName (a version) or ModelPackageName (an unversioned package).")
        self._check_model_data(context, params)
        shelf = self._shelves.of(context)
        with shelf.lock:
            token = params.get("ClientToken")
            if token in shelf.tokens:
                return {"ModelPackageArn": shelf.tokens[token]}
            package = self._new(context, shelf, params)
            if package.arn in shelf.packages:
                raise ServiceError("ConflictException", f"Model package already exists: {package.arn}")
            self._tags.put(package.arn, params.get("Tags"))
            shelf.packages[package.arn] = package
            if token:
                shelf.tokens[token] = package.arn
        self._emit(context, package, ())
        return {"ModelPackageArn": package.arn}

    def _new(self, context: RequestContext, shelf: Shelf, params: Mapping[str, Any]) -> ModelPackage:
        members = {name: value for name, value in params.items() if name not in _NOT_KEPT}
        defaults: dict[str, Any] = {"CertifyForMarketplace": False}
        group, version, name = None, None, params.get("ModelPackageName")
        if name is None:
            group = shelf.group(context, params["ModelPackageGroupName"]).name
            version = shelf.numbers[group] = shelf.numbers.get(group, 0) + 1
            defaults["ModelApprovalStatus"] = "PendingManualApproval"
        return ModelPackage(
            name=name or str(group),
            arn=arn(context, "model-package", name or f"{group}/{version}"),
            group=group,
            version=version,
            created=self._clock.now(),
            created_by=user_context(context),
            members=defaults | members,
        )

    def _describe(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        described = self._shelves.of(context).package(context, params["ModelPackageName"]).describe()
        if params.get("IncludedData") == "MetadataOnly":
            described.pop("ModelCard", None)
        return described

    def _batch_describe(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        shelf = self._shelves.of(context)
        found: dict[str, Any] = {}
        missing: dict[str, Any] = {}
        for package_arn in params["ModelPackageArnList"]:
            try:
                package = shelf.package(context, package_arn)
            except ServiceError as error:
                missing[package_arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
                continue
            found[package_arn] = package.summary(*_BATCH, "InferenceSpecification")
        return {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": missing}

    def _list(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        shelf = self._shelves.of(context)
        group = params.get("ModelPackageGroupName")
        candidates = shelf.versions_of(shelf.group(context, group)) if group else list(shelf.packages.values())
        wanted = [package for package in candidates if _matches(package, params)]
        ordered = sort(wanted, key=_SORT_KEYS[params.get("SortBy", "CreationTime")], order=params.get("SortOrder"))
        found, more = page(ordered, params, identity=lambda package: package.arn)
        return {"ModelPackageSummaryList": [package.summary(*_SUMMARY) for package in found], **more}

    def _update(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        self._check_model_data(context, params)
        shelf = self._shelves.of(context)
        with shelf.lock:
            package = shelf.package(context, params["ModelPackageArn"])
            if "ModelApprovalStatus" in params and package.version is None:
                raise invalid(f"{package.arn} is not versioned: it has no ModelApprovalStatus.")
            members, changed = updated_members(package.members, params)
            package = replace(package, members=members, modified=self._clock.now(), modified_by=user_context(context))
            shelf.packages[package.arn] = package
        if changed:
            self._emit(context, package, changed)
        return {"ModelPackageArn": package.arn}

    def _delete(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        shelf = self._shelves.of(context)
        with shelf.lock:
            package = shelf.package(context, params["ModelPackageName"])
            del shelf.packages[package.arn]
            self._tags.drop(package.arn)
        return {}

    def _check_model_data(self, context: RequestContext, params: Mapping[str, Any]) -> None:
        """Raise ValidationException if a container's model data is not in S3."""
        s3 = self._clients.system("s3", account=context.account, region=context.region)
        for url in sorted(set(_model_data(params))):
            bucket, _, key = url.removeprefix("s3://").partition("/")
            try:
                s3.head_object(Bucket=bucket, Key=key)
            except ClientError as error:
                raise invalid(f"Could not find model data at {url}.") from error

    def _emit(self, context: RequestContext, package: ModelPackage, changed: Sequence[str]) -> None:
        detail = {name: value for name, value in package.describe().items() if not name.endswith("By")}
        if changed:
            detail["UpdatedModelPackageFields"] = list(changed)
        detail.setdefault("LastModifiedTime", package.created)
        self._events.emit(
            account=context.account,
            region=context.region,
            source=SOURCE,
            detail_type="SageMaker Model Package State Change",
            detail=detail_of(detail, moment=iso8601),
            resources=(package.arn,),
        )


def _model_data(params: Mapping[str, Any]) -> Iterator[str]:
    specifications = [
        params.get("InferenceSpecification", {}),
        *params.get("AdditionalInferenceSpecifications", ()),
        *params.get("AdditionalInferenceSpecificationsToAdd", ()),
    ]
    for specification in specifications:
        for container in specification.get("Containers", ()):
            if url := container.get("ModelDataUrl"):
                yield url


def _matches(package: ModelPackage, params: Mapping[str, Any]) -> bool:
    status = params.get("ModelApprovalStatus")
    kind = params.get("ModelPackageType", "Versioned" if "ModelPackageGroupName" in params else "Unversioned")
    return (
        params.get("NameContains", "").lower() in package.name.lower()
        and (status is None or package.members.get("ModelApprovalStatus") == status)
        and (kind == "Both" or (kind == "Versioned") == (package.version is not None))
        and within(package.created, after=params.get("CreationTimeAfter"), before=params.get("CreationTimeBefore"))
    )
