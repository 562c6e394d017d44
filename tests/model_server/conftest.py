"""One exported model and one running server for all tests that only read them."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sagemaker_pipelines.artifacts import unpack, write_files
from sagemaker_pipelines.tables import Table, read_table
from tests.model_server.running_server import RunningServer, start_server
from tests.sagemaker_pipelines.conftest import exported_job, interpreter
from tests.sagemaker_pipelines.jobs import Job

__all__ = ["exported_job", "interpreter"]


@dataclass(frozen=True)
class Offline:
    """Holdout records and the prices that the evaluation's code predicts for them."""

    records: Table
    prices: list[float]


@pytest.fixture(scope="session")
def model_base(exported_job: Job, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base folder as SageMaker fills it for inference. Read only."""
    base = tmp_path_factory.mktemp("inference")
    write_files(base / "model", unpack(exported_job.artifact))
    return base


@pytest.fixture
def changed_base(model_base: Path, tmp_path: Path) -> Path:
    """A copy of the base folder that a test may change."""
    return Path(shutil.copytree(model_base, tmp_path / "base"))


@pytest.fixture(scope="session")
def server(exported_job: Job, model_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with small limits: 64 KiB, 500 rows, two seconds for a body."""
    log = tmp_path_factory.mktemp("server") / "server.log"
    limits = {
        "MODEL_SERVER_MAXIMUM_BODY_BYTES": "65536",
        "MODEL_SERVER_MAXIMUM_ROWS": "500",
        "MODEL_SERVER_BODY_SECONDS": "2",
    }
    with start_server(exported_job.interpreter.python, model_base, log, **limits) as running:
        yield running


@pytest.fixture(scope="session")
def offline(exported_job: Job) -> Offline:
    """What the server's answers are compared with."""
    code = (
        "import json, sys; from pathlib import Path; from sagemaker_pipelines.artifacts import unpack;"
        "from sagemaker_pipelines.tables import read_table; from model_server.scoring import scorer_from_files;"
        "scorer = scorer_from_files(unpack(Path(sys.argv[1])));"
        "rows = read_table(Path(sys.argv[2])).select(scorer.encoder.spec.names).rows;"
        "print(json.dumps([list(scorer.encoder.spec.names), scorer.predict(rows).tolist()]))"
    )
    holdout = exported_job.processing("holdout") / "holdout.csv"
    result = exported_job.interpreter.python_command(["-c", code, str(exported_job.artifact), str(holdout)])
    assert result.returncode == 0, result.stderr
    names, prices = json.loads(result.stdout)
    return Offline(read_table(holdout).select(names), prices)
