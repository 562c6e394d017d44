"""Tables of 20 mixed columns, of which those that are asked for are shifted by a known distance.

The same arguments give the same values. Files are made once and kept below .cache/benchmarks.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.drift.columns import CATEGORIES
from benchmarks.environments import CACHE

# Columns that can be shifted, `distance` being the true Kolmogorov-Smirnov distance or difference of shares.
SHIFTABLE = ("normal", "skewed", "two_peaks", "mostly_zero", "with_nulls", "flag", "rare_flag", *CATEGORIES)
# What is wrong with the current data of the speed benchmark.
DRIFT = {"normal": 0.12, "skewed": 0.1, "mostly_zero": 0.1, "category_8": 0.1, "rare_flag": 0.07}

_ROW_GROUP = 1_000_000
_EPOCH, _YEAR = 1_600_000_000, 31_536_000
_CURRENT_SEED = 1_000_000
# Part of the files' names: what an older generator wrote is not taken for this one's.
_VERSION = 2


def table(rows: int, *, seed: int, shifts: Mapping[str, float] | None = None) -> pa.RecordBatch:
    """Rows of all columns: float64, int64, string, bool. `shifts`: column of SHIFTABLE -> true distance."""
    generator, shift = np.random.default_rng(seed), dict(shifts or {})
    columns = {**_fractional(generator, rows, shift), **_integral(generator, rows)}
    arrays = {name: pa.array(values) for name, values in columns.items()}
    arrays["with_nulls"] = pa.array(columns["with_nulls"], mask=generator.random(rows) < 0.1)
    for name, share in (("flag", 0.5), ("rare_flag", 0.03)):
        arrays[name] = pa.array(generator.random(rows) < share + shift.get(name, 0.0))
    for place, (name, count) in enumerate(CATEGORIES.items()):
        codes = _codes(generator, rows, count, skewed=place % 2 == 1, distance=shift.get(name, 0.0))
        names = pa.array([f"category {number}" for number in range(count)])
        arrays[name] = pa.DictionaryArray.from_arrays(pa.array(codes), names).cast(pa.string())
    return pa.record_batch(arrays)


def parquet_file(rows: int, *, current: bool) -> Path:
    """A Snappy Parquet file with that many rows in row groups of a million, written if it is not there."""
    path = CACHE / "drift" / f"{'current' if current else 'baseline'}-{rows}-v{_VERSION}.parquet"
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    first_seed, shifts = (_CURRENT_SEED, DRIFT) if current else (0, {})
    with pq.ParquetWriter(unfinished, table(1, seed=0).schema, compression="snappy") as writer:
        for number, start in enumerate(range(0, rows, _ROW_GROUP)):
            chunk = table(min(_ROW_GROUP, rows - start), seed=first_seed + number, shifts=shifts)
            writer.write_batch(chunk, row_group_size=_ROW_GROUP)
    unfinished.rename(path)
    return path


def _fractional(generator: np.random.Generator, rows: int, shift: Mapping[str, float]) -> dict[str, Any]:
    def normal(name: str) -> Any:
        # Two normal distributions this far apart differ by `distance` half-way between their means.
        return generator.normal(2 * NormalDist().inv_cdf(0.5 + shift.get(name, 0.0) / 2), 1.0, rows)

    left = generator.random(rows) < 0.5 + shift.get("two_peaks", 0.0)
    zero = generator.random(rows) < 0.7 - shift.get("mostly_zero", 0.0)
    return {
        "normal": normal("normal"),
        "skewed": np.exp(normal("skewed")),
        "two_peaks": generator.normal(size=rows) + np.where(left, -3.0, 3.0),
        "mostly_zero": np.where(zero, 0.0, generator.exponential(size=rows)),
        "with_nulls": normal("with_nulls"),
        "cents": np.round(generator.gamma(2.0, 10.0, rows), 2),
        "heavy_tails": generator.standard_t(3, rows),
        "uniform": generator.random(rows),
    }


def _integral(generator: np.random.Generator, rows: int) -> dict[str, Any]:
    return {
        "count": generator.poisson(3.0, rows),
        "percent": generator.integers(0, 100, rows),
        "epoch": _EPOCH + generator.integers(0, _YEAR, rows),
        "code": generator.integers(0, 10_000, rows),
    }


def _codes(generator: np.random.Generator, rows: int, count: int, *, skewed: bool, distance: float) -> Any:
    """Categories of equal shares, or skewed ones: the logarithm of their number is uniform."""
    drawn = np.exp(generator.random(rows) * np.log(count + 1)) - 1 if skewed else generator.random(rows) * count
    first_share = np.log(2) / np.log(count + 1) if skewed else 1 / count
    codes = np.minimum(drawn, count - 1).astype(np.int32)
    codes[generator.random(rows) < distance / (1 - first_share)] = 0
    return codes
