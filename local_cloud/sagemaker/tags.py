"""AddTags, ListTags and DeleteTags for every resource of the engine.

Resources hold no tags themselves: this is the one place. It must not know what the resources are; it asks `exists`.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from local_cloud.sagemaker.listing import page
from local_cloud.service import Operation, RequestContext, ServiceError, invalid

MAXIMUM_TAGS = 50
_PAGE_SIZE = 50


class Tags:
    """Tags by ARN."""

    def __init__(self, exists: Callable[[RequestContext, str], bool]) -> None:
        self._exists = exists
        self._tags: dict[str, dict[str, str]] = {}
        self._lock = threading.Lock()

    def operations(self) -> dict[str, Operation]:
        """The tagging operations."""
        return {
            "AddTags": Operation(self._add),
            "ListTags": Operation(self._list),
            "DeleteTags": Operation(self._delete),
        }

    def put(self, arn: str, tags: Sequence[Mapping[str, str]] | None) -> None:
        """Set tags of a resource (its Create operation does), replacing the values of keys it has.

        Raises ValidationException for reserved keys or more than 50 tags, before anything changes.
        """
        new = {tag["Key"]: tag["Value"] for tag in tags or ()}
        reserved = [key for key in new if key.lower().startswith("aws:") and not key.startswith("aws:cloudformation:")]
        if reserved:
            raise invalid(f"Tag keys that start with 'aws:' are reserved: {', '.join(sorted(reserved))}.")
        with self._lock:
            merged = self._tags.get(arn, {}) | new
            if len(merged) > MAXIMUM_TAGS:
                raise ServiceError("ResourceLimitExceeded", f"{arn} would have more than {MAXIMUM_TAGS} tags.")
            self._tags[arn] = merged

    def drop(self, arn: str) -> None:
        """Forget the tags of a deleted resource."""
        with self._lock:
            self._tags.pop(arn, None)

    def clear(self) -> None:
        """Forget all tags."""
        with self._lock:
            self._tags.clear()

    def _add(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        arn = self._known(context, params)
        self.put(arn, params["Tags"])
        return {"Tags": self._all(arn)}

    def _list(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        found, more = page(
            self._all(self._known(context, params)), params, identity=lambda tag: tag["Key"], size=_PAGE_SIZE
        )
        return {"Tags": found, **more}

    def _delete(self, context: RequestContext, params: dict[str, Any]) -> dict[str, Any]:
        arn = self._known(context, params)
        with self._lock:
            for key in params["TagKeys"]:
                self._tags.get(arn, {}).pop(key, None)
        return {}

    def _all(self, arn: str) -> list[dict[str, str]]:
        with self._lock:
            return [{"Key": key, "Value": value} for key, value in sorted(self._tags.get(arn, {}).items())]

    def _known(self, context: RequestContext, params: Mapping[str, Any]) -> str:
        arn: str = params["ResourceArn"].lower()
        if not self._exists(context, arn):
            raise invalid(f"Could not find the resource {params['ResourceArn']}.")
        return arn
