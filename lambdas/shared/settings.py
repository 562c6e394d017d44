"""Reads a function's settings from its environment, once per cold start. Must not hold defaults."""

from collections.abc import Mapping

from lambdas.shared.errors import SettingsError


def required_variables(environment: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, ...]:
    """The values of `names`, in that order; SettingsError naming all that are missing or empty."""
    missing = [name for name in names if not environment.get(name)]
    if missing:
        raise SettingsError(
            f"environment variable(s) not set: {', '.join(missing)}; set them on the function in its stack"
        )
    return tuple(environment[name] for name in names)
