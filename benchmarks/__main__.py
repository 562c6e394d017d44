"""`python -m benchmarks`: what this project promises to be fast, measured beside its floor in the same run."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import deploy, pipeline, synth
from benchmarks.cloud import local_cloud
from benchmarks.measure import BenchmarkError, measure
from benchmarks.report import Figure, table
from demo.aws import stack_outputs
from demo.errors import DemoError
from scripts.cdk import command, environment

_PARTS = ("synth", "deploy", "pipeline")
_YEARS = "2001-2012"


def _measure(parts: set[str], folder: Path) -> Iterator[Figure]:
    if "synth" in parts:
        yield from synth.run()
    if not parts & {"deploy", "pipeline"}:
        return
    assembly = folder / "cdk.out"
    measure(command("synth", "--quiet", "--output", str(assembly)), environment=environment())
    with local_cloud(folder) as cloud:
        if "deploy" in parts:
            yield from deploy.by_the_cli(assembly, cloud)
        yield deploy.through_the_api(assembly, cloud)
        if "pipeline" in parts:
            interpreter = Path(".runtime/current/bin/python").absolute()
            batch = pipeline.make_batch(folder, _YEARS)
            yield pipeline.compare(cloud, stack_outputs(cloud), python=interpreter, batch=batch)


def main() -> int:
    """Print one Markdown table; 1 with the reason if a measured command failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=_PARTS, help="measure this part only (may be repeated)")
    parts = set(parser.parse_args().only or _PARTS)
    figures = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            for figure in _measure(parts, Path(folder)):
                print(f"measured: {figure.what}: {figure.ours}", file=sys.stderr, flush=True)
                figures.append(figure)
    except (BenchmarkError, DemoError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
