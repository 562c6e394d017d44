"""JSON documents as files, and the numbers in them that JSON has no word for. Knows no format."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drift_monitor.errors import BaselineError

Document = dict[str, Any]

NAN = "NaN"


def read_document(path: Path) -> Document:
    """The JSON object of a file; raises BaselineError with the path if there is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BaselineError(f"{path} cannot be read ({error.strerror}); name a JSON file that is there") from None
    except (ValueError, RecursionError) as error:
        raise BaselineError(f"{path} is not JSON ({error}); write it again") from None
    if not isinstance(value, dict):
        raise BaselineError(f"{path} should hold a JSON object, not {type(value).__name__}")
    return value


def write_document(path: Path, document: Mapping[str, Any], *, compact: bool = False) -> None:
    """Write an object as UTF-8; the same object gives the same bytes. `compact`: on one line, for long lists."""
    layout: dict[str, Any] = {"separators": (",", ":")} if compact else {"indent": 2}
    path.write_text(json.dumps(document, allow_nan=False, ensure_ascii=False, **layout) + "\n", encoding="utf-8")


def number(value: object) -> float | None:
    """A finite number of a document; None for null, for "NaN" and for infinities, which some tools write as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def or_nan(value: float | None) -> float | str:
    """A figure as Model Monitor writes it: "NaN" where there is none."""
    return NAN if value is None or not math.isfinite(value) else value


def member(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object within an object; empty if it is missing or something else."""
    value = document.get(name)
    return value if isinstance(value, Mapping) else {}


def members(document: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The objects of a list within an object; empty if it is missing or something else."""
    value = document.get(name)
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [item for item in value if isinstance(item, Mapping)]
