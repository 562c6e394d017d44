"""Golden records: inputs with the prediction of the trained model, out of the released archive itself.

Must not call AWS. Written by the pipeline's export: {"tolerance_log", "records": [{"values", "prediction"}]} beside
the names and kinds of the features.
"""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.shared.model_archive import FEATURES, GOLDEN_RECORDS, ModelArchive
from lambdas.verify_endpoint.errors import VerificationError


@dataclass(frozen=True, slots=True)
class GoldenRecords:
    """`rows` are texts in the order of `names`; `expected` in the label's unit; `tolerance` of the logarithm."""

    names: tuple[str, ...]
    numeric: frozenset[str]
    rows: tuple[tuple[str, ...], ...]
    expected: tuple[float, ...]
    tolerance: float

    def csv_body(self, rows: Sequence[Sequence[str]] | None = None) -> str:
        """Records as text/csv without a header; all of them unless `rows` are given."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(self.rows if rows is None else rows)
        return text.getvalue()

    def json_records(self) -> list[dict[str, str | float | None]]:
        """All records as objects: numbers for numeric fields, null for a missing one."""
        return [
            {name: self._value(name, value) for name, value in zip(self.names, row, strict=True)} for row in self.rows
        ]

    def _value(self, name: str, value: str) -> str | float | None:
        if name not in self.numeric:
            return value
        return float(value) if value else None

    def largest_difference(self, predictions: Sequence[float], *, content_type: str) -> float:
        """Largest difference of logarithms; VerificationError naming the worst record if it is out of tolerance."""
        if len(predictions) != len(self.expected):
            raise VerificationError(
                f"{content_type}: {len(self.expected)} records were sent, {len(predictions)} predictions came back"
            )
        differences = [_log_difference(*pair) for pair in zip(predictions, self.expected, strict=True)]
        worst = max(range(len(differences)), key=differences.__getitem__)
        if not differences[worst] <= self.tolerance:
            raise VerificationError(
                f"{content_type}: the endpoint does not predict what the trained model predicts: golden record "
                f"{worst + 1} ({', '.join(self.rows[worst])}) gives {predictions[worst]:.6g} instead of "
                f"{self.expected[worst]:.6g}, {differences[worst]:.3g} in log space, allowed is {self.tolerance:g}"
            )
        return differences[worst]


def golden_records(archive: ModelArchive) -> GoldenRecords:
    """The golden records of an archive; VerificationError if it has none in the project's form."""
    try:
        golden, features = archive.documents[GOLDEN_RECORDS], archive.documents[FEATURES]["features"]
        records: list[Any] = golden["records"]
        found = GoldenRecords(
            names=tuple(str(feature["name"]) for feature in features),
            numeric=frozenset(str(feature["name"]) for feature in features if feature["kind"] == "numeric"),
            rows=tuple(tuple(str(value) for value in record["values"]) for record in records),
            expected=tuple(float(record["prediction"]) for record in records),
            tolerance=float(golden["tolerance_log"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise VerificationError(f"the artifact has no usable golden records ({error!r})") from error
    if not found.rows or any(len(row) != len(found.names) for row in found.rows):
        raise VerificationError("the artifact has no golden records, or they do not have one value per feature")
    return found


def _log_difference(prediction: float, expected: float) -> float:
    """How far two positive numbers are apart; infinite if the prediction is no positive number."""
    if not (math.isfinite(prediction) and prediction > 0):
        return math.inf
    return abs(math.log(prediction) - math.log(expected))
