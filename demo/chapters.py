"""What became of one version: the result of an act, as the summary and the picture tell it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.rollout import Observed


@dataclass(frozen=True)
class Chapter:
    """A version's number, what it is, the content of its evaluation.json, how its release ended, what callers saw.

    `observed` is None for a version that was released before there were callers, `report` if there is no copy of the
    evaluation's report.
    """

    version: str
    model: str
    evaluation: Mapping[str, Any]
    ending: str
    observed: Observed | None = None
    report: Path | None = None
