"""`analyze`: one window against a baseline folder, as the job does it."""

import argparse
from pathlib import Path

from drift_monitor.analysis import AnalysedWindow, AnalysisRequest, analyse_window
from drift_monitor.attribution.served_model import read_served_model
from drift_monitor.cli.datasets import given_dataset
from drift_monitor.cli.output import print_table
from drift_monitor.cli.policies import add_policy_options, chosen_policy
from drift_monitor.errors import SettingsError
from drift_monitor.files.baseline_folder import read_baseline
from drift_monitor.files.documents import member, read_document
from drift_monitor.job.captured_columns import with_captured_columns
from drift_monitor.job.dataset import window_data
from drift_monitor.job.request import WindowRequest, parse_analyses, parse_findings, parse_window
from drift_monitor.metric_names import ANALYSES
from drift_monitor.report.health_section import health_lines
from drift_monitor.report.markup import figure, percent, range_text, several
from drift_monitor.report.result_folder import PAGE_FILE, write_results
from drift_monitor.report.violations import by_weight, find_violations
from drift_monitor.results import Subject, Verdict

_SHOWN = 15


def add_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "analyze",
        help="compare captured requests or a table with a baseline",
        description="Compares one window with a baseline folder and writes Model Monitor's files and a report. "
        "Violations are a result: the exit status is 0 all the same.",
    )
    parser.add_argument(
        "data", type=Path, help="file or folder: captured requests (.jsonl), or a table (.csv, .parquet, .jsonl)"
    )
    parser.add_argument("--baseline", type=Path, required=True, help="the baseline folder")
    parser.add_argument("--output", type=Path, required=True, help="the folder to write results to")
    parser.add_argument("--ground-truth", type=Path, help="folder or file with labels of captured requests (.jsonl)")
    parser.add_argument("--start", help="start of the window, such as 2026-11-23T18:00:00Z; needs --end")
    parser.add_argument("--end", help="end of the window, which is not part of it")
    parser.add_argument(
        "--analyses",
        default=",".join(ANALYSES),
        metavar="NAMES",
        help="what to look at, separated by commas (default: %(default)s)",
    )
    parser.add_argument("--model", type=Path, metavar="FILE", help="model.tar.gz, for attributions")
    parser.add_argument("--monitor", default="analyze", help="name of the monitor in the report")
    parser.add_argument(
        "--history", type=Path, nargs="*", default=[], help="monitor_report.json of earlier windows, oldest first"
    )
    parser.add_argument("--fail-on-violation", action="store_true", help="exit status 3 if there is a violation")
    add_policy_options(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    dataset, kind = given_dataset(options.data, options.ground_truth, _asked(options))
    model = with_captured_columns(read_baseline(options.baseline), dataset.captured)
    if bool(options.start) != bool(options.end):
        raise SettingsError("a window has two ends: give --start and --end, or neither")
    window = parse_window(options.start, options.end) if options.start else None
    data = window_data(dataset, model, kind=kind, window=window, with_labels=bool(dataset.labels))
    request = AnalysisRequest(
        subject=Subject(monitor=options.monitor),
        window=window,
        analyses=parse_analyses(options.analyses),
        policy=dataset.request.policy,
        history=dataset.request.history,
    )
    served = read_served_model(options.model) if options.model else None
    analysed = analyse_window(data, model, request, served=served)
    write_results(options.output, analysed, model)
    _print(analysed, options.output)
    violated = analysed.analysis.verdict is Verdict.VIOLATION
    return 3 if violated and options.fail_on_violation else 0


def _asked(options: argparse.Namespace) -> WindowRequest:
    """The options say what request.json says in a job."""
    documents = [read_document(path) for path in options.history]
    history = [parse_findings({"window": one.get("window"), **member(one, "findings")}) for one in documents]
    return WindowRequest(policy=chosen_policy(options), history=history)


def _print(analysed: AnalysedWindow, folder: Path) -> None:
    analysis = analysed.analysis
    features = by_weight(analysis.features)
    if features:
        rows = [
            (
                one.feature,
                "stands out" if one.stands_out and one.verdict is Verdict.OK else one.verdict,
                figure(one.distance),
                f"{one.q_value:.1e}" if one.q_value is not None else None,
                percent(one.importance),
                figure(one.current_rows),
            )
            for one in features[:_SHOWN]
        ]
        print_table(("column", "verdict", "distance", "q", "importance", "values"), rows)
        print()
    if analysis.quality is not None and analysis.quality.rows:
        figures = [
            (one.name, one.verdict, figure(one.observed.value), range_text(one.observed), figure(one.limit))
            for one in analysis.quality.metrics
        ]
        print_table(("figure", "verdict", "value", "95 % interval", "limit"), figures)
        print()
    for violation in find_violations(analysis):
        print(f"{violation.analysis}: {violation.description}")
    for check in analysis.checks:
        if check.stands_out and check.verdict is Verdict.OK:
            print(f"stands out: {check.feature}: {check.description}")
    for line in health_lines(analysis.health):
        print(line)
    print(f"{several(analysis.rows, 'row')}: {analysis.verdict.replace('_', ' ')}")
    print(f"report: {folder / PAGE_FILE}")
