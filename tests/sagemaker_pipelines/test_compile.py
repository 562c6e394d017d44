"""Compiling needs nothing of AWS, gives the same bytes every time, and is done once per state of the sources."""

import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest

from sagemaker_pipelines import compile as compiler
from sagemaker_pipelines.compile import compiled_definition, main, source_hash
from sagemaker_pipelines.definition import PLACEHOLDERS, DefinitionInputs, substitute
from sagemaker_pipelines.errors import DefinitionError
from tests.sagemaker_pipelines.jobs import ROOT

REAL = DefinitionInputs(**{field.name: f"${{Token[{field.name}]}}" for field in fields(DefinitionInputs)})


def test_two_processes_without_aws_give_the_same_bytes(tmp_path: Path) -> None:
    """No region, no credentials, another hash seed and another time zone: not a byte differs."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONHASHSEED": "11",
        "TZ": "Asia/Tokyo",
    }
    code = (
        "from pathlib import Path; from sagemaker_pipelines.compile import compiled_definition;"
        f"print(compiled_definition('car_prices', cache=Path({str(tmp_path)!r})), end='')"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )

    assert result.stdout == compiled_definition("car_prices")


def test_a_cached_definition_is_not_compiled_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A synth whose pipeline has not changed does not load the SDK."""
    calls: list[str] = []
    monkeypatch.setattr(compiler, "_compile_in_subprocess", lambda project: calls.append(project) or "{}")

    assert [compiled_definition("car_prices", cache=tmp_path) for _ in range(2)] == ["{}", "{}"]
    assert calls == ["car_prices"]


def test_an_unknown_project_names_those_that_there_are() -> None:
    """A typing error is answered with the choices."""
    with pytest.raises(DefinitionError, match=r"no project 'boats'.*there is: car_prices"):
        source_hash("boats")


def test_a_failing_compilation_shows_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the SDK said last is in the message, and nothing is cached."""
    monkeypatch.setattr(compiler.sys, "executable", "false")
    with pytest.raises(DefinitionError, match="the pipeline definition of car_prices could not be compiled"):
        compiled_definition("car_prices", cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_the_definition(tmp_path: Path) -> None:
    """The file is the definition and nothing else."""
    path = tmp_path / "out" / "definition.json"

    assert main(["car_prices", "--out", str(path)]) == 0
    assert path.read_text() == compiled_definition("car_prices")


def test_the_command_answers_a_wrong_project_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """No stack trace."""
    assert main(["boats"]) == 1
    assert capsys.readouterr().err.startswith("error: there is no project 'boats'")


def test_every_placeholder_is_used_and_replaced() -> None:
    """After substitution nothing is left of the account that does not exist."""
    definition = substitute(compiled_definition("car_prices"), REAL)

    assert "placeholder" not in definition
    assert "111122223333" not in definition
    for field in fields(DefinitionInputs):
        assert f"${{Token[{field.name}]}}" in definition


def test_no_placeholder_is_part_of_another() -> None:
    """Otherwise the order of replacement would matter."""
    values = [getattr(PLACEHOLDERS, field.name) for field in fields(DefinitionInputs)]

    assert not [(a, b) for a in values for b in values if a is not b and a in b]


def test_a_definition_that_lost_a_placeholder_is_refused() -> None:
    """A stack's setting without any effect would go unnoticed."""
    definition = compiled_definition("car_prices").replace(PLACEHOLDERS.kms_key_arn, "")
    with pytest.raises(DefinitionError, match="does not use kms_key_arn"):
        substitute(definition, replace(PLACEHOLDERS))
