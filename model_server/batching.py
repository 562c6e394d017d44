"""Records of requests that are there at the same moment, scored in one run of the model.

Most of what one record costs is fixed: HTTP has just pushed ONNX Runtime and the model out of the processor's caches,
and a run brings them back, for one record or for thirty. No request waits for company: what has come in by the end of
a turn of the event loop is scored in the next one, a few microseconds later, and a request that is alone is scored
alone. Knows nothing of HTTP.
"""

import asyncio
from collections.abc import Sequence

import numpy as np

from model_server.scoring import FloatMatrix, Scorer

# A request with more records gains nothing from sharing a run, and would keep those who share it with it.
_LARGEST_SHARED = 32


class BatchScorer:
    """Scores requests, small ones together. Belongs to one event loop."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._waiting: list[tuple[FloatMatrix, asyncio.Future[list[float]]]] = []

    async def predict(self, rows: Sequence[Sequence[str]]) -> list[float]:
        """Predicted label of each record, as `Scorer.predict`.

        Raises RecordError as `Encoder.encode` does, before the records meet those of others, or the model's own error.
        """
        matrix = self._scorer.encoder.encode(rows)
        if len(matrix) > _LARGEST_SHARED:
            return self._scores(matrix)
        future: asyncio.Future[list[float]] = asyncio.get_running_loop().create_future()
        self._waiting.append((matrix, future))
        if len(self._waiting) == 1:
            # The first one gives way to the others once, then scores for all of them, even if it was itself given up.
            try:
                await asyncio.sleep(0)
            finally:
                self._score_waiting()
        return await future

    def _score_waiting(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            scores = self._scores(np.concatenate([matrix for matrix, _ in waiting]))
        except Exception:  # noqa: BLE001  which of the requests it is about shows when each is scored alone
            for matrix, future in waiting:
                self._score_alone(matrix, future)
            return
        first = 0
        for matrix, future in waiting:
            end = first + len(matrix)
            # A request is done before its time if the server gave it up: the drain was over.
            if not future.done():
                future.set_result(scores[first:end])
            first = end

    def _score_alone(self, matrix: FloatMatrix, future: asyncio.Future[list[float]]) -> None:
        try:
            scores = self._scores(matrix)
        except Exception as error:  # noqa: BLE001  the request answers for it
            if not future.done():
                future.set_exception(error)
            return
        if not future.done():
            future.set_result(scores)

    def _scores(self, matrix: FloatMatrix) -> list[float]:
        scores: list[float] = self._scorer.predict_encoded(matrix).tolist()
        return scores
