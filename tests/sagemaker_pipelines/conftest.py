"""Fixtures that need the runtime image's Python, and one trained model for every test that only reads it."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sagemaker_pipelines.jobs import ROOT, Interpreter, Job

CHAIN_YEARS = range(2001, 2006)


@pytest.fixture(scope="session")
def interpreter() -> Iterator[Interpreter]:
    """Python with the packages of images/runtime/requirements.txt and nothing else."""
    given = os.environ.get("RUNTIME_PYTHON")
    # The local cloud keeps one environment per lock file and links the present one.
    path = Path(given) if given else ROOT / ".runtime" / "current" / "bin" / "python"
    if not path.is_file():
        pytest.fail(f"the runtime environment {path} is missing: `make setup` builds it, or set RUNTIME_PYTHON")
    interpreter = Interpreter(path)
    yield interpreter
    interpreter.close()


@pytest.fixture(scope="session")
def exported_job(interpreter: Interpreter, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A job folder after ValidateData, Preprocess, Train and Export. Read only: copy it to go on."""
    job = Job(interpreter, tmp_path_factory.mktemp("exported"))
    job.prepare(CHAIN_YEARS)
    job.train()
    job.export()
    return job


@pytest.fixture
def copied_job(exported_job: Job, tmp_path: Path) -> Job:
    """A copy of the exported job that a test may change."""
    base = tmp_path / "job"
    shutil.copytree(exported_job.base, base)
    return Job(exported_job.interpreter, base)


@pytest.fixture
def new_job(interpreter: Interpreter, tmp_path: Path) -> Callable[[str], Job]:
    """Makes empty job folders."""
    return lambda name: Job(interpreter, tmp_path / name)
