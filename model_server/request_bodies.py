"""Request bodies to rows of strings in the order of the feature specification, and nothing else.

- text/csv: no header, one record per line, values in the specification's order, quoted as RFC 4180 says.
- application/json: {"instances": [...]} or {"records": [...]} or just [...], each element an object (by name) or an
  array (in the specification's order); or a single object.
- application/jsonlines: one object or array per line.

In JSON, a missing value is null, an empty string, or a name that is left out; a number may be text. An unknown name is
refused, for it is most likely a misspelt one. Whether values make sense is the encoder's to say.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any

from model_server.errors import RecordError, RequestError
from model_server.media_types import MediaType
from model_server.scoring import FeatureSpec

Rows = list[list[str]]
_LIST_NAMES = ("instances", "records")
_SHOWN_CHARACTERS = 40


class BodyParser:
    """Parses bodies for one feature specification and one limit of rows."""

    def __init__(self, spec: FeatureSpec, *, maximum_rows: int) -> None:
        self._names = spec.names
        self._numeric = tuple(feature.is_numeric for feature in spec.features)
        self._maximum_rows = maximum_rows
        self._parsers: Mapping[MediaType, Callable[[str], Rows]] = {
            MediaType.CSV: self._csv,
            MediaType.JSON: self._json,
            MediaType.JSON_LINES: self._json_lines,
        }

    def parse(self, body: bytes, media_type: MediaType) -> Rows:
        """Rows of a body, at least one; raises RequestError (400, 413) or RecordError (row and field)."""
        try:
            # A byte order mark is what spreadsheets put first; it belongs to no value.
            text = body.decode("utf-8").removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            raise RequestError(400, f"the body is not UTF-8 (byte {error.start + 1})") from None
        rows = self._parsers[media_type](text)
        if not rows:
            raise RequestError(400, "the body holds no records")
        return rows

    def _csv(self, text: str) -> Rows:
        # Strict: a quote that never closes would swallow all later records.
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        try:
            rows = list(islice(reader, self._maximum_rows + 1))
        except csv.Error as error:
            raise RequestError(400, f"the body is not CSV: line {reader.line_num}: {error}") from None
        while rows and not rows[-1]:
            rows.pop()
        self._check_count(len(rows))
        if rows and rows[0] == list(self._names):
            raise RecordError(row=1, field=None, reason="is a header; send the records alone")
        return rows

    def _json(self, text: str) -> Rows:
        value = _decode(text, "the body")
        if isinstance(value, dict):
            name = next((name for name in _LIST_NAMES if name in value), None)
            value = [value] if name is None or name in self._names else self._only_member(value, name)
        if not isinstance(value, list):
            raise RequestError(400, "the body should be an object, or a list of objects or of lists")
        self._check_count(len(value))
        return self._rows(value)

    def _json_lines(self, text: str) -> Rows:
        text = text.rstrip()
        if not text:
            return []
        # Counted before anything is made of them.
        self._check_count(text.count("\n") + 1)
        # Not splitlines(): that also splits at U+2028 and the like, which JSON strings may hold.
        lines = text.split("\n")
        return self._rows(_decode(line, f"line {number}") for number, line in enumerate(lines, start=1))

    def _only_member(self, value: Mapping[str, Any], name: str) -> Any:
        others = [other for other in value if other != name]
        if others:
            raise RequestError(400, f"beside '{name}' the body has '{_shown(others[0])}', which means nothing here")
        return value[name]

    def _check_count(self, count: int) -> None:
        if count > self._maximum_rows:
            raise RequestError(413, f"a request may hold {self._maximum_rows} records at most; send several requests")

    def _rows(self, records: Iterable[Any]) -> Rows:
        return [self._row(number, record) for number, record in enumerate(records, start=1)]

    def _row(self, number: int, record: Any) -> list[str]:
        if isinstance(record, dict):
            values = [record.get(name) for name in self._names]
            unknown = next((name for name in record if name not in self._names), None)
            if unknown is not None:
                known = ", ".join(self._names)
                raise RecordError(row=number, field=_shown(unknown), reason=f"is none of the model's ({known})")
        elif isinstance(record, list):
            values = record
            if len(values) != len(self._names):
                reason = f"has {len(values)} values instead of {len(self._names)} ({', '.join(self._names)})"
                raise RecordError(row=number, field=None, reason=reason)
        else:
            raise RecordError(row=number, field=None, reason="should be an object or a list")
        return [value if type(value) is str else self._text(number, index, value) for index, value in enumerate(values)]

    def _text(self, number: int, index: int, value: Any) -> str:
        """A JSON value that is no string as the string that a CSV record would have."""
        if value is None:
            return ""
        numeric = self._numeric[index]
        # bool is a kind of int in Python, and no number in JSON.
        if numeric and type(value) in (int, float):
            return repr(value)
        kind = {bool: "a truth value", dict: "an object", list: "a list"}.get(type(value), "a number")
        expected = "a number" if numeric else "a text"
        raise RecordError(row=number, field=self._names[index], reason=f"should be {expected}, not {kind}")


def _decode(text: str, what: str) -> Any:
    """A JSON value; NaN and infinities pass, so that the encoder can name the field that has them."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        # Its own text would quote nothing of the body either, but count lines and columns of one line.
        raise RequestError(400, f"{what} is not JSON: {error.msg} at character {error.pos + 1}") from None
    except ValueError:
        raise RequestError(400, f"{what} holds a number with too many digits") from None
    except RecursionError:
        raise RequestError(400, f"{what} is nested too deeply") from None


def _shown(name: str) -> str:
    return name if len(name) <= _SHOWN_CHARACTERS else name[:_SHOWN_CHARACTERS] + "..."
