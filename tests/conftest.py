"""What every test runs under: no credentials, no region, no network beyond this machine."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.running_cloud import RunningCloud, start_cloud

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
for _name in [name for name in os.environ if name.startswith(("AWS_", "CDK_"))]:
    del os.environ[_name]
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
_connect = socket.socket.connect


def _connect_to_loopback(self: socket.socket, address: Any) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in _LOOPBACK:
        raise OSError(f"a test tried to reach {address}; tests talk to 127.0.0.1 only")
    _connect(self, address)


socket.socket.connect = _connect_to_loopback  # type: ignore[method-assign]


@pytest.fixture(scope="session")
def running_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    """One local cloud for all tests of a worker; use `cloud` to get it empty."""
    with start_cloud(Path(tmp_path_factory.mktemp("local-cloud"))) as cloud:
        yield cloud


@pytest.fixture
def cloud(running_cloud: RunningCloud) -> RunningCloud:
    """The local cloud as new: everything that earlier tests left behind is gone."""
    running_cloud.reset()
    return running_cloud
