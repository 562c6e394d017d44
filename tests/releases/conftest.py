"""Fixtures of the command line tool's tests: moto's S3 and SSM, fakes for the rest, never the network."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.lambdas.release_world import ReleaseWorld
from tests.releases.desk import Desk


@pytest.fixture
def world() -> Iterator[ReleaseWorld]:
    """An empty registry, a pipeline without executions, and an empty artifact bucket."""
    with mock_aws():
        yield ReleaseWorld()


@pytest.fixture
def desk(world: ReleaseWorld) -> Desk:
    """A person at the command line of that stage."""
    return Desk(world)
