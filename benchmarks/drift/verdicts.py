"""Whether what was asked for was reached, as lines of a list."""


def at_most(what: str, measured: float, asked: float, *, unit: str) -> str:
    """A line that says so."""
    return f"- {what}: {measured:.3g} {unit}, asked for <= {asked:g}: {'reached' if measured <= asked else 'MISSED'}"


def at_least(what: str, measured: float, asked: float, *, unit: str) -> str:
    """A line that says so."""
    return f"- {what}: {measured:,.6g} {unit}, asked for >= {asked:,g}: {'reached' if measured >= asked else 'MISSED'}"
