"""Which requests are captured or copied: every so-manieth one, so that the share is exact and tests can rely on it."""

import math
import threading


class Sampler:
    """Chooses the given share (0 to 1) of the requests, evenly spread; thread-safe."""

    def __init__(self, share: float) -> None:
        self._share = min(max(share, 0.0), 1.0)
        self._seen = 0
        self._lock = threading.Lock()

    def choose(self) -> bool:
        """Whether this request is chosen: after n requests, floor(n * share) were."""
        with self._lock:
            self._seen += 1
            return self._chosen(self._seen) > self._chosen(self._seen - 1)

    def _chosen(self, requests: int) -> int:
        # Rounded first, or 100 requests at 7 % would make 7.000000000000001.
        return math.floor(round(requests * self._share, 9))
