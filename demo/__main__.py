"""`python -m demo`: the whole loop on this machine, from an empty folder to a bad model that was sent back."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from demo.errors import DemoError
from demo.interrupts import interrupt_once

if TYPE_CHECKING:
    from demo.loop import Loop

ROOT = Path(__file__).resolve().parent.parent


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="Deploy to a local cloud through the real CDK CLI, train on the first model years of the car "
        "catalogue, release the model, a newer one by canary under load, and a bad one that is rolled back. "
        "No account, no Docker, no network.",
    )
    parser.add_argument("--keep-running", action="store_true", help="leave the local cloud up to play with")
    parser.add_argument("--years", default="2001-2012", help="model years of the first delivery (default %(default)s)")
    parser.add_argument(
        "--until",
        choices=("approval", "production", "end"),
        default="end",
        help="end when a model waits for approval, when it is live in production, or with the last act "
        "(default %(default)s)",
    )
    parser.add_argument("--stage", default="dev", help="stage to deploy (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port of the local cloud (default: any free one)")
    parser.add_argument("--state-dir", type=Path, help="folder for all that it writes")
    return parser.parse_args()


def main() -> int:
    """Run the loop; 0 when all went as it should, 130 after Ctrl-C, 1 with one line of reason otherwise."""
    arguments = _arguments()
    interrupt_once()
    try:
        # Imported here: what this imports takes a moment, and Ctrl-C may come in that moment, too.
        from demo.loop import Loop
        from demo.story import Until

        folder = arguments.state_dir or ROOT / (".local-cloud" if arguments.keep_running else ".local-cloud-demo")
        loop = Loop(
            years=arguments.years,
            stage=arguments.stage,
            port=arguments.port,
            state_directory=folder.absolute(),
            keep_running=arguments.keep_running,
            until=Until(arguments.until),
        )
        return _run(loop)
    except KeyboardInterrupt:
        print("nothing was started", file=sys.stderr)
        return 130


def _run(loop: "Loop") -> int:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        loop.run()
    except KeyboardInterrupt:
        left = "is still up" if loop.found_running else "is stopped and its files are removed"
        print(f"the local cloud {left}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read the output (`| head`) has seen enough; Python must not try to write the rest at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (DemoError, OSError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
