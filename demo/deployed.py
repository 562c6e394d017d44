"""The app as it is deployed in one local cloud: what every act of the demo works with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.aws import client, stack_outputs
from demo.errors import DemoError
from local_cloud.processes import ProcessTable
from releases.errors import ReleasesError
from releases.names import Names, find_names


@dataclass(frozen=True)
class Deployed:
    """Clients, names and places. `folder` is where the demo writes, `table` where its commands run.

    `environment` is what an AWS client needs to reach the cloud.
    """

    environment: Mapping[str, str]
    names: Names
    lake: str
    folder: Path
    table: ProcessTable

    @classmethod
    def find(cls, environment: Mapping[str, str], *, stage: str, folder: Path, table: ProcessTable) -> "Deployed":
        """What a stage has deployed; DemoError if that is not what the demo needs."""
        try:
            names = find_names(client("cloudformation", environment), stage=stage, project="car_prices")
        except ReleasesError as error:
            raise DemoError(f"{error}; see config/stages, and choose another stage with --stage") from None
        return cls(environment, names, stack_outputs(environment)["LakeBucketName"], folder, table)

    def client(self, service: str) -> Any:
        """A boto3 client for the cloud."""
        return client(service, self.environment)
