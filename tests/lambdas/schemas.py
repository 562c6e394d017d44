"""The published schemas of this project's events."""

import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parents[2] / "docs" / "events"


def event_schema(name: str) -> dict[str, Any]:
    """The schema in docs/events/<name>.json."""
    schema: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return schema
