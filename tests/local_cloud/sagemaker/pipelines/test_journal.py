"""The file that says what a kill interrupted."""

from pathlib import Path

from local_cloud.sagemaker.pipelines.journal import Journal


def test_a_new_server_finds_what_was_not_closed(tmp_path: Path) -> None:
    """Executions that were opened and not closed are there for the next journal on the same file."""
    journal = Journal(tmp_path / "state" / "executions.json")
    journal.open("a")
    journal.open("b")
    journal.close("a")

    assert Journal(tmp_path / "state" / "executions.json").unfinished() == ["b"]


def test_nothing_is_unfinished_without_a_file_or_after_clear(tmp_path: Path) -> None:
    """No file, a cut-off file and a cleared journal all mean: nothing was interrupted."""
    path = tmp_path / "executions.json"
    journal = Journal(path)

    assert journal.unfinished() == []
    path.write_text('["a"')
    assert journal.unfinished() == []
    journal.open("a")
    journal.clear()
    assert journal.unfinished() == []
    assert [file.name for file in tmp_path.iterdir()] == ["executions.json"]
