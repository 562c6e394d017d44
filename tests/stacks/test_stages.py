"""What settings and projects change in the stacks."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from config.settings import LogSettings, NotificationSettings, Settings
from sagemaker_pipelines.compile import compiled_definition
from stacks.projects import Project, load_projects
from tests.synthesized import ROOT

Synthesize = Callable[[Settings, tuple[Project, ...]], dict[str, dict[str, Any]]]


def _resources(template: dict[str, Any], resource_type: str) -> Iterator[dict[str, Any]]:
    return (body for body in template["Resources"].values() if body["Type"] == resource_type)


@pytest.fixture(scope="module")
def car_prices() -> Project:
    """The project of the repository."""
    (project,) = load_projects(("car_prices",), source_root=ROOT)
    return project


@pytest.fixture(scope="module")
def two_projects(synthesize: Synthesize, car_prices: Project) -> dict[str, dict[str, Any]]:
    """Templates of a stage with a second project, of another dataset, beside the first."""
    contract = dataclasses.replace(car_prices.contract, dataset="boats")
    second = Project(name="boat_prices", contract_file=car_prices.contract_file, contract=contract)
    with pytest.MonkeyPatch.context() as patch:
        # The second project has no pipeline of its own; it borrows the first one's.
        definition = compiled_definition("car_prices")
        patch.setattr("stacks.training_stack.compiled_definition", lambda project: definition)
        return synthesize(
            Settings(
                stage="test",
                account="123456789012",
                region="eu-central-1",
                logs=LogSettings(removal="retain"),
                notifications=NotificationSettings(email="ops@example.com"),
            ),
            (car_prices, second),
        )


def test_a_second_project_stands_beside_the_first(two_projects: dict[str, dict[str, Any]]) -> None:
    """Each project has a table, a pipeline and a registry of its own, and no stack knows either by name."""
    lake, training = two_projects["Cd4ml-test-DataLake"], two_projects["Cd4ml-test-Training"]

    assert sorted(table["Properties"]["TableInput"]["Name"] for table in _resources(lake, "AWS::Glue::Table")) == [
        "boats",
        "car_prices",
    ]
    assert sorted(
        pipeline["Properties"]["PipelineName"] for pipeline in _resources(training, "AWS::SageMaker::Pipeline")
    ) == ["boat-prices-test", "car-prices-test"]
    assert len(list(_resources(training, "AWS::SageMaker::ModelPackageGroup"))) == 2
    for path in Path(ROOT / "stacks").glob("*.py"):
        assert "car_prices" not in path.read_text().replace("`car-prices", "")


def test_projects_do_not_reach_each_others_data(two_projects: dict[str, dict[str, Any]]) -> None:
    """A project's roles end at its dataset, its outputs and its registry."""
    training = two_projects["Cd4ml-test-Training"]
    for name, body in training["Resources"].items():
        if body["Type"] != "AWS::IAM::Policy":
            continue
        text = json.dumps(body["Properties"]["PolicyDocument"])
        mine, others = ("boats", "car") if name.startswith("boat") else ("car_prices", "boat")
        assert f"/{others}" not in text, name
        if "Jobs" in name:
            assert f"curated/{mine}/*" in text


def test_each_project_is_released_on_its_own(two_projects: dict[str, dict[str, Any]]) -> None:
    """Two pipelines, two endpoint templates, and no role that deploys both."""
    release = two_projects["Cd4ml-test-Release"]
    names = [pipeline["Properties"]["Name"] for pipeline in _resources(release, "AWS::CodePipeline::Pipeline")]

    assert sorted(names) == ["boat-prices-test-release", "car-prices-test-release"]
    assert {"Cd4ml-test-CarPricesEndpoint", "Cd4ml-test-BoatPricesEndpoint"} <= set(two_projects)
    for name, body in release["Resources"].items():
        if body["Type"] == "AWS::IAM::Policy":
            text = json.dumps(body["Properties"]["PolicyDocument"])
            assert not ("car-prices-test" in text and "boat-prices-test" in text), name
            assert not ("carpricestest" in text and "boatpricestest" in text), name


def test_approvers_are_asked_by_mail_if_there_is_an_address(synthesize: Synthesize, car_prices: Project) -> None:
    """The address of approvers is another setting than that for failures."""
    settings = Settings.model_validate({"stage": "test", "release": {"approval_email": "approver@example.com"}})

    (subscription,) = _resources(synthesize(settings, (car_prices,))["Cd4ml-test-Training"], "AWS::SNS::Subscription")

    assert subscription["Properties"]["Endpoint"] == "approver@example.com"


def test_a_shadow_reaches_production_only(synthesize: Synthesize, car_prices: Project) -> None:
    """With the setting, an execution may name a second version; staging has no requests to copy."""
    settings = Settings.model_validate({"stage": "test", "endpoint": {"shadow": True}})

    (pipeline,) = _resources(synthesize(settings, (car_prices,))["Cd4ml-test-Release"], "AWS::CodePipeline::Pipeline")
    properties = pipeline["Properties"]

    assert {"Name": "ShadowModelPackageArn", "DefaultValue": "none"}.items() <= properties["Variables"][2].items()
    users = [
        stage["Name"] for stage in properties["Stages"] if "#{variables.ShadowModelPackageArn}" in json.dumps(stage)
    ]
    assert users == ["Production"]


def test_ingestion_knows_the_contract_of_every_dataset(two_projects: dict[str, dict[str, Any]]) -> None:
    """One function serves all datasets."""
    (function,) = _resources(two_projects["Cd4ml-test-DataLake"], "AWS::Lambda::Function")
    contracts = json.loads(function["Properties"]["Environment"]["Variables"]["DATA_CONTRACTS"])

    assert sorted(contracts) == ["boats", "car_prices"]
    assert all(uri.startswith("s3://cdk-hnb659fds-assets-123456789012-eu-central-1/") for uri in contracts.values())


def test_an_address_is_subscribed_if_there_is_one(two_projects: dict[str, dict[str, Any]]) -> None:
    """The settings decide who hears of failures."""
    (subscription,) = _resources(two_projects["Cd4ml-test-DataLake"], "AWS::SNS::Subscription")

    assert subscription["Properties"]["Protocol"] == "email"
    assert subscription["Properties"]["Endpoint"] == "ops@example.com"


def test_logs_outlive_the_stack_where_the_settings_say_so(two_projects: dict[str, dict[str, Any]]) -> None:
    """Retention is the default; the development stage alone lets logs go."""
    for template in two_projects.values():
        for group in _resources(template, "AWS::Logs::LogGroup"):
            assert group["DeletionPolicy"] == "Retain"
            assert group["Properties"]["RetentionInDays"] == 180


def test_the_table_has_the_columns_of_the_contract(
    two_projects: dict[str, dict[str, Any]], car_prices: Project
) -> None:
    """A CSV table is read by position, so order and number matter; the header is skipped."""
    (table,) = (
        table["Properties"]["TableInput"]
        for table in _resources(two_projects["Cd4ml-test-DataLake"], "AWS::Glue::Table")
        if table["Properties"]["TableInput"]["Name"] == "car_prices"
    )
    storage = table["StorageDescriptor"]

    assert tuple(column["Name"] for column in storage["Columns"]) == car_prices.contract.column_names
    assert table["Parameters"]["skip.header.line.count"] == "1"
    assert json.dumps(storage["Location"]).endswith('/curated/car_prices/"]]}')


def test_queries_are_bounded_and_encrypted(two_projects: dict[str, dict[str, Any]]) -> None:
    """Whoever queries cannot choose another place, no encryption or no limit."""
    (workgroup,) = _resources(two_projects["Cd4ml-test-DataLake"], "AWS::Athena::WorkGroup")
    configuration = workgroup["Properties"]["WorkGroupConfiguration"]

    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["BytesScannedCutoffPerQuery"] == 10 * 1024**3
    assert configuration["ResultConfiguration"]["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
