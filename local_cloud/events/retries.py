"""How long a failed delivery is tried again, as EventBridge and its Scheduler do it. Pure."""

from collections.abc import Mapping
from typing import Any

MOST_RETRIES = 10
"""AWS tries up to 185 times in a day; here nobody waits that long for a target that stays broken."""
_DEFAULT_RETRIES = 185
_DEFAULT_AGE_SECONDS = 86_400
_LONGEST_DELAY_SECONDS = 300


def delay_after(attempt: int) -> int:
    """Seconds of cloud time to wait after an attempt that failed, counted from 1."""
    return int(min(2 ** (attempt - 1), _LONGEST_DELAY_SECONDS))


def exhausted_limit(policy: Mapping[str, Any] | None, *, attempt: int, age_seconds: float) -> str | None:
    """Which limit of a RetryPolicy forbids another attempt after this one, whose event would then be this old."""
    given = policy or {}
    if attempt > min(int(given.get("MaximumRetryAttempts", _DEFAULT_RETRIES)), MOST_RETRIES):
        return "MaximumRetryAttempts"
    if age_seconds > int(given.get("MaximumEventAgeInSeconds", _DEFAULT_AGE_SECONDS)):
        return "MaximumEventAgeInSeconds"
    return None
