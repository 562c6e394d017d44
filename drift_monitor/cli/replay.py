"""`replay`: what an alarm policy would have done in the past."""

import argparse
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from drift_monitor.analysis import effective_policy
from drift_monitor.baseline import PROFILE_FILE
from drift_monitor.cli.output import print_table
from drift_monitor.cli.policies import add_policy_options, chosen_policy
from drift_monitor.files.baseline_folder import read_baseline
from drift_monitor.monitored_model import MonitoredModel
from drift_monitor.profile.dataset import DatasetProfile
from drift_monitor.replay.backtest import PastWindow, Replay, compare
from drift_monitor.replay.backtest import replay as replay_windows
from drift_monitor.replay.windows import DAY, HOUR, captured_windows, kept_windows, table_windows
from drift_monitor.report.markup import several

_LISTED = 4
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_LENGTH = re.compile(r"([1-9]\d*)([hdw])")


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "replay",
        help="backtest an alarm policy on past windows",
        description="Tells which past windows an alarm policy would have raised an alarm for, how many alarms that is "
        "in a month, and what other policies would have done.",
    )
    parser.add_argument(
        "data",
        type=Path,
        help="results of earlier runs (folders with profile.npz), captured requests (.jsonl), or a CSV or Parquet file",
    )
    parser.add_argument("--baseline", type=Path, required=True, help="the baseline folder")
    parser.add_argument("--time-column", help="of a table: times, or numbers of which each is a window (model years)")
    parser.add_argument("--every", type=_length, help="length of a window: 1h, 1d, 1w; merges earlier runs")
    parser.add_argument("--ignore", action="append", default=[], help="column that is not judged; repeatable")
    add_policy_options(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    model = read_baseline(options.baseline)
    # A window is made of the rows of one time, so that the time itself always differs.
    ignored = {*options.ignore, options.time_column}
    baseline = _without(model.baseline.profile, ignored)
    past = [
        PastWindow(name=one.name, window=one.window, profile=_without(one.profile, ignored))
        for one in _past(options, model)
    ]
    policy = effective_policy(chosen_policy(options), model)
    _print_windows(replay_windows(baseline, past, policy=policy))
    _print_policies(compare(baseline, past, policy=policy))
    return 0


def _past(options: argparse.Namespace, model: MonitoredModel) -> list[PastWindow]:
    path, length = options.data, options.every
    if options.time_column:
        return table_windows(path, model, time_column=options.time_column, length=length or DAY)
    if path.is_dir() and any(path.rglob(PROFILE_FILE)):
        return kept_windows(path, model, length=length)
    return captured_windows(path, model, length=length or HOUR)


def _without(profile: DatasetProfile, ignored: set[str | None]) -> DatasetProfile:
    columns = {name: column for name, column in profile.columns.items() if name not in ignored}
    return replace(profile, columns=columns)


def _print_windows(result: Replay) -> None:
    rows = [
        (window.name, f"{window.rows:,}", window.judged, _listed(window.stood_out), _listed(window.alarms))
        for window in result.windows
    ]
    print_table(("window", "rows", "judged", "stands out", "alarm"), rows)
    print(f"\n{several(len(result.windows), 'window')}, {result.alarms} with an alarm{_rate(result)}")


def _print_policies(variants: list[list[Replay]]) -> None:
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
