"""All commands, and how they end: with 0, with 1 and a sentence, or with argparse's 2."""

import argparse
import sys
from collections.abc import Sequence

from drift_monitor.cli import analyze, baseline, import_files, replay
from drift_monitor.errors import MonitorError


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m drift_monitor",
        description="Compares what a model is asked, and how good its answers are, with what it was approved on.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (baseline, analyze, replay, import_files):
        module.add_command(commands)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
    except MonitorError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # of writing: what cannot be read is a MonitorError
        print(f"error: {error.filename} cannot be written ({error.strerror}); name another place", file=sys.stderr)
        return 1
    return status
