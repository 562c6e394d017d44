"""Payloads as lines: string arrays of which every text ends with a newline, so that their bytes are one text to parse.

Line ends that close a payload have no meaning; the one newline stands for them.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

NEWLINE = b"\n"[0]
_LINE_ENDS = "\r\n"


def as_line(text: str) -> str:
    """The text with a single newline at its end."""
    return text.rstrip(_LINE_ENDS) + "\n"


def as_lines(texts: Any) -> Any:
    """A string array with a single newline at the end of each text; null stays null."""
    return pc.binary_join_element_wise(pc.ascii_rtrim(texts, _LINE_ENDS), "", "\n")


def offsets_of(texts: Any) -> NDArray[np.int32]:
    """Where in its data buffer each text of a string array begins, and the end of the last one: shape (texts + 1,)."""
    return np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]


def bytes_of(texts: Any) -> pa.Buffer:
    """All texts of a string array that is not empty and has no nulls, one after the other, without a copy."""
    offsets = offsets_of(texts)
    return texts.buffers()[2][int(offsets[0]) : int(offsets[-1])]


def places_of(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Where a mask is true, ascending; for masks that are mostly false twice as fast as numpy's own function."""
    width = np.dtype(np.uint64).itemsize
    end = len(mask) - len(mask) % width
    words = np.flatnonzero(mask[:end].view(np.uint64) != 0)
    places = (words[:, np.newaxis] * width + np.arange(width)).ravel()
    return np.concatenate((places[mask[places]], end + np.flatnonzero(mask[end:])))


def count_byte(data: pa.Buffer, byte: int) -> int:
    """How often a byte occurs."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == byte))
