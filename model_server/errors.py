"""The exception tree of this package. Each of them is an operator's or a caller's to solve; anything else is a bug."""


class ModelServerError(Exception):
    """Base of every error that this package raises on purpose; the message says what failed and what to do."""


class SettingsError(ModelServerError):
    """A setting of the server (an environment variable) that it cannot start with."""


class ScoringError(ModelServerError):
    """A model artifact that cannot be scored, or a record of which that is true."""


class ArtifactError(ScoringError):
    """A model artifact that is incomplete, was changed after its export, or does not predict what it promises."""


class RecordError(ScoringError):
    """A record that cannot be scored; `row` counts from 1, `field` is None if the record as a whole is at fault."""

    def __init__(self, *, row: int, field: str | None, reason: str) -> None:
        where = f"row {row}" if field is None else f"row {row}: the field '{field}'"
        super().__init__(f"{where} {reason}")
        self.row = row
        self.field = field
        self.reason = reason


class RequestError(ModelServerError):
    """A request that is refused as a whole, with the HTTP status of the answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class ClientDisconnectedError(ModelServerError):
    """The caller went away before its request was complete; there is nobody to answer."""
