"""Deployment packages stay in their folder."""

import io
import zipfile
from pathlib import Path

import pytest

from local_cloud.functions import code as code_module
from local_cloud.functions.code import CodeError, CodeStore
from tests.local_cloud.functions.fakes import archive


def test_a_package_is_extracted_once_for_each_digest(tmp_path: Path) -> None:
    """The same digest gives the same folder without another extraction, another digest another folder."""
    store = CodeStore(tmp_path / "code")
    folder = store.folder(archive({"a/b.py": "1"}), "one/+=")
    assert (folder / "a" / "b.py").read_text() == "1"
    assert store.folder(b"not looked at", "one/+=") == folder
    assert store.folder(archive({}), "two") != folder


@pytest.mark.parametrize("name", ["../evil.py", "a/../../evil.py", "/etc/evil.py", "..\\evil.py", "C:/evil.py"])
def test_an_entry_that_leaves_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    """Traversal and absolute names are refused by name, and nothing is left behind, inside or outside."""
    store = CodeStore(tmp_path / "deep" / "code")
    with pytest.raises(CodeError, match=r"evil\.py"):
        store.folder(archive({"good.py": "", name: "bad"}), "digest")
    assert list((tmp_path / "deep" / "code").iterdir()) == []
    assert list(tmp_path.rglob("evil.py")) == []


@pytest.mark.parametrize(
    "links",
    [
        {"link": "/etc"},
        {"link": "../.."},
        {"inner/link": "../../x"},
        {"up": "inner/..", "out": "up/../.."},
        {"jump": "x/../f", "x": ".", "jump/evil.py": "whatever"},
    ],
)
def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path, links: dict[str, str]) -> None:
    """Symbolic links may not lead out, neither alone nor one through another."""
    with pytest.raises(CodeError, match=r"leads outside|cannot be extracted"):
        CodeStore(tmp_path / "code").folder(archive({"inner/file": ""}, links=links), "digest")
    assert list((tmp_path / "code").iterdir()) == []


def test_nothing_is_made_through_a_link(tmp_path: Path) -> None:
    """A link inside a linked folder would lie outside before anybody looked at it: it is not even made."""
    outside = tmp_path / "outside"
    outside.mkdir()
    links = {"link": str(outside), "link/evil.py": "whatever"}
    with pytest.raises(CodeError):
        CodeStore(tmp_path / "code").folder(archive({}, links=links), "digest")
    assert list(outside.iterdir()) == []


def test_a_link_within_the_package_is_kept(tmp_path: Path) -> None:
    """As on AWS, packages may contain relative links to their own files."""
    folder = CodeStore(tmp_path).folder(archive({"real.py": "X = 1"}, links={"alias.py": "real.py"}), "digest")
    assert (folder / "alias.py").read_text() == "X = 1"


def test_a_package_beyond_the_quota_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A zip that unpacks to more than Lambda's quota is refused by its table of contents."""
    monkeypatch.setattr(code_module, "MOST_BYTES", 1000)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr("zeros", "0" * 1001)
    with pytest.raises(CodeError, match="1001 bytes"):
        CodeStore(tmp_path).folder(stream.getvalue(), "digest")


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    """The message says what to upload."""
    with pytest.raises(CodeError, match="plain zip"):
        CodeStore(tmp_path).folder(b"tar?", "digest")
