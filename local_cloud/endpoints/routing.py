"""Which variant answers a request: by weight, evenly spread, and by exactly one of them.

Smooth weighted round robin: after any number of requests, each variant has had its share to within one request.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from local_cloud.endpoints.fleet import Fleet, Variant


@dataclass(frozen=True)
class _Route:
    """A variant with its fleet's share of all traffic and its own share of the fleet's (both 0 to 1)."""

    fleet: Fleet
    variant: Variant
    fleet_share: float
    share: float

    def weight(self, target: str | None) -> float:
        """A variant that is asked for by name answers whatever its weight is."""
        return self.fleet_share * self.share if target is None else self.fleet_share


class Router:
    """Routes between the variants of one or two fleets; mutable and thread-safe."""

    def __init__(self) -> None:
        self._routes: list[_Route] = []
        # One row of counters for each TargetVariant, and one for requests without.
        self._credits: dict[str | None, list[float]] = {}
        self._lock = threading.Lock()

    def route(self, shares: Sequence[tuple[Fleet, float]]) -> None:
        """Give each fleet its share of the traffic (they add up to 1); within a fleet, weights decide.

        Requests that were routed before are not touched.
        """
        routes = [
            _Route(fleet, variant, fleet_share, variant.spec.weight / (_weights(fleet) or 1.0))
            for fleet, fleet_share in shares
            for variant in fleet.production
        ]
        with self._lock:
            self._routes = routes
            self._credits = {}

    def take(self, target: str | None = None) -> tuple[Fleet, Variant] | None:
        """The variant for the next request (of that name, if `target` is given), counted as being on its way there.

        The caller says `leave` when it has the answer. None if no variant of that name gets traffic.
        """
        with self._lock:
            candidates = [route for route in self._routes if target in (None, route.variant.spec.name)]
            total = sum(route.weight(target) for route in candidates)
            if not total:
                return None
            credit = self._credits.setdefault(target, [0.0] * len(candidates))
            for index, route in enumerate(candidates):
                credit[index] += route.weight(target)
            # Rounded: shares such as 0.1 are not exact, and a tie must go to the same variant each time.
            chosen = max(range(len(candidates)), key=lambda index: round(credit[index], 9))
            credit[chosen] -= total
            candidates[chosen].variant.enter()
            return candidates[chosen].fleet, candidates[chosen].variant


def _weights(fleet: Fleet) -> float:
    return sum(variant.spec.weight for variant in fleet.production)
