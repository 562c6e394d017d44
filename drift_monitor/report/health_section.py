"""What became of the captured requests, in the report."""

from collections.abc import Iterator

from drift_monitor.report.markup import Html, bullets, folded, paragraph, percent, section, several, table
from drift_monitor.results import CaptureHealth

_SHOWN_HOURS = 24


def health_section(health: CaptureHealth | None) -> Html | None:
    """None if nothing was read."""
    if health is None:
        return None
    share, unit = health.unusable_share, _unit(health)
    style = "bad" if share else "good"
    lead = f"There were no {unit}." if share is None else f"{percent(share)} of the {unit} could not be used."
    counts = [
        ("files", health.files),
        ("copies of other files, not read", health.repeated_files),
        ("events", health.events),
        ("rows", health.rows),
        ("events outside of the window", health.outside_window),
        ("unreadable lines", health.unreadable_lines),
        ("events without input", health.without_input),
        ("events without output", health.without_output),
        (f"{unit} with other columns", health.wrong_columns),
    ]
    rows = [(name, f"{count:,}") for name, count in counts if count or name in ("files", "events", "rows")]
    problems = [(reason, f"{count:,}", health.examples.get(reason)) for reason, count in health.problems.items()]
    return section(
        "What was read",
        paragraph(lead, style=style),
        paragraph(_one_sided(health), style="unsure") if health.captured_side else None,
        table(("", ""), rows),
        table(("problem", "times", "the first begins with"), problems) if problems else None,
        _empty_hours(health),
    )


def health_lines(health: CaptureHealth | None) -> Iterator[str]:
    """What a command says of the reading: nothing if all of it was of use."""
    if health is None:
        return
    if health.repeated_files:
        yield f"not read: {several(health.repeated_files, 'file')}, for they are copies of others"
    if health.captured_side:
        yield _one_sided(health)
    if health.unusable_share:
        yield f"{percent(health.unusable_share)} of the {_unit(health)} could not be used"
    for reason, count in health.problems.items():
        example = health.examples.get(reason)
        yield f"{reason}: {several(count, 'time')}" + (f", the first in {example!r}" if example else "")


def _unit(health: CaptureHealth) -> str:
    return "events" if health.events or not health.rows else "rows"


def _one_sided(health: CaptureHealth) -> str:
    side, other = ("inputs", "outputs") if health.captured_side == "input" else ("outputs", "inputs")
    return (
        f"Only the {side} of the requests were captured (CaptureOptions of the endpoint's configuration), so nothing "
        f"is said about the {other}."
    )


def _empty_hours(health: CaptureHealth) -> Html | None:
    hours = health.empty_hours
    if not hours:
        return None
    more = [f"and {len(hours) - _SHOWN_HOURS} more"] if len(hours) > _SHOWN_HOURS else []
    return folded(f"{several(len(hours), 'hour')} without an event", bullets([*hours[:_SHOWN_HOURS], *more]))
