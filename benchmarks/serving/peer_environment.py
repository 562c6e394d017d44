"""The peer's Python environment, in a folder of its own that is made once."""

import hashlib
import shutil
import sys
from pathlib import Path

from benchmarks.measure import ROOT, BenchmarkError, measure
from demo.commands import clean_environment

_REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def peer_python() -> Path:
    """Python with the peer's packages, below .cache/; raises BenchmarkError if they cannot be installed."""
    digest = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()[:12]
    home = ROOT / ".cache" / "benchmarks" / f"serving-{digest}"
    python = home / "bin" / "python"
    complete = home / "complete"
    if not complete.exists():
        uv = str(Path(sys.executable).with_name("uv"))
        variables = clean_environment()
        measure([uv, "venv", "--quiet", "--clear", str(home)], environment=variables)
        install = [uv, "pip", "install", "--quiet", "--python", str(python), "--requirement", str(_REQUIREMENTS)]
        measure(install, environment=variables)
        complete.touch()
    return python


def nginx() -> str:
    """The nginx command; raises BenchmarkError saying where to get it."""
    # Debian has it where an ordinary user's PATH does not lead.
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise BenchmarkError(
            "nginx is missing: SageMaker's own stack has it in front. On Debian: apt-get install nginx"
        )
    return found
