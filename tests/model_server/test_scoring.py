"""From strings to the matrix that a model sees."""

import dataclasses

import numpy as np
import pytest

from model_server.errors import RecordError, ScoringError
from model_server.scoring import Encoder, Feature, FeatureSpec, parse_feature_spec, scorer_from_files

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


@pytest.mark.parametrize("value", ["fast", "nan", "inf", "-inf", "1_000", "٣", "0x10", " ", "1e400"])
def test_what_is_no_number_names_row_and_field(value: str) -> None:
    """A caller learns which value of which record to correct; what float() takes and no file has is refused too."""
    with pytest.raises(RecordError, match="row 2: the field 'engine_hp' should be a number") as caught:
        Encoder(SPEC).encode([["Audi", "1"], ["Audi", value]])

    assert (caught.value.row, caught.value.field) == (2, "engine_hp")


def test_a_number_out_of_range_is_refused_and_the_largest_one_is_not() -> None:
    """Beyond the limit a linear model has no finite answer."""
    assert np.all(Encoder(SPEC).encode([["Audi", "-1e15"]] * 3)[:, 1] == np.float32(-1e15))
    with pytest.raises(RecordError, match=r"should be a number between -1e\+15 and 1e\+15, not '1.1e15'"):
        Encoder(SPEC).encode([["Audi", "1.1e15"]])


def test_a_long_value_is_cut_in_the_message() -> None:
    """A megabyte in one field does not come back as a megabyte."""
    with pytest.raises(RecordError) as caught:
        Encoder(SPEC).encode([["Audi", "x" * 100_000]])

    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("row", "field"), [(["", "1"], "make"), (["Audi", ""], "engine_hp")])
def test_a_required_value_may_not_be_missing(row: list[str], field: str) -> None:
    """The data contract says so, and training has never seen it."""
    features = tuple(dataclasses.replace(feature, required=True) for feature in SPEC.features)

    with pytest.raises(RecordError, match=f"row 1: the field '{field}' is required and missing"):
        Encoder(dataclasses.replace(SPEC, features=features)).encode([row])


def test_numbers_that_were_read_before_are_the_same_again() -> None:
    """What the encoder remembers changes no result, also beyond what it can hold."""
    encoder = Encoder(SPEC)
    rows = [["Audi", str(number / 8)] for number in range(5000)]

    assert np.array_equal(encoder.encode(rows), encoder.encode(rows))
    assert np.array_equal(encoder.encode(rows)[:, 1], np.arange(5000, dtype=np.float32) / 8)


def test_no_rows_give_an_empty_matrix() -> None:
    """Evaluation code need not treat it as a special case."""
    assert Encoder(SPEC).encode([]).shape == (0, 2)


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
