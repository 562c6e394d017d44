"""The generated page: complete, honest, stable."""

from pathlib import Path

import pytest

from local_cloud.cli.main import main
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


def test_the_page_of_the_real_tables_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command writes the page, finds it up to date, and refuses it once it differs; nothing else is written."""
    monkeypatch.chdir(tmp_path)
    assert main(["coverage", "--write", "page.md"]) == 0
    text = (tmp_path / "page.md").read_text()
    for name in ("`CreateProcessingJob`", "`CreateChangeSet`", "`AWS::S3::Bucket`", "| Lambda |"):
        assert name in text
    assert main(["coverage", "--check", "page.md"]) == 0
    (tmp_path / "page.md").write_text(text + "\nand more\n")
    assert main(["coverage", "--check", "page.md"]) == 1
    assert "error: page.md is out of date; run: make docs" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["page.md"]
