"""`python -m releases`: release a version, roll back, see what a release does, read the book, evaluate a version.

boto3 alone, so it works against AWS and against any endpoint that AWS_ENDPOINT_URL names. It decides nothing that the
release's functions decide: a version without evidence is refused here as there.
"""

import argparse
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from releases.commands import Commands
from releases.errors import ReleasesError
from releases.names import find_names

# Against AWS a release takes many minutes, and an account has a few calls per second.
POLL_SECONDS = 5.0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    main_parser = argparse.ArgumentParser(prog="python -m releases", description="Release models, and roll back.")
    main_parser.add_argument("--stage", default="dev", help="stage whose stacks to use (default %(default)s)")
    main_parser.add_argument("--project", help="project, if the stage has several (such as car_prices)")
    main_parser.add_argument(
        "--poll", type=float, default=POLL_SECONDS, metavar="SECONDS", help="time between two looks"
    )
    verbs = main_parser.add_subparsers(dest="verb", required=True)
    start = verbs.add_parser("start", help="release a version that is approved, or approve it with --approve")
    start.add_argument("--version", type=int, required=True, metavar="N")
    start.add_argument("--reason", default="started by hand", help="goes into the release record")
    start.add_argument("--approve", action="store_true", help="approve the version first, in your name")
    start.add_argument("--watch", action="store_true", help="follow the release to its end")
    rollback = verbs.add_parser("rollback", help="release the last good version again")
    rollback.add_argument("--to", type=int, metavar="N", help="version to go back to (default: the last good one)")
    rollback.add_argument("--reason", default="by hand", help="goes into the release record")
    rollback.add_argument("--watch", action="store_true", help="follow the release to its end")
    status = verbs.add_parser("status", help="what is live, what is being released, what waits for a person")
    status.add_argument("--watch", action="store_true", help="follow the newest release to its end")
    status.add_argument("--execution", metavar="ID", help="follow this one instead (with --watch)")
    history = verbs.add_parser("history", help="the release records, the newest first")
    history.add_argument("--limit", type=int, default=20, metavar="N", help="at most so many (default %(default)s)")
    evaluate = verbs.add_parser("evaluate", help="judge a version that was registered by hand; attaches the evidence")
    which = evaluate.add_mutually_exclusive_group(required=True)
    which.add_argument("--version", type=int, metavar="N")
    which.add_argument("--package", metavar="ARN")
    return main_parser


def main(argv: list[str] | None = None) -> int:
    """Exit status 0 if all is well, 1 if the release failed or was refused, 130 after Ctrl-C."""
    arguments = parser().parse_args(argv)
    try:
        commands = Commands(
            names=find_names(boto3.client("cloudformation"), stage=arguments.stage, project=arguments.project),
            client=boto3.client,
            show=lambda line: print(line, flush=True),
            poll_seconds=arguments.poll,
        )
        run = {
            "start": commands.start,
            "rollback": commands.rollback,
            "status": commands.status,
            "history": commands.history,
            "evaluate": commands.evaluate,
        }[arguments.verb]
        return 0 if run(arguments) else 1
    except (ReleasesError, BotoCoreError, ClientError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nno longer following; what was started goes on", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
