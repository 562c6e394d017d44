"""Rules for alarms, each as the columns of a window that it raises one for.

Ours is the monitor's default policy with all its checks. Model Monitor's is its default for data with a baseline of
any size, comparison method Simple with threshold 0.1, on exact distances: better than its own sketches, which lose the
weight of equal values. https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-byoc-constraints.html
"""

from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.drift.columns import CATEGORIES, FLAGS
from drift_monitor.baseline import Baseline
from drift_monitor.drift.checks import run_checks
from drift_monitor.drift.detection import detect
from drift_monitor.drift.policy import AlarmPolicy
from drift_monitor.profile.dataset import Profiler
from drift_monitor.results import Verdict

_SIMPLE_THRESHOLD = 0.1


def ours(baseline: Baseline, window: pa.RecordBatch) -> set[str]:
    """Columns with a violation: of the distance, or of a check."""
    profiler, policy = Profiler(baseline.profile.anchors), AlarmPolicy()
    profiler.add(window)
    profile = profiler.result()
    features = detect(baseline.profile, profile, policy=policy)
    checks = run_checks(baseline.constraints, profile, policy=policy)
    findings = [(item.feature, item.verdict) for item in features] + [(item.feature, item.verdict) for item in checks]
    return {feature for feature, verdict in findings if verdict is Verdict.VIOLATION}


def model_monitor(known: pa.RecordBatch, window: pa.RecordBatch) -> set[str]:
    """Columns whose distance is above the threshold, whatever the number of rows."""
    return {name for name in known.schema.names if distance(name, known, window) > _SIMPLE_THRESHOLD}


def distance(name: str, known: pa.RecordBatch, window: pa.RecordBatch) -> float:
    """Kolmogorov-Smirnov distance of numbers, largest difference of shares of categories; both 0 to 1, exact."""
    one, other = (_values(batch.column(name)) for batch in (known, window))
    points = np.unique(np.concatenate((one, other)))
    counts = [np.searchsorted(np.sort(values), points, "right") / len(values) for values in (one, other)]
    if name in CATEGORIES or name in FLAGS:
        counts = [np.diff(shares, prepend=0.0) for shares in counts]
    return float(np.abs(counts[0] - counts[1]).max())


def _values(column: pa.Array) -> Any:
    present = column.drop_null()
    if pa.types.is_string(present.type):
        # Their codes do as well: "category 17" is 17.
        return np.array([int(text.rpartition(" ")[2]) for text in present.to_pylist()])
    return present.to_numpy(zero_copy_only=False)
