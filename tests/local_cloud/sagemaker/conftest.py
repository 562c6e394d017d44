"""The engine with in-memory surroundings."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local_cloud.sagemaker.fakes import FakeCloud


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[FakeCloud]:
    """A new engine; its processes are gone afterwards."""
    made = FakeCloud(tmp_path)
    yield made
    made.close()
