"""Filtering by time, ordering and paging of list operations, alike for every resource.

A page token names the last item that was handed out, so items that are added meanwhile neither repeat nor hide others.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from local_cloud.service import invalid

T = TypeVar("T")

DEFAULT_PAGE_SIZE = 10


def page(
    items: Iterable[T], params: Mapping[str, Any], *, identity: Callable[[T], str], size: int = DEFAULT_PAGE_SIZE
) -> tuple[list[T], dict[str, str]]:
    """One page of `items`, and `{"NextToken": ...}` if more follow (`{}` on the last page).

    Raises ValidationException for a token that this operation did not hand out, or whose item is gone.
    """
    ordered = list(items)
    start = 0
    if token := params.get("NextToken"):
        last = _decode(token)
        positions = [index for index, item in enumerate(ordered) if identity(item) == last]
        if not positions:
            raise invalid("The NextToken is invalid or no longer valid: start again without it.")
        start = positions[0] + 1
    end = start + int(params.get("MaxResults", size))
    more = {"NextToken": _encode(identity(ordered[end - 1]))} if end < len(ordered) else {}
    return ordered[start:end], more


def within(moment: datetime, *, after: datetime | None, before: datetime | None) -> bool:
    """Whether a moment lies in a window whose ends may be open."""
    return (after is None or moment >= after) and (before is None or moment <= before)


def sort(items: Iterable[T], *, key: Callable[[T], Any], order: str | None, default: str = "Ascending") -> list[T]:
    """The items in SortOrder; equal keys keep the order of creation (or its reverse)."""
    ascending = sorted(items, key=key)
    return ascending if (order or default) == "Ascending" else ascending[::-1]


def _encode(identity: str) -> str:
    return base64.urlsafe_b64encode(identity.encode()).decode()


def _decode(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise invalid("The NextToken is not one of this operation.") from error
