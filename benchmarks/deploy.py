"""Deploying to the local cloud: by the CDK CLI from a ready cdk.out, and through the API after a reset."""

import functools
import statistics
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import elapsed, measure
from benchmarks.report import Figure
from demo.aws import client
from local_cloud.assembly import Deployment, deploy_assembly
from local_cloud.image_registry import publisher
from local_cloud.images import ImageStore
from scripts.cdk import command, environment

_RUNS = 5
_ACCOUNT, _REGION = "123456789012", "us-east-1"


def by_the_cli(assembly: Path, cloud: Mapping[str, str]) -> Sequence[Figure]:
    """Bootstrap, deploy, deploy again, diff, destroy and deploy anew: wall-clock seconds of each command."""
    variables = environment() | dict(cloud)

    def cdk(*arguments: str) -> str:
        return f"{measure(command(*arguments, '--app', str(assembly)), environment=variables).wall:.1f} s"

    deploy = ("deploy", "--all", "--require-approval", "never")
    bootstrap = measure(command("bootstrap", f"aws://{_ACCOUNT}/{_REGION}"), environment=variables, folder=assembly)
    return (
        Figure("cdk bootstrap", f"{bootstrap.wall:.1f} s"),
        Figure("cdk deploy --all from a ready cdk.out", cdk(*deploy), asked="<= 10 s"),
        Figure("cdk deploy --all, nothing changed", cdk(*deploy)),
        Figure("cdk diff afterwards", cdk("diff", "--fail"), asked="no differences"),
        Figure("cdk destroy --all", cdk("destroy", "--all", "--force")),
        Figure("cdk deploy --all anew, beside what was retained", cdk(*deploy)),
    )


def through_the_api(assembly: Path, cloud: Mapping[str, str]) -> Figure:
    """The path of the test suite: the median of five deploys, each after a reset."""
    deployment = _deployment(cloud)
    times = []
    for _ in range(_RUNS + 1):
        reset = urllib.request.Request(f"{cloud['AWS_ENDPOINT_URL']}/moto-api/reset", method="POST")  # noqa: S310
        urllib.request.urlopen(reset, timeout=60).read()  # noqa: S310
        times.append(elapsed(lambda: deploy_assembly(assembly, deployment)))
    return Figure("deploy through the API after a reset", f"{statistics.median(times[1:]):.2f} s", asked="<= 1.5 s")


def _deployment(cloud: Mapping[str, str]) -> Deployment:
    """Where to deploy, with clients that are made once: making them is no part of a deploy."""
    store = ImageStore(Path(cloud["LOCAL_CLOUD_STATE_DIR"]) / "images")

    @functools.cache
    def cached(service: str) -> Any:
        return client(service, cloud)

    publish = publisher(store, cached, account=_ACCOUNT, region=_REGION)
    return Deployment(account=_ACCOUNT, region=_REGION, client=cached, publish_image=publish)
