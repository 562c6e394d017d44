"""The generated page: complete, honest, stable."""

import pytest

from local_cloud.cloudformation.providers.registry import SupportedType
from local_cloud.coverage import CoverageError, page
from local_cloud.service import Fidelity, Operation, RequestContext, Service


def handle(context: RequestContext, parameters: dict[str, object]) -> dict[str, object]:
    """An operation."""
    return {}


OPERATIONS = {
    "ListTags": Operation(handle),
    "CreateModel": Operation(handle, Fidelity.RECORDED, "no container | is\nstarted"),
}
TYPES = [SupportedType("AWS::S3::Bucket", Fidelity.DELEGATED, "")]


def test_every_operation_and_type_is_on_the_page() -> None:
    """Operations are sorted, counted against AWS's own list, and notes survive as table cells."""
    text = page([Service("sagemaker", OPERATIONS)], TYPES)
    assert "## SageMaker\n\n2 of AWS's " in text
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert rows == [
        "| `CreateModel` | recorded only | no container \\| is started |",
        "| `ListTags` | emulated |  |",
        "| `AWS::S3::Bucket` | delegated to moto |  |",
    ]


@pytest.mark.parametrize("where", ["operation", "type"])
def test_what_is_only_recorded_must_say_so(where: str) -> None:
    """Nothing may pass for more than it is."""
    silent = {"CreateModel": Operation(handle, Fidelity.RECORDED)} if where == "operation" else {}
    types = [SupportedType("AWS::X::Y", Fidelity.RECORDED, "")] if where == "type" else []
    with pytest.raises(CoverageError, match="is recorded only and does not say what is missing"):
        page([Service("sagemaker", silent)], types)
