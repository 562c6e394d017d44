"""The exception tree of the Lambda functions. Must hold no logic."""


class LambdaError(Exception):
    """Base of every error that a function of this project raises itself."""


class SettingsError(LambdaError):
    """An environment variable, or what it points at, is missing or wrong: correct the deployment."""


class MalformedEventError(LambdaError):
    """The event is not what the function subscribes to: no retry can help, so it is logged and dropped."""


class EventDeliveryError(LambdaError):
    """EventBridge refused an event; raised so that Lambda retries the whole, idempotent, invocation."""


class ConflictError(LambdaError):
    """Other invocations kept changing the same object; raised so that Lambda retries later."""


class CorruptRecordError(LambdaError):
    """A document that this project wrote itself cannot be read any more."""
