"""The 20 columns of the tables that are analysed, and the two that a captured event adds. Must import nothing heavy:
the measured process reads it."""

from drift_monitor.schema import Column, ColumnType, DataSchema

FRACTIONAL = ("normal", "skewed", "two_peaks", "mostly_zero", "with_nulls", "cents", "heavy_tails", "uniform")
INTEGRAL = ("count", "percent", "epoch", "code")
FLAGS = ("flag", "rare_flag")
CATEGORIES = {f"category_{count}": count for count in (3, 8, 20, 100, 300, 1000)}
ANSWERS = ("prediction", "score")


def table_schema() -> DataSchema:
    """The schema of the tables: inputs only; flags are numbers, as the monitor infers them."""
    return DataSchema(inputs=_inputs(), outputs=())


def event_schema() -> DataSchema:
    """The schema of captured events: the same inputs, and two answers."""
    return DataSchema(inputs=_inputs(), outputs=tuple(Column(name, ColumnType.FRACTIONAL) for name in ANSWERS))


def _inputs() -> tuple[Column, ...]:
    types = dict.fromkeys(FRACTIONAL, ColumnType.FRACTIONAL)
    types |= dict.fromkeys((*INTEGRAL, *FLAGS), ColumnType.INTEGRAL)
    types |= dict.fromkeys(CATEGORIES, ColumnType.STRING)
    return tuple(Column(name, kind) for name, kind in types.items())
