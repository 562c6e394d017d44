"""The Python environments that stand in for what an image's RUN lines install: one for each lock file.

A lock file's environment lives in `<directory>/<first 12 hex digits of its SHA-256>/`, is made once at
set-up (which needs the packages) and only read afterwards (which needs no network). `<directory>/current`
is a link to the one prepared last. Nothing here installs anything on its own accord.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from local_cloud.errors import LocalCloudError

DIRECTORY_VARIABLE = "LOCAL_CLOUD_RUNTIME_DIR"
_MARKER = "complete"
_TAIL_LINES = 12


class RuntimeEnvironmentError(LocalCloudError):
    """An environment that is missing or could not be made."""


def lock_digest(requirements: Path) -> str:
    """SHA-256 (hex) of a lock file: the identity of the environment it describes."""
    return hashlib.sha256(requirements.read_bytes()).hexdigest()


def default_directory() -> Path:
    """Where environments are looked for: $LOCAL_CLOUD_RUNTIME_DIR, or `.runtime` in the current folder."""
    return Path(os.environ.get(DIRECTORY_VARIABLE) or ".runtime").absolute()


class RuntimeEnvironments:
    """The environments below one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()

    def python(self, digest: str) -> Path:
        """Where the interpreter for the lock file with this digest is, once it is prepared."""
        return self._home(digest) / "bin" / "python"

    def require(self, digest: str, *, requirements: str) -> None:
        """Raise RuntimeEnvironmentError, with the command that prepares it, unless it is prepared."""
        if not self._is_complete(self._home(digest), digest):
            raise RuntimeEnvironmentError(
                f"the Python environment of {requirements} (lock {digest[:12]}) is not prepared in "
                f"{self.directory}; run: python -m local_cloud image-environment {requirements}"
            )

    def prepare(self, requirements: Path, *, on_line: Callable[[str], None]) -> Path:
        """Make the environment of a lock file unless it is there, point `current` to it; its interpreter.

        `on_line` gets the installer's output. Raises RuntimeEnvironmentError when packages cannot be had.
        """
        try:
            digest = lock_digest(requirements)
        except OSError as error:
            raise RuntimeEnvironmentError(f"cannot read {requirements}: {error.strerror}") from error
        home = self._home(digest)
        with self._exclusive():
            if not self._is_complete(home, digest):
                self._build(home, requirements, on_line=on_line)
                (home / _MARKER).write_text(digest)
            self._link(home)
        return self.python(digest)

    def _home(self, digest: str) -> Path:
        return self.directory / digest[:12]

    def _is_complete(self, home: Path, digest: str) -> bool:
        marker = home / _MARKER
        return marker.is_file() and marker.read_text() == digest and (home / "bin" / "python").exists()

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """One preparation at a time, also between processes; the lock ends with the process that holds it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with (self.directory / "lock").open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    def _build(self, home: Path, requirements: Path, *, on_line: Callable[[str], None]) -> None:
        # In its final place, since an environment cannot be moved: the marker, written last, makes it whole.
        shutil.rmtree(home, ignore_errors=True)
        try:
            _run([_uv(), "venv", "--quiet", "--python", sys.executable, str(home)], on_line=on_line)
            into = ["--python", str(home / "bin" / "python")]
            options = ["--require-hashes", "--compile-bytecode", "--requirement", str(requirements)]
            _run([_uv(), "pip", "install", *into, *options], on_line=on_line)
        except RuntimeEnvironmentError:
            shutil.rmtree(home, ignore_errors=True)
            raise

    def _link(self, home: Path) -> None:
        fresh = self.directory / f"current.{os.getpid()}"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(home.name)
        fresh.replace(self.directory / "current")


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise RuntimeEnvironmentError("uv is not installed; install requirements-dev.txt first (make setup)")
    return found


def _run(command: list[str], *, on_line: Callable[[str], None]) -> None:
    """Run the installer with its output passed on; its last lines are the message when it fails."""
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    tail: deque[str] = deque(maxlen=_TAIL_LINES)
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            tail.append(line.rstrip())
            on_line(line.rstrip())
    if process.returncode != 0:
        raise RuntimeEnvironmentError(
            f"{' '.join(command[1:3])} failed (exit {process.returncode}); "
            "check that the package index can be reached and that the lock file is up to date:\n  " + "\n  ".join(tail)
        )


def python_version(python: Path) -> str | None:
    """`X.Y` of a prepared environment's interpreter, from its pyvenv.cfg; None if that does not say."""
    try:
        lines = (python.parent.parent / "pyvenv.cfg").read_text().splitlines()
    except OSError:
        return None
    values = {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}
    version = values.get("version_info") or values.get("version")
    return ".".join(version.split(".")[:2]) if version else None
