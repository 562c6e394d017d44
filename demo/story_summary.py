"""What became of every version, read back from the deployed app, for someone who has seen nothing else of it."""

from collections.abc import Sequence
from pathlib import Path

from demo.chapters import Chapter
from demo.deployed import Deployed
from demo.monitored import Judged
from demo.summary import print_way_in
from demo.timing import Timing
from releases.registry import Registry, version_of


def print_story(deployed: Deployed, chapters: Sequence[Chapter], *, picture: Path, timing: Timing) -> None:
    """A page with a paragraph for each version, and where to look further."""
    registry = Registry(deployed.client("sagemaker"), deployed.names.group)
    live = version_of(registry.served_by(deployed.names.production_endpoint))
    print(f"\n== done in {timing.total:.0f} s: version {live} is live")
    print(f"   ({timing})")
    for chapter in chapters:
        _print_chapter(chapter, live=chapter.version == live)
    print(f"\n   the traffic as a picture: {picture}   (open it in a browser)")


def print_errors(errors: Sequence[tuple[str, float]], watched: Sequence[Judged]) -> None:
    """How far off prices were before, during and after the drift, and what the monitors wrote about it."""
    print("\n   mean absolute error:")
    for what, percent in errors:
        print(f"     {what:<58}{percent:5.1f} %")
    for judged in watched[-2:]:
        print(f"   report of monitor {judged.report['subject']['monitor']}: {judged.page}")


def print_what_next(deployed: Deployed, *, keep_running: bool) -> None:
    """How to go on from here."""
    if not keep_running:
        print("\n   The demo's cloud is stopped again; with --keep-running it stays up to play with.")
        return
    stage = f"--stage {deployed.names.stage}"
    print_way_in(deployed.environment["AWS_ENDPOINT_URL"])
    print("\n   look around with:")
    print(f"     python -m releases {stage} history   (who released what, when, why, and how it ended)")
    print(f"     python -m releases {stage} rollback --watch --poll 1")
    print("     make down   (stops the cloud)")


def _print_chapter(chapter: Chapter, *, live: bool) -> None:
    mae = chapter.evaluation["regression_metrics"]["mae"]["value"]
    comparison = chapter.evaluation.get("champion_comparison")
    against = f", {comparison['mae_change_percent']:+.1f} % against the live one" if comparison else ""
    print(f"\n   version {chapter.version}{'  LIVE' if live else ''}: {chapter.model}")
    print(f"     mean absolute error ${mae:,.0f} on the holdout{against}")
    print(f"     {chapter.ending}")
    if chapter.report:
        print(f"     evaluation report: {chapter.report}")
    if chapter.observed:
        figures = chapter.observed.figures
        answered = ", ".join(
            f"version {version} {count:,}" if version else f"none that is known {count:,}"
            for version, count in sorted(chapter.observed.answered.items(), key=lambda item: item[0] or "")
        )
        print(f"     requests by version: {answered}")
        print(f"     latency p50 {figures.p50 * 1000:.0f} ms, p99 {figures.p99 * 1000:.0f} ms, as callers saw it")
