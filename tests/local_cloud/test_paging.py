"""Pages of lists: tokens that survive what happens to the list between two requests."""

import pytest

from local_cloud.paging import Pager
from local_cloud.service import ServiceError

PAGE = Pager(marker="next", limit="most", size=2, code="BadToken", message="leave it out")


def _names(items: list[str], **params: object) -> tuple[list[str], dict[str, str]]:
    return PAGE(items, params, identity=str)


def test_an_item_that_is_added_between_two_pages_shifts_nothing() -> None:
    """The second page goes on behind the last item of the first, wherever it stands by now."""
    first, more = _names(["b", "c", "d"])

    rest, end = _names(["a", "b", "c", "d"], **more)

    assert (first, rest, end) == (["b", "c"], ["d"], {})


@pytest.mark.parametrize("token", ["x", "Yg==", "****"])
def test_a_token_of_another_list_is_refused_with_the_error_of_the_service(token: str) -> None:
    """Neither a made-up token nor one whose item is gone starts the list anew."""
    with pytest.raises(ServiceError, match="leave it out") as refused:
        _names(["a"], next=token)

    assert refused.value.code == "BadToken"


def test_a_limit_of_zero_is_none() -> None:
    """Zero stands for the service's own page size, as Step Functions documents it."""
    assert _names(["a", "b", "c"], most=0)[0] == ["a", "b"]
    assert _names(["a", "b", "c"], most=1)[0] == ["a"]
