"""Which versions the approvers have heard of: one small object for each, which is also the record of it.

s3://<artifact bucket>/releases/<project>/candidates/<model package group>/<version>.json. Must not send anything.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from lambdas.shared.errors import ConflictError
from lambdas.shared.packages import ModelPackage
from lambdas.shared.s3 import Bucket

# The function's time limit: whoever began longer ago is dead.
_ABANDONED_AFTER = timedelta(seconds=60)


class State(StrEnum):
    """How far an announcement is."""

    BEGUN = "begun"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class Announcements:
    """The records of one project in the artifact bucket."""

    bucket: Bucket
    project: str

    def begin(self, package: ModelPackage, *, now: datetime) -> bool:
        """Whether the caller is to announce `package`, which nobody else does then; False if it has been announced.

        Raises ConflictError while another invocation is at it: if that one dies, a retry takes its place.
        """
        key, record = self._key(package), _record(State.BEGUN, now)
        known = self.bucket.read_json(key)
        if known is None:
            begun = self.bucket.create_json(key, record)
        elif known.value["state"] == State.SENT:
            return False
        else:
            abandoned = datetime.fromisoformat(known.value["moment"]) + _ABANDONED_AFTER <= now
            begun = abandoned and self.bucket.replace_json(key, record, etag=known.etag)
        if not begun:
            raise ConflictError(f"another invocation announces {package.arn}: {self.bucket.uri(key)}")
        return True

    def end(self, package: ModelPackage, *, now: datetime) -> None:
        """Remember that `package` has been announced."""
        self.bucket.write_json(self._key(package), _record(State.SENT, now))

    def _key(self, package: ModelPackage) -> str:
        return f"releases/{self.project}/candidates/{package.group}/{package.version}.json"


def _record(state: State, moment: datetime) -> dict[str, str]:
    return {"state": state, "moment": moment.isoformat()}
