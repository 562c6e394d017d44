"""Python environments of the peers that we are compared with: one for each list of requirements, made once."""

import hashlib
import sys
from pathlib import Path

from benchmarks.measure import ROOT, measure
from demo.commands import clean_environment

CACHE = ROOT / ".cache" / "benchmarks"


def environment_python(name: str, requirements: Path) -> Path:
    """Python with the packages of a requirements file, below .cache/; raises BenchmarkError if they cannot be
    installed. They are compiled, so that no measurement pays for that."""
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    home = CACHE / f"{name}-{digest}"
    python = home / "bin" / "python"
    complete = home / "complete"
    if not complete.exists():
        uv = str(Path(sys.executable).with_name("uv"))
        variables = clean_environment()
        measure([uv, "venv", "--quiet", "--clear", str(home)], environment=variables)
        install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python)]
        measure([*install, "--requirement", str(requirements)], environment=variables)
        complete.touch()
    return python
