"""Names from stack outputs, and the command line around them."""

import pytest

from releases import __main__ as command_line
from releases.errors import ReleasesError
from releases.names import find_names
from tests.lambdas.release_world import PIPELINE
from tests.releases.desk import OUTPUTS, cloudformation


def test_the_only_project_needs_no_name() -> None:
    """Outputs of all stacks of the stage count."""
    names = find_names(cloudformation(OUTPUTS), stage="dev")
    assert (names.project, names.release_pipeline, names.start_function) == ("cars", PIPELINE, "starter")


def test_one_of_two_projects_has_to_be_named() -> None:
    """A release of the wrong model would be worse than a question."""
    both = OUTPUTS | {key.replace("Cars", "BikePrices"): value for key, value in OUTPUTS.items()}
    with pytest.raises(ReleasesError, match="there are 2 projects"):
        find_names(cloudformation(both), stage="dev")
    assert find_names(cloudformation(both), stage="dev", project="bike_prices").release_pipeline == PIPELINE


def test_a_stage_that_is_not_deployed_is_refused() -> None:
    """Most likely the credentials or the region are of another account."""
    with pytest.raises(ReleasesError, match=r"no stack Cd4ml-prod-\* is deployed here"):
        find_names(cloudformation(OUTPUTS), stage="prod")


def test_missing_outputs_are_named() -> None:
    """As of a stack that was deployed from an older commit."""
    older = {key: value for key, value in OUTPUTS.items() if key != "CarsChampionParameter"}
    with pytest.raises(ReleasesError, match="no output CarsChampionParameter"):
        find_names(cloudformation(older), stage="dev")


def test_an_error_is_one_line_and_status_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """No stack trace reaches the person."""
    monkeypatch.setattr(command_line.boto3, "client", lambda service: cloudformation({}))
    assert command_line.main(["status"]) == 1
    assert capsys.readouterr().err.startswith("error: no stack Cd4ml-dev-*")


@pytest.mark.parametrize("arguments", [[], ["start"], ["evaluate"], ["evaluate", "--version", "1", "--package", "x"]])
def test_incomplete_commands_are_refused(arguments: list[str]) -> None:
    """Before anything is asked of AWS."""
    with pytest.raises(SystemExit):
        command_line.parser().parse_args(arguments)
