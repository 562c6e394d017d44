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
        item = _texts(answer.get("Item", {}))
        ended = item.get("last_ended")
        return LockState(
            holder=item.get("holder"),
            last_data_version=item.get("last_data_version"),
            last_ended=datetime.fromisoformat(ended) if ended else None,
        )

    def take(self, execution: str, *, seen: LockState, data_version: str) -> bool:
        """Take the lock for a training on `data_version`.

        Only if it is as it was `seen`: free, or with a holder that has ended without freeing it.
        """
        values = {":own": execution, ":version": data_version}
        holders = ["attribute_not_exists(holder)", "holder = :own"]
        if seen.holder:
            holders.append("holder = :ended")
            values[":ended"] = seen.holder
        # Another training may have begun and ended since.
        last = "attribute_not_exists(last_ended)"
        if seen.last_ended:
            last = "last_ended = :last"
            values[":last"] = _iso(seen.last_ended)
        condition = f"({' OR '.join(holders)}) AND {last}"
        return self._update("SET holder = :own, data_version = :version", condition, values) is not None

    def remind(self, *, now: datetime, since: datetime) -> bool:
        """Whether a person is to be told now: nobody has been since `since`. Of several that ask, one may."""
        condition = "attribute_not_exists(last_reminder) OR last_reminder <= :since"
        values = {":now": _iso(now), ":since": _iso(since)}
        return self._update("SET last_reminder = :now", condition, values) is not None

    def free(self, execution: str) -> str | None:
        """Free the lock; the data version that it was taken for, None if `execution` does not hold it."""
        return self._release(execution, "", {})

    def record(self, execution: str, *, learned: str | None, ended: datetime) -> str | None:
        """Free the lock and remember when a training ended, and what it `learned` from: a data version.

        Without one, what was remembered last stays. Gives what `free` gives.
        """
        if learned is None:
            return self._release(execution, " SET last_ended = :ended", {":ended": _iso(ended)})
        change = " SET last_ended = :ended, last_data_version = :version"
        return self._release(execution, change, {":ended": _iso(ended), ":version": learned})

    @property
    def _key(self) -> dict[str, dict[str, str]]:
        return {"project": {"S": self.project}}

    def _release(self, execution: str, change: str, values: dict[str, str]) -> str | None:
        before = self._update(f"REMOVE holder, data_version{change}", "holder = :own", {":own": execution, **values})
        return None if before is None else before.get("data_version", "")

    def _update(self, change: str, condition: str, values: dict[str, str]) -> dict[str, str] | None:
        """Change the item if `condition` holds; what it was before, None if it does not hold."""
        try:
            answer = self.dynamodb.update_item(
                TableName=self.table,
                Key=self._key,
                UpdateExpression=change,
                ConditionExpression=condition,
                ExpressionAttributeValues={name: {"S": value} for name, value in values.items()},
                ReturnValues="ALL_OLD",
            )
        except self.dynamodb.exceptions.ConditionalCheckFailedException:
            return None
        return _texts(answer.get("Attributes", {}))


def _texts(item: dict[str, dict[str, str]]) -> dict[str, str]:
    return {name: value["S"] for name, value in item.items()}


def _iso(moment: datetime) -> str:
    """In UTC and of one length, so that the order of texts is that of time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
