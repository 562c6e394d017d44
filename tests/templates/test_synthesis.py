"""Synthesis is a pure function of the repository and the stage."""

import filecmp
from pathlib import Path

import pytest

from tests.synthesized import ROOT, SOURCES, copied_sources, run_app
from tests.templates.conftest import Templates

# Node.js, which runs the CDK itself, loads this first: whoever opens a connection ends the synthesis.
_NO_NETWORK_IN_NODE = "require('net').Socket.prototype.connect = () => { throw new Error('synthesis used a socket'); };"
_NO_NETWORK_IN_PYTHON = """
import runpy, socket, sys
def refuse(*arguments):
    raise AssertionError("synthesis used a socket")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
sys.argv = ["app.py"]
sys.path.insert(0, "")
runpy.run_path("app.py", run_name="__main__")
"""


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A copy of all that a synth reads, in another folder and without version control."""
    root = copied_sources(tmp_path / "another checkout")
    assert {path.name for path in root.iterdir()} == {*SOURCES, ".cache"}
    return root


def test_two_syntheses_are_byte_identical(templates: Templates, elsewhere: Path, tmp_path: Path) -> None:
    """Another folder, time zone and hash seed, no credentials and no network: the same assembly."""
    output = tmp_path / "cdk.out"
    (tmp_path / "no-network.js").write_text(_NO_NETWORK_IN_NODE)

    result = run_app(
        output,
        context={"stage": "dev"},
        root=elsewhere,
        command=("-c", _NO_NETWORK_IN_PYTHON),
        environment={
            "TZ": "Asia/Kathmandu",
            "PYTHONHASHSEED": "4711",
            "NODE_OPTIONS": f"--require {tmp_path / 'no-network.js'}",
        },
    )

    assert result.returncode == 0, result.stderr
    names = sorted(str(path.relative_to(output)) for path in output.rglob("*") if path.is_file())
    assert names == sorted(
        str(path.relative_to(templates.assembly)) for path in templates.assembly.rglob("*") if path.is_file()
    )
    _, different, unreadable = filecmp.cmpfiles(templates.assembly, output, names, shallow=False)
    assert (different, unreadable) == ([], [])


def test_a_mistake_ends_with_an_explanation(tmp_path: Path) -> None:
    """An unknown stage is a sentence on standard error and exit status 1, and not a stack trace."""
    result = run_app(tmp_path / "cdk.out", context={"stage": "prd"})

    assert result.returncode == 1
    assert "no stage 'prd' (did you mean 'prod'?): choose one of dev, prod, staging" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_alarm_on_a_metric_that_nobody_emits_ends_the_synthesis(elsewhere: Path, tmp_path: Path) -> None:
    """The app itself refuses it: here a release would be rolled back by an error that no monitor measures."""
    (elsewhere / "config" / "stages" / "dev.toml").write_text(
        """
        [monitoring.monitors.inputs]
        analyses = ["data_quality"]
        window_minutes = 60
        [endpoint.alarms.quality]
        namespace = "Cd4ml/Monitoring"
        metric_name = "ModelQuality/mape"
        breaches = "above"
        threshold = 30.0
        """
    )

    result = run_app(tmp_path / "cdk.out", context={"stage": "dev"}, root=elsewhere)

    assert result.returncode == 1
    assert "Cannot synthesize: 1 alarm(s) or graph(s) would never see a value" in result.stderr
    assert "ModelQuality/mape comes from the analysis model_quality, which no monitor has" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_commit_reaches_the_function_that_starts_training(tmp_path: Path) -> None:
    """Production synthesizes too, and the commit given as context is what its models will record."""
    result = run_app(tmp_path / "cdk.out", context={"stage": "prod", "commit": "0123abc"})

    assert result.returncode == 0, result.stderr
    assert '"COMMIT": "0123abc"' in (tmp_path / "cdk.out" / "Cd4ml-prod-Training.template.json").read_text()


def test_an_assembly_names_no_machine(templates: Templates) -> None:
    """No path of this machine and no account or region is written into what gets deployed."""
    for file in templates.files.values():
        text = file.read_text()
        assert str(ROOT) not in text
        assert "us-east-1" not in text
