"""The app, deployed anew for a test, or deployed and trained once for all tests that only look."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.deployed_app import DeployedApp, csv_of, deploy_app, without_training
from tests.running_cloud import RunningCloud, start_cloud


@pytest.fixture
def app(cloud: RunningCloud) -> DeployedApp:
    """Both stacks on an empty cloud."""
    return deploy_app(cloud)


@pytest.fixture
def lake(cloud: RunningCloud) -> DeployedApp:
    """Both stacks on an empty cloud; new snapshots do not start training."""
    return without_training(deploy_app(cloud))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DeployedApp, str]]:
    """An app on a cloud of its own after one upload, and the execution that it started. Read only."""
    with start_cloud(Path(tmp_path_factory.mktemp("trained"))) as cloud:
        app = deploy_app(cloud)
        yield app, app.train("history.csv", csv_of(*range(2001, 2011)))
