"""The command line: what there is to say to the local cloud, and how its answers end.

Every error is one line on standard error that says what to do; exit status 1 for a failure, 2 for a wrong use, 130
after Ctrl-C or SIGTERM. Standard output is for what other programs read.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from local_cloud.errors import LocalCloudError
from local_cloud.state import DEFAULT_DIRECTORY, DIRECTORY_VARIABLE

DEFAULT_PORT = 5055
_EPILOG = """\
typical use:
  eval "$(python -m local_cloud up)"      start it; this shell's AWS tools now speak to it
  cdk bootstrap && cdk deploy --all       the same commands as for AWS
  python -m local_cloud status            what there is, and what runs
  python -m local_cloud down              stop it; nothing stays behind
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; the exit status."""
    options = build_parser().parse_args(arguments)
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return _load(options.target)(options)
    except (LocalCloudError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(f"error: the local cloud answered: {error}; see: python -m local_cloud logs", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def build_parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    parser = argparse.ArgumentParser(
        prog="python -m local_cloud",
        description="AWS on this machine: one process on 127.0.0.1 that answers as AWS does. No account, no Docker.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _add_server_commands(commands)
    _add_viewing_commands(commands)
    _add_building_commands(commands)
    return parser


def _add_server_commands(commands: Any) -> None:
    up = _add(commands, "up", "local_cloud.cli.lifecycle:up", "start it and print the variables that lead to it")
    up.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help="port on 127.0.0.1; 0 for any free one (default %(default)s)"
    )
    up.add_argument("--foreground", action="store_true", help="stay in this terminal until Ctrl-C")
    up.add_argument("--wait-scale", type=float, help="factor on AWS's waiting times, e.g. 1 for the real ones")
    _add(commands, "env", "local_cloud.cli.lifecycle:env", "print those variables again, for eval")
    _add(commands, "reset", "local_cloud.cli.lifecycle:reset", "stop what runs and forget all resources")
    _add(commands, "down", "local_cloud.cli.lifecycle:down", "stop it")


def _add_viewing_commands(commands: Any) -> None:
    status = _add(commands, "status", "local_cloud.cli.show:status", "stacks, pipeline executions, jobs, deliveries")
    status.add_argument("--json", action="store_true", help="for programs")
    logs = _add(commands, "logs", "local_cloud.cli.show:logs", "the server's log, or a CloudWatch log group")
    logs.add_argument("log_group", nargs="?", help="e.g. /aws/lambda/NAME; without it, the server's own log")
    logs.add_argument("--follow", "-f", action="store_true", help="go on until Ctrl-C")
    logs.add_argument("--since", type=_age, help="only events younger than e.g. 10m (log groups only)")


def _add_building_commands(commands: Any) -> None:
    deploy = _add(
        commands, "deploy", "local_cloud.cli.build:deploy", "deploy a cdk.out without the CDK CLI (about a second)"
    )
    deploy.add_argument("--app", type=Path, default=Path("cdk.out"), help="folder of `cdk synth` (default %(default)s)")
    image = _add(
        commands,
        "image-environment",
        "local_cloud.cli.build:image_environment",
        "prepare the Python environment that stands in for an image (needs the package index)",
    )
    image.add_argument("requirements", type=Path, help="the image's lock file, with hashes")
    coverage = _add(
        commands, "coverage", "local_cloud.coverage:command", "what is emulated, as a page generated from the code"
    )
    target = coverage.add_mutually_exclusive_group()
    target.add_argument("--write", type=Path, metavar="FILE", help="write the page to FILE")
    target.add_argument("--check", type=Path, metavar="FILE", help="exit with 1 if FILE is not that page")


def _add(commands: Any, name: str, target: str, text: str) -> argparse.ArgumentParser:
    """A command whose module is imported when it is used: `--help` must not wait for boto3."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=Path(os.environ.get(DIRECTORY_VARIABLE) or DEFAULT_DIRECTORY),
        help=f"folder for its log, images and job files (default ${DIRECTORY_VARIABLE} or {DEFAULT_DIRECTORY})",
    )
    parser.set_defaults(target=target)
    return parser


def _load(target: str) -> Callable[[argparse.Namespace], int]:
    import importlib

    module, _, name = target.partition(":")
    function: Callable[[argparse.Namespace], int] = getattr(importlib.import_module(module), name)
    return function


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port (0 to 65535)")
    return int(text)


def _age(text: str) -> float:
    from local_cloud.cli.show import parse_age

    return parse_age(text)
