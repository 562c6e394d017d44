"""The hour in which all captured events of the benchmark lie."""

from datetime import UTC, datetime

BEGIN = datetime(2026, 11, 23, 18, tzinfo=UTC)
SECONDS = 3600
