"""What a command of the command line reports when it cannot do what was asked."""

from local_cloud.errors import LocalCloudError


class CommandError(LocalCloudError):
    """One line: what is wrong, and what to do."""
