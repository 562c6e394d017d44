"""Texts as numbers. Must not raise for a text that is no number."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drift_monitor.profile.values import Numbers, number_buffer


def parsed(array: pa.Array) -> Numbers:
    """The numbers of an array of texts, without spaces around them; an empty text is missing."""
    given = pc.utf8_trim_whitespace(array.drop_null())
    given = given.filter(pc.binary_length(given).cast(pa.bool_()))
    missing = len(array) - len(given)
    try:
        return Numbers(number_buffer(given.cast(pa.float64()), np.float64), missing, 0)
    except pa.ArrowInvalid:
        values = [_number(value) for value in given.to_pylist()]
        known = [value for value in values if value is not None]
        return Numbers(np.array(known, np.float64), missing, len(values) - len(known))


def _number(text: str) -> float | None:
    """As Arrow reads it, which is plainer than Python: no underscores, no digits of other scripts."""
    if "_" in text or not text.isascii():
        return None
    try:
        return float(text)
    except ValueError:
        return None
