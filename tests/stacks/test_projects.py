"""Projects are found by their folders, and a mistake in the settings is explained."""

from pathlib import Path

import pytest

from stacks.projects import ProjectError, load_projects

_CONTRACT = """
dataset = "{dataset}"
format = "csv"
label = "price"
[[columns]]
name = "price"
type = "number"
role = "label"
"""


def _add_project(root: Path, name: str, *, dataset: str) -> None:
    folder = root / "sagemaker_pipelines" / name
    folder.mkdir(parents=True)
    (folder / "data_contract.toml").write_text(_CONTRACT.format(dataset=dataset), encoding="utf-8")


def test_a_second_project_is_a_folder_and_a_name(tmp_path: Path) -> None:
    """Two projects stand side by side, each with its own dataset and its own names."""
    _add_project(tmp_path, "car_prices", dataset="cars")
    _add_project(tmp_path, "boat_prices", dataset="boats")

    cars, boats = load_projects(("car_prices", "boat_prices"), source_root=tmp_path)

    assert (cars.contract.dataset, boats.contract.dataset) == ("cars", "boats")
    assert (cars.resource_name("dev"), boats.resource_name("prod")) == ("car-prices-dev", "boat-prices-prod")
    assert boats.artifact_prefix("dev") == "pipelines/boat-prices-dev/"


def test_an_unknown_project_names_the_known_ones(tmp_path: Path) -> None:
    """The message says which file was expected and what there is."""
    _add_project(tmp_path, "car_prices", dataset="cars")

    with pytest.raises(ProjectError, match=r"sagemaker_pipelines/car_price/.* does not exist; there are: car_prices"):
        load_projects(("car_price",), source_root=tmp_path)


def test_a_dataset_has_one_contract(tmp_path: Path) -> None:
    """Two projects cannot check the same uploads by different rules."""
    _add_project(tmp_path, "car_prices", dataset="cars")
    _add_project(tmp_path, "rental_prices", dataset="cars")

    with pytest.raises(ProjectError, match="projects car_prices and rental_prices both bring a contract for dataset"):
        load_projects(("car_prices", "rental_prices"), source_root=tmp_path)
