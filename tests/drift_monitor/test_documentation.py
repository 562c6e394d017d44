"""docs/drift-monitor.md tells the truth: its commands run as they stand, and print what it says."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from drift_monitor.cli.commands import run
from sagemaker_pipelines.car_prices import batches

_PAGE = Path(__file__).resolve().parents[2] / "docs" / "drift-monitor.md"
_BLOCK = re.compile(r"```(sh|text)\n(.*?)```", re.DOTALL)
_PROGRAMS: dict[str, Callable[[Sequence[str]], int]] = {
    "drift_monitor": run,
    "sagemaker_pipelines.car_prices.batches": lambda arguments: batches.main(list(arguments)),
}


def test_every_command_of_the_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One after the other in an empty folder; what a block of text shows stands in the output of those before it."""
    monkeypatch.chdir(tmp_path)
    used: list[str] = []
    printed: list[str] = []
    for kind, text in _BLOCK.findall(_PAGE.read_text()):
        if kind == "text":
            assert [line for line in text.splitlines() if line not in printed] == []
            continue
        for command in text.splitlines():
            python, option, program, *arguments = command.split()
            assert (python, option) == ("python", "-m")
            assert _PROGRAMS[program](arguments) == 0, command
            used += arguments[:1]
        printed = capsys.readouterr().out.splitlines()
    assert {"baseline", "analyze", "replay", "import"} <= set(used)
