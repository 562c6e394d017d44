"""Packing is a function of the content; unpacking trusts nothing."""

import io
import tarfile
from pathlib import Path

import pytest

from sagemaker_pipelines.artifacts import pack, unpack
from sagemaker_pipelines.errors import StepError


def _archive(path: Path, member: tarfile.TarInfo, content: bytes = b"") -> Path:
    with tarfile.open(path, "w:gz") as tar:
        tar.addfile(member, io.BytesIO(content))
    return path


def test_equal_content_gives_equal_bytes_in_any_order() -> None:
    """Neither the order of the files nor the clock shows in the archive."""
    assert pack({"a": b"1", "b": b"2"}) == pack({"b": b"2", "a": b"1"})


def test_the_archive_holds_no_time() -> None:
    """gzip header and members carry time 0, so that a rebuild a day later has the same digest."""
    archive = pack({"a": b"1"})

    assert archive[4:8] == bytes(4)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        assert [member.mtime for member in tar] == [0]


def test_a_packed_archive_unpacks_to_the_same_files(tmp_path: Path) -> None:
    """Names and contents survive the round trip."""
    path = tmp_path / "model.tar.gz"
    path.write_bytes(pack({"a": b"1", "folder/b": b"2"}))

    assert unpack(path) == {"a": b"1", "folder/b": b"2"}


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil"])
def test_a_member_outside_the_target_is_refused(tmp_path: Path, name: str) -> None:
    """An archive that would write elsewhere is not unpacked at all."""
    member = tarfile.TarInfo(name)
    with pytest.raises(StepError, match="unsafe member"):
        unpack(_archive(tmp_path / "model.tar.gz", member))


def test_a_link_is_refused(tmp_path: Path) -> None:
    """A link could point anywhere."""
    member = tarfile.TarInfo("model.onnx")
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with pytest.raises(StepError, match=r"unsafe member 'model\.onnx'"):
        unpack(_archive(tmp_path / "model.tar.gz", member))


def test_a_truncated_archive_is_named(tmp_path: Path) -> None:
    """An upload that broke off is an error with the file's name, not a stack trace."""
    path = tmp_path / "model.tar.gz"
    path.write_bytes(pack({"a": bytes(range(256)) * 40})[:80])
    with pytest.raises(StepError, match=r"model\.tar\.gz is damaged"):
        unpack(path)


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    """The message says which artifact is missing and where to look."""
    with pytest.raises(StepError, match=r"model\.tar\.gz is missing; check that its S3 object"):
        unpack(tmp_path / "model.tar.gz")
