"""The one exception of the demo."""


class DemoError(Exception):
    """A part of the loop failed; the text says which, and what to look at."""
