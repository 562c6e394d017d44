"""The key that this monitor adds to Model Monitor's files: which columns the model reads and answers with.

Every file has it, because a monitoring schedule hands a job single files of a baseline. The formats allow further keys.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drift_monitor.errors import BaselineError
from drift_monitor.files.documents import Document, member, members
from drift_monitor.monitored_model import Answers, ProblemType
from drift_monitor.schema import Column, ColumnType, DataSchema

KEY = "monitored_model"


@dataclass(frozen=True)
class ModelKey:
    """Content of the key."""

    schema: DataSchema
    answers: Answers


def model_key_document(key: ModelKey) -> Document:
    """The key with its value, to be put into a document."""
    answers = key.answers
    return {
        KEY: {
            "outputs": [_column(column) for column in key.schema.outputs],
            "inputs": [_column(column) for column in key.schema.inputs],
            "ignored": list(key.schema.ignored),
            "problem_type": str(answers.problem_type),
            "prediction": answers.prediction,
            "probability": answers.probability,
            "positive": answers.positive,
            "label": answers.label,
        }
    }


def parse_model_key(document: Mapping[str, Any]) -> ModelKey | None:
    """The key of a document; None if it has none. Raises BaselineError if it is malformed."""
    value = member(document, KEY)
    if not value:
        return None
    try:
        schema = DataSchema(
            inputs=_columns(members(value, "inputs")),
            outputs=_columns(members(value, "outputs")),
            ignored=tuple(map(str, value.get("ignored", ()))),
        )
        answers = Answers(
            problem_type=ProblemType(value["problem_type"]),
            prediction=str(value["prediction"]),
            probability=_optional(value.get("probability")),
            positive=str(value["positive"]),
            label=_optional(value.get("label")),
        )
    except (KeyError, ValueError) as error:
        raise BaselineError(f"the key {KEY} of the baseline is malformed ({error}); build the baseline again") from None
    return ModelKey(schema, answers)


def column_type(text: object) -> ColumnType:
    """An inferred_type of Model Monitor; what is not known is Unknown."""
    try:
        return ColumnType(str(text))
    except ValueError:
        return ColumnType.UNKNOWN


def _column(column: Column) -> Document:
    return {"name": column.name, "type": str(column.type)}


def _columns(items: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    return tuple(Column(str(item["name"]), ColumnType(item["type"])) for item in items)


def _optional(value: object) -> str | None:
    return None if value is None else str(value)
