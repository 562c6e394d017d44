"""Errors of the monitor: each message says what is wrong, in which file or column, and what to do."""


class MonitorError(Exception):
    """The analysis cannot go on; the text is for the user."""


class BaselineError(MonitorError):
    """The baseline is missing, damaged, or of another data set."""


class ReaderError(MonitorError):
    """A data set cannot be read at all; single bad records are counted in the capture health instead."""


class SettingsError(MonitorError):
    """An option, an environment variable or a policy has a value that cannot be used."""
