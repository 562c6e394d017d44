"""What became of the captured requests, in the report."""

from drift_monitor.report.markup import Html, bullets, folded, paragraph, percent, section, several, table
from drift_monitor.results import CaptureHealth

_SHOWN_HOURS = 24


def health_section(health: CaptureHealth | None) -> Html | None:
    """None if nothing was read."""
    if health is None:
        return None
    share = health.unusable_share
    style = "bad" if share else "good"
    lead = "There were no events." if share is None else f"{percent(share)} of the events could not be used."
    counts = [
        ("files", health.files),
        ("events", health.events),
        ("rows", health.rows),
        ("events outside of the window", health.outside_window),
        ("unreadable lines", health.unreadable_lines),
        ("events without input", health.without_input),
        ("events without output", health.without_output),
        ("events with other columns", health.wrong_columns),
    ]
    rows = [(name, f"{count:,}") for name, count in counts if count or name in ("files", "events", "rows")]
    problems = [(reason, f"{count:,}", health.examples.get(reason)) for reason, count in health.problems.items()]
    return section(
        "What was read",
        paragraph(lead, style=style),
        table(("", ""), rows),
        table(("problem", "times", "the first begins with"), problems) if problems else None,
        _empty_hours(health),
    )


def _empty_hours(health: CaptureHealth) -> Html | None:
    hours = health.empty_hours
    if not hours:
        return None
    more = [f"and {len(hours) - _SHOWN_HOURS} more"] if len(hours) > _SHOWN_HOURS else []
    return folded(f"{several(len(hours), 'hour')} without an event", bullets([*hours[:_SHOWN_HOURS], *more]))
