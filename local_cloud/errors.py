"""The exception tree of the local cloud: every error that is the user's to act on derives from LocalCloudError."""


class LocalCloudError(Exception):
    """Base of all errors of this package; its text says what failed, where, and what to do next."""
