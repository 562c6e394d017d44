"""The engine with puppets for actions."""

from collections.abc import Iterator

import pytest

from tests.local_cloud.codepipeline.fakes import FakePipelines


@pytest.fixture
def pipelines() -> Iterator[FakePipelines]:
    """A new engine; nothing of it runs afterwards."""
    made = FakePipelines()
    yield made
    made.engine.reset()
