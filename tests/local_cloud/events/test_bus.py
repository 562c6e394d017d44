"""The envelope of events that AWS services send."""

import re
from typing import Any

from local_cloud.clock import Clock
from local_cloud.events.bus import EventBus


def test_an_event_has_awss_envelope() -> None:
    """All nine fields are there, the time in whole seconds of UTC, and the id is new for each event."""
    published: list[tuple[str, str, dict[str, Any]]] = []
    bus = EventBus(Clock(), lambda account, region, event: published.append((account, region, event)))
    for _ in range(2):
        bus.emit(
            account="123456789012",
            region="eu-west-1",
            source="aws.sagemaker",
            detail_type="SageMaker Model Package State Change",
            detail={"ModelApprovalStatus": "Approved"},
            resources=["arn:aws:sagemaker:eu-west-1:123456789012:model-package/cars/1"],
        )
    (account, region, first), (_, _, second) = published
    assert (account, region) == ("123456789012", "eu-west-1")
    assert first["id"] != second["id"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first["time"])
    assert {name: value for name, value in first.items() if name not in ("id", "time")} == {
        "version": "0",
        "detail-type": "SageMaker Model Package State Change",
        "source": "aws.sagemaker",
        "account": "123456789012",
        "region": "eu-west-1",
        "resources": ["arn:aws:sagemaker:eu-west-1:123456789012:model-package/cars/1"],
        "detail": {"ModelApprovalStatus": "Approved"},
    }
