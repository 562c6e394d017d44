"""What the commands of the demo are given, and what a failure of theirs says."""

from pathlib import Path

import pytest

from demo.aws import client
from demo.commands import Command, clean_environment, python, run
from demo.errors import DemoError
from local_cloud.processes import ProcessTable


def test_nothing_of_a_real_account_reaches_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS and CDK variables, settings files and a PYTHONPATH of the caller's are left out."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "CDK_OUTDIR", "PYTHONPATH"):
        monkeypatch.setenv(name, "/somewhere/else")
    environment = clean_environment({"AWS_REGION": "us-east-1"})
    assert "/somewhere/else" not in environment.values()
    assert environment["AWS_CONFIG_FILE"] == "/dev/null"
    assert environment["AWS_REGION"] == "us-east-1"


def test_the_demo_itself_does_not_look_at_the_callers_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that does not exist, or a default one that leads elsewhere, is none of the demo's."""
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    assert client("s3", {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}).meta.endpoint_url == "http://127.0.0.1:1"


def test_a_failed_command_tells_what_the_user_has_not_seen(tmp_path: Path) -> None:
    """The error has the lines that were not shown, and no line twice."""
    seen: list[str] = []

    def show(line: str) -> bool:
        seen.append(line)
        return line.startswith("shown")

    script = "print('shown: a step'); print('the reason'); raise SystemExit(3)"
    command = Command(
        python("-c", script), table=ProcessTable(tmp_path), environment=clean_environment(), what="it", show=show
    )
    with pytest.raises(DemoError) as error:
        command.finish_or_cancel()
    assert str(error.value) == "it ended with 3\n  the reason"
    assert seen == ["shown: a step", "the reason"]


def test_a_short_command_that_fails_tells_its_last_lines() -> None:
    """The same for the commands whose output is not shown."""
    with pytest.raises(DemoError, match=r"it ended with 3\n  the reason"):
        run(python("-c", "print('the reason'); raise SystemExit(3)"), environment=clean_environment(), what="it")
