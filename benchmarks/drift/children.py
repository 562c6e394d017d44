"""Measured processes: what they answer, and what they cost from their start to their end."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.environments import environment_python
from benchmarks.measure import ROOT, BenchmarkError, measure
from demo.commands import clean_environment

_REQUIREMENTS = Path(__file__).with_name("requirements.txt")


@dataclass(frozen=True)
class Measured:
    """CPU-seconds of the whole process, of its imports (start of Python included), and its peak memory."""

    cpu: float
    import_cpu: float
    peak_mb: float
    rows: int
    answer: dict[str, Any]

    @property
    def rows_per_cpu_second(self) -> float:
        """Everything that the process did counts, its imports too."""
        return self.rows / self.cpu


def ours(*arguments: str, runs: int = 1) -> Measured:
    """Run benchmarks.drift.ours in the runtime image's environment."""
    return _best(ROOT / ".runtime" / "current" / "bin" / "python", "ours", arguments, runs)


def peer(module: str, *arguments: str, runs: int = 1) -> Measured:
    """Run a peer's module in the peers' environment."""
    return _best(environment_python("drift", _REQUIREMENTS), module, arguments, runs)


def _best(python: Path, module: str, arguments: tuple[str, ...], runs: int) -> Measured:
    """The cheapest of several runs: what else the machine does only ever adds to the cost."""
    return min((_once(python, module, arguments) for _ in range(runs)), key=lambda measured: measured.cpu)


def _once(python: Path, module: str, arguments: tuple[str, ...]) -> Measured:
    command = [str(python), "-m", f"benchmarks.drift.{module}", *arguments]
    usage = measure(command, environment=clean_environment({"PYTHONPATH": str(ROOT), "DO_NOT_TRACK": "1"}))
    try:
        answer: dict[str, Any] = json.loads(usage.output.splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise BenchmarkError(f"{' '.join(command)} did not end with a line of JSON:\n{usage.output}") from error
    return Measured(
        cpu=usage.cpu,
        import_cpu=answer.pop("import_cpu"),
        peak_mb=answer.pop("peak_mb"),
        rows=answer.pop("rows"),
        answer=answer,
    )
