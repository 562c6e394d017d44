"""Pages of list operations, alike for every service but for the names of their members and their errors.

A token names the last item that was handed out, so items that are added meanwhile neither repeat nor hide others.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from local_cloud.service import ServiceError

T = TypeVar("T")


@dataclass(frozen=True)
class Pager:
    """How one service cuts its lists into pages.

    `marker` and `limit` are the members that name the page and the most items on it, `size` is the limit if there is
    none (or zero, which Step Functions documents for that). `code` and `message` are the error for a token that the
    operation did not hand out, or whose item is gone.
    """

    marker: str
    limit: str
    size: int
    code: str
    message: str

    def __call__(
        self,
        items: Iterable[T],
        params: Mapping[str, Any],
        *,
        identity: Callable[[T], str],
        size: int | None = None,
    ) -> tuple[list[T], dict[str, str]]:
        """One page of `items`, and `{marker: token}` if more follow (`{}` on the last page). Raises ServiceError.

        `identity` tells items apart; `size` is for an operation whose pages are of another size than the service's.
        """
        ordered = list(items)
        start = 0
        if token := params.get(self.marker):
            last = self._decoded(token)
            positions = [index for index, item in enumerate(ordered) if identity(item) == last]
            if not positions:
                raise self._refusal()
            start = positions[0] + 1
        end = start + (int(params.get(self.limit, 0)) or size or self.size)
        more = {self.marker: _encoded(identity(ordered[end - 1]))} if end < len(ordered) else {}
        return ordered[start:end], more

    def _decoded(self, token: str) -> str:
        try:
            return base64.urlsafe_b64decode(token.encode()).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise self._refusal() from error

    def _refusal(self) -> ServiceError:
        return ServiceError(self.code, self.message)


def _encoded(identity: str) -> str:
    return base64.urlsafe_b64encode(identity.encode()).decode()
