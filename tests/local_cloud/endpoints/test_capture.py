"""Data capture and shadow variants: every captured request is one complete event, none is made up."""

import base64
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_cloud.endpoints.capture_events import CapturedCall, capture_line, capture_settings
from local_cloud.endpoints.capture_stream import CaptureStream
from local_cloud.endpoints.sampling import Sampler
from tests.local_cloud.endpoints.fakes import FakeHosting
from tests.local_cloud.endpoints.requests import CAPTURE, ENDPOINT
from tests.waiting import LIMIT_SECONDS, wait_for

MOMENT = datetime(2026, 3, 1, 9, 59, 58, 7000, tzinfo=UTC)


def _serve(hosting: FakeHosting, *, shadow: str | None = None, **capture: Any) -> None:
    hosting.add_model("v1")
    if shadow:
        hosting.add_model(shadow)
    config = hosting.add_config("v1", shadow=shadow, DataCaptureConfig={**CAPTURE, **capture})
    hosting.call("CreateEndpoint", EndpointName=ENDPOINT, EndpointConfigName=config)
    hosting.await_status("InService")


def _delete(hosting: FakeHosting) -> None:
    """Deleting an endpoint writes what is left."""
    hosting.call("DeleteEndpoint", EndpointName=ENDPOINT)
    wait_for(lambda: not hosting.call("ListEndpoints")["Endpoints"], what="the endpoint to be gone")


def test_every_request_under_load_is_one_event(hosting: FakeHosting) -> None:
    """500 requests of eight clients give 500 events with their inference ids, in files of whole lines."""
    _serve(hosting)

    def ask(number: int) -> None:
        hosting.invoke(f"{number}".encode(), ContentType="text/csv", InferenceId=f"id-{number}")

    with ThreadPoolExecutor(8) as clients:
        list(clients.map(ask, range(500)))
    _delete(hosting)

    events = hosting.captured()
    assert sorted(event["eventMetadata"]["inferenceId"] for event in events) == sorted(f"id-{n}" for n in range(500))
    assert len({event["eventMetadata"]["eventId"] for event in events}) == 500
    for event in events:
        number = event["eventMetadata"]["inferenceId"].removeprefix("id-")
        assert event["captureData"]["endpointInput"]["data"] == number
        assert event["captureData"]["endpointOutput"]["data"] == f"v1:{number}"
    pattern = rf"captures/captured/{ENDPOINT}/champion/\d{{4}}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{{3}}-[0-9a-f-]{{36}}\.jsonl"
    files = [name for name in hosting.objects if name.startswith("captures/")]
    assert all(re.fullmatch(pattern, name) for name in files)


def test_events_are_written_while_the_endpoint_serves(hosting: FakeHosting) -> None:
    """What was captured is in S3 within about a second, without anything else happening."""
    _serve(hosting)
    hosting.invoke(b"1", ContentType="text/csv")

    assert wait_for(hosting.captured, what="the event")


def test_an_idle_engine_has_written_everything(hosting: FakeHosting) -> None:
    """Whoever waits until the engine is idle finds all events in S3, without waiting for the next write."""
    _serve(hosting)
    for _ in range(20):
        hosting.invoke(b"1", ContentType="text/csv")

    assert hosting.engine.wait_until_idle(LIMIT_SECONDS)

    assert len(hosting.captured()) == 20


def test_an_event_has_the_documented_form() -> None:
    """One line with input, output, metadata and version 0; listed content types as text, others in Base64."""
    settings = capture_settings(CAPTURE)
    assert settings is not None
    call = CapturedCall(
        moment=MOMENT,
        body=b"1,\xc3\xa9\n",
        content_type="text/csv; header=absent",
        answer=b"{}",
        answer_content_type="application/json",
        inference_id="caller-1",
        custom_attributes="trace=1",
        event_id="event-1",
    )

    line = capture_line(settings, call)

    assert line == (
        '{"captureData":{"endpointInput":{"observedContentType":"text/csv; header=absent","mode":"INPUT",'
        '"data":"1,é\\n","encoding":"CSV"},"endpointOutput":{"observedContentType":"application/json","mode":"OUTPUT",'
        '"data":"e30=","encoding":"BASE64"}},"eventMetadata":{"eventId":"event-1","inferenceId":"caller-1",'
        '"customAttributes":["trace=1"],"inferenceTime":"2026-03-01T09:59:58Z"},"eventVersion":"0"}\n'
    )


def test_text_that_is_no_text_is_captured_in_base64() -> None:
    """Bytes that are no UTF-8 under a CSV content type, and a missing content type, are kept as they were."""
    settings = capture_settings({**CAPTURE, "CaptureOptions": [{"CaptureMode": "Input"}]})
    assert settings is not None
    for content_type in ("text/csv", None):
        line = capture_line(settings, CapturedCall(MOMENT, b"\xff\x00", content_type, b"", None))
        assert f'"data":"{base64.b64encode(bytes([255, 0])).decode()}","encoding":"BASE64"' in line
        assert "endpointOutput" not in line


def test_an_event_belongs_to_the_hour_of_its_request() -> None:
    """Two requests around the full hour go to the folders of their hours, whenever they are written."""
    settings = capture_settings(CAPTURE)
    assert settings is not None
    written: list[dict[str, Any]] = []

    class S3:
        def put_object(self, **request: Any) -> None:
            written.append(request)

    stream = CaptureStream(settings, endpoint="e", variant="v", client=S3)
    for moment in (MOMENT, MOMENT + timedelta(seconds=3)):
        stream.offer(CapturedCall(moment, b"", None, b"", None))
    stream.close()

    folders = [request["Key"].rpartition("/")[0] for request in written]
    assert folders == ["captured/e/v/2026/03/01/09", "captured/e/v/2026/03/01/10"]
    assert written[0]["Key"].rpartition("/")[2].startswith("59-58-007-")


@pytest.mark.parametrize(("percentage", "chosen"), [(0, 0), (7, 7), (30, 30), (100, 100)])
def test_sampling_is_exact(percentage: int, chosen: int) -> None:
    """Of a hundred requests exactly InitialSamplingPercentage are chosen."""
    sampler = Sampler(percentage / 100)

    assert sum(sampler.choose() for _ in range(100)) == chosen


def test_only_the_sampled_part_is_captured(hosting: FakeHosting) -> None:
    """With 20 %, ten requests give two events."""
    _serve(hosting, InitialSamplingPercentage=20)
    for _ in range(10):
        hosting.invoke(ContentType="text/csv")
    _delete(hosting)

    assert len(hosting.captured()) == 2


def test_a_refused_write_stops_capture_and_not_the_endpoint(hosting: FakeHosting) -> None:
    """Without s3:PutObject requests are answered as before, and DescribeEndpoint says that capture is Stopped."""
    _serve(hosting)
    hosting.clients.denied.add("s3:PutObject")
    hosting.invoke()

    wait_for(
        lambda: hosting.describe()["DataCaptureConfig"]["CaptureStatus"] == "Stopped",
        what="capture to be stopped",
    )
    assert hosting.answered_by() == "v1"


def test_a_shadow_gets_copies_whose_answers_nobody_sees(hosting: FakeHosting) -> None:
    """Every request is answered by production; the shadow answers a copy of it, which is captured as its own."""
    _serve(hosting, shadow="v2")

    answers = {hosting.answered_by(f"{number}".encode()) for number in range(20)}
    _delete(hosting)

    assert answers == {"v1"}
    assert len(hosting.captured()) == 20
    shadowed = [event["captureData"]["endpointOutput"] for event in hosting.captured(variant="shadow")]
    assert len(shadowed) == 20
    assert all(output["data"].startswith("v2:") for output in shadowed)


def test_a_broken_shadow_harms_nobody(hosting: FakeHosting) -> None:
    """A shadow that dies over every request leaves the answers of production as they are."""
    hosting.serve("v1", shadow="v2")
    hosting.add_model("v3", status=500)
    hosting.update(hosting.add_config("v1", shadow="v3"))
    hosting.await_status("InService")

    assert {hosting.answered_by() for _ in range(20)} == {"v1"}
