"""One thread that does a piece of work again and again, at a pace that the work itself sets."""

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)
_CLOSE_LIMIT_SECONDS = 5.0


class Pacemaker:
    """Calls `beat` until `close`. What it returns is the real seconds until the next call; None waits for `wake`."""

    def __init__(self, name: str, beat: Callable[[], float | None]) -> None:
        self._name = name
        self._beat = beat
        self._changed = threading.Condition()
        self._woken = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """Call `beat` now; the first time this starts the thread."""
        with self._changed:
            self._woken = True
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self) -> None:
        """End the thread; a call that runs is given five seconds."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_CLOSE_LIMIT_SECONDS)

    def _run(self) -> None:
        while not self._closed:
            self._woken = False
            pause = self._safely()
            with self._changed:
                self._changed.wait_for(lambda: self._woken or self._closed, pause)

    def _safely(self) -> float | None:
        try:
            return self._beat()
        except Exception:  # noqa: BLE001
            # The thread is the only one: a defect in one round must not silence all later ones.
            _log.exception("%s failed", self._name)
            return 1.0
