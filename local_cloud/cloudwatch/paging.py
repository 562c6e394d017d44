"""Pages of a list, told apart by a token that is the position of the next item."""

from collections.abc import Sequence
from typing import TypeVar

from local_cloud.service import ServiceError

T = TypeVar("T")


def page(items: Sequence[T], *, token: str | None, size: int) -> tuple[Sequence[T], dict[str, str]]:
    """One page and `{"NextToken": ...}` if more follow; raises InvalidNextToken."""
    try:
        start = int(token, 16) if token else 0
    except ValueError:
        raise ServiceError("InvalidNextToken", f"The token {token} is not one of this operation.") from None
    more = {"NextToken": f"{start + size:x}"} if start + size < len(items) else {}
    return items[max(start, 0) : start + size], more
