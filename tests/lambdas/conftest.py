"""Fixtures of the Lambda functions' tests: moto's S3, never the network."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from tests.lambdas.lake import Lake
from tests.lambdas.release_world import ReleaseWorld


@pytest.fixture
def lake() -> Iterator[Lake]:
    """An empty, versioned lake bucket."""
    with mock_aws():
        yield Lake(boto3.client("s3", region_name="us-east-1"))


@pytest.fixture
def world() -> Iterator[ReleaseWorld]:
    """An empty registry, a pipeline without executions, and an empty artifact bucket."""
    with mock_aws():
        yield ReleaseWorld()
