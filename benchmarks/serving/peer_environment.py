"""What the peer runs in: a Python environment of its own, and nginx in front."""

import shutil
from pathlib import Path

from benchmarks.environments import environment_python
from benchmarks.measure import BenchmarkError

_REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def peer_python() -> Path:
    """Python with the peer's packages, below .cache/; raises BenchmarkError if they cannot be installed."""
    return environment_python("serving", _REQUIREMENTS)


def nginx() -> str:
    """The nginx command; raises BenchmarkError saying where to get it."""
    # Debian has it where an ordinary user's PATH does not lead.
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise BenchmarkError(
            "nginx is missing: SageMaker's own stack has it in front. On Debian: apt-get install nginx"
        )
    return found
