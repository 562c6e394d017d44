"""JSON objects, one per line, by Arrow's reader, which refuses a whole text for one bad line: around those lines."""

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.json as pa_json

from drift_monitor.readers.rows import Numbers

_REFUSED_ROW = re.compile(r"in row (\d+)$")
# Beyond this share of bad lines, reading one by one costs less than trying again after each.
_FEWEST_REFUSALS = 16
_LINES_PER_REFUSAL = 50


def read_objects(data: bytes | pa.Buffer, starts: Numbers, schema: pa.Schema) -> tuple[pa.Table, Numbers]:
    """The lines that Arrow can read, one row each, and their numbers; members that `schema` lacks are ignored.

    `starts`: where each line begins, and the end of the last one; no line is blank.
    """
    options = pa_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    buffer = pa.py_buffer(data)
    lines = len(starts) - 1
    refusals = _FEWEST_REFUSALS + lines // _LINES_PER_REFUSAL
    tables: list[pa.Table] = []
    numbers = [np.empty(0, np.int64)]
    todo = [(0, lines)]
    while todo:
        begin, end = todo.pop()
        if begin == end:
            continue
        found = _read(buffer[int(starts[begin]) : int(starts[end])], options)
        if isinstance(found, pa.Table):
            if found.num_rows == end - begin:
                tables.append(found)
                numbers.append(np.arange(begin, end))
        elif found is not None and found < end - begin and refusals:
            refusals -= 1
            todo += [(begin + found + 1, end), (begin, begin + found)]
    return pa.concat_tables(tables) if tables else schema.empty_table(), np.concatenate(numbers)


def _read(data: pa.Buffer, options: pa_json.ParseOptions) -> Any:
    """The table, or the number of the line that is refused, or None if that is not known."""
    # One block, for a line may not straddle two.
    read = pa_json.ReadOptions(use_threads=False, block_size=data.size + 1)
    try:
        return pa_json.read_json(pa.BufferReader(data), read_options=read, parse_options=options)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        row = _REFUSED_ROW.search(str(error).strip())
        return int(row[1]) if row else None
