"""A function runner with real child processes and fake AWS services."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_cloud.clock import Clock
from local_cloud.functions.runner import FunctionRunner
from local_cloud.processes import ProcessTable
from tests.local_cloud.functions.fakes import FakeClients


@pytest.fixture
def clients() -> FakeClients:
    return FakeClients()


@pytest.fixture
def runner(tmp_path: Path, clients: FakeClients) -> Iterator[FunctionRunner]:
    processes = ProcessTable(tmp_path / "processes")
    engine = FunctionRunner(
        clients=clients,  # type: ignore[arg-type]
        clock=Clock(scale=0.001),
        processes=processes,
        directory=tmp_path / "functions",
    )
    yield engine
    engine.close()
    processes.stop_all(grace_seconds=0)
