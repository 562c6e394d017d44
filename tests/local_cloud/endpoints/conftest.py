"""The hosting engine with in-memory surroundings."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local_cloud.endpoints.fakes import FakeHosting


@pytest.fixture
def hosting(tmp_path: Path) -> Iterator[FakeHosting]:
    """A new engine; its processes are gone afterwards."""
    made = FakeHosting(tmp_path)
    yield made
    made.close()
