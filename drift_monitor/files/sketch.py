"""The quantile sketch of a numeric column in Model Monitor's statistics.json, written from exact counts and read back.

`data[i]` is a level of compactors (Karnin, Lang and Liberty 2016, as Deequ has it): each of its items stands for 2^i
values. Equal items of different levels are added up here; Deequ lets one overwrite the other when it compares sketches.
"""

from collections.abc import Sequence

import numpy as np

from drift_monitor.files.documents import Document
from drift_monitor.profile.numeric import CountArray, FloatArray, NumericProfile, profile_of_weighted

PARAMETERS = {"c": 0.64, "k": 2048.0}
# What is written here is known at so many even ranks: half of the error that a sketch of this size is expected to have.
_RANKS = 1024
# Measured against exact data: the distance to it is at most 0.0014 at k = 2048, and inversely proportional to k.
_ERROR_TIMES_K = 3.0


def sketch_document(profile: NumericProfile) -> Document:
    """The `sketch` of a column; infinite values, which JSON cannot hold, are left out."""
    values, counts = _support(profile)
    levels = int(counts.max(initial=0)).bit_length()
    data = [values[(counts >> level) & 1 == 1].tolist() for level in range(levels)]
    return {"parameters": dict(PARAMETERS), "data": data}


def read_sketch(data: Sequence[Sequence[float]], *, k: float, missing: int) -> NumericProfile:
    """The profile that a sketch stands for, with all its values as edges; raises ValueError for what is no number."""
    levels = [np.asarray(level, dtype=np.float64).reshape(-1) for level in data]
    weights = [np.full(len(level), 2.0**number) for number, level in enumerate(levels)]
    items, together = np.concatenate([np.empty(0), *levels]), np.concatenate([np.empty(0), *weights])
    known = ~np.isnan(items)
    values, place = np.unique(items[known], return_inverse=True)
    merged: FloatArray = np.bincount(place, together[known], minlength=len(values)).astype(np.float64)
    error = min(1.0, _ERROR_TIMES_K / k) if k > 0 else 1.0
    return profile_of_weighted(values, merged, missing=missing, rank_error=error)


def read_buckets(uppers: FloatArray, counts: FloatArray, *, missing: int) -> NumericProfile:
    """The profile of a histogram, for files without a sketch: all values of a bucket lie somewhere in it."""
    kept = counts > 0
    error = float(counts.max(initial=0.0) / max(counts.sum(), 1.0))
    return profile_of_weighted(uppers[kept], counts[kept], missing=missing, rank_error=error)


def _support(profile: NumericProfile) -> tuple[FloatArray, CountArray]:
    """Values and how often each stands: those with many ties, and those at even ranks for the values between."""
    finite = np.isfinite(profile.edges)
    edges, below, up_to = profile.edges[finite], profile.below[finite], profile.up_to[finite]
    count = profile.present - profile.positive_infinities
    if not len(edges) or count <= profile.negative_infinities:
        return np.empty(0), np.empty(0, np.int64)
    ranks = up_to * _RANKS // count
    kept = (up_to - below) * _RANKS > count
    kept |= np.diff(ranks, prepend=-1) > 0
    kept[-1] = True
    edges, up_to = edges[kept], up_to[kept].copy()
    # A window may have values beyond the baseline's edges: they stand at the last one.
    up_to[-1] = count
    counts: CountArray = np.diff(up_to, prepend=profile.negative_infinities)
    return edges, counts
