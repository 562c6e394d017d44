"""The writer behind data capture: requests hand over what was captured, a thread of its own puts it into S3.

An object holds complete lines only. Nothing here is on a request's path but an append to a list.
"""

import itertools
import logging
import threading
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local_cloud.endpoints.capture_events import CapturedCall, CaptureSettings, capture_line, object_key
from local_cloud.endpoints.sampling import Sampler
from local_cloud.sagemaker.jobs.failures import denied

_FLUSH_SECONDS = 1.0
_FLUSH_EVENTS = 1000
_TRIES = 3
_log = logging.getLogger(__name__)


class CaptureStream:
    """Captured calls of one variant on their way to S3; mutable and thread-safe.

    `client` gives an S3 client with the rights of the model's role. `broken` is true once the role was refused: what
    is captured from then on is lost, as on AWS, and DescribeEndpoint says Stopped.
    """

    def __init__(self, settings: CaptureSettings, *, endpoint: str, variant: str, client: Callable[[], Any]) -> None:
        self.settings = settings
        self.broken = False
        self._endpoint = endpoint
        self._variant = variant
        self._client = client
        self._sampler = Sampler(settings.share)
        self._calls: list[CapturedCall] = []
        self._changed = threading.Condition()
        self._closed = False
        self._hurry = False
        self._taken = self._done = 0
        self._thread: threading.Thread | None = None

    def wants(self) -> bool:
        """Whether the next call is one of the sampled ones; to be asked once for each call."""
        return self._sampler.choose()

    def offer(self, call: CapturedCall) -> None:
        """Take a call over; returns at once."""
        with self._changed:
            if self._closed:
                return
            self._calls.append(call)
            self._taken += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=f"capture-{self._endpoint}", daemon=True)
                self._thread.start()
            elif len(self._calls) >= _FLUSH_EVENTS:
                self._changed.notify_all()

    def flush(self, timeout: float) -> bool:
        """Write what was taken over so far; whether it is in S3 (or lost) within `timeout` seconds."""
        with self._changed:
            self._hurry = True
            self._changed.notify_all()
            taken = self._taken
            return self._changed.wait_for(lambda: self._done >= taken, timeout)

    def close(self) -> None:
        """Write what is left and end; returns when it is in S3."""
        with self._changed:
            self._closed = True
            thread = self._thread
            self._changed.notify_all()
        if thread is not None:
            thread.join()

    def abandon(self) -> None:
        """End without writing what is left."""
        with self._changed:
            self._closed = True
            self._done += len(self._calls)
            self._calls.clear()
            self._changed.notify_all()

    def _work(self) -> None:
        closed = False
        while not closed:
            with self._changed:
                self._changed.wait_for(self._is_urgent, _FLUSH_SECONDS)
                closed, calls, self._calls = self._closed, self._calls, []
                self._hurry = False
            hours = itertools.groupby(
                sorted(calls, key=lambda call: call.moment),
                key=lambda call: call.moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0),
            )
            for _, group in hours:
                self._write(list(group))
            with self._changed:
                self._done += len(calls)
                self._changed.notify_all()

    def _is_urgent(self) -> bool:
        return self._closed or self._hurry or len(self._calls) >= _FLUSH_EVENTS

    def _write(self, calls: Sequence[CapturedCall]) -> None:
        """Put one object; an event belongs to the hour in which its request came."""
        settings = self.settings
        key = object_key(settings, endpoint=self._endpoint, variant=self._variant, moment=calls[0].moment)
        body = "".join(capture_line(settings, call) for call in calls).encode()
        encryption = (
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": settings.kms_key_id} if settings.kms_key_id else {}
        )
        for attempt in range(1, _TRIES + 1):
            try:
                self._client().put_object(Bucket=settings.bucket, Key=key, Body=body, **encryption)
                return
            except (ClientError, BotoCoreError) as error:
                refused = isinstance(error, ClientError) and denied(error)
                if refused or attempt == _TRIES:
                    self.broken = True
                    _log.warning("%d captured events of %s are lost: %s", len(calls), self._endpoint, error)
                    return
