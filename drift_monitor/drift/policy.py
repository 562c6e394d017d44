"""When a difference is an alarm: the policy, and what is kept of a window for the policy's sake.

Must not compute statistics.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from drift_monitor.errors import SettingsError
from drift_monitor.results import Window


@dataclass(frozen=True, kw_only=True)
class AlarmPolicy:
    """A column stands out if its q-value is at most `false_discovery_rate` and its distance at least the effect floor;
    it is a violation if it stood out in `windows_to_alarm` of the last `windows` judged windows, this one included.
    The same goes for the checks of a column, whose floor is another (drift/checks.py).

    Below `minimum_rows` present values, in the window or the baseline, the answer is INSUFFICIENT_DATA.
    `column_effect_floors` override the floor by column. `tolerance`: by how much the share of values that are present,
    of the right type or within the range may be worse than the constraint; of values with a new category it is the
    effect floor. Raises SettingsError naming the field that cannot be used.
    """

    false_discovery_rate: float = 0.01
    effect_floor: float = 0.05
    minimum_rows: int = 100
    windows_to_alarm: int = 1
    windows: int = 1
    tolerance: float = 0.01
    column_effect_floors: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("false_discovery_rate", "effect_floor", "tolerance"):
            _check_share(name, getattr(self, name))
        for name in ("minimum_rows", "windows_to_alarm", "windows"):
            _check_count(name, getattr(self, name))
        if not isinstance(self.column_effect_floors, Mapping):
            raise SettingsError("alarm policy: column_effect_floors must be an object of column names and floors")
        for column, floor in self.column_effect_floors.items():
            _check_share(f"column_effect_floors[{column}]", floor)
        if self.windows_to_alarm > self.windows:
            raise SettingsError(
                f"alarm policy: windows_to_alarm is {self.windows_to_alarm}, but only the last {self.windows} windows "
                "are looked at; raise windows to at least as many"
            )

    def floor(self, column: str) -> float:
        """The least distance of a column that may be a violation."""
        return self.column_effect_floors.get(column, self.effect_floor)

    def category_floor(self, column: str) -> float:
        """By how much the share of values with a new category may be greater than expected.

        A floor of 1 says that the column's distribution is not compared, which is nothing about its categories.
        """
        floor = self.floor(column)
        return floor if floor < 1 else self.effect_floor


@dataclass(frozen=True, kw_only=True)
class WindowFindings:
    """What an earlier window said: columns with enough data to be judged, and those of them that stood out; the same of
    checks, each by column and `DataCheck.check`."""

    window: Window | None
    judged: frozenset[str]
    stood_out: frozenset[str]
    checks_judged: frozenset[tuple[str, str]] = frozenset()
    checks_stood_out: frozenset[tuple[str, str]] = frozenset()


def parse_policy(settings: Mapping[str, object]) -> AlarmPolicy:
    """The policy of a JSON object with AlarmPolicy's field names. Raises SettingsError naming the field."""
    known = [item.name for item in fields(AlarmPolicy)]
    unknown = sorted(settings.keys() - set(known))
    if unknown:
        raise SettingsError(f"alarm policy: unknown setting {', '.join(unknown)}; known are {', '.join(known)}")
    return AlarmPolicy(**settings)  # type: ignore[arg-type]  # checked by the class itself


def _check_share(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise SettingsError(f"alarm policy: {name} is {value!r}, but must be a number from 0 to 1")


def _check_count(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise SettingsError(f"alarm policy: {name} is {value!r}, but must be a whole number from 1")
