"""Profiles of all columns of a data set, made batch by batch and merged by addition. Must not read or write files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

import pyarrow as pa

from drift_monitor.errors import BaselineError
from drift_monitor.profile.categorical import (
    BASELINE_CATEGORY_LIMIT,
    CategoricalCounter,
    CategoricalProfile,
    known_profile,
)
from drift_monitor.profile.counter import NumericCounter, profile_of_values
from drift_monitor.profile.numeric import NumericProfile
from drift_monitor.profile.values import Numbers, as_numbers
from drift_monitor.schema import ColumnType, DataSchema

ColumnProfile = NumericProfile | CategoricalProfile

_OWN_COLUMNS = "_"


@dataclass(frozen=True, kw_only=True, eq=False)
class DatasetProfile:
    """`columns` has every column of the baseline; `seen`: those that the data really had; `extra`: further columns of
    the data, which are not profiled (names that start with `_` are the monitor's own and never listed)."""

    rows: int
    columns: Mapping[str, ColumnProfile]
    seen: frozenset[str]
    extra: frozenset[str] = frozenset()

    @property
    def anchors(self) -> "ProfileAnchors":
        """Edges and categories of this profile, to count other data against."""
        return ProfileAnchors(columns=self.columns)

    def merge(self, other: "DatasetProfile") -> "DatasetProfile":
        """The profile of the rows of both. Raises BaselineError if they were counted against different baselines."""
        if self.columns.keys() != other.columns.keys():
            raise BaselineError("profiles of different columns cannot be merged")
        return DatasetProfile(
            rows=self.rows + other.rows,
            columns={name: _merged(self.columns[name], other.columns[name], name) for name in self.columns},
            seen=self.seen | other.seen,
            extra=self.extra | other.extra,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class ProfileAnchors:
    """What the columns of a window are counted against: the edges and categories of these profiles."""

    columns: Mapping[str, ColumnProfile]


class Profiler:
    """Counts batches against anchors; mutable. Memory does not grow with the number of rows."""

    def __init__(self, anchors: ProfileAnchors) -> None:
        self._counters = {name: _counter(anchor) for name, anchor in anchors.columns.items()}
        self._rows = 0
        self._seen: set[str] = set()
        self._extra: set[str] = set()

    def add(self, batch: pa.RecordBatch) -> None:
        """Count one batch. A numeric column may come as text: what does not parse is counted as mismatched."""
        if not batch.num_rows:
            return
        self._rows += batch.num_rows
        names = set(batch.schema.names)
        self._seen |= names & self._counters.keys()
        self._extra |= {name for name in names - self._counters.keys() if not name.startswith(_OWN_COLUMNS)}
        for name, counter in self._counters.items():
            if name not in names:
                counter.add_missing(batch.num_rows)
            elif isinstance(counter, NumericCounter):
                counter.add(as_numbers(batch.column(name)))
            else:
                counter.add(batch.column(name))

    def result(self) -> DatasetProfile:
        """The profile of all batches so far."""
        return DatasetProfile(
            rows=self._rows,
            columns={name: counter.result() for name, counter in self._counters.items()},
            seen=frozenset(self._seen),
            extra=frozenset(self._extra),
        )


class BaselineProfiler:
    """Makes the profile that others are counted against; mutable. Holds all numbers, 8 bytes each, until `result`."""

    def __init__(self, schema: DataSchema) -> None:
        self._numbers: dict[str, list[Numbers]] = {}
        self._categories: dict[str, CategoricalCounter] = {}
        for column in schema.columns:
            if column.type in (ColumnType.INTEGRAL, ColumnType.FRACTIONAL):
                self._numbers[column.name] = []
            else:
                self._categories[column.name] = CategoricalCounter((), limit=BASELINE_CATEGORY_LIMIT)
        self._order = [column.name for column in schema.columns]
        self._rows = 0
        self._seen: set[str] = set()

    def add(self, batch: pa.RecordBatch) -> None:
        """Take in one batch; columns that the schema does not have are passed over."""
        self._rows += batch.num_rows
        for name in self._order:
            if name not in batch.schema.names:
                self._add_missing(name, batch.num_rows)
                continue
            self._seen.add(name)
            if name in self._numbers:
                self._numbers[name].append(as_numbers(batch.column(name)))
            else:
                self._categories[name].add(batch.column(name))

    def result(self) -> DatasetProfile:
        """The profile; columns that the data never had are left out. The numbers are given up: call it once."""
        columns: dict[str, ColumnProfile] = {}
        for name in self._order:
            if name not in self._seen:
                continue
            if name in self._numbers:
                columns[name] = profile_of_values(self._numbers.pop(name))
            else:
                columns[name] = known_profile(self._categories[name].result())
        return DatasetProfile(rows=self._rows, columns=columns, seen=frozenset(self._seen))

    def _add_missing(self, name: str, rows: int) -> None:
        if name in self._numbers:
            self._numbers[name].append(Numbers.none(rows))
        else:
            self._categories[name].add_missing(rows)


def merge(profiles: Iterable[DatasetProfile]) -> DatasetProfile:
    """One profile of all the rows: hours to a day. Raises BaselineError if they have different anchors or are none."""
    remaining = iter(profiles)
    first = next(remaining, None)
    if first is None:
        raise BaselineError("there is no profile to merge")
    return reduce(DatasetProfile.merge, remaining, first)


def _merged(one: ColumnProfile, other: ColumnProfile, name: str) -> ColumnProfile:
    if isinstance(one, NumericProfile) and isinstance(other, NumericProfile):
        return one.merge(other)
    if isinstance(one, CategoricalProfile) and isinstance(other, CategoricalProfile):
        return one.merge(other)
    raise BaselineError(f"column {name} is numeric in one profile and categorical in another; they cannot be merged")


def _counter(anchor: ColumnProfile) -> NumericCounter | CategoricalCounter:
    if isinstance(anchor, NumericProfile):
        return NumericCounter(anchor.edges, count_fractional=not anchor.fractional)
    return CategoricalCounter(anchor.categories)
