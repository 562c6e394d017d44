"""The entry point: which events reach the logic, and what comes of the others."""

import json
from typing import Any

import boto3
import pytest

from lambdas.shared.errors import SettingsError
from lambdas.start_release import handler
from tests.lambdas.release_world import BUCKET, GROUP, PARAMETER, PIPELINE, ReleaseWorld, changed

SETTINGS = {
    "PROJECT": "cars",
    "STAGE": "dev",
    "RELEASE_PIPELINE": PIPELINE,
    "MODEL_PACKAGE_GROUP": GROUP,
    "ARTIFACT_BUCKET": BUCKET,
    "CHAMPION_PARAMETER": PARAMETER,
    "BASELINE": "optional",
    "EVENT_BUS": "default",
}


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({}, "expected a SageMaker Model Package State Change"),
        ({**changed(1, "Approved"), "source": "me"}, "expected a SageMaker Model Package State Change"),
        ({**changed(1, "Approved"), "detail": None}, "lacks ModelPackageArn, ModelApprovalStatus, LastModifiedTime"),
        ({"source": "cd4ml.releases", "detail-type": "Release Requested"}, "lacks modelPackageArn, reason"),
    ],
)
def test_a_malformed_event_is_logged_and_dropped(
    capsys: pytest.CaptureFixture[str], event: dict[str, Any], message: str
) -> None:
    """No retry could mend it, so the invocation succeeds, and both log and answer say what is wrong."""
    answer = handler.handle(event, None)
    line = json.loads(capsys.readouterr().out)
    assert answer["outcome"] == "dropped"
    assert message in line["message"] == answer["reasons"][0]


@pytest.mark.parametrize(
    "event",
    [
        changed(1, "Approved", UpdatedModelPackageFields=["CustomerMetadataProperties"]),
        changed(1, "PendingManualApproval"),
    ],
)
def test_an_event_that_is_no_decision_is_ignored(event: dict[str, Any]) -> None:
    """Attaching metadata to an approved version must not release it again."""
    assert handler.handle(event, None)["outcome"] == "ignored"


def test_a_decision_reaches_the_logic_with_the_functions_settings(
    world: ReleaseWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Clients and names come from the environment, once per cold start."""
    world.register(1)
    clients = {"s3": world.s3, "ssm": world.ssm, "sagemaker": world.sagemaker, "codepipeline": world.codepipeline}
    monkeypatch.setattr(boto3, "client", lambda service: clients.get(service, world.events))
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    handler.releases.cache_clear()
    try:
        assert handler.handle(changed(1, "Approved"), None)["outcome"] == "started"
    finally:
        handler.releases.cache_clear()


def test_missing_settings_are_named() -> None:
    """The deployment is wrong, and every missing variable is told at once."""
    handler.releases.cache_clear()
    with pytest.raises(SettingsError, match="PROJECT, STAGE, RELEASE_PIPELINE"):
        handler.handle(changed(1, "Approved"), None)
