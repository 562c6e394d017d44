"""The payloads of one side of captured events as typed rows: CSV, JSON and Base64, several rows per event.

Payloads of the same kind are read together; the odd ones among them one by one, with the reason if they give no rows.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drift_monitor.readers.columns import arrow_schema, from_values
from drift_monitor.readers.csv_payloads import CsvPayloads
from drift_monitor.readers.health import HealthCounter
from drift_monitor.readers.json_payloads import JsonPayloads
from drift_monitor.readers.payload_lines import as_line
from drift_monitor.readers.records import PayloadError, decode_base64, read_payload, unknown_column
from drift_monitor.readers.rows import Numbers, Rows, empty, merged
from drift_monitor.schema import Column

_CSV, _JSON, _BASE64 = "CSV", "JSON", "BASE64"
_SCALARS = {encoding: pa.scalar(encoding) for encoding in (_CSV, _JSON)}


class PayloadReader:
    """Reads the payloads of one side ("input" or "output"), block by block."""

    def __init__(self, side: str, columns: Sequence[Column], health: HealthCounter) -> None:
        self._side = side
        self._columns = tuple(columns)
        self._names = tuple(column.name for column in columns)
        self._health = health
        self._empty = empty(arrow_schema(columns))
        self._readers: Mapping[str, CsvPayloads | JsonPayloads] = {
            _CSV: CsvPayloads(columns, health),
            _JSON: JsonPayloads(columns, health),
        }

    def read(self, texts: Any, encodings: Any) -> Rows:
        """Rows of the events whose payloads can be read; problems are counted.

        `texts`: lines; `encodings`: strings; both null where an event has none.
        """
        given = len(texts) - texts.null_count
        if not given or not self._columns:
            return self._empty
        for encoding, reader in self._readers.items():
            if given == len(texts) and pc.equal(encodings, _SCALARS[encoding]).true_count == given:
                rows, odd = reader.read(texts)
                return merged([rows, self._one_by_one(texts, odd)]) if len(odd) else rows
        return self._mixed(texts, encodings)

    def _mixed(self, texts: Any, encodings: Any) -> Rows:
        """Rows of payloads of several encodings, or of encodings that do not tell the format."""
        texts, formats = self._plain(texts, encodings)
        parts = [self._empty]
        for encoding, reader in self._readers.items():
            positions = np.flatnonzero(
                pc.equal(formats, _SCALARS[encoding]).fill_null(False).to_numpy(zero_copy_only=False)
            )
            if len(positions):
                rows, odd = reader.read(texts.take(pa.array(positions)))
                parts += [rows.renumbered(positions), self._one_by_one(texts, positions[odd])]
        return merged(parts)

    def _plain(self, texts: Any, encodings: Any) -> tuple[Any, Any]:
        """The texts without Base64, and the format of each; null where there is none."""
        known = pc.is_in(encodings, value_set=pa.array(list(self._readers)))
        formats = pc.if_else(pc.and_(known, texts.is_valid()), encodings, None)
        unknown = pc.and_(pc.invert(known), texts.is_valid())
        if not unknown.true_count:
            return texts, formats
        pairs = zip(texts.filter(unknown).to_pylist(), encodings.filter(unknown).to_pylist(), strict=True)
        plain = [self._decoded_line(text) if encoding == _BASE64 else text for text, encoding in pairs]
        found = [None if text is None else _format(text) for text in plain]
        return (
            pc.replace_with_mask(texts, unknown, pa.array(plain, pa.string())),
            pc.replace_with_mask(formats, unknown, pa.array(found, pa.string())),
        )

    def _decoded_line(self, text: str) -> str | None:
        try:
            return as_line(decode_base64(text))
        except PayloadError as error:
            self._refused(error, text)
            return None

    def _one_by_one(self, texts: Any, positions: Numbers) -> Rows:
        values: list[list[Any]] = []
        events: list[int] = []
        for position, text in zip(positions.tolist(), texts.take(pa.array(positions)).to_pylist(), strict=True):
            try:
                records = read_payload(text, self._names)
            except PayloadError as error:
                self._refused(error, text)
                continue
            for name in records.unknown:
                self._health.problem(unknown_column(name))
            values += records.rows
            events += [position] * len(records.rows)
        if not values:
            return self._empty
        cells = zip(*values, strict=True)
        columns = tuple(
            from_values(column_cells, column, self._health)
            for column_cells, column in zip(cells, self._columns, strict=True)
        )
        return Rows(columns, np.array(events, np.int64))

    def _refused(self, error: PayloadError, text: str) -> None:
        self._health.problem(f"{self._side}: {error}", text.strip())


def _format(text: str) -> str:
    return _JSON if text.lstrip()[:1] in ("{", "[") else _CSV
