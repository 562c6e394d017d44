"""Requests that share a run of the model: each gets its own answer, or its own refusal."""

import asyncio
from typing import cast

import numpy as np
import pytest

from model_server.batching import BatchScorer
from model_server.errors import RecordError
from model_server.scoring import Encoder, Feature, FeatureSpec, FloatMatrix, FloatVector, Scorer

SPEC = FeatureSpec(dataset="cars", label="msrp", features=(Feature("engine_hp", median=150.0, categories=()),))


class CountingScorer:
    """A scorer that predicts twice the input, or fails, and remembers how many rows each run had."""

    def __init__(self) -> None:
        self.encoder = Encoder(SPEC)
        self.runs: list[int] = []
        self.failure: Exception | None = None

    def predict_encoded(self, matrix: FloatMatrix) -> FloatVector:
        """Twice the only feature."""
        self.runs.append(len(matrix))
        if self.failure:
            raise self.failure
        return 2.0 * matrix[:, 0].astype(np.float64)


@pytest.fixture
def model() -> CountingScorer:
    """A model that works."""
    return CountingScorer()


def predict(scorer: CountingScorer, *requests: list[str]) -> list[list[float] | BaseException]:
    """What each of several requests of the same moment gets."""

    async def together() -> list[list[float] | BaseException]:
        batches = BatchScorer(cast(Scorer, scorer))
        calls = (batches.predict([[value] for value in values]) for values in requests)
        return await asyncio.gather(*calls, return_exceptions=True)

    return asyncio.run(together())


def test_requests_of_the_same_moment_share_a_run(model: CountingScorer) -> None:
    """Each gets the predictions of its own records, in their order."""
    answers = predict(model, ["1"], ["4", "3", "2"], ["5"])

    assert answers == [[2.0], [8.0, 6.0, 4.0], [10.0]]
    assert model.runs == [5]


def test_requests_one_after_another_are_scored_one_by_one(model: CountingScorer) -> None:
    """Nothing of an earlier run is left."""

    async def in_turn() -> list[list[float]]:
        batches = BatchScorer(cast(Scorer, model))
        return [await batches.predict([[value]]) for value in ("1", "2")]

    assert asyncio.run(in_turn()) == [[2.0], [4.0]]
    assert model.runs == [1, 1]


def test_a_large_request_has_a_run_of_its_own(model: CountingScorer) -> None:
    """Small ones beside it do not wait for it."""
    predict(model, ["1"], ["2"] * 1000, ["3"])

    assert sorted(model.runs) == [2, 1000]


def test_a_wrong_record_is_only_its_request_s_trouble(model: CountingScorer) -> None:
    """The row counts within the request."""
    first, wrong, last = predict(model, ["1"], ["2", "much"], ["3"])

    assert (first, last) == ([2.0], [6.0])
    assert isinstance(wrong, RecordError)
    assert wrong.row == 2


def test_a_model_that_fails_fails_every_request_of_the_run(model: CountingScorer) -> None:
    """None of them waits for ever."""
    model.failure = RuntimeError("the session is gone")

    assert predict(model, ["1"], ["2"]) == [model.failure, model.failure]


@pytest.mark.parametrize("given_up", [0, 1, 2])
def test_a_request_that_was_given_up_does_not_disturb_the_others(model: CountingScorer, given_up: int) -> None:
    """The server cancels what is left when its time to drain is over."""

    async def cancel_one() -> list[list[float]]:
        batches = BatchScorer(cast(Scorer, model))
        tasks = [asyncio.ensure_future(batches.predict([[value]])) for value in ("1", "2", "3")]
        await asyncio.sleep(0)
        tasks[given_up].cancel()
        return await asyncio.wait_for(asyncio.gather(*(task for task in tasks if task is not tasks[given_up])), 5)

    answers = [[2.0], [4.0], [6.0]]
    del answers[given_up]
    assert asyncio.run(cancel_one()) == answers
