"""Schedule groups and their tags; only groups have tags.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-group.html
"""

from collections.abc import Callable
from typing import Any

from local_cloud.clock import Clock
from local_cloud.scheduler.book import DEFAULT_GROUP, Group, Schedule, ScheduleBook, conflict, group_arn, not_found
from local_cloud.scheduler.paging import page
from local_cloud.service import Operation, RequestContext, invalid
from local_cloud.stores import Partitioned


class Groups:
    """The API of schedule groups; `remove` deletes a schedule of a group that goes."""

    def __init__(
        self,
        books: Partitioned[ScheduleBook],
        *,
        clock: Clock,
        remove: Callable[[RequestContext, Schedule], None],
    ) -> None:
        self._books = books
        self._clock = clock
        self._began = clock.now()
        self._remove = remove

    def operations(self) -> dict[str, Operation]:
        """The operations by name."""
        return {
            "CreateScheduleGroup": Operation(self._create),
            "GetScheduleGroup": Operation(self._get),
            "DeleteScheduleGroup": Operation(self._delete, note="The group and its schedules are gone at once."),
            "ListScheduleGroups": Operation(self._list),
            "TagResource": Operation(self._tag),
            "UntagResource": Operation(self._untag),
            "ListTagsForResource": Operation(self._tags),
        }

    def _create(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book, name = self._books.of(context), params["Name"]
        with book.lock:
            if name == DEFAULT_GROUP or name in book.groups:
                raise conflict(f"Schedule group {name} already exists.")
            group = Group(name, group_arn(context, name), self._clock.now())
            book.groups[name] = group
            book.tags[group.arn] = {tag["Key"]: tag["Value"] for tag in params.get("Tags", ())}
        return {"ScheduleGroupArn": group.arn}

    def _get(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book, name = self._books.of(context), params["Name"]
        with book.lock:
            book.check_group(name)
            return _summary(book.groups.get(name) or self._default(context))

    def _delete(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book, name = self._books.of(context), params["Name"]
        if name == DEFAULT_GROUP:
            raise invalid("The default schedule group cannot be deleted.")
        with book.lock:
            book.check_group(name)
            for schedule in [known for known in book.schedules.values() if known.group == name]:
                self._remove(context, schedule)
            book.tags.pop(book.groups.pop(name).arn, None)
        return {}

    def _list(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        book = self._books.of(context)
        with book.lock:
            known = [self._default(context), *(book.groups[name] for name in sorted(book.groups))]
        wanted = [group for group in known if group.name.startswith(params.get("NamePrefix", ""))]
        found, more = page(wanted, params, identity=lambda group: group.arn)
        return {"ScheduleGroups": [_summary(group) for group in found], **more}

    def _tag(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        self._tags_of(context, params["ResourceArn"]).update({tag["Key"]: tag["Value"] for tag in params["Tags"]})
        return {}

    def _untag(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        tags = self._tags_of(context, params["ResourceArn"])
        for key in params["TagKeys"]:
            tags.pop(key, None)
        return {}

    def _tags(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        tags = self._tags_of(context, params["ResourceArn"])
        return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]}

    def _tags_of(self, context: RequestContext, arn: str) -> dict[str, str]:
        book = self._books.of(context)
        with book.lock:
            if arn != group_arn(context, DEFAULT_GROUP) and arn not in book.tags:
                raise not_found(f"{arn} does not exist.")
            return book.tags.setdefault(arn, {})

    def _default(self, context: RequestContext) -> Group:
        return Group(DEFAULT_GROUP, group_arn(context, DEFAULT_GROUP), self._began)


def _summary(group: Group) -> dict[str, Any]:
    return {
        "Arn": group.arn,
        "Name": group.name,
        "State": "ACTIVE",
        "CreationDate": group.created,
        "LastModificationDate": group.created,
    }
