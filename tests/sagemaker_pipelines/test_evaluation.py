"""When a candidate is accepted, and what it is told if not."""

import re

import numpy as np
import pytest

from sagemaker_pipelines.evaluation import Limits, Predictions, evaluate
from sagemaker_pipelines.metrics import Vector

ACTUAL = np.linspace(10_000, 50_000, 100)
LIMITS = Limits(maximum_mape=15, maximum_bias=10, maximum_slice_mape=30, minimum_improvement=0, minimum_slice_rows=20)


def _decide(
    candidate: Vector, champion: Vector | None = None, *, limits: Limits = LIMITS, same_artifact: bool = False
) -> tuple[int, str]:
    predictions = Predictions(ACTUAL, candidate, plain=ACTUAL * 1.3, champion=champion)
    slices = {"make": ["Kia"] * 25 + ["Ford"] * 75}
    decision = evaluate(predictions, slices=slices, limits=limits, same_artifact=same_artifact)["decision"]
    return decision["accepted"], decision["summary"]


def _alternating(share: float) -> Vector:
    return ACTUAL * np.where(np.arange(100) % 2, 1 + share, 1 - share)


def test_a_good_first_model_is_accepted_without_a_champion() -> None:
    """The first model has nothing to beat but the limits."""
    assert _decide(_alternating(0.05)) == (1, "every limit is kept")


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        (_alternating(0.2), r"MAPE 20\.0 % is above the limit of 15 %"),
        (ACTUAL * 0.88, r"bias -12\.0 % is beyond the limit"),
        (ACTUAL * 1.3, "does not beat the plain baseline"),
        (ACTUAL * np.where(np.arange(100) < 25, 1.35, 1.01), "for make 'Kia' .25 rows. is above the limit of 30 %"),
    ],
)
def test_each_limit_rejects_with_its_own_reason(candidate: Vector, reason: str) -> None:
    """The reason names the metric, its value and the limit."""
    accepted, summary = _decide(candidate)

    assert accepted == 0
    assert re.search(reason, summary)


def test_a_candidate_that_beats_the_champion_is_accepted() -> None:
    """The comparison is on the same cars."""
    assert _decide(_alternating(0.05), _alternating(0.08))[0] == 1


def test_a_candidate_that_is_worse_than_the_champion_is_rejected() -> None:
    """The reason has the change and its interval."""
    accepted, summary = _decide(_alternating(0.08), _alternating(0.05))

    assert accepted == 0
    assert "MAE changes by +60.0 % against the champion" in summary


def test_an_improvement_below_the_demanded_one_is_rejected() -> None:
    """A new model costs an approval and a deployment; it has to be worth them."""
    limits = Limits(15, 10, 30, minimum_improvement=50, minimum_slice_rows=20)

    assert _decide(_alternating(0.05), _alternating(0.08), limits=limits)[0] == 0


def test_the_champion_itself_is_not_offered_again() -> None:
    """The same data, commit and parameters give the same artifact: nothing to approve."""
    accepted, summary = _decide(_alternating(0.05), _alternating(0.05), same_artifact=True)

    assert (accepted, summary) == (0, "the candidate is the champion, byte for byte: nothing new to approve")
