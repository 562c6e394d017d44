"""Filtering by time, ordering and paging of SageMaker's list operations, alike for every resource."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from local_cloud.paging import Pager

T = TypeVar("T")

page = Pager(
    marker="NextToken",
    limit="MaxResults",
    size=10,
    code="ValidationException",
    message="The NextToken is invalid or no longer valid: start again without it.",
)


def within(moment: datetime, *, after: datetime | None, before: datetime | None) -> bool:
    """Whether a moment lies in a window whose ends may be open; ends without a time zone, as requests have, are UTC."""
    return (after is None or moment >= _utc(after)) and (before is None or moment <= _utc(before))


def sort(items: Iterable[T], *, key: Callable[[T], Any], order: str | None, default: str = "Ascending") -> list[T]:
    """The items in SortOrder; equal keys keep the order of creation (or its reverse)."""
    ascending = sorted(items, key=key)
    return ascending if (order or default) == "Ascending" else ascending[::-1]


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
