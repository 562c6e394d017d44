"""The stand-in for `docker` that the CDK CLI calls to build and push image assets (its CDK_DOCKER variable).

`python -m local_cloud.docker COMMAND ...` knows what the CLI uses: login, inspect, build, tag, push; and images, rmi
for people. It runs no container and speaks to no registry but the local cloud's ECR. Where images are kept is told
by LOCAL_CLOUD_STATE_DIR; `write_executable` makes the one file that CDK_DOCKER can name.
"""

import argparse
import os
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.atomic_files import write_atomically
from local_cloud.errors import LocalCloudError
from local_cloud.image_registry import record_image
from local_cloud.images import ImageStore, LocalImage, image_digest
from local_cloud.runtime_environments import DIRECTORY_VARIABLE, default_directory, python_version

STATE_VARIABLE = "LOCAL_CLOUD_STATE_DIR"
_REGISTRY = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([^:@]+):([\w.-]+)")
_SHOWN_ID_LENGTH = 12


class DockerError(LocalCloudError):
    """A docker command that the stand-in refuses or that failed."""


class _Parser(argparse.ArgumentParser):
    """Refuses by name what it does not know, instead of printing a usage that nobody asked for."""

    def error(self, message: str) -> NoReturn:
        raise DockerError(f"the local cloud's stand-in for docker cannot do this: {message}")


def write_executable(state_directory: Path) -> Path:
    """The executable for CDK_DOCKER, which keeps its images in `state_directory`."""
    path = state_directory.absolute() / "docker"
    variables = {
        STATE_VARIABLE: str(path.parent),
        DIRECTORY_VARIABLE: str(default_directory()),
        "PYTHONPATH": str(Path(__file__).resolve().parent.parent),
    }
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    # -P: the working folder is a build context, whose files must not shadow any module.
    text = f'#!/bin/sh\n{exports}exec {shlex.quote(sys.executable)} -P -m local_cloud.docker "$@"\n'
    write_atomically(path, text, mode=0o755)
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one docker command; the exit status."""
    try:
        options = _parser().parse_args(arguments)
        return int(options.run(options))
    except LocalCloudError as error:
        print(f"error: {error}", file=sys.stderr)
    except (ClientError, BotoCoreError) as error:
        print(f"error: the local cloud's ECR did not take the image: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="docker", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Parser)

    login = commands.add_parser("login", help="accepted; there is nothing to log in to")
    login.add_argument("--username", "-u")
    login.add_argument("--password-stdin", action="store_true")
    login.add_argument("server", nargs="?")
    login.set_defaults(run=_login)

    inspect = commands.add_parser("inspect", help="exit status 0 if the image exists")
    inspect.add_argument("name")
    inspect.set_defaults(run=_inspect)

    _add_build(commands)

    tag = commands.add_parser("tag", help="give an image a further name")
    tag.add_argument("source")
    tag.add_argument("target")
    tag.set_defaults(run=_tag)

    push = commands.add_parser("push", help="record an image in the local cloud's ECR")
    push.add_argument("name")
    push.set_defaults(run=_push)

    remove = commands.add_parser("rmi", help="take a name away")
    remove.add_argument("names", nargs="+")
    remove.set_defaults(run=_remove)

    commands.add_parser("images", help="list names and ids").set_defaults(run=_list)
    return parser


def _add_build(commands: Any) -> None:
    build = commands.add_parser("build", help="lay out what the Dockerfile copies", allow_abbrev=False)
    build.add_argument("--tag", "-t", action="append", required=True)
    build.add_argument("--file", "-f", default="Dockerfile")
    build.add_argument("--build-arg", action="append", default=[])
    build.add_argument("--platform")
    # Without effect where nothing is downloaded, run or exported:
    for name in ("--network", "--output", "--cache-from", "--cache-to", "--provenance"):
        build.add_argument(name, action="append", help=argparse.SUPPRESS)
    build.add_argument("--no-cache", action="store_true", help=argparse.SUPPRESS)
    build.add_argument("context")
    build.set_defaults(run=_build)


def _store() -> ImageStore:
    directory = os.environ.get(STATE_VARIABLE)
    if not directory:
        raise DockerError(f"{STATE_VARIABLE} is not set; use the CDK_DOCKER that `python -m local_cloud env` prints")
    return ImageStore(Path(directory) / "images")


def _existing(store: ImageStore, name: str) -> LocalImage:
    image = store.find(name)
    if image is None:
        raise DockerError(f"no such image: {name}")
    return image


def _login(options: argparse.Namespace) -> int:
    if options.password_stdin:
        sys.stdin.read()
    print("Login Succeeded")
    return 0


def _inspect(options: argparse.Namespace) -> int:
    image = _existing(_store(), options.name)
    print(f'[{{"Id": "sha256:{image.id}"}}]')
    return 0


def _build(options: argparse.Namespace) -> int:
    pairs = [text.partition("=") for text in options.build_arg]
    build_arguments = {name: value if given else os.environ.get(name, "") for name, given, value in pairs}
    store = _store()
    context = Path(options.context)
    image = store.add(options.tag[0], context, options.file, build_arguments=build_arguments)
    for name in options.tag[1:]:
        store.tag(image.id, name)
    store.ready(image)
    _compare_python(image)
    print(f"built {image.id[:_SHOWN_ID_LENGTH]} from {context.resolve() / options.file}; it runs {image.python}")
    return 0


def _compare_python(image: LocalImage) -> None:
    """Say so when the image's Python is another than that of the environment standing in for it."""
    wanted = re.search(r"(?:^|/)python:(\d+\.\d+)", image.base)
    prepared = python_version(image.python)
    if wanted and prepared and wanted[1] != prepared:
        print(
            f"warning: the image is based on {image.base}, its environment here has Python {prepared}", file=sys.stderr
        )


def _tag(options: argparse.Namespace) -> int:
    store = _store()
    store.tag(_existing(store, options.source).id, options.target)
    return 0


def _push(options: argparse.Namespace) -> int:
    image = _existing(_store(), options.name)
    match = _REGISTRY.fullmatch(options.name)
    if match is None:
        raise DockerError(f"{options.name} is not the name of an image in an ECR repository")
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        raise DockerError('AWS_ENDPOINT_URL is not set; run: eval "$(python -m local_cloud env)"')
    account, region, repository, tag = match.groups()
    ecr = boto3.client("ecr", region_name=region, endpoint_url=endpoint)
    recorded = record_image(ecr, image, account=account, repository=repository, tag=tag)
    print(f"{tag}: {'digest: ' + image_digest(image.id) if recorded else 'already there'}")
    return 0


def _remove(options: argparse.Namespace) -> int:
    store = _store()
    for name in options.names:
        if not store.untag(name):
            raise DockerError(f"no such image: {name}")
        print(f"Untagged: {name}")
    return 0


def _list(_: argparse.Namespace) -> int:
    for name, image_id in _store().tags().items():
        print(f"{image_id[:_SHOWN_ID_LENGTH]}  {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
