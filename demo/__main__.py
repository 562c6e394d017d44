"""`python -m demo`: the whole loop on this machine, from an empty folder to a model that waits for approval."""

import argparse
import signal
import sys
from pathlib import Path
from typing import Any

from demo.errors import DemoError
from demo.loop import Loop

DEFAULT_PORT = 5055


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="Deploy to a local cloud through the real CDK CLI, load the first model years of the car "
        "catalogue, train, and stop at the person's decision. No account, no Docker, no network.",
    )
    parser.add_argument("--keep-running", action="store_true", help="leave the local cloud up to play with")
    parser.add_argument("--years", default="2001-2012", help="model years of the first delivery (default %(default)s)")
    parser.add_argument("--stage", default="dev", help="stage to deploy (default %(default)s)")
    parser.add_argument("--port", type=int, help=f"port of the local cloud (default: {DEFAULT_PORT} or a free one)")
    parser.add_argument("--state-dir", type=Path, help="folder of the local cloud's files")
    parser.add_argument("--app", type=Path, default=Path("cdk.out"), help="folder for the templates (default cdk.out)")
    return parser.parse_args()


def main() -> int:
    """Run the loop; 0 when a model waits for approval, 130 after Ctrl-C, 1 with one line of reason otherwise."""
    arguments = _arguments()

    def interrupt(_signal: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    loop = Loop(
        years=arguments.years,
        stage=arguments.stage,
        assembly=arguments.app,
        port=arguments.port if arguments.port is not None else (DEFAULT_PORT if arguments.keep_running else 0),
        state_directory=arguments.state_dir or Path(".local-cloud" if arguments.keep_running else ".local-cloud-demo"),
        keep_running=arguments.keep_running,
    )
    try:
        loop.run()
    except KeyboardInterrupt:
        print("\ninterrupted: the local cloud is stopped and its files are removed", file=sys.stderr)
        return 130
    except DemoError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
