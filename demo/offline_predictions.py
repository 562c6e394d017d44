"""`python -m demo.offline_predictions`: what a model artifact predicts for some records, without any endpoint.

Writes a JSON list of predictions in the label's unit, null for a record that the model fails on. Runs in the
runtime image's environment, so it computes exactly what a server answers.
"""

import argparse
import csv
import json
import sys
from pathlib import Path

from model_server.scoring import Scorer, scorer_from_files
from sagemaker_pipelines.artifacts import unpack


def main(argv: list[str] | None = None) -> int:
    """Write the predictions; what is wrong with the artifact itself ends it with a trace for the caller to show."""
    parser = argparse.ArgumentParser(prog="python -m demo.offline_predictions", description="Predict without a server.")
    parser.add_argument("--model", type=Path, required=True, help="model.tar.gz")
    parser.add_argument("--records", type=Path, required=True, help="CSV without a header, inputs only")
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    arguments = parser.parse_args(argv)
    scorer = scorer_from_files(unpack(arguments.model))
    with arguments.records.open(newline="", encoding="utf-8") as file:
        predicted = [_prediction(scorer, record) for record in csv.reader(file)]
    arguments.output.write_text(json.dumps(predicted))
    return 0


def _prediction(scorer: Scorer, record: list[str]) -> float | None:
    # One by one, as callers send them: in a batch, sums may be rounded otherwise.
    try:
        return float(scorer.predict([record])[0])
    except Exception:  # noqa: BLE001  ONNX Runtime has no public base class for its errors
        return None


if __name__ == "__main__":
    sys.exit(main())
