"""A local cloud of a benchmark's own, started and stopped by the commands that a user would type."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from demo.commands import clean_environment, python, run
from demo.loop import parse_exports


@contextmanager
def local_cloud(folder: Path) -> Iterator[Mapping[str, str]]:
    """The variables of a local cloud on a free port, whose state is kept below `folder`; DemoError if it fails."""
    place = ("--state-dir", str(folder / "state"))
    variables = clean_environment()
    up = python("-m", "local_cloud", "up", "--port", "0", *place)
    exports = parse_exports(run(up, environment=variables, what="`local_cloud up`"))
    try:
        yield exports
    finally:
        run(python("-m", "local_cloud", "down", *place), environment=variables, what="`local_cloud down`")
