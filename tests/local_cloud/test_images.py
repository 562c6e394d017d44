"""Images without Docker: what a Dockerfile's COPY lines lay out, and the environment that runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_cloud.dockerfile import DockerfileError
from local_cloud.images import ImageError, ImageStore, image_digest
from local_cloud.runtime_environments import (
    RuntimeEnvironmentError,
    RuntimeEnvironments,
    default_directory,
    lock_digest,
    python_version,
)

DOCKERFILE = """\
FROM python:3.11-slim
WORKDIR /opt/program
COPY requirements.txt /tmp/
RUN pip install --require-hashes -r /tmp/requirements.txt
COPY src/ ./src/
ENV PYTHONPATH=/opt/program:/opt/ml/code
USER 1000
ENTRYPOINT ["python", "-m", "src.main"]
CMD ["--config", "/opt/program/src/main.py"]
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A build context with a Dockerfile, a lock file and a package."""
    folder = tmp_path / "context"
    (folder / "src" / "deep").mkdir(parents=True)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "requirements.txt").write_text("# nothing to install\n")
    (folder / "src" / "__init__.py").write_text("")
    (folder / "src" / "main.py").write_text("import sys; print(sys.prefix, sys.argv[1:])")
    (folder / "src" / "deep" / "data.txt").write_text("data")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    """An empty store with an empty folder of environments."""
    return ImageStore(tmp_path / "images", RuntimeEnvironments(tmp_path / "runtime"))


def prepared(store_folder: Path, lock: Path) -> Path:
    """A stand-in for a prepared environment: what `prepare` leaves, with this test's own interpreter."""
    home = store_folder / lock_digest(lock)[:12]
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python").symlink_to(sys.executable)
    (home / "complete").write_text(lock_digest(lock))
    return home


def files(root: Path) -> set[str]:
    """All files below a folder."""
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_copied_files_lie_where_the_dockerfile_says(store: ImageStore, context: Path) -> None:
    """Files go into folders, folders are merged, and the working directory exists."""
    image = store.add("one", context)
    assert files(image.root) == {
        "tmp/requirements.txt",
        "opt/program/src/__init__.py",
        "opt/program/src/main.py",
        "opt/program/src/deep/data.txt",
    }
    assert image.working_directory == image.root / "opt" / "program"
    assert image.user == "1000"


def test_an_image_runs_as_its_dockerfile_says(store: ImageStore, context: Path, tmp_path: Path) -> None:
    """Entry point, command, environment and working directory together start the copied program."""
    home = prepared(tmp_path / "runtime", context / "requirements.txt")
    store.add("one", context)
    image = store.resolve("one")
    command = image.host_command([*image.entrypoint, *image.command])
    result = subprocess.run(
        command, env=dict(image.environment), cwd=image.working_directory, capture_output=True, text=True, check=True
    )
    assert command[0] == str(home / "bin" / "python")
    assert result.stdout.split(" ", 1)[1].strip() == f"['--config', '{image.root}/opt/program/src/main.py']"


def test_only_paths_of_the_image_are_mapped(store: ImageStore, context: Path) -> None:
    """`/opt/ml/...` belongs to the job, not to the image, and a program's own words stay untouched."""
    image = store.add("one", context)
    assert image.environment["PYTHONPATH"] == f"{image.root}/opt/program:/opt/ml/code"
    words = ["python3", "/opt/ml/input", "python", "s3://opt/program", "/"]
    assert image.host_command(words) == (str(image.python), *words[1:])
    assert image.environment["PATH"].startswith(f"{image.python.parent}:")


def test_the_same_content_is_the_same_image(store: ImageStore, context: Path) -> None:
    """Tags point to content: a rebuild changes nothing, a changed file or Dockerfile is another image."""
    first = store.add("one", context)
    assert store.add("two", context).id == first.id
    os.utime(context / "src" / "main.py", (0, 0))
    assert store.add("one", context).id == first.id
    (context / "src" / "main.py").write_text("print('changed')")
    changed = store.add("one", context)
    assert changed.id != first.id
    assert store.tags() == {"one": changed.id, "two": first.id}
    assert not [path for path in (changed.root.parents[1]).iterdir() if path.name.startswith(".")]


def test_the_image_uri_of_an_asset_finds_its_image(store: ImageStore, context: Path, tmp_path: Path) -> None:
    """Templates name an asset's image by repository and hash, the CLI first by `cdkasset-` and hash, ECR by digest."""
    prepared(tmp_path / "runtime", context / "requirements.txt")
    image = store.add("cdkasset-abc123", context)
    uri = "123456789012.dkr.ecr.us-east-1.amazonaws.com/cdk-assets"
    assert store.resolve(f"{uri}:abc123").id == image.id
    store.tag(image.id, f"{uri}:v1")
    assert store.resolve(f"{uri}:v1").id == image.id
    assert store.resolve(f"{uri}@{image_digest(image.id)}").id == image.id


def test_an_unknown_image_is_an_error_that_says_what_to_do(store: ImageStore) -> None:
    """A job with an image of another registry must not fail with a missing file."""
    with pytest.raises(ImageError, match=r"no image 1\.dkr\.ecr/x:2 in the local cloud; deploy the stack"):
        store.resolve("1.dkr.ecr/x:2")


def test_an_image_without_its_environment_names_the_command(store: ImageStore, context: Path) -> None:
    """An image can be built before its environment is prepared, but not run."""
    store.add("one", context)
    with pytest.raises(RuntimeEnvironmentError, match=r"run: python -m local_cloud image-environment requirements.txt"):
        store.resolve("one")


def test_untag(store: ImageStore, context: Path) -> None:
    """A name can be taken away; taking it away again is reported."""
    store.add("one", context)
    assert store.untag("one")
    assert not store.untag("one")
    assert store.find("one") is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("COPY missing.txt /", "line 10: COPY source missing.txt is not in the build context"),
        ("COPY src/*.none /", r"COPY source src/\*.none is not in the build context"),
        ("COPY src requirements.txt", None),
        ("COPY link /", "link is a link that leads out of the build context"),
        ("COPY folder /", "folder/link is a link that leads out of the build context"),
        ("COPY other-requirements.txt requirements-b.txt /", None),
    ],
)
def test_copies_stay_inside_the_context(store: ImageStore, context: Path, line: str, message: str | None) -> None:
    """An image holds what the context holds: no file of this machine gets in through a link."""
    (context / "link").symlink_to("/etc/passwd")
    (context / "folder").mkdir()
    (context / "folder" / "link").symlink_to("../../..")
    (context / "other-requirements.txt").write_text("")
    (context / "requirements-b.txt").write_text("")
    (context / "Dockerfile").write_text(DOCKERFILE + line + "\n")
    if message is None:
        assert store.add("one", context)
        return
    with pytest.raises(DockerfileError, match=message):
        store.add("one", context)
    assert store.tags() == {}


def test_modes_and_globs(store: ImageStore, context: Path) -> None:
    """`--chmod` sets the mode of what is copied, and patterns take several files."""
    (context / "Dockerfile").write_text(DOCKERFILE + "COPY --chmod=700 src/*.py /tools/\n")
    root = store.add("one", context).root
    assert {path.name for path in (root / "tools").iterdir()} == {"__init__.py", "main.py"}
    assert (root / "tools" / "main.py").stat().st_mode & 0o777 == 0o700


def test_the_lock_file_must_be_clear(store: ImageStore, context: Path) -> None:
    """Without exactly one requirements file there is no telling which environment an image means."""
    (context / "Dockerfile").write_text('FROM python:3.11\nCOPY src /src\nENTRYPOINT ["python"]\n')
    with pytest.raises(DockerfileError, match=r"no requirements\*\.txt is copied"):
        store.add("one", context)
    (context / "requirements-b.txt").write_text("")
    (context / "Dockerfile").write_text('FROM python:3.11\nCOPY *.txt /tmp/\nENTRYPOINT ["python"]\n')
    with pytest.raises(DockerfileError, match=r"requirements-b.txt, requirements.txt are copied"):
        store.add("one", context)
    (context / "Dockerfile").write_text(
        'FROM python:3.11\nCOPY *.txt /tmp/\nRUN pip install -r /tmp/requirements-b.txt\nENTRYPOINT ["python"]\n'
    )
    assert store.add("one", context).requirements == "requirements-b.txt"


def test_an_environment_is_prepared_once(tmp_path: Path) -> None:
    """The interpreter is a real environment of its own; a second preparation finds it, and `current` leads to it."""
    lock = tmp_path / "requirements.txt"
    lock.write_text("# nothing to install\n")
    environments = RuntimeEnvironments(tmp_path / "runtime")
    lines: list[str] = []
    python = environments.prepare(lock, on_line=lines.append)
    shown = subprocess.run([python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == str(python.parent.parent)
    assert python_version(python) == f"{sys.version_info.major}.{sys.version_info.minor}"
    made = (python.parent.parent / "complete").stat().st_mtime_ns
    assert environments.prepare(lock, on_line=lines.append) == python
    assert (python.parent.parent / "complete").stat().st_mtime_ns == made
    assert (tmp_path / "runtime" / "current" / "bin" / "python").samefile(python)
    environments.require(lock_digest(lock), requirements="requirements.txt")


def test_packages_that_cannot_be_had_leave_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed preparation shows the installer's reason and is not taken for an environment later."""
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    lock = tmp_path / "requirements.txt"
    lock.write_text(f"surely-not-cached==1.0 --hash=sha256:{'0' * 64}\n")
    environments = RuntimeEnvironments(tmp_path / "runtime")
    with pytest.raises(RuntimeEnvironmentError, match=r"(?s)pip install failed .*surely-not-cached"):
        environments.prepare(lock, on_line=lambda _: None)
    assert [path.name for path in (tmp_path / "runtime").iterdir()] == ["lock"]
    with pytest.raises(RuntimeEnvironmentError, match=r"cannot read .*: No such file"):
        environments.prepare(tmp_path / "missing.txt", on_line=lambda _: None)


def test_an_interrupted_preparation_is_done_again(tmp_path: Path) -> None:
    """An environment counts only with the marker that is written last."""
    lock = tmp_path / "requirements.txt"
    lock.write_text("# nothing to install\n")
    home = tmp_path / "runtime" / lock_digest(lock)[:12]
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python").write_text("half")
    environments = RuntimeEnvironments(tmp_path / "runtime")
    with pytest.raises(RuntimeEnvironmentError, match="is not prepared"):
        environments.require(lock_digest(lock), requirements="requirements.txt")
    assert environments.prepare(lock, on_line=lambda _: None).is_symlink()


def test_where_environments_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable moves them; otherwise they are in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOCAL_CLOUD_RUNTIME_DIR", raising=False)
    assert default_directory() == tmp_path / ".runtime"
    monkeypatch.setenv("LOCAL_CLOUD_RUNTIME_DIR", "elsewhere")
    assert default_directory() == tmp_path / "elsewhere"
