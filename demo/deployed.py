"""The app as it is deployed in one local cloud: what every act of the demo works with."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from demo.aws import client, stack_outputs
from demo.errors import DemoError
from local_cloud.processes import ProcessTable
from releases.errors import ReleasesError
from releases.names import Names, find_names

_POLL_SECONDS = 0.1
T = TypeVar("T")


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

    def wait_for(self, look: Callable[[], T | None], *, what: str, seconds: float = 60) -> T:
        """What `look` gives as soon as that is true; DemoError after the limit. It may print what it sees."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if found := look():
                return found
            time.sleep(_POLL_SECONDS)  # the pace of polling: none of the APIs has a way to wait
        raise DemoError(
            f"waited {seconds:.0f} s in vain for {what}; {self.folder}/server.log tells what the local cloud did"
        )
