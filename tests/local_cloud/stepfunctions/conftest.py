"""State machines on the running local cloud."""

import pytest

from tests.local_cloud.stepfunctions.account import Account, prepare
from tests.running_cloud import RunningCloud


@pytest.fixture
def account(cloud: RunningCloud) -> Account:
    """An empty account with a role for state machines."""
    return prepare(cloud)
