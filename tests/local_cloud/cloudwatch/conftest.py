"""CloudWatch with in-memory surroundings."""

from collections.abc import Iterator

import pytest

from tests.local_cloud.cloudwatch.fakes import FakeCloudWatch


@pytest.fixture
def cloudwatch() -> Iterator[FakeCloudWatch]:
    """A new engine on a clock of real length."""
    made = FakeCloudWatch()
    yield made
    made.engine.close()


@pytest.fixture
def quick_cloudwatch() -> Iterator[FakeCloudWatch]:
    """A new engine on which a minute takes 0.6 s, as in the server."""
    made = FakeCloudWatch(scale=0.01)
    yield made
    made.engine.close()
