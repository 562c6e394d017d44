"""Base of this package's errors.

Must not be raised itself.
"""


class StacksError(Exception):
    """The stacks cannot be composed; the message is meant for the person who started the synth."""
