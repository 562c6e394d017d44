"""The exception tree of this package. Must hold no logic."""


class ReleasesError(Exception):
    """A command cannot do what it was asked; the message says why, and what to do."""
