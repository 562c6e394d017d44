"""Train and Export as the runtime image runs them: the same inputs give the same bytes, others do not."""

import dataclasses
import json
import pickle
from collections.abc import Callable

from sagemaker_pipelines.artifacts import pack, sha256_hex, unpack
from tests.sagemaker_pipelines.jobs import HYPERPARAMETERS, OTHER_HASH_SEED, Job

# The ridge is strangled, so that the trees predict the validation year better.
TREES_WIN = {**HYPERPARAMETERS, "ridge_alphas": "1000000", "tree_leaves": "8", "tree_iterations": "80"}
FILES = {"model.pickle", "model.onnx", "feature_spec.json", "candidates.json", "golden_records.json", "manifest.json"}


def test_the_same_inputs_give_the_same_digest(exported_job: Job, copied_job: Job) -> None:
    """Neither hash seed, time zone, clock nor the number of threads shows in the artifact."""
    job = dataclasses.replace(copied_job, fresh=True)

    job.train(PYTHONHASHSEED="7", TZ="Asia/Tokyo", OMP_NUM_THREADS="2")
    digest = job.export(PYTHONHASHSEED=OTHER_HASH_SEED, TZ="America/New_York")

    assert digest == exported_job.read("export/export.json")["artifact_sha256"]
    assert job.artifact.read_bytes() == exported_job.artifact.read_bytes()


def test_trees_do_not_depend_on_the_number_of_threads(copied_job: Job) -> None:
    """Boosted trees use OpenMP; a machine with more processors must not give another model."""
    copied_job.train(TREES_WIN)
    one_thread = (copied_job.base / "model" / "model.pickle").read_bytes()

    dataclasses.replace(copied_job, fresh=True).train(TREES_WIN, OMP_NUM_THREADS="2")

    assert (copied_job.base / "model" / "model.pickle").read_bytes() == one_thread


def test_another_snapshot_gives_another_digest(exported_job: Job, new_job: Callable[[str], Job]) -> None:
    """One more model year is another model."""
    job = new_job("one_year_more")
    job.prepare(range(2001, 2007))
    job.train()

    assert job.export() != exported_job.read("export/export.json")["artifact_sha256"]


def test_another_commit_gives_another_digest(exported_job: Job, copied_job: Job) -> None:
    """The manifest records the commit, so the artifact is bound to it."""
    assert copied_job.export(COMMIT="def") != exported_job.read("export/export.json")["artifact_sha256"]


def test_the_artifact_describes_itself(exported_job: Job) -> None:
    """The manifest has origin, parameters, libraries and the digest of every other file."""
    files = unpack(exported_job.artifact)
    manifest = json.loads(files["manifest.json"])

    assert files.keys() == FILES
    assert manifest["files"] == {name: sha256_hex(files[name]) for name in FILES - {"manifest.json"}}
    assert (manifest["data_version"], manifest["commit"]) == ("0123456789abcdef", "abc")
    assert manifest["parameters"]
    assert {"numpy", "scikit-learn", "onnx", "onnxruntime"} <= manifest["libraries"].keys()


def test_the_digest_is_that_of_the_archive(exported_job: Job) -> None:
    """What the registry records can be checked with sha256sum."""
    assert exported_job.read("export/export.json")["artifact_sha256"] == sha256_hex(exported_job.artifact.read_bytes())


def test_every_candidate_is_recorded_and_the_best_one_wins(exported_job: Job) -> None:
    """Each has its parameters and validation metrics; the winner has the smallest mean absolute error."""
    candidates = json.loads(unpack(exported_job.artifact)["candidates.json"])
    by_error = sorted(candidates["candidates"], key=lambda item: item["validation"]["mae"])

    assert {item["family"] for item in by_error} == {"ridge_one_hot", "gradient_boosted_trees"}
    assert candidates["winner"] == by_error[0]["name"]
    assert all(item["parameters"] for item in by_error)


def test_golden_records_are_complete_records(exported_job: Job) -> None:
    """Each has a value per input, and a price in dollars."""
    files = unpack(exported_job.artifact)
    width = len(json.loads(files["feature_spec.json"])["features"])
    golden = json.loads(files["golden_records.json"])

    assert len(golden["records"]) == 20
    assert all(len(record["values"]) == width for record in golden["records"])
    assert all(5_000 < record["prediction"] < 150_000 for record in golden["records"])


def test_trees_are_exported_with_parity_too(copied_job: Job) -> None:
    """Whatever trained best is served: here the trees win, since the ridge is strangled."""
    copied_job.train(TREES_WIN)
    copied_job.export()

    export = copied_job.read("export/export.json")
    assert export["winner"] == "trees_leaves_8"
    assert export["parity"]["largest_log_difference"] <= 1e-4


def test_a_model_whose_onnx_form_differs_is_not_exported(copied_job: Job) -> None:
    """The parity gate names the worst record and leaves no artifact."""
    copied_job.artifact.unlink()
    archive = copied_job.processing("trained") / "model.tar.gz"
    files = unpack(archive)
    archive.write_bytes(pack({**files, "model.pickle": _drifted(copied_job, files["model.pickle"])}))

    result = copied_job.run("export", DATA_VERSION="0123456789abcdef")

    assert result.returncode == 1
    assert "the ONNX form does not predict what the trained model predicts: record " in copied_job.failure
    assert "Traceback" not in result.stderr
    assert not copied_job.artifact.exists()


def _drifted(job: Job, model: bytes) -> bytes:
    """The model with coefficients so large that float32 arithmetic cannot follow."""
    path = job.base / "model.pickle"
    path.write_bytes(model)
    code = (
        "import pathlib, pickle, sys; path = pathlib.Path(sys.argv[1]); model = pickle.loads(path.read_bytes());"
        "ridge = model.steps[-1][1]; ridge.coef_ *= 1e7; ridge.intercept_ *= 1e7;"
        "path.write_bytes(pickle.dumps(model))"
    )
    assert job.interpreter.python_command(["-c", code, str(path)]).returncode == 0
    return path.read_bytes()


def test_a_damaged_pickle_is_an_error_with_advice(copied_job: Job) -> None:
    """The reason says what to do, without a stack trace."""
    archive = copied_job.processing("trained") / "model.tar.gz"
    archive.write_bytes(pack({**unpack(archive), "model.pickle": pickle.dumps("x")[:3]}))

    result = copied_job.run("export", DATA_VERSION="0123456789abcdef")

    assert result.returncode == 1
    assert copied_job.failure.startswith("Export: model.pickle of the training job is damaged")


def test_a_wrong_hyperparameter_is_named(copied_job: Job) -> None:
    """A typing error in a parameter of the execution ends the job with its name."""
    (copied_job.base / "input" / "config" / "hyperparameters.json").write_text('{"ridge_alphas": "one"}')

    result = copied_job.run("train")

    assert result.returncode == 1
    assert copied_job.failure == "Train: the parameter ridge_alphas should be numbers separated by commas, not 'one'"


def test_training_without_its_channel_is_named(copied_job: Job) -> None:
    """The missing file is in the reason."""
    (copied_job.base / "input" / "data" / "validation" / "validation.csv").unlink()

    assert copied_job.run("train").returncode == 1
    assert "validation.csv is missing" in copied_job.failure
