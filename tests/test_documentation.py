"""The documentation tells the truth: its commands run in CI, its links lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
_PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def test_every_command_of_the_readme_runs_in_ci() -> None:
    """What a newcomer is told to type is a line of .ci/run, to the letter."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)
    commands = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    run = {line.strip() for line in (ROOT / ".ci" / "run").read_text().splitlines()}

    assert commands
    assert [command for command in commands if command not in run] == []


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    """Relative links of every page name a file or folder of this repository."""
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    local = [target for target in targets if "://" not in target]

    assert [target for target in local if not (page.parent / target).exists()] == []


def test_every_verb_of_the_readme_is_explained_by_make_help() -> None:
    """`make help` knows each `make` verb that the documentation names."""
    makefile = (ROOT / "Makefile").read_text()
    verbs = {verb for page in _PAGES for verb in re.findall(r"`make ([a-z]+)", page.read_text())}

    assert {verb for verb in verbs if not re.search(rf"^{verb}:.*## ", makefile, flags=re.MULTILINE)} == set()
