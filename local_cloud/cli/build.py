"""deploy and image-environment: what the local cloud is given to run."""

import argparse
import functools
import sys
from typing import Any

from local_cloud.assembly import Deployment, deploy_assembly
from local_cloud.cli.control import aws_client, running_server
from local_cloud.cli.variables import ACCOUNT, REGION
from local_cloud.image_registry import publisher
from local_cloud.images import ImageStore
from local_cloud.runtime_environments import RuntimeEnvironments, default_directory
from local_cloud.state import StateDirectory


def deploy(options: argparse.Namespace) -> int:
    """Deploy all stacks of a cloud assembly; print their outputs."""
    state = StateDirectory(options.state_dir)
    server = running_server(state)

    @functools.cache
    def client(service: str) -> Any:
        return aws_client(server, service)

    publish = publisher(ImageStore(state.path / "images"), client, account=ACCOUNT, region=REGION)
    deployment = Deployment(account=ACCOUNT, region=REGION, client=client, publish_image=publish, progress=_say)
    for stack, values in deploy_assembly(options.app, deployment).items():
        for key, value in sorted(values.items()):
            print(f"{stack}.{key} = {value}")
    return 0


def image_environment(options: argparse.Namespace) -> int:
    """Prepare the environment of an image's lock file; print its interpreter."""
    environments = RuntimeEnvironments(default_directory())
    python = environments.prepare(options.requirements, on_line=_say)
    print(python)
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
