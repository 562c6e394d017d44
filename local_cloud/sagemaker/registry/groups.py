"""Model package groups: Create, Describe, List, Delete.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackageGroup.html
"""

from typing import Any

from local_cloud.clock import Clock
from local_cloud.sagemaker.listing import page, sort, within
from local_cloud.sagemaker.refusals import refuse, refuse_value
from local_cloud.sagemaker.registry.shelf import ModelPackageGroup, Shelf, conflict
from local_cloud.sagemaker.resources import arn, user_context
from local_cloud.sagemaker.tags import Tags
from local_cloud.service import Operation, RequestContext, invalid
from local_cloud.stores import Partitioned

_SORT_KEYS = {"Name": lambda group: group.name, "CreationTime": lambda group: group.created}


class ModelPackageGroups:
    """The API of model package groups."""

    def __init__(self, shelves: Partitioned[Shelf], *, clock: Clock, tags: Tags) -> None:
        self._shelves = shelves
        self._clock = clock
        self._tags = tags

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "CreateModelPackageGroup": Operation(self._create),
            "DescribeModelPackageGroup": Operation(self._describe),
            "ListModelPackageGroups": Operation(self._list),
            "DeleteModelPackageGroup": Operation(self._delete),
        }

    def _create(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        refuse(params, ("ManagedConfiguration",))
        shelf, name = self._shelves.of(context), params["ModelPackageGroupName"]
        group = ModelPackageGroup(
            name=name,
            arn=arn(context, "model-package-group", name),
            created=self._clock.now(),
            created_by=user_context(context),
            description=params.get("ModelPackageGroupDescription"),
        )
        with shelf.lock:
            if name.lower() in shelf.groups:
                raise invalid(f"Model Package Group already exists: {group.arn}")
            self._tags.put(group.arn, params.get("Tags"))
            shelf.groups[name.lower()] = group
        return {"ModelPackageGroupArn": group.arn}

    def _describe(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        group = self._shelves.of(context).group(context, params["ModelPackageGroupName"])
        return group.summary() | {"CreatedBy": group.created_by}

    def _list(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        refuse_value(params, "CrossAccountFilterOption", "CrossAccount", instead="SameAccount")
        fragment = params.get("NameContains", "").lower()
        wanted = [
            group
            for key, group in list(self._shelves.of(context).groups.items())
            if fragment in key
            and within(group.created, after=params.get("CreationTimeAfter"), before=params.get("CreationTimeBefore"))
        ]
        ordered = sort(wanted, key=_SORT_KEYS[params.get("SortBy", "CreationTime")], order=params.get("SortOrder"))
        found, more = page(ordered, params, identity=lambda group: group.arn)
        return {"ModelPackageGroupSummaryList": [group.summary() for group in found], **more}

    def _delete(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        shelf = self._shelves.of(context)
        with shelf.lock:
            group = shelf.group(context, params["ModelPackageGroupName"])
            if shelf.versions_of(group):
                raise conflict(
                    f"Model Package Group {group.arn} cannot be deleted because it still contains model packages."
                )
            del shelf.groups[group.name.lower()]
            self._tags.drop(group.arn)
        return {}
