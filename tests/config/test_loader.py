"""Stage files: what is accepted, and how mistakes are explained."""

from pathlib import Path

import pytest

from config.loader import STAGES_FOLDER, InvalidSettingsError, UnknownStageError, load_settings


def _stage(folder: Path, text: str) -> Path:
    (folder / "test.toml").write_text(text, encoding="utf-8")
    return folder


def _complaint(folder: Path, text: str) -> list[str]:
    """The lines of the message about a stage file."""
    with pytest.raises(InvalidSettingsError) as caught:
        load_settings("test", folder=_stage(folder, text))
    return str(caught.value).splitlines()


@pytest.mark.parametrize("stage", ["dev", "staging", "prod"])
def test_the_stages_of_the_repository_are_valid(stage: str) -> None:
    """Every stage file loads, and carries the name of its file."""
    assert load_settings(stage).stage == stage


def test_a_stage_file_holds_differences_only() -> None:
    """Production writes no default out, so that a default is changed in one place."""
    text = (STAGES_FOLDER / "prod.toml").read_text(encoding="utf-8")

    assert [line for line in text.splitlines() if line.startswith("[")] == ["[tags]"]


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    """Nothing has to be written out, and the defaults are the careful ones."""
    settings = load_settings("test", folder=_stage(tmp_path, ""))

    assert settings.projects == ("car_prices",)
    assert settings.logs.removal == "retain"
    assert settings.account is None
    assert settings.notifications.email is None


def test_values_reach_their_place(tmp_path: Path) -> None:
    """A file may set any value, nested tables included."""
    settings = load_settings(
        "test",
        folder=_stage(
            tmp_path,
            'account = "123456789012"\nregion = "eu-central-1"\nprojects = ["car_prices", "boat_prices"]\n'
            '[athena]\nscan_limit_bytes = 20000000\n[notifications]\nemail = "ops@example.com"\n',
        ),
    )

    assert (settings.account, settings.region) == ("123456789012", "eu-central-1")
    assert settings.projects == ("car_prices", "boat_prices")
    assert settings.athena.scan_limit_bytes == 20_000_000
    assert settings.notifications.email == "ops@example.com"


def test_an_unknown_stage_names_the_known_ones(tmp_path: Path) -> None:
    """A typing error gets a suggestion, and the message says how to choose a stage."""
    for stage in ("dev", "prod"):
        (tmp_path / f"{stage}.toml").write_text("")

    with pytest.raises(UnknownStageError, match=r"no stage 'prdo' \(did you mean 'prod'\?\): choose one of dev, prod "):
        load_settings("prdo", folder=tmp_path)


@pytest.mark.parametrize("stage", ["../settings", "dev/../prod", "", "."])
def test_a_stage_is_a_name_and_no_path(stage: str) -> None:
    """A stage cannot reach a file outside the stages' folder."""
    with pytest.raises(UnknownStageError):
        load_settings(stage)


def test_all_mistakes_of_a_file_are_reported_at_once(tmp_path: Path) -> None:
    """One run shows every mistake, each with its key, its value and what is allowed."""
    lines = _complaint(
        tmp_path,
        'account = "12"\n'
        "[data_lake]\nquarantine_days = 0\nnoncurent_version_days = 5\n"
        '[training]\ntraining_instance_type = "m5.large"\n'
        "[logs]\nretention_days = 8\n",
    )

    assert lines[0] == f"{tmp_path / 'test.toml'}: 5 invalid setting(s):"
    assert lines[1].startswith("  account = '12': ")
    assert lines[2] == "  data_lake.quarantine_days = 0: should be greater than or equal to 1"
    assert lines[3].startswith(
        "  data_lake.noncurent_version_days: unknown key (did you mean 'noncurrent_version_days'?); allowed here: "
    )
    assert lines[4].startswith("  training.training_instance_type = 'm5.large': ")
    assert lines[5].startswith("  logs.retention_days = 8: CloudWatch Logs keeps logs for one of 1, 3, 5, 7, 14")
    assert len(lines) == 6


def test_an_unknown_table_is_a_mistake(tmp_path: Path) -> None:
    """A misspelt table does not silently leave its defaults in force."""
    (_, line) = _complaint(tmp_path, "[athina]\nscan_limit_bytes = 20000000\n")

    assert line.startswith("  athina: unknown key (did you mean 'athena'?); allowed here: account, athena, ")


def test_text_is_not_taken_for_a_number(tmp_path: Path) -> None:
    """`"90"` is a mistake and not ninety days."""
    (_, line) = _complaint(tmp_path, '[data_lake]\nquarantine_days = "90"\n')

    assert line == "  data_lake.quarantine_days = '90': should be a valid integer"


def test_a_project_is_named_once_and_like_its_folder(tmp_path: Path) -> None:
    """Duplicates and names that no folder can have are refused."""
    assert "each project may be named once only" in _complaint(tmp_path, 'projects = ["a", "a"]')[1]
    assert "projects.0 = 'Car-Prices'" in _complaint(tmp_path, 'projects = ["Car-Prices"]')[1]
    assert "projects = []" in _complaint(tmp_path, "projects = []")[1]


def test_broken_toml_is_told_with_its_place(tmp_path: Path) -> None:
    """The message has the file and the line."""
    (line,) = _complaint(tmp_path, "# comment\nprojects = = 1\n")

    assert line.startswith(f"{tmp_path / 'test.toml'}: not valid TOML: ")
    assert "line 2" in line


def test_the_stage_is_not_set_inside_its_file(tmp_path: Path) -> None:
    """A file copied for a new stage cannot carry the old stage's name along."""
    (line,) = _complaint(tmp_path, 'stage = "prod"\n')

    assert "remove the key" in line


def test_settings_cannot_be_changed() -> None:
    """What the loader has checked stays as it is."""
    with pytest.raises(ValueError, match="frozen"):
        load_settings("dev").athena.scan_limit_bytes = 1  # type: ignore[misc]
