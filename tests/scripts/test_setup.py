"""Set-up where something is missing: one message that says what to do."""

import sys
from pathlib import Path

import pytest

from scripts import setup


def test_a_python_that_is_too_old_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The message has the interpreter, its version and the way to choose another; nothing is made."""
    monkeypatch.setattr(setup, "MINIMUM_PYTHON", (99, 0))
    monkeypatch.setattr(setup, "_run_steps", lambda: pytest.fail("a step ran"))
    assert setup.main() == 1
    message = capsys.readouterr().err
    assert sys.executable in message
    assert "make setup PYTHON=" in message


def test_a_half_made_environment_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """venv leaves an interpreter without pip where a system package is missing; that is not taken for done."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    commands: list[list[str]] = []
    monkeypatch.setattr(setup, "VENV", tmp_path)
    monkeypatch.setattr(setup, "_run", lambda command, **_: commands.append(command))
    setup.create_environment()
    assert commands[0][1:3] == ["-m", "venv"]


def test_a_failed_step_shows_its_last_lines_and_a_hint(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Output is kept back until a step fails; then its end stands above the hint."""

    def fail() -> None:
        setup._run([sys.executable, "-c", "print('no route'); raise SystemExit(7)"], hint="Plug it in.")

    monkeypatch.setattr(setup, "install_packages", fail)
    monkeypatch.setattr(setup, "create_environment", lambda: None)
    assert setup.main() == 1
    told = capsys.readouterr()
    assert "no route" not in told.out
    assert told.err.endswith("ended with 7:\n  no route\nPlug it in.\n")


def test_ctrl_c_is_no_stack_trace(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit status 130 and a line that says how to go on."""

    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(setup, "create_environment", interrupt)
    assert setup.main() == 130
    assert capsys.readouterr().err == "\ninterrupted; `make setup` goes on where this stopped\n"
