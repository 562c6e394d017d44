"""The version that a candidate has to beat: the live one; before the first release, the newest approved one.

Must not decide whether it is beaten: the training pipeline compares both on the same data.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lambdas.shared.champion import ChampionParameter
from lambdas.shared.errors import LambdaError
from lambdas.shared.packages import ModelPackage, describe_package


class ChampionError(LambdaError):
    """The approved model package cannot serve as champion; the registry needs a correction."""


@dataclass(frozen=True, slots=True)
class ChampionSearch:
    """Looks in one registry. `sagemaker` is a boto3 client; `live` names the version that production serves."""

    sagemaker: Any
    live: ChampionParameter
    model_package_group: str

    def find(self) -> ModelPackage | None:
        """The champion; None when there is none yet. Raises ChampionError if it cannot be compared with."""
        arn = self._live() or next(self._approved_packages(), None)
        if arn is None:
            return None
        package = describe_package(self.sagemaker, arn)
        if package is None or package.model_url is None:
            raise ChampionError(
                f"the champion {arn} is not in the registry, or names no model.tar.gz (ModelDataUrl of its first "
                "container), so no model can be compared with it; release another version, or reject it"
            )
        return package

    def _live(self) -> str | None:
        """The live version, unless it is of a registry that an earlier deployment of the stack left behind."""
        arn = self.live.read()
        return arn if arn and f":model-package/{self.model_package_group}/" in arn else None

    def _approved_packages(self) -> Iterator[str]:
        """ARNs, newest first; the API's own order is ascending. An empty page may have a successor."""
        request = {
            "ModelPackageGroupName": self.model_package_group,
            "ModelApprovalStatus": "Approved",
            "SortBy": "CreationTime",
            "SortOrder": "Descending",
        }
        while True:
            page = self.sagemaker.list_model_packages(**request)
            for summary in page["ModelPackageSummaryList"]:
                yield summary["ModelPackageArn"]
            if not page.get("NextToken"):
                return
            request = request | {"NextToken": page["NextToken"]}
