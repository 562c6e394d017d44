"""Synth against its floor: importing aws_cdk and synthesizing an empty app, in the same run."""

import sys
import tempfile
from collections.abc import Sequence

from benchmarks.measure import Usage, measure, median_of
from benchmarks.report import Figure
from scripts.cdk import environment

_EMPTY_APP = "import aws_cdk; aws_cdk.App().synth()"
_RUNS = 3


def _synth(*command: str) -> Usage:
    with tempfile.TemporaryDirectory() as folder:
        return measure([sys.executable, *command], environment=environment() | {"CDK_OUTDIR": folder})


def run() -> Sequence[Figure]:
    """One figure: CPU-seconds of `python app.py` with the compiled definition in its cache, median of three."""
    _synth("app.py")
    floor = median_of(_RUNS, lambda: _synth("-c", _EMPTY_APP))
    ours = median_of(_RUNS, lambda: _synth("app.py"))
    cold = _compile_cold()
    return (
        Figure(
            "synth (python app.py)",
            f"{ours.cpu:.1f} CPU-s, {ours.wall:.1f} s",
            f"empty app: {floor.cpu:.1f} CPU-s, {floor.wall:.1f} s",
            f"{ours.cpu / floor.cpu:.1f}x",
        ),
        Figure("pipeline definition by the SDK, not cached", f"{cold.cpu:.1f} CPU-s, {cold.wall:.1f} s"),
    )


def _compile_cold() -> Usage:
    with tempfile.TemporaryDirectory() as folder:
        compile_anew = (
            "import pathlib, sys; from sagemaker_pipelines.compile import compiled_definition; "
            "compiled_definition('car_prices', cache=pathlib.Path(sys.argv[1]))"
        )
        return measure([sys.executable, "-c", compile_anew, folder], environment=environment())
