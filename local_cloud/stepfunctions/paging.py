"""Pages of Step Functions' lists. A token names the last item that was handed out, so that new items shift nothing."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from local_cloud.service import ServiceError

T = TypeVar("T")
_PAGE_SIZE = 100


def page(
    items: Iterable[T], params: Mapping[str, Any], *, identity: Callable[[T], str]
) -> tuple[list[T], dict[str, str]]:
    """One page of `items`, and `{"nextToken": ...}` if more follow. Raises InvalidToken."""
    ordered = list(items)
    start = 0
    if token := params.get("nextToken"):
        positions = [index for index, item in enumerate(ordered) if identity(item) == token]
        if not positions:
            raise ServiceError("InvalidToken", "Invalid Token: the nextToken is not one of this operation's.")
        start = positions[0] + 1
    # Zero stands for the default page size, as AWS documents it.
    end = start + (int(params.get("maxResults", 0)) or _PAGE_SIZE)
    more = {"nextToken": identity(ordered[end - 1])} if end < len(ordered) else {}
    return ordered[start:end], more
