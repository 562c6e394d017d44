"""A replacement that cannot be made leaves the stack with the physical resources it had."""

import pytest

from tests.local_cloud.cloudformation.fake_cloud import FakeCloud, queue


@pytest.fixture
def fake() -> FakeCloud:
    """An engine without stacks."""
    return FakeCloud()


def test_a_failed_replacement_leaves_the_old_resource_alone(fake: FakeCloud) -> None:
    """The rollback neither deletes the old one nor makes another like it."""
    fake.create({"Q": queue(name="old"), "Other": queue(timeout=1)})
    before = fake.resources()
    fake.ledger.log.clear()
    fake.ledger.failing = {("create", "Q")}

    assert fake.update({"Q": queue(name="new"), "Other": queue(timeout=1)}) == "UPDATE_ROLLBACK_COMPLETE"

    assert fake.resources() == before
    assert [verb for verb, _ in fake.ledger.log] == ["create"]
    fake.ledger.failing = set()
    assert fake.update({"Q": queue(name="new"), "Other": queue(timeout=1)}) == "UPDATE_COMPLETE"
    assert fake.resources()["Q"] != before["Q"]


def test_a_half_made_replacement_is_removed(fake: FakeCloud) -> None:
    """Only what the failed attempt began goes."""
    fake.create({"Q": queue(name="old")})
    before = fake.resources()
    fake.ledger.failing, fake.ledger.leaves_remains = {("create", "Q")}, {"Q"}

    assert fake.update({"Q": queue(name="new")}) == "UPDATE_ROLLBACK_COMPLETE"

    assert fake.resources() == before
    assert list(fake.ledger.alive) == [before["Q"]]
