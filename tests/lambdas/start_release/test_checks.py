"""Why a version may not be released: approval, artifact, parity, evidence."""

import json
from typing import Any

import pytest

from lambdas.shared.packages import parse_package
from tests.lambdas.fake_client import client_error
from tests.lambdas.release_world import BUCKET, GROUP, ReleaseWorld, arn, model_files


def _reasons(world: ReleaseWorld, version: int = 1) -> list[str]:
    answer = world.approve(version)
    assert (answer["outcome"] == "refused") == bool(answer["reasons"])
    assert bool(world.pipeline.executions) == (not answer["reasons"])
    reasons: list[str] = answer["reasons"]
    return reasons


def _only_reason(world: ReleaseWorld) -> str:
    (reason,) = _reasons(world)
    return reason


def _container(world: ReleaseWorld) -> dict[str, Any]:
    container: dict[str, Any] = world.packages[arn(1)]["InferenceSpecification"]["Containers"][0]
    return container


def _properties(world: ReleaseWorld) -> dict[str, str]:
    properties: dict[str, str] = world.packages[arn(1)]["CustomerMetadataProperties"]
    return properties


def test_a_good_version_has_nothing_against_it(world: ReleaseWorld) -> None:
    """Artifact, parity and evidence agree."""
    world.register(1)
    assert _reasons(world) == []


def test_a_version_of_another_group_is_refused(world: ReleaseWorld) -> None:
    """The pipeline deploys the project's own models only."""
    world.register(1)
    world.packages[arn(1)]["ModelPackageGroupName"] = "somebody-elses"
    assert _only_reason(world) == f"the version belongs to somebody-elses, not to {GROUP}"


@pytest.mark.parametrize("gone", ["ModelMetrics", "the object"])
def test_a_version_without_evidence_is_refused(world: ReleaseWorld, gone: str) -> None:
    """Whether nothing is named or nothing lies there, the command that makes evidence is named."""
    world.register(1)
    if gone == "ModelMetrics":
        del world.packages[arn(1)]["ModelMetrics"]
    else:
        world.delete("models/1/evaluation.json")
    reason = _only_reason(world)
    assert ("there is no evidence" if gone == "ModelMetrics" else "there is no such object") in reason
    assert "python -m releases evaluate --version 1" in reason


def test_evidence_that_was_attached_later_counts(world: ReleaseWorld) -> None:
    """ModelMetrics cannot be changed after registration; what the evaluation by hand attached comes first."""
    world.register(1)
    evaluation = json.loads(world.s3.get_object(Bucket=BUCKET, Key="models/1/evaluation.json")["Body"].read())
    world.put_json("own.json", evaluation)
    world.delete("models/1/evaluation.json")
    _properties(world)["evaluation_statistics"] = f"s3://{BUCKET}/own.json"
    assert _reasons(world) == []


def test_evidence_about_another_artifact_is_refused(world: ReleaseWorld) -> None:
    """A report that was copied from a better model proves nothing."""
    world.register(1)
    evaluation = {"candidate": {"sha256": "feed"}, "decision": {"accepted": 1, "summary": "fine"}}
    world.put_json("models/1/evaluation.json", evaluation)
    assert "the evidence is about another artifact (SHA-256 feed)" in _only_reason(world)


def test_a_model_that_the_evaluation_rejected_is_refused(world: ReleaseWorld) -> None:
    """Registering by hand is no way around the quality gate."""
    world.register(1)
    digest = _properties(world)["artifact_sha256"]
    decision = {"accepted": 0, "summary": "MAPE 30 % is over the limit of 15 %"}
    world.put_json("models/1/evaluation.json", {"candidate": {"sha256": digest}, "decision": decision})
    assert _only_reason(world) == "the evaluation rejected the model: MAPE 30 % is over the limit of 15 %"


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"{", "Expecting property name"), (b'{"mape": 3}', "not written by the project"), (b"[]", "not written by")],
)
def test_evidence_in_another_form_is_refused(world: ReleaseWorld, content: bytes, told: str) -> None:
    """A file under that name is not enough."""
    world.register(1)
    world.put("models/1/evaluation.json", content)
    assert told in _only_reason(world)


def test_a_version_without_an_artifact_is_refused(world: ReleaseWorld) -> None:
    """There is nothing to serve."""
    world.register(1)
    del _container(world)["ModelDataUrl"]
    assert "names no model.tar.gz" in _only_reason(world)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"s3://{BUCKET}/nothing/model.tar.gz", "there is no such object"),
        ("s3://no-such-bucket-anywhere/model.tar.gz", "S3 answers NoSuchBucket"),
        ("https://example.org/model.tar.gz", "is no S3 URI"),
    ],
)
def test_an_artifact_that_cannot_be_fetched_is_refused(world: ReleaseWorld, url: str, told: str) -> None:
    """The reason says where it should be."""
    world.register(1)
    _container(world)["ModelDataUrl"] = url
    reason = _only_reason(world)
    assert told in reason
    assert url in reason


def test_a_forbidden_artifact_is_refused_and_throttling_is_not(
    world: ReleaseWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no retry can mend is a reason; what may pass reaches Lambda, which retries."""
    world.register(1)

    def answer(code: str) -> None:
        def get_object(**_: Any) -> Any:
            raise client_error(code)

        monkeypatch.setattr(world.s3, "get_object", get_object)

    answer("AccessDenied")
    package_reasons = world.releases().checks.reasons_against
    package = parse_package(world.packages[arn(1)])
    assert any("S3 answers AccessDenied" in reason for reason in package_reasons(package))
    answer("SlowDown")
    with pytest.raises(Exception, match="SlowDown"):
        package_reasons(package)


def test_an_artifact_that_was_replaced_is_refused(world: ReleaseWorld) -> None:
    """The object under the same key is not the one that was registered; both digests are told."""
    world.register(1)
    recorded = _properties(world)["artifact_sha256"]
    world.register(2, files=model_files() | {"extra": b"1"})
    replaced = world.packages[arn(2)]["CustomerMetadataProperties"]["artifact_sha256"]
    world.put("models/1/model.tar.gz", world.s3.get_object(Bucket=BUCKET, Key="models/2/model.tar.gz")["Body"].read())
    reason = _only_reason(world)
    assert "has changed since it was registered" in reason
    assert recorded in reason
    assert replaced in reason


def test_a_version_without_a_digest_is_refused(world: ReleaseWorld) -> None:
    """Nothing else tells that the artifact is the registered one."""
    world.register(1)
    del _properties(world)["artifact_sha256"]
    reasons = _reasons(world)
    assert "records no artifact_sha256" in reasons[0]


@pytest.mark.parametrize("stem", ["model_onnx", "golden_records_json", "manifest_json"])
def test_an_artifact_without_its_parts_is_refused(world: ReleaseWorld, stem: str) -> None:
    """The served form, the golden records and the manifest are what the verification works with."""
    files: dict[str, bytes | None] = {stem: None}
    world.register(1, files=model_files(**files))
    assert "the artifact lacks" in _only_reason(world)


@pytest.mark.parametrize(
    ("stem", "content", "told"),
    [
        ("manifest_json", b'{"metrics": {}, "files": {}}', "proves no parity"),
        ("golden_records_json", b'{"records": []}', "no golden record"),
        ("model_onnx", b"another", "model.onnx in the artifact differ from its manifest"),
        ("golden_records_json", b"{", "golden_records.json is not JSON"),
    ],
)
def test_an_artifact_that_contradicts_itself_is_refused(
    world: ReleaseWorld, stem: str, content: bytes, told: str
) -> None:
    """Parity has to be proven, for the very files that are in the archive."""
    world.register(1, files=model_files(**{stem: content}))
    assert any(told in reason for reason in _reasons(world))


def test_an_artifact_that_failed_parity_is_refused(world: ReleaseWorld) -> None:
    """The pipeline would never have exported it."""
    files = model_files()
    manifest = json.loads(files["manifest.json"])
    manifest["metrics"]["parity"]["largest_log_difference"] = 0.3
    world.register(1, files=files | {"manifest.json": json.dumps(manifest).encode()})
    assert "does not predict what the trained model predicts" in _only_reason(world)


def test_every_reason_is_told_at_once(world: ReleaseWorld) -> None:
    """Nobody wants to learn of them one by one."""
    world.register(1, files=model_files(model_onnx=b"another"))
    world.delete("models/1/evaluation.json")
    assert len(_reasons(world)) == 2
