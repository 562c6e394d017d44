"""The List operations of models, endpoint configurations and endpoints, which filter, order and page alike."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar

from local_cloud.sagemaker.listing import page, sort, within


class _Listed(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def created(self) -> datetime: ...


T = TypeVar("T", bound=_Listed)


def list_resources(
    table: Mapping[str, T], params: Mapping[str, Any], *, matches: Callable[[T], bool] = lambda _: True, **keys: Any
) -> tuple[list[T], dict[str, str]]:
    """One page, newest first unless SortBy and SortOrder say otherwise, and its NextToken.

    `keys` are further values of SortBy with their sort keys.
    """
    order_by = {"Name": lambda item: item.name.lower(), "CreationTime": lambda item: item.created, **keys}
    wanted = [
        item
        for item in list(table.values())
        if params.get("NameContains", "").lower() in item.name.lower()
        and within(item.created, after=params.get("CreationTimeAfter"), before=params.get("CreationTimeBefore"))
        and matches(item)
    ]
    key = order_by[params.get("SortBy", "CreationTime")]
    ordered = sort(wanted, key=key, order=params.get("SortOrder"), default="Descending")
    return page(ordered, params, identity=lambda item: item.name)
