"""Every Lambda function is operable: its failures are kept, its logs are its own, and its code can be imported."""

import json
import os
import subprocess
from pathlib import Path

from tests.synthesized import PYTHON
from tests.templates.conftest import Resource, Templates

# What Lambda itself brings beside the zip file; here it comes from the environment of the tests.
_LAMBDA_RUNTIME_PACKAGES = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")


def _functions(templates: Templates) -> list[Resource]:
    functions = list(templates.resources("AWS::Lambda::Function"))
    assert len(functions) == 10
    return functions


def _code_folder(templates: Templates, function: Resource) -> Path:
    """The asset that is zipped and uploaded as the function's code."""
    manifest = json.loads((templates.assembly / f"{function.stack}.assets.json").read_text())
    asset = manifest["files"][function.properties["Code"]["S3Key"].removesuffix(".zip")]
    assert asset["source"]["packaging"] == "zip"
    return templates.assembly / str(asset["source"]["path"])


def test_every_function_keeps_what_it_cannot_handle(templates: Templates) -> None:
    """After bounded retries an event goes to the function's own queue."""
    retries = {
        config.properties["FunctionName"]["Ref"]: config.properties
        for config in templates.resources("AWS::Lambda::EventInvokeConfig")
    }
    queues = set()
    for function in _functions(templates):
        queue, attribute = function.properties["DeadLetterConfig"]["TargetArn"]["Fn::GetAtt"]
        queues.add(queue)
        assert attribute == "Arn"
        assert retries[function.logical_id]["MaximumRetryAttempts"] == 2
        assert retries[function.logical_id]["MaximumEventAgeInSeconds"] == 6 * 3600

    assert len(queues) == len(_functions(templates))


def test_somebody_is_told_of_every_dead_letter(templates: Templates) -> None:
    """Each dead-letter queue has an alarm that publishes to the failure topic."""
    watched = set()
    for alarm in templates.resources("AWS::CloudWatch::Alarm"):
        if alarm.properties["Namespace"] != "AWS/SQS":
            continue
        (dimension,) = alarm.properties["Dimensions"]
        watched.add(dimension["Value"]["Fn::GetAtt"][0])
        assert alarm.properties["MetricName"] == "ApproximateNumberOfMessagesVisible"
        assert alarm.properties["TreatMissingData"] == "notBreaching"
        assert alarm.properties["AlarmActions"], alarm.logical_id

    assert watched == {queue.logical_id for queue in templates.resources("AWS::SQS::Queue")}


def test_every_function_logs_to_its_own_group_for_a_set_time(templates: Templates) -> None:
    """No group is made at the first call, where its retention would be for ever."""
    groups = {(group.stack, group.logical_id): group.properties for group in templates.resources("AWS::Logs::LogGroup")}
    used = [
        (function.stack, function.properties["LoggingConfig"]["LogGroup"]["Ref"]) for function in _functions(templates)
    ]

    assert sorted(used) == sorted(groups)
    assert {group["RetentionInDays"] for group in groups.values()} == {14}


def test_every_function_has_a_role_of_its_own(templates: Templates) -> None:
    """Two functions never share rights."""
    roles = [function.properties["Role"]["Fn::GetAtt"][0] for function in _functions(templates)]

    assert len(set(roles)) == len(roles)


def test_every_function_is_told_what_its_handler_reads(templates: Templates) -> None:
    """The environment in the template is the one that the handlers ask for."""
    variables = {
        function.properties["Handler"].split(".")[1]: set(function.properties["Environment"]["Variables"])
        for function in _functions(templates)
    }

    assert variables == {
        "ingest_upload": {"LAKE_BUCKET", "EVENT_BUS", "DATA_CONTRACTS"},
        "decide_retraining": {
            *("PROJECT", "STAGE", "PIPELINE_NAME", "MODEL_PACKAGE_GROUP", "CHAMPION_PARAMETER", "EVENT_BUS"),
            *("LOCK_TABLE", "LAKE_BUCKET", "DATASET", "COOLDOWN_HOURS", "MINIMUM_NEW_ROWS"),
        },
        "start_training": {
            *("PROJECT", "STAGE", "PIPELINE_NAME", "MODEL_PACKAGE_GROUP", "CHAMPION_PARAMETER", "COMMIT"),
        },
        "finish_retraining": {
            *("PROJECT", "STAGE", "EVENT_BUS", "LOCK_TABLE", "LAKE_BUCKET", "DATASET", "APPROVAL_TOPIC_ARN"),
        },
        "announce_candidate": {
            *("PROJECT", "STAGE", "PIPELINE_ARN", "ARTIFACT_BUCKET", "EVIDENCE_PREFIX", "EVENT_BUS"),
            "APPROVAL_TOPIC_ARN",
        },
        "start_monitoring": {
            *("PROJECT", "STAGE", "MONITORING_PIPELINE", "CHAMPION_PARAMETER", "EVENT_BUS", "RUNS_PREFIX"),
            *("LABELLED_URI", "POLICY", "MONITORS", "DELIVERY_MINUTES", "ARTIFACT_BUCKET", "CAPTURE_PREFIX"),
            *("GROUND_TRUTH_PREFIX", "ENDPOINT_NAME", "VARIANT_NAME"),
        },
        "report_monitoring": {"PROJECT", "STAGE", "ARTIFACT_BUCKET", "EVENT_BUS"},
        "start_release": {
            *("PROJECT", "STAGE", "RELEASE_PIPELINE", "MODEL_PACKAGE_GROUP"),
            *("ARTIFACT_BUCKET", "CHAMPION_PARAMETER", "BASELINE", "EVENT_BUS"),
        },
        "verify_endpoint": {"PROJECT", "STAGE", "LATENCY_BUDGET_MS", "LATENCY_INVOCATIONS"},
        "record_release": {
            *("PROJECT", "STAGE", "RELEASE_PIPELINE"),
            *("ARTIFACT_BUCKET", "CHAMPION_PARAMETER", "EVENT_BUS"),
        },
    }


def test_every_handler_can_be_imported_from_its_zip_alone(templates: Templates, tmp_path: Path) -> None:
    """The code asset holds all that the handler imports, under the same names as in the repository."""
    for package in _LAMBDA_RUNTIME_PACKAGES:
        module = __import__(package)
        assert module.__file__ is not None
        source = Path(module.__file__)
        source = source.parent if source.name == "__init__.py" else source
        (tmp_path / source.name).symlink_to(source)
    for function in _functions(templates):
        module_name, name = function.properties["Handler"].rsplit(".", 1)
        result = subprocess.run(
            [str(PYTHON), "-S", "-c", f"import {module_name} as module; assert callable(module.{name})"],
            cwd=_code_folder(templates, function),
            env={"PATH": os.defpath, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr


def test_a_zip_holds_its_function_and_nothing_else(templates: Templates) -> None:
    """A change elsewhere in the repository does not redeploy a function."""
    packages = {
        function.properties["Handler"].split(".")[1]: {
            "/".join(path.relative_to(_code_folder(templates, function)).parts[:2])
            for path in _code_folder(templates, function).rglob("*.py")
            if path.name != "__init__.py" or path.parent.parent.name == "lambdas"
        }
        for function in _functions(templates)
    }

    for name in packages.keys() - {"ingest_upload"}:
        assert packages[name] == {"lambdas/shared", f"lambdas/{name}"}
    assert {name for name in packages["ingest_upload"] if name.startswith("lambdas")} == {
        "lambdas/shared",
        "lambdas/ingest_upload",
    }
    assert not list(templates.assembly.rglob("__pycache__"))
