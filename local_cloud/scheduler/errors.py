"""The errors of schedules that are the user's to correct."""

from local_cloud.errors import LocalCloudError


class ScheduleExpressionError(LocalCloudError):
    """An expression that AWS would refuse; the text says which part and why."""
