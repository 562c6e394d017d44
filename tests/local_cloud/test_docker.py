"""The stand-in for docker, called as the CDK CLI calls it."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local_cloud import docker
from local_cloud.images import ImageStore, image_manifest
from local_cloud.runtime_environments import RuntimeEnvironments

HASH = "3f" * 32
IMAGE = f"123456789012.dkr.ecr.us-east-1.amazonaws.com/cdk-hnb659fds-container-assets-123456789012-us-east-1:{HASH}"


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A build context as the current folder, with its environment prepared and a state directory."""
    folder = tmp_path / "asset"
    folder.mkdir()
    (folder / "requirements.txt").write_text("# nothing\n")
    (folder / "local_cloud.py").write_text("raise SystemExit('a file of the context was imported')")
    (folder / "Dockerfile").write_text(
        'ARG BASE=python:3.11-slim\nFROM ${BASE}\nCOPY requirements.txt /\nENTRYPOINT ["python"]\n'
    )
    monkeypatch.chdir(folder)
    monkeypatch.setenv("LOCAL_CLOUD_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("LOCAL_CLOUD_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    RuntimeEnvironments(tmp_path / "runtime").prepare(folder / "requirements.txt", on_line=lambda _: None)
    return folder


class FakeRegistry:
    """An ECR client that keeps what it is given."""

    class exceptions:  # noqa: N801 - botocore's own name for it
        """botocore makes these classes at run time."""

        class ImageAlreadyExistsException(Exception):
            """The same manifest under the same tag."""

    def __init__(self) -> None:
        self.images: dict[tuple[str, str, str], str] = {}

    def put_image(self, **request: str) -> dict[str, Any]:
        """As ECR: the same image twice is refused."""
        key = (request["registryId"], request["repositoryName"], request["imageTag"])
        if self.images.get(key) == request["imageManifest"]:
            raise self.exceptions.ImageAlreadyExistsException
        self.images[key] = request["imageManifest"]
        return {"image": {"imageId": {"imageDigest": "sha256:0"}}}


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    """The local cloud's ECR, without the local cloud."""
    registry = FakeRegistry()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr(docker.boto3, "client", lambda *_, **__: registry)
    return registry


def test_what_the_cdk_cli_does(context: Path, registry: FakeRegistry, capsys: pytest.CaptureFixture[str]) -> None:
    """Inspect, build, tag and push, as `cdk deploy` calls them; the next inspect finds the image."""
    asset = f"cdkasset-{HASH}"
    assert docker.main(["inspect", asset]) == 1
    assert docker.main(["build", "--tag", asset, "--platform", "linux/amd64", "."]) == 0
    assert docker.main(["inspect", asset]) == 0
    assert docker.main(["tag", asset, IMAGE]) == 0
    assert docker.main(["push", IMAGE]) == 0
    assert docker.main(["push", IMAGE]) == 0, "a push of what is there is no error"
    store = ImageStore(Path(os.environ["LOCAL_CLOUD_STATE_DIR"]) / "images")
    image = store.resolve(IMAGE)
    assert registry.images == {
        (
            "123456789012",
            "cdk-hnb659fds-container-assets-123456789012-us-east-1",
            HASH,
        ): image_manifest(image.id)
    }
    assert "no such image: cdkasset-" in capsys.readouterr().err


def test_login_reads_and_forgets_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CLI pipes a token in and must not meet a closed pipe."""
    monkeypatch.setattr("sys.stdin", open(os.devnull))  # noqa: PTH123, SIM115 - a stream for the length of the test
    assert docker.main(["login", "--username", "AWS", "--password-stdin", "https://registry"]) == 0


def test_build_options(context: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another Dockerfile, build arguments, and a warning when the image's Python is not the one that stands in."""
    (context / "Dockerfile").rename(context / "Other")
    options = [
        "--file",
        "Other",
        "--build-arg",
        "BASE=python:3.99",
        "--network=host",
        "--cache-from",
        "x",
        "--no-cache",
    ]
    assert docker.main(["build", "--tag", "a", "-t", "b", *options, "."]) == 0
    assert "warning: the image is based on python:3.99" in capsys.readouterr().err
    assert docker.main(["images"]) == 0
    assert [line.split()[1] for line in capsys.readouterr().out.splitlines()] == ["a", "b"]
    assert docker.main(["rmi", "a"]) == 0
    assert docker.main(["rmi", "a"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "image"], "cannot do this: argument COMMAND: invalid choice: 'run'"),
        (["build", "--target", "stage", "--tag", "a", "."], "cannot do this: unrecognized arguments: --target"),
        (["build", "--secret", "id=x", "--tag", "a", "."], "unrecognized arguments: --secret"),
        (["build", "--tag", "a", "--file", "Missing", "."], "cannot read Missing: No such file"),
        (["tag", "missing", "b"], "no such image: missing"),
        (["push", "missing"], "no such image: missing"),
    ],
)
def test_refusals_are_one_line(
    context: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """What the stand-in does not do is said by name, with no usage text and no stack trace."""
    assert docker.main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1


def test_a_push_never_leaves_the_local_cloud(context: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the local cloud's address, or with another registry's name, nothing is sent anywhere."""
    docker.main(["build", "--tag", IMAGE, "--tag", "example.com/a:b", "."])
    assert docker.main(["push", IMAGE]) == 1
    assert "AWS_ENDPOINT_URL is not set" in capsys.readouterr().err
    assert docker.main(["push", "example.com/a:b"]) == 1
    assert "not the name of an image in an ECR repository" in capsys.readouterr().err


def test_a_build_without_the_environment_fails_at_once(
    context: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The deploy is the place to hear of it, not the first job an hour later."""
    monkeypatch.setenv("LOCAL_CLOUD_RUNTIME_DIR", str(tmp_path / "empty"))
    assert docker.main(["build", "--tag", "a", "."]) == 1
    assert "run: python -m local_cloud image-environment requirements.txt" in capsys.readouterr().err


def test_the_executable_works_from_any_folder(context: Path, tmp_path: Path) -> None:
    """CDK_DOCKER is one path that needs no environment, and a context's files cannot shadow modules."""
    (tmp_path / "a state").mkdir()
    path = docker.write_executable(tmp_path / "a state")
    result = subprocess.run(
        [path, "build", "--tag", "a", "."], env={"PATH": "/usr/bin:/bin"}, cwd=context, capture_output=True, text=True
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert ImageStore(tmp_path / "a state" / "images").find("a") is not None
