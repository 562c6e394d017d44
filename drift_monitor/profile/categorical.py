"""Counts of one categorical column.

Categories of the baseline are all counted. Of the others, a window keeps those with the smallest hashes: whether a
category is kept depends on the set of categories only, so counts of kept ones are exact and profiles merge to the same
result in any order. Must not know what a distance or an alarm is.
"""

import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from drift_monitor.errors import BaselineError
from drift_monitor.profile.values import as_categories, decoded, index_buffer, positions, taken, texts

CountArray = NDArray[np.int64]

NEW_CATEGORY_LIMIT = 10_000
BASELINE_CATEGORY_LIMIT = 100_000

# Batches are joined up to this size: a look-up of all categories per batch is dear for small ones.
_BLOCK = 32_768

_BOOLEANS = texts(["false", "true"])
_NOTHING = texts([])


@dataclass(frozen=True, kw_only=True, eq=False)
class CategoricalProfile:
    """How often each category occurs.

    `categories`: the baseline's, ascending; `counts` in their order. `new`: categories that the baseline does not
    have, at most NEW_CATEGORY_LIMIT of them; `other`: values of all further categories. `missing`: nulls.
    """

    categories: tuple[str, ...]
    counts: CountArray
    new: Mapping[str, int]
    other: int
    missing: int

    @property
    def present(self) -> int:
        """Values that are not null."""
        return self.known + sum(self.new.values()) + self.other

    @property
    def known(self) -> int:
        """Values whose category the baseline has."""
        return int(self.counts.sum())

    def merge(self, other: "CategoricalProfile") -> "CategoricalProfile":
        """The profile of both sets of values. Raises BaselineError if the baseline's categories differ."""
        if self.categories != other.categories:
            raise BaselineError("profiles that were counted against different baselines cannot be merged")
        new, dropped = _kept(Counter(self.new) + Counter(other.new), NEW_CATEGORY_LIMIT)
        return CategoricalProfile(
            categories=self.categories,
            counts=self.counts + other.counts,
            new=new,
            other=self.other + other.other + dropped,
            missing=self.missing + other.missing,
        )


class CategoricalCounter:
    """Counts values by category; mutable. `limit`: how many categories outside of `categories` are told apart."""

    def __init__(self, categories: tuple[str, ...], *, limit: int = NEW_CATEGORY_LIMIT) -> None:
        self._categories = categories
        self._lookup = texts(categories)
        self._limit = limit
        self._counts = np.zeros(len(categories), np.int64)
        self._new: Counter[str] = Counter()
        self._other = self._missing = 0
        self._names = _NOTHING
        self._places = np.empty(0, np.int32)
        self._pending: list[pa.Array] = []
        self._pending_values = 0

    def add(self, array: pa.Array) -> None:
        """Count a batch; numbers count by their text."""
        if pa.types.is_boolean(array.type):
            self._missing += array.null_count
            self._tally(_BOOLEANS, np.array([array.false_count, array.true_count]))
            return
        array = as_categories(array)
        if pa.types.is_dictionary(array.type) and (len(array) >= _BLOCK or array.dictionary.equals(self._names)):
            self._count(array)
            return
        self._pending.append(array)
        self._pending_values += len(array)
        if self._pending_values >= _BLOCK:
            self._count_pending()

    def add_missing(self, rows: int) -> None:
        """Count rows that do not have the column."""
        self._missing += rows

    def result(self) -> CategoricalProfile:
        """The profile of all values so far."""
        self._count_pending()
        self._drop_excess()
        return CategoricalProfile(
            categories=self._categories,
            counts=self._counts.copy(),
            new=dict(sorted(self._new.items())),
            other=self._other,
            missing=self._missing,
        )

    def _count_pending(self) -> None:
        pending, self._pending, self._pending_values = self._pending, [], 0
        if len(pending) == 1 and pa.types.is_dictionary(pending[0].type):
            self._count(pending[0])
        elif pending:
            self._count(pa.concat_arrays([decoded(array) for array in pending]).dictionary_encode())

    def _count(self, array: pa.DictionaryArray) -> None:
        self._missing += array.indices.null_count
        self._tally(array.dictionary, np.bincount(index_buffer(array.indices), minlength=len(array.dictionary)))

    def _tally(self, names: pa.Array, counts: CountArray) -> None:
        # Batches of one Parquet row group have the same dictionary, which need not be looked up again.
        if not names.equals(self._names):
            self._names, self._places = names, positions(names, among=self._lookup)
        known = self._places >= 0
        np.add.at(self._counts, self._places[known], counts[known])
        unknown = np.flatnonzero(~known & (counts > 0))
        if len(unknown):
            self._count_new(taken(names, unknown), counts[unknown].tolist())

    def _count_new(self, categories: list[str | None], counts: list[int]) -> None:
        for category, count in zip(categories, counts, strict=True):
            if category is None:
                self._missing += count
            else:
                self._new[category] += count
        if len(self._new) > 2 * self._limit:
            self._drop_excess()

    def _drop_excess(self) -> None:
        """Leave the smallest hashes. One that is dropped and comes again is dropped again: ranks only get worse."""
        self._new, dropped = _kept(self._new, self._limit)
        self._other += dropped


def known_profile(profile: CategoricalProfile) -> CategoricalProfile:
    """The profile of a baseline: its own categories become those that windows are counted against."""
    categories = tuple(sorted(profile.new))
    return CategoricalProfile(
        categories=categories,
        counts=np.array([profile.new[category] for category in categories], np.int64),
        new={},
        other=profile.other,
        missing=profile.missing,
    )


def _kept(counts: Counter[str], limit: int) -> tuple[Counter[str], int]:
    """The categories with the smallest hashes, and how many values have another."""
    if len(counts) <= limit:
        return counts, 0
    kept = Counter({category: counts[category] for category in sorted(counts, key=_rank)[:limit]})
    return kept, counts.total() - kept.total()


def _rank(category: str) -> tuple[int, str]:
    return zlib.crc32(category.encode()), category
