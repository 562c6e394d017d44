"""The one finding that ends a verification. Must hold no logic."""

from lambdas.shared.errors import LambdaError


class VerificationError(LambdaError):
    """The endpoint is not what was released, or does not answer as it must; the text is the action's failure."""
