"""`import`: the files of an existing Model Monitor customer as a baseline folder."""

import argparse
from pathlib import Path

from drift_monitor.errors import BaselineError, SettingsError
from drift_monitor.files.baseline_folder import read_baseline_files, renamed_outputs, write_baseline


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "import",
        help="make a baseline folder of Model Monitor's files",
        description="Makes a baseline folder of statistics.json and constraints.json that Model Monitor wrote.",
    )
    parser.add_argument("statistics", type=Path, help="statistics.json")
    parser.add_argument("constraints", type=Path, nargs="?", help="constraints.json; default: what the statistics meet")
    parser.add_argument("--output", type=Path, required=True, help="the baseline folder to write")
    parser.add_argument("--outputs", nargs="*", default=[], help="features that the model answers with")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if options.constraints and not options.constraints.is_file():
        raise BaselineError(f"{options.constraints} does not exist; without it constraints are made of the statistics")
    model = read_baseline_files(options.statistics, options.constraints)
    names = [column.name for column in model.baseline.schema.columns]
    unknown = sorted(set(options.outputs) - set(names))
    if unknown:
        raise SettingsError(f"{options.statistics} has no feature {', '.join(unknown)}; it has {', '.join(names)}")
    model = renamed_outputs(model, tuple(options.outputs))
    write_baseline(options.output, model)
    profile = model.baseline.profile
    print(f"{len(profile.columns)} columns of {profile.rows:,} rows, written to {options.output}")
    return 0
