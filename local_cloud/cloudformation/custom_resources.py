"""Where custom resources answer: one waiting place per request, reached through the server's own page.

Source: AWS CloudFormation User Guide, "Custom resource request and response reference".
"""

import threading
import uuid
from collections.abc import Mapping
from typing import Any

from local_cloud.cloudformation.errors import HandlerFailure

_PAGE = "/_local-cloud/cfn-response/"


class CallbackDesk:
    """Requests that wait for an answer. Many threads may use it."""

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self._lock = threading.Lock()
        self._waiting: dict[str, threading.Event] = {}
        self._answers: dict[str, Mapping[str, Any]] = {}

    def open(self) -> tuple[str, str]:
        """A new request: its id, and the URL to which its answer is put."""
        request_id = str(uuid.uuid4())
        with self._lock:
            self._waiting[request_id] = threading.Event()
        return request_id, f"{self._endpoint_url}{_PAGE}{request_id}"

    def complete(self, request_id: str, answer: Mapping[str, Any]) -> bool:
        """Hand in an answer; False if no such request is waiting."""
        with self._lock:
            if request_id not in self._waiting:
                return False
            self._answers[request_id] = answer
            self._waiting[request_id].set()
            return True

    def wait(self, request_id: str, *, seconds: float) -> Mapping[str, Any]:
        """The answer; raises HandlerFailure if none comes in time or the local cloud is reset."""
        answered = self._waiting[request_id].wait(seconds)
        with self._lock:
            self._waiting.pop(request_id, None)
            answer = self._answers.pop(request_id, None)
        if answer is None:
            how = f"in {seconds:.0f} s" if not answered else "before the local cloud was reset"
            raise HandlerFailure(f"The custom resource's function did not answer to its ResponseURL {how}")
        return answer

    def abandon(self) -> None:
        """Let everyone who waits go."""
        with self._lock:
            for waiting in self._waiting.values():
                waiting.set()
