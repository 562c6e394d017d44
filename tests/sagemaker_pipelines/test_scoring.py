"""From strings to the matrix that a model sees."""

import numpy as np
import pytest

from sagemaker_pipelines.errors import ScoringError
from sagemaker_pipelines.scoring import Encoder, Feature, FeatureSpec, parse_feature_spec, scorer_from_files

SPEC = FeatureSpec(
    dataset="cars",
    label="msrp",
    features=(
        Feature("make", median=None, categories=("Audi", "Ford")),
        Feature("engine_hp", median=150.0, categories=()),
    ),
)


def test_known_categories_count_from_one_and_numbers_are_kept() -> None:
    """Code 0 is free for what training has not seen."""
    matrix = Encoder(SPEC).encode([["Audi", "200"], ["Ford", "90.5"]])

    assert np.array_equal([[1.0, 200.0], [2.0, 90.5]], matrix)
    assert matrix.dtype == np.float32


def test_an_unseen_category_has_a_code_of_its_own() -> None:
    """A make of next year can be priced."""
    assert Encoder(SPEC).encode([["Tesla", "200"]])[0, 0] == 0


def test_a_missing_number_becomes_the_median() -> None:
    """The catalogue has cars without a stated power."""
    assert Encoder(SPEC).encode([["Audi", ""]])[0, 1] == 150


@pytest.mark.parametrize("value", ["fast", "nan", "inf"])
def test_what_is_no_number_names_row_and_field(value: str) -> None:
    """A caller learns which value of which record to correct."""
    with pytest.raises(ScoringError, match="row 2: the field 'engine_hp' should be a number"):
        Encoder(SPEC).encode([["Audi", "1"], ["Audi", value]])


def test_a_record_with_another_width_names_the_expected_fields() -> None:
    """The message lists the fields in their order."""
    with pytest.raises(ScoringError, match=r"row 1 has 1 values instead of 2 \(make, engine_hp\)"):
        Encoder(SPEC).encode([["Audi"]])


def test_a_specification_survives_its_json_form() -> None:
    """What training writes is what serving reads."""
    assert parse_feature_spec(SPEC.to_json()) == SPEC


def test_a_malformed_specification_is_an_error_of_ours() -> None:
    """No KeyError reaches a caller."""
    with pytest.raises(ScoringError, match="feature specification is malformed"):
        parse_feature_spec({"features": [{"name": "make"}]})


def test_an_artifact_without_a_model_is_named() -> None:
    """The message lists the missing files."""
    with pytest.raises(ScoringError, match=r"lacks feature_spec\.json, model\.onnx"):
        scorer_from_files({})
