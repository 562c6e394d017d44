"""The lock of a project's retraining loop, and what its last training was: one item of a DynamoDB table.

At most one holder, whatever happens at the same moment: every change is conditional. Must not decide whether to train.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ConditionExpressions.html
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class LockState:
    """`holder` is the ARN of a state machine's execution; the rest is about the last training, if there was one."""

    holder: str | None = None
    last_data_version: str | None = None
    last_ended: datetime | None = None


@dataclass(frozen=True, slots=True)
class RetrainingLock:
    """The item of `project` in `table`. `dynamodb` is a boto3 client."""

    dynamodb: Any
    table: str
    project: str

    def read(self) -> LockState:
        """As it is now: a consistent read."""
        answer = self.dynamodb.get_item(TableName=self.table, Key=self._key, ConsistentRead=True)
        item = {name: value["S"] for name, value in answer.get("Item", {}).items()}
        ended = item.get("last_ended")
        return LockState(
            holder=item.get("holder"),
            last_data_version=item.get("last_data_version"),
            last_ended=datetime.fromisoformat(ended) if ended else None,
        )

    def take(self, execution: str, *, seen: LockState) -> bool:
        """Take the lock, if it is as it was `seen`: free, or with a holder that has ended without freeing it."""
        values = {":own": {"S": execution}}
        holders = ["attribute_not_exists(holder)", "holder = :own"]
        if seen.holder:
            holders.append("holder = :ended")
            values[":ended"] = {"S": seen.holder}
        # Another training may have begun and ended since.
        last = "attribute_not_exists(last_ended)"
        if seen.last_ended:
            last = "last_ended = :last"
            values[":last"] = {"S": _iso(seen.last_ended)}
        return self._update("SET holder = :own", f"({' OR '.join(holders)}) AND {last}", values)

    def remind(self, *, now: datetime, since: datetime) -> bool:
        """Whether a person is to be told now: nobody has been since `since`. Of several that ask, one may."""
        condition = "attribute_not_exists(last_reminder) OR last_reminder <= :since"
        values = {":now": {"S": _iso(now)}, ":since": {"S": _iso(since)}}
        return self._update("SET last_reminder = :now", condition, values)

    def free(self, execution: str) -> bool:
        """Free the lock, if `execution` holds it."""
        return self._update("REMOVE holder", "holder = :own", {":own": {"S": execution}})

    def record(self, execution: str, *, data_version: str, ended: datetime) -> bool:
        """Free the lock and remember what was trained, if `execution` holds it."""
        values = {
            ":own": {"S": execution},
            ":version": {"S": data_version},
            ":ended": {"S": _iso(ended)},
        }
        change = "REMOVE holder SET last_data_version = :version, last_ended = :ended"
        return self._update(change, "holder = :own", values)

    @property
    def _key(self) -> dict[str, dict[str, str]]:
        return {"project": {"S": self.project}}

    def _update(self, change: str, condition: str, values: dict[str, dict[str, str]]) -> bool:
        try:
            self.dynamodb.update_item(
                TableName=self.table,
                Key=self._key,
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
            )
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _iso(moment: datetime) -> str:
    """In UTC and of one length, so that the order of texts is that of time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
