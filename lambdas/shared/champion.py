"""The version that production serves, as the last successful release left it: one SSM parameter.

Must not decide which version that should be.
"""

from dataclasses import dataclass
from typing import Any

NO_CHAMPION = "none"


@dataclass(frozen=True, slots=True)
class ChampionParameter:
    """The parameter; `ssm` is a boto3 client."""

    ssm: Any
    name: str

    def read(self) -> str | None:
        """ARN of the live model package; None before the first release."""
        try:
            value = str(self.ssm.get_parameter(Name=self.name)["Parameter"]["Value"])
        except self.ssm.exceptions.ParameterNotFound:
            return None
        return None if value == NO_CHAMPION else value

    def write(self, arn: str) -> None:
        """Name `arn` as the live model package."""
        self.ssm.put_parameter(Name=self.name, Value=arn, Type="String", Overwrite=True)
