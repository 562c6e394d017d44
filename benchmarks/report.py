"""A benchmark's figures as one table."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One measurement: ours, what it is compared with (the peer or the floor), and what was asked for."""

    what: str
    ours: str
    compared: str = ""
    ratio: str = ""
    asked: str = ""


def table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    rows = [("what", "ours", "compared with", "ratio", "asked for")]
    rows += [(figure.what, figure.ours, figure.compared, figure.ratio, figure.asked) for figure in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [f"| {' | '.join(map(str.ljust, row, widths))} |" for row in rows]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
