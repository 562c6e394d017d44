"""An analysis as JSON: monitor_report.json (schema: docs/monitor-report.schema.json) and constraint_violations.json."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from drift_monitor.drift.detection import findings
from drift_monitor.files.documents import Document
from drift_monitor.report.violations import find_violations, time_text
from drift_monitor.results import Analysis

VERSION = 1


def report_document(analysis: Analysis) -> Document:
    """monitor_report.json: all of the analysis under its own names, after the violations in sentences.

    `findings` is what later windows of the same version need as history.
    """
    found = findings(analysis.features, analysis.checks, window=analysis.window)
    return {
        "version": VERSION,
        "subject": plain(analysis.subject),
        "window": plain(analysis.window),
        "rows": analysis.rows,
        "verdict": str(analysis.verdict),
        "violations": [
            {"analysis": one.analysis, "subject": one.subject, "description": one.description}
            for one in find_violations(analysis)
        ],
        "findings": {
            "judged": sorted(found.judged),
            "stood_out": sorted(found.stood_out),
            "checks_judged": _by_check(found.checks_judged),
            "checks_stood_out": _by_check(found.checks_stood_out),
        },
        "features": plain(analysis.features),
        "checks": plain(analysis.checks),
        "quality": _quality(analysis),
        "bias": plain(analysis.bias),
        "attribution": plain(analysis.attribution),
        "health": _health(analysis),
    }


def violations_document(analysis: Analysis) -> Document:
    """constraint_violations.json as Model Monitor writes it."""
    return {"violations": [one.entry for one in find_violations(analysis)]}


def plain(value: Any) -> Any:
    """A value of results.py as JSON has it: times as text, no infinite numbers."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return str(value) if isinstance(value, str) else value


def _by_check(checks: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    columns: dict[str, list[str]] = {}
    for column, check in sorted(checks):
        columns.setdefault(check, []).append(column)
    return columns


def _quality(analysis: Analysis) -> Document | None:
    if analysis.quality is None:
        return None
    document: Document = plain(analysis.quality)
    document["coverage"]["share"] = analysis.quality.coverage.share
    return document


def _health(analysis: Analysis) -> Document | None:
    if analysis.health is None:
        return None
    return {**plain(analysis.health), "unusable_share": analysis.health.unusable_share}
