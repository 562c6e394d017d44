"""How a job fails: a reason for people in the failure file, a stack trace only for bugs and only in the log."""

from pathlib import Path

import pytest

from sagemaker_pipelines.errors import StepError
from sagemaker_pipelines.job import JobFolders, Parameters, read_hyperparameters, run_job


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Base folder of the job that the test process plays."""
    monkeypatch.setenv("ML_BASE_DIR", str(tmp_path))
    return tmp_path


def test_a_step_error_leaves_its_reason_and_no_stack_trace(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """SageMaker shows the failure file; the log has the same sentence and nothing of Python's."""

    def body(_folders: JobFolders) -> None:
        raise StepError("2013.csv row 7 has no price")

    assert run_job("ValidateData", body) == 1
    assert (base / "output" / "failure").read_text() == "ValidateData: 2013.csv row 7 has no price"
    assert "Traceback" not in capsys.readouterr().err


def test_a_bug_leaves_one_line_and_the_trace_in_the_log(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reads the failure reason is pointed to the log, which has the trace."""

    def body(_folders: JobFolders) -> None:
        raise ZeroDivisionError("division by zero")

    assert run_job("Train", body) == 1
    assert (base / "output" / "failure").read_text().startswith("Train: bug in the step, ZeroDivisionError")
    assert "Traceback" in capsys.readouterr().err


def test_a_reason_is_cut_to_what_sagemaker_keeps(base: Path) -> None:
    """SageMaker keeps 1,024 characters."""

    def body(_folders: JobFolders) -> None:
        raise StepError("x" * 5000)

    run_job("Train", body)

    assert len((base / "output" / "failure").read_text()) == 1024


def test_a_job_that_ends_well_leaves_no_failure_file(base: Path) -> None:
    """The file's existence alone says that the job failed."""
    assert run_job("Train", lambda _folders: None) == 0
    assert not (base / "output" / "failure").exists()


def test_missing_hyperparameters_are_named(tmp_path: Path) -> None:
    """A training job without its configuration file says so."""
    with pytest.raises(StepError, match=r"hyperparameters\.json is missing"):
        read_hyperparameters(JobFolders(tmp_path))


@pytest.mark.parametrize(
    ("value", "problem"),
    [("abc", "should be a whole number, not 'abc'"), ("1.5", "whole number"), ("0", "at least 1")],
)
def test_a_wrong_count_names_parameter_and_value(value: str, problem: str) -> None:
    """The message has the parameter's name, what was given and what is expected."""
    with pytest.raises(StepError, match=f"HOLDOUT_YEARS.*{problem}"):
        Parameters({"HOLDOUT_YEARS": value}).count("HOLDOUT_YEARS", 1, minimum=1)


@pytest.mark.parametrize("value", ["nan", "inf", "a lot"])
def test_a_limit_must_be_a_finite_number(value: str) -> None:
    """A limit of NaN would accept every model."""
    with pytest.raises(StepError, match="MAXIMUM_MAPE"):
        Parameters({"MAXIMUM_MAPE": value}).number("MAXIMUM_MAPE", 15.0)


@pytest.mark.parametrize("value", ["1,zero", "1,-2", "1,,2"])
def test_a_list_of_numbers_must_be_positive_numbers(value: str) -> None:
    """A typing error in a list does not train a different set of candidates silently."""
    with pytest.raises(StepError, match="ridge_alphas"):
        Parameters({"ridge_alphas": value}).numbers("ridge_alphas", "1")


def test_an_absent_parameter_without_default_is_an_error() -> None:
    """A model without its data version cannot be traced."""
    with pytest.raises(StepError, match="DATA_VERSION is not set"):
        Parameters({}).text("DATA_VERSION")
