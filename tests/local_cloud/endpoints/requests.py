"""What requests about endpoints hold: variants, deployments, model archives."""

import io
import json
import tarfile
from typing import Any

ENDPOINT = "car-prices"
VARIANT = "champion"
CAPTURE = {
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://captures/captured",
    "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
    "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
}


def model_archive(version: str, **behaviour: Any) -> bytes:
    """A model.tar.gz for `model_program.py`: how the server of this version behaves."""
    text = json.dumps({"version": version, **behaviour}).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("behaviour.json")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    return buffer.getvalue()


def variant(model: str, *, name: str = VARIANT, instances: int = 1, weight: float = 1.0) -> dict[str, Any]:
    """A ProductionVariant."""
    return {
        "VariantName": name,
        "ModelName": model,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": instances,
        "InitialVariantWeight": weight,
    }


def blue_green(
    kind: str,
    *,
    wait: int = 0,
    termination: int = 0,
    limit: int | None = None,
    alarms: tuple[str, ...] = (),
    **sizes: int,
) -> Any:
    """A DeploymentConfig; sizes in per cent of capacity by member (CanarySize, LinearStepSize)."""
    routing: dict[str, Any] = {"Type": kind, "WaitIntervalInSeconds": wait}
    routing |= {member: {"Type": "CAPACITY_PERCENT", "Value": value} for member, value in sizes.items()}
    config: dict[str, Any] = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": termination}
    }
    if limit is not None:
        config["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = limit
    if alarms:
        config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in alarms]}
    return config
