"""The image: locked, without an index of its own, without root, and with what the jobs import."""

import re

from tests.sagemaker_pipelines.jobs import ROOT, Interpreter

IMAGE = ROOT / "images" / "runtime"


def test_every_requirement_is_pinned_with_hashes() -> None:
    """An install gives the same files or fails."""
    blocks = re.split(r"\n(?=\S)", (IMAGE / "requirements.txt").read_text().strip())

    assert blocks
    assert all(re.match(r"[a-z0-9-]+==", block) and "--hash=sha256:" in block for block in blocks)


def test_the_lock_names_no_index() -> None:
    """Where packages come from is the builder's configuration."""
    assert not re.search(r"https?://|--index|--extra-index|--find-links", (IMAGE / "requirements.txt").read_text())


def test_the_lock_has_what_is_asked_for() -> None:
    """requirements.in and its lock belong together."""
    asked = re.findall(r"^[a-z0-9-]+==\S+", (IMAGE / "requirements.in").read_text(), re.MULTILINE)
    locked = (IMAGE / "requirements.txt").read_text()

    assert asked
    assert all(f"{requirement} \\" in locked for requirement in asked)


def test_jobs_do_not_run_as_root() -> None:
    """The last USER of the Dockerfile counts."""
    users = re.findall(r"^USER (\S+)", (IMAGE / "Dockerfile").read_text(), re.MULTILINE)

    assert users
    assert users[-1] not in ("root", "0")


def test_the_base_image_is_pinned() -> None:
    """No floating tag."""
    assert re.search(r"^FROM python:3\.12\.\d+-slim-\w+$", (IMAGE / "Dockerfile").read_text(), re.MULTILINE)


def test_what_the_dockerfile_copies_exists() -> None:
    """The build context is the repository's root."""
    copies = re.findall(r"^COPY (\S+) \S+$", (IMAGE / "Dockerfile").read_text(), re.MULTILINE)

    assert copies
    assert all((ROOT / source).exists() for source in copies)


def test_the_image_s_python_can_do_without_the_sdk(interpreter: Interpreter) -> None:
    """Neither the SageMaker SDK nor boto3 nor a frame library is there, and no step misses them."""
    code = (
        "import importlib.util as u; print([n for n in ('sagemaker', 'boto3', 'pandas', 'aws_cdk') if u.find_spec(n)])"
    )

    assert interpreter.python_command(["-c", code]).stdout.strip() == "[]"
