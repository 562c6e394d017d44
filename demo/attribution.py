"""Which version answered a request: the one that predicts just that for just that record.

A caller is not told, and both fleets of a deployment have the same variant name; so the answers are compared with what
each version's artifact predicts offline. Nothing that the endpoint says about itself is believed.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from demo.load import Call

# A server may score requests together, and then sums of float32 are rounded otherwise. Two versions are much further
# apart.
_SAME = 1e-5


@dataclass(frozen=True)
class KnownPredictions:
    """By version, the prediction for each record of the traffic; None where that version fails."""

    of: Mapping[str, Sequence[float | None]]

    def version_of(self, call: Call) -> str | None:
        """The version that answered a call; None if none would, or more than one."""
        if call.succeeded:
            value = _number(call.answer)
            fitting = [version for version, known in self.of.items() if _is(known[call.record], value)]
        else:
            fitting = [version for version, known in self.of.items() if known[call.record] is None]
        return fitting[0] if len(fitting) == 1 else None

    def count(self, calls: Sequence[Call]) -> Counter[str | None]:
        """How many calls each version answered."""
        return Counter(self.version_of(call) for call in calls)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _is(known: float | None, value: float) -> bool:
    return known is not None and math.isclose(known, value, rel_tol=_SAME)
