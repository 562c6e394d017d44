"""`replay`: what an alarm policy would have done in the past."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from drift_monitor.analysis import AnalysisRequest, effective_policy
from drift_monitor.attribution.served_model import read_served_model
from drift_monitor.baseline import PROFILE_FILE, Baseline
from drift_monitor.cli.datasets import given_dataset
from drift_monitor.cli.output import print_table
from drift_monitor.cli.policies import add_policy_options, chosen_policy
from drift_monitor.drift.policy import AlarmPolicy
from drift_monitor.errors import SettingsError
from drift_monitor.files.baseline_folder import read_baseline
from drift_monitor.job.captured_columns import with_captured_columns
from drift_monitor.job.dataset import window_data
from drift_monitor.job.request import WindowRequest, parse_analyses
from drift_monitor.job.settings import DatasetFormat
from drift_monitor.metric_names import ANALYSES
from drift_monitor.monitored_model import MonitoredModel
from drift_monitor.profile.dataset import DatasetProfile
from drift_monitor.replay.backtest import PastWindow, Replay, compare
from drift_monitor.replay.backtest import replay as replay_windows
from drift_monitor.replay.windows import DAY, HOUR, Judging, captured_windows, kept_windows, table_windows
from drift_monitor.report.markup import several
from drift_monitor.results import Subject

_LISTED = 4
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_LENGTH = re.compile(r"([1-9]\d{0,3})([hdw])")


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "replay",
        help="backtest an alarm policy on past windows",
        description="Tells which past windows would have raised an alarm under an alarm policy, how many alarms that "
        "is in a month, and what other policies would have done.",
    )
    parser.add_argument(
        "data",
        type=Path,
        help="results of earlier runs (folders with profile.npz), captured requests (.jsonl), or a table (.csv, "
        ".parquet, .jsonl; needs --time-column)",
    )
    parser.add_argument("--baseline", type=Path, required=True, help="the baseline folder")
    parser.add_argument("--time-column", help="of a table: times, or numbers of which each is a window (model years)")
    parser.add_argument(
        "--every", type=_length, help="length of a window: 1h (default of requests), 1d (of tables), 1w; merges results"
    )
    parser.add_argument("--ground-truth", type=Path, help="folder or file with labels of captured requests (.jsonl)")
    parser.add_argument("--model", type=Path, metavar="FILE", help="model.tar.gz, for attributions")
    parser.add_argument(
        "--analyses",
        default=",".join(ANALYSES),
        metavar="NAMES",
        help="what to look at, separated by commas (default: %(default)s)",
    )
    parser.add_argument("--ignore", action="append", default=[], help="column that is not judged; repeatable")
    add_policy_options(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    model = read_baseline(options.baseline)
    # A window is made of the rows of one time, so that the time itself always differs.
    ignored = {*options.ignore, options.time_column} - {None}
    policy = effective_policy(chosen_policy(options), model)
    past = [replace(one, profile=_without(one.profile, ignored)) for one in _past(options, model, policy)]
    baseline = _judging_only(model.baseline, ignored)
    _print_windows(replay_windows(baseline, past, policy=policy))
    _print_policies(compare(baseline, past, policy=policy))
    return 0


def _past(options: argparse.Namespace, model: MonitoredModel, policy: AlarmPolicy) -> list[PastWindow]:
    path, length, time_column = options.data, options.every, options.time_column
    if not time_column and path.is_dir() and any(path.rglob(PROFILE_FILE)):
        return kept_windows(path, model, length=length)
    dataset, kind = given_dataset(path, options.ground_truth, WindowRequest(policy=policy))
    if kind is DatasetFormat.TABLE and not time_column:
        raise SettingsError(
            f"{path} holds no captured requests and no results; if it is a table, name the column that says to which "
            "window a row belongs (--time-column)"
        )
    model = with_captured_columns(model, dataset.captured)
    data = window_data(dataset, model, kind=kind, window=None, with_labels=bool(dataset.labels))
    judging = Judging(
        model=model,
        request=AnalysisRequest(
            subject=Subject(monitor="replay"), analyses=parse_analyses(options.analyses), policy=policy
        ),
        served=read_served_model(options.model) if options.model else None,
    )
    if kind is DatasetFormat.TABLE:
        return table_windows(data, judging, time_column=time_column, length=length or DAY, source=path)
    return captured_windows(data, judging, length=length or HOUR, source=path)


def _judging_only(baseline: Baseline, ignored: set[str]) -> Baseline:
    """The baseline without the columns that are not judged."""
    constraints = baseline.constraints
    columns = tuple(column for column in constraints.columns if column.feature not in ignored)
    return replace(
        baseline, profile=_without(baseline.profile, ignored), constraints=replace(constraints, columns=columns)
    )


def _without(profile: DatasetProfile, ignored: set[str]) -> DatasetProfile:
    columns = {name: column for name, column in profile.columns.items() if name not in ignored}
    return replace(profile, columns=columns, extra=profile.extra - ignored)


def _print_windows(result: Replay) -> None:
    rows = [
        (window.name, f"{window.rows:,}", window.judged, _listed(window.stood_out), _listed(window.alarms))
        for window in result.windows
        if window.rows
    ]
    print_table(("window", "rows", "judged", "stands out", "alarm"), rows)
    empty = len(result.windows) - len(rows)
    without = f" ({empty} of them without rows)" if empty else ""
    print(f"\n{several(len(result.windows), 'window')}{without}, {result.alarms} with an alarm{_rate(result)}")


def _print_policies(variants: Sequence[Sequence[Replay]]) -> None:
    print("\nwindows with an alarm, by the least distance that counts:")
    head = ["", *(f"{one.policy.effect_floor:g}" for one in variants[0])]
    rows = [[_name(row[0]), *(f"{one.alarms}{_rate(one)}" for one in row)] for row in variants]
    print_table(head, rows)


def _name(result: Replay) -> str:
    return f"{result.policy.windows_to_alarm} of {several(result.policy.windows, 'window')}"


def _listed(names: tuple[str, ...]) -> str:
    more = [f"{len(names) - _LISTED} more"] if len(names) > _LISTED else []
    return ", ".join([*names[:_LISTED], *more])


def _rate(result: Replay) -> str:
    return "" if result.per_month is None else f" ({result.per_month:.1f} a month)"


def _length(text: str) -> timedelta:
    match = _LENGTH.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no length such as 1h, 1d or 1w")
    return int(match[1]) * _UNITS[match[2]]
