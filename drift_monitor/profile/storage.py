"""Profiles as files: profile.npz of a baseline with its edges, and one small file per window without them.

Both are numpy archives: `meta` (JSON as bytes), `edges` and `cells` of all numeric columns, `counts` of all
categorical ones, each one after the other in the order of the columns. `cells` are the numbers of values below the
first edge, at it, between it and the next, and so on: zeros mostly, which compress well. The same profile gives the
same bytes.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from drift_monitor.errors import BaselineError
from drift_monitor.profile.categorical import CategoricalProfile
from drift_monitor.profile.dataset import ColumnProfile, DatasetProfile, ProfileAnchors
from drift_monitor.profile.moments import Moments
from drift_monitor.profile.numeric import CountArray, FloatArray, NumericProfile

_VERSION = 1
_SCALARS = (
    "present",
    "missing",
    "mismatched",
    "fractional",
    "negative",
    "positive_infinities",
    "negative_infinities",
    "excess_below",
    "excess_above",
    "rank_error",
)
_DAMAGE = (OSError, ValueError, KeyError, TypeError, IndexError, EOFError, zipfile.BadZipFile)


def write_baseline_profile(profile: DatasetProfile, path: Path) -> None:
    """Write a profile with its edges and categories; the folder must exist."""
    categories = {
        name: list(column.categories)
        for name, column in profile.columns.items()
        if isinstance(column, CategoricalProfile)
    }
    edges = [column.edges for column in profile.columns.values() if isinstance(column, NumericProfile)]
    _write(profile, path, {"categories": categories}, {"edges": np.concatenate([np.empty(0), *edges])})


def read_baseline_profile(path: Path) -> DatasetProfile:
    """Read what write_baseline_profile wrote. Raises BaselineError with the path if it is missing or damaged."""
    try:
        meta, arrays = _read(path)
        taken = 0
        anchors: dict[str, ColumnProfile] = {}
        for name, fields in meta["columns"].items():
            if fields["kind"] == "numeric":
                edges = arrays["edges"][taken : taken + fields["size"]]
                taken += fields["size"]
                anchors[name] = _without_values(edges)
            else:
                anchors[name] = _without_categories(tuple(meta["categories"][name]))
        return _profile(meta, arrays, anchors)
    except _DAMAGE as error:
        raise BaselineError(f"{path}: no readable baseline profile ({error}); build the baseline again") from error


def write_window_profile(profile: DatasetProfile, path: Path) -> None:
    """Write a window's counts without edges (they are the baseline's), compressed; the folder must exist."""
    _write(profile, path, {}, {})


def read_window_profile(path: Path, *, anchors: ProfileAnchors) -> DatasetProfile:
    """Read what write_window_profile wrote. Raises BaselineError if it was counted against another baseline, if it is
    missing or damaged."""
    try:
        meta, arrays = _read(path)
        if meta["anchors"] != fingerprint(anchors.columns):
            raise BaselineError(f"{path}: this window was counted against another baseline; analyse its data again")
        return _profile(meta, arrays, anchors.columns)
    except _DAMAGE as error:
        raise BaselineError(f"{path}: no readable window profile ({error}); analyse its data again") from error


def fingerprint(columns: Mapping[str, ColumnProfile]) -> str:
    """SHA-256 of the edges and categories: windows with the same one can be merged and compared."""
    digest = hashlib.sha256()
    for name, column in columns.items():
        digest.update(json.dumps(name).encode())
        if isinstance(column, NumericProfile):
            digest.update(b"numeric" + column.edges.tobytes())
        else:
            digest.update(b"categorical" + json.dumps(column.categories).encode())
    return digest.hexdigest()


def _write(profile: DatasetProfile, path: Path, extra: dict[str, Any], arrays: dict[str, Any]) -> None:
    cells, counts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for column in profile.columns.values():
        if isinstance(column, NumericProfile):
            cells.append(_cells(column))
        else:
            counts.append(column.counts)
    meta = {
        "version": _VERSION,
        "rows": profile.rows,
        "seen": sorted(profile.seen),
        "extra": sorted(profile.extra),
        "anchors": fingerprint(profile.columns),
        "columns": {name: _fields(column) for name, column in profile.columns.items()},
        **extra,
    }
    encoded = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    stored = {"meta": encoded, "cells": np.concatenate(cells), "counts": np.concatenate(counts), **arrays}
    with path.open("wb") as file:
        np.savez_compressed(file, allow_pickle=False, **stored)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    meta = json.loads(arrays.pop("meta").tobytes())
    if meta["version"] != _VERSION:
        raise ValueError(f"version {meta['version']}, {_VERSION} is expected")
    return meta, arrays


def _fields(column: ColumnProfile) -> dict[str, Any]:
    if isinstance(column, NumericProfile):
        scalars = {name: getattr(column, name) for name in _SCALARS}
        return {"kind": "numeric", "size": len(column.edges), **scalars, "moments": vars(column.moments)}
    fields = {"new": dict(column.new), "other": column.other, "missing": column.missing}
    return {"kind": "categorical", "size": len(column.categories), **fields}


def _profile(meta: dict[str, Any], arrays: dict[str, Any], anchors: Mapping[str, ColumnProfile]) -> DatasetProfile:
    cells, counts = arrays["cells"], arrays["counts"]
    columns: dict[str, ColumnProfile] = {}
    for name, fields in meta["columns"].items():
        anchor, size = anchors[name], fields["size"]
        if isinstance(anchor, NumericProfile):
            cumulative, cells = np.cumsum(cells[: 2 * size]), cells[2 * size :]
            columns[name] = NumericProfile(
                edges=anchor.edges,
                below=cumulative[0::2],
                up_to=cumulative[1::2],
                moments=Moments(**fields["moments"]),
                **{scalar: fields[scalar] for scalar in _SCALARS},
            )
        else:
            columns[name] = CategoricalProfile(
                categories=anchor.categories,
                counts=counts[:size],
                new=fields["new"],
                other=fields["other"],
                missing=fields["missing"],
            )
            counts = counts[size:]
    return DatasetProfile(
        rows=meta["rows"], columns=columns, seen=frozenset(meta["seen"]), extra=frozenset(meta["extra"])
    )


def _cells(column: NumericProfile) -> CountArray:
    cumulative = np.column_stack((column.below, column.up_to)).ravel()
    return np.diff(cumulative, prepend=0)


def _without_values(edges: FloatArray) -> NumericProfile:
    nothing = np.zeros(len(edges), np.int64)
    return NumericProfile(edges=edges, below=nothing, up_to=nothing, present=0, missing=0)


def _without_categories(categories: tuple[str, ...]) -> CategoricalProfile:
    nothing = np.zeros(len(categories), np.int64)
    return CategoricalProfile(categories=categories, counts=nothing, new={}, other=0, missing=0)
