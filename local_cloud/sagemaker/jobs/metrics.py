"""Metric definitions: SageMaker reads a training job's metrics out of its log lines.

https://docs.aws.amazon.com/sagemaker/latest/dg/define-train-metrics.html
"""

import re
from collections.abc import Sequence
from typing import Any

from local_cloud.clock import Clock


class MetricReader:
    """Applies metric definitions to log lines and keeps each metric's last value."""

    def __init__(self, definitions: Sequence[tuple[str, str]], clock: Clock) -> None:
        self._patterns = [(name, re.compile(pattern)) for name, pattern in definitions]
        self._clock = clock
        self._last: dict[str, dict[str, Any]] = {}

    def read(self, line: str) -> None:
        """Take every metric that a line reports; a match that is no number is passed over."""
        for name, pattern in self._patterns:
            for found in pattern.finditer(line):
                try:
                    value = float(found.group(1))
                except (ValueError, IndexError):
                    continue
                self._last[name] = {"MetricName": name, "Value": value, "Timestamp": self._clock.now()}

    def final(self) -> list[dict[str, Any]]:
        """FinalMetricDataList, in the order of the definitions."""
        return [self._last[name] for name, _ in self._patterns if name in self._last]
