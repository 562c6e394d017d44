"""Tables of cars, and the Arrow types that a reader of tables may give."""

import pyarrow as pa

from drift_monitor.schema import Column, ColumnType, DataSchema

SCHEMA = DataSchema(
    inputs=(
        Column("year", ColumnType.INTEGRAL),
        Column("power", ColumnType.FRACTIONAL),
        Column("make", ColumnType.STRING),
    ),
    outputs=(),
)
ALLOWED = {pa.float64(), pa.int64(), pa.string(), pa.dictionary(pa.int32(), pa.string())}
