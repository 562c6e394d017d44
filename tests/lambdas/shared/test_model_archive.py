"""Archives as streams: digests, documents, and what is refused."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator

import pytest

from lambdas.shared import model_archive
from lambdas.shared.model_archive import ArchiveError, read_archive
from tests.lambdas.release_world import model_files, packed


def _pieces(content: bytes, size: int) -> Iterator[bytes]:
    return (content[place : place + size] for place in range(0, len(content), size))


def _member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> bytes:
    text = io.BytesIO()
    with tarfile.open(fileobj=text, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, link
        tar.addfile(member)
    return gzip.compress(text.getvalue())


@pytest.mark.parametrize("size", [1, 100, 1 << 20])
def test_digests_do_not_depend_on_the_pieces(size: int) -> None:
    """Whatever S3 hands out at a time, the whole and every member have their SHA-256."""
    archive = packed(model_files())
    read = read_archive(_pieces(archive, size))
    assert read.sha256 == hashlib.sha256(archive).hexdigest()
    assert read.members["model.onnx"] == hashlib.sha256(b"onnx").hexdigest()
    assert read.documents["golden_records.json"]["tolerance_log"] == 1e-4


def test_bytes_behind_the_archive_count_in_its_digest() -> None:
    """The digest is that of the object, not of what tar cares for."""
    archive = packed(model_files()) + b"\0" * 50_000
    assert read_archive([archive]).sha256 == hashlib.sha256(archive).hexdigest()


def test_names_with_a_leading_dot_are_the_same_files() -> None:
    """`tar czf model.tar.gz .` names members so."""
    files = {f"./{name}": content for name, content in model_files().items()}
    assert "model.onnx" in read_archive([packed(files)]).members


@pytest.mark.parametrize(
    ("archive", "told"),
    [
        (b"", "damaged"),
        (b"not a tar", "damaged"),
        (gzip.compress(b"not a tar" * 100), "damaged"),
        (packed(model_files())[:-300], "damaged"),
        (_member("../../etc/passwd"), "unsafe member"),
        (_member("/etc/passwd"), "unsafe member"),
        (_member("model.onnx", tarfile.SYMTYPE, "/etc/passwd"), "unsafe member"),
    ],
    ids=["empty", "no archive", "no tar", "cut off", "traversal", "absolute path", "link"],
)
def test_a_damaged_or_unsafe_archive_is_refused(archive: bytes, told: str) -> None:
    """With the reason, and without writing anything."""
    with pytest.raises(ArchiveError, match=told):
        read_archive([archive])


def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small object may unpack to any size."""
    monkeypatch.setattr(model_archive, "MAXIMUM_UNPACKED_BYTES", 1000)
    with pytest.raises(ArchiveError, match="unpacks to more than 1,000 bytes"):
        read_archive([packed({"model.onnx": b"0" * 2000})])


def test_a_document_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents are kept in memory, so their length is bounded."""
    monkeypatch.setattr(model_archive, "MAXIMUM_DOCUMENT_BYTES", 10)
    with pytest.raises(ArchiveError, match=r"manifest.json has more than 10 bytes"):
        read_archive([packed({"manifest.json": b"0" * 11})])
