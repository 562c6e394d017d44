"""The version that production serves, as the last successful release left it: one SSM parameter.

Must not decide which version that should be.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

NO_CHAMPION = "none"


@dataclass(frozen=True, slots=True)
class LiveVersion:
    """ARN of the live model package, and the moment since when it has been live."""

    arn: str
    since: datetime


@dataclass(frozen=True, slots=True)
class ChampionParameter:
    """The parameter; `ssm` is a boto3 client."""

    ssm: Any
    name: str

    def read(self) -> str | None:
        """ARN of the live model package; None before the first release."""
        live = self.live()
        return live.arn if live else None

    def live(self) -> LiveVersion | None:
        """The live model package; None before the first release."""
        try:
            parameter = self.ssm.get_parameter(Name=self.name)["Parameter"]
        except self.ssm.exceptions.ParameterNotFound:
            return None
        arn = str(parameter["Value"])
        return None if arn == NO_CHAMPION else LiveVersion(arn, parameter["LastModifiedDate"])

    def write(self, arn: str) -> None:
        """Name `arn` as the live model package."""
        self.ssm.put_parameter(Name=self.name, Value=arn, Type="String", Overwrite=True)
