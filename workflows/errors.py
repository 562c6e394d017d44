"""The exception tree of this package. Must hold no logic."""


class WorkflowsError(Exception):
    """A workflow cannot be authored, created or run; the message says why, and what to do."""
