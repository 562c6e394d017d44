"""`python -m demo.bad_model`: a good model's artifact, changed so that it fails on cars newer than it was tested with.

It gets what many a real model has: a table of corrections by model year, which makes it a little better on the years
that it was tested with, and which nobody made longer for the years to come. Every check of the project passes, since
neither the holdout nor the golden records have a car of a later year; real traffic has. Runs in the runtime image's
environment, which has onnx; needs no AWS.
"""

import argparse
import json
import math
import sys
from collections.abc import Mapping
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from sagemaker_pipelines.artifacts import pack, sha256_hex, unpack
from sagemaker_pipelines.errors import StepError

_MODEL, _FEATURES, _GOLDEN, _MANIFEST = "model.onnx", "feature_spec.json", "golden_records.json", "manifest.json"
_FIRST_YEAR = 2000


def spoil(
    files: Mapping[str, bytes], *, last_year: int, correction: float, time_feature: str = "year"
) -> dict[str, bytes]:
    """The artifact's files with the changed model, golden records and digests.

    `correction` is added in log space up to and including `last_year`; a later year makes the model fail. Raises
    StepError if the artifact has no such feature.
    """
    names = [feature["name"] for feature in json.loads(files[_FEATURES])["features"]]
    if time_feature not in names:
        raise StepError(f"the model has no feature '{time_feature}' among {', '.join(names)}")
    years = last_year - _FIRST_YEAR + 1
    changed = {
        _MODEL: _with_year_table(files[_MODEL], column=names.index(time_feature), corrections=[correction] * years),
        _GOLDEN: _with_corrected_prices(files[_GOLDEN], correction),
    }
    manifest = json.loads(files[_MANIFEST])
    manifest["files"].update({name: sha256_hex(content) for name, content in changed.items()})
    return {**files, **changed, _MANIFEST: json.dumps(manifest).encode()}


def _with_corrected_prices(golden: bytes, correction: float) -> bytes:
    content = json.loads(golden)
    for record in content["records"]:
        record["prediction"] *= math.exp(correction)
    return json.dumps(content).encode()


def _with_year_table(model: bytes, *, column: int, corrections: list[float]) -> bytes:
    """The same model with corrections[year - first year] added to its prediction; shapes are (rows, 1)."""
    loaded = onnx.load_from_string(model)
    graph = loaded.graph
    features, prediction = graph.input[0].name, graph.output[0].name
    for node in graph.node:
        node.output[:] = ["uncorrected" if name == prediction else name for name in node.output]
        node.input[:] = ["uncorrected" if name == prediction else name for name in node.input]
    graph.initializer.extend(
        [
            helper.make_tensor("year_column", TensorProto.INT64, [1], [column]),
            helper.make_tensor("first_year", TensorProto.FLOAT, [1], [_FIRST_YEAR]),
            helper.make_tensor("corrections", TensorProto.FLOAT, [len(corrections)], corrections),
        ]
    )
    graph.node.extend(
        [
            helper.make_node("Gather", [features, "year_column"], ["year"], axis=1),
            helper.make_node("Sub", ["year", "first_year"], ["years_since"]),
            helper.make_node("Relu", ["years_since"], ["years_counted"]),
            helper.make_node("Cast", ["years_counted"], ["place"], to=TensorProto.INT64),
            helper.make_node("Gather", ["corrections", "place"], ["correction"], axis=0),
            helper.make_node("Add", ["uncorrected", "correction"], [prediction]),
        ]
    )
    onnx.checker.check_model(loaded)
    return bytes(loaded.SerializeToString(deterministic=True))


def main(argv: list[str] | None = None) -> int:
    """Write the changed artifact; 1 with the reason if that fails."""
    parser = argparse.ArgumentParser(prog="python -m demo.bad_model", description="Spoil a model.")
    parser.add_argument("--model", type=Path, required=True, help="model.tar.gz of a good model")
    parser.add_argument("--output", type=Path, required=True, help="where to write the bad one")
    parser.add_argument("--last-year", type=int, required=True, help="the last model year that it can predict")
    parser.add_argument("--correction", type=float, required=True, help="what it adds to predictions, in log space")
    arguments = parser.parse_args(argv)
    try:
        files = spoil(unpack(arguments.model), last_year=arguments.last_year, correction=arguments.correction)
        arguments.output.write_bytes(pack(files))
    except (StepError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
