"""The exception tree of this package. Each of them is the user's to solve; anything else that is raised is a bug."""


class PipelinesError(Exception):
    """Base of every error that this package raises on purpose; the message says what failed and what to do."""


class StepError(PipelinesError):
    """The input or a parameter of a job is not as it should be."""


class DefinitionError(PipelinesError):
    """A pipeline definition that cannot be built or that SageMaker would not accept."""


class CatalogueError(PipelinesError):
    """The source catalogue cannot be had or is not the expected one."""


class WatchError(PipelinesError):
    """A pipeline execution that cannot be started or followed."""
