"""Pages of a list operation. A token names the last item that was handed out, so that new items do not shift pages."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from local_cloud.service import ServiceError

T = TypeVar("T")
_PAGE_SIZE = 100


def page(
    items: Iterable[T], params: Mapping[str, Any], *, identity: Callable[[T], str]
) -> tuple[list[T], dict[str, str]]:
    """One page of `items`, and `{"nextToken": ...}` if more follow. Raises InvalidNextTokenException."""
    ordered = list(items)
    start = 0
    if token := params.get("nextToken"):
        positions = [index for index, item in enumerate(ordered) if identity(item) == token]
        if not positions:
            raise ServiceError("InvalidNextTokenException", "The nextToken is not one of this operation; leave it out.")
        start = positions[0] + 1
    end = start + int(params.get("maxResults", _PAGE_SIZE))
    more = {"nextToken": identity(ordered[end - 1])} if end < len(ordered) else {}
    return ordered[start:end], more
