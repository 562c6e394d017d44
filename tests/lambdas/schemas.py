"""The published schemas of this project's events."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema

_FOLDER = Path(__file__).resolve().parents[2] / "docs" / "events"


def event_schema(name: str) -> dict[str, Any]:
    """The schema in docs/events/<name>.json."""
    schema: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return schema


def check_event(source: str, detail_type: str, *details: Mapping[str, Any]) -> None:
    """That there are such events, and that each is as its published schema says."""
    assert details, f"no event {detail_type!r} was sent"
    schema = event_schema(detail_type.lower().replace(" ", "-"))
    for detail in details:
        jsonschema.validate({"source": source, "detail-type": detail_type, "detail": dict(detail)}, schema)
