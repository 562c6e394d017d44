"""Rules about single columns that need no distribution: completeness, type, categories, range, and the columns' being
there at all. Names and meanings are Model Monitor's, except range_check:
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-violations.html

Model Monitor compares shares as they are, so that one odd value in a small window is a violation. Here a share is
worse than its constraint only if a binomial test says so, under false-discovery control over all checks of the window.
Must not read data or files.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from drift_monitor.baseline import ColumnConstraints, DataConstraints
from drift_monitor.drift.policy import AlarmPolicy
from drift_monitor.drift.significance import adjusted, increase_p_value, share_p_value
from drift_monitor.profile.categorical import CategoricalProfile
from drift_monitor.profile.curve import count_below
from drift_monitor.profile.dataset import ColumnProfile, DatasetProfile
from drift_monitor.profile.numeric import NumericProfile
from drift_monitor.results import DataCheck, Verdict
from drift_monitor.schema import ColumnType


@dataclass(frozen=True, kw_only=True)
class _Share:
    """`bad` of `values` break a rule that `expected` (0 to 1) of the values are expected to keep."""

    feature: str
    check: str
    bad: int
    values: int
    expected: float
    text: str

    @property
    def observed(self) -> float | None:
        return 1 - self.bad / self.values if self.values else None


def run_checks(constraints: DataConstraints, current: DatasetProfile, *, policy: AlarmPolicy) -> tuple[DataCheck, ...]:
    """All checks of all columns, also those that are met, in the order of the constraints.

    Below the policy's minimum of values a check is INSUFFICIENT_DATA. A share is a violation if the data shows, at the
    policy's false-discovery rate, that it is worse than the constraint by more than the policy's tolerance, and worse
    than the baseline given the baseline's own number of rows.
    """
    shares = [
        share
        for column in constraints.columns
        if column.feature in current.seen and column.feature in current.columns
        for share in _shares(column, current.columns[column.feature])
    ]
    enough = [share for share in shares if share.values >= policy.minimum_rows]
    q_values = adjusted([_p_value(share, rows=constraints.rows, tolerance=policy.tolerance) for share in enough])
    worse = {id(share) for share, q in zip(enough, q_values, strict=True) if q <= policy.false_discovery_rate}
    judged = [_judged(share, worse=id(share) in worse, enough=share.values >= policy.minimum_rows) for share in shares]
    return tuple(judged) + tuple(_columns(constraints, current, policy=policy))


def _p_value(share: _Share, *, rows: int | None, tolerance: float) -> float:
    expected_bad = max(0.0, 1 - share.expected)
    beyond_tolerance = share_p_value(share.bad, share.values, share=min(1.0, expected_bad + tolerance))
    if not rows:
        return beyond_tolerance
    baseline_bad = round(expected_bad * rows)
    grown = increase_p_value(share.bad, share.values, baseline_part=baseline_bad, baseline_whole=rows)
    return max(beyond_tolerance, grown)


def _shares(column: ColumnConstraints, profile: ColumnProfile) -> Iterator[_Share]:
    if isinstance(profile, CategoricalProfile):
        yield from _completeness(column, profile.present, profile.missing)
        if column.domain is not None and column.domain_share is not None:
            yield _categories(column, profile)
        return
    read = profile.present + profile.mismatched
    yield from _completeness(column, read, profile.missing)
    if column.type_share is not None:
        yield _type(column, profile, read)
    if column.bounds is not None or column.non_negative:
        yield _range(column, profile)


def _completeness(column: ColumnConstraints, present: int, missing: int) -> Iterator[_Share]:
    if column.completeness is not None:
        yield _Share(
            feature=column.feature,
            check="completeness_check",
            bad=missing,
            values=present + missing,
            expected=column.completeness,
            text="of the values are present",
        )


def _type(column: ColumnConstraints, profile: NumericProfile, read: int) -> _Share:
    fractional = profile.fractional if column.type is ColumnType.INTEGRAL else 0
    return _Share(
        feature=column.feature,
        check="data_type_check",
        bad=profile.mismatched + fractional,
        values=read,
        expected=1.0 if column.type_share is None else column.type_share,
        text=f"of the values are {column.type}",
    )


def _categories(column: ColumnConstraints, profile: CategoricalProfile) -> _Share:
    domain = set(column.domain or ())
    known = zip(profile.categories, profile.counts.tolist(), strict=True)
    inside = sum(count for category, count in known if category in domain)
    inside += sum(count for category, count in profile.new.items() if category in domain)
    unseen = sorted((category for category in profile.new if category not in domain), key=profile.new.__getitem__)
    examples = ", ".join(repr(category) for category in unseen[:-4:-1])
    return _Share(
        feature=column.feature,
        check="categorical_values_check",
        bad=profile.present - inside,
        values=profile.present,
        expected=1.0 if column.domain_share is None else column.domain_share,
        text="of the values are categories of the baseline" + (f"; new are {examples}" if examples else ""),
    )


def _range(column: ColumnConstraints, profile: NumericProfile) -> _Share:
    least, greatest = column.bounds or (-np.inf, np.inf)
    if column.non_negative and least <= 0:
        below, least = profile.negative, 0.0
    else:
        below = round(float(count_below(profile, np.array([least]))[0]))
    above = profile.present - _count_up_to(profile, greatest)
    return _Share(
        feature=column.feature,
        check="range_check",
        bad=below + above,
        values=profile.present,
        expected=1.0,
        text=f"of the values lie between {least:g} and {greatest:g}",
    )


def _count_up_to(profile: NumericProfile, bound: float) -> int:
    if bound == np.inf:
        return profile.present
    return round(float(count_below(profile, np.array([np.nextafter(bound, np.inf)]))[0]))


def _judged(share: _Share, *, worse: bool, enough: bool) -> DataCheck:
    if not enough:
        verdict, text = Verdict.INSUFFICIENT_DATA, f"Only {share.values} values, too few to judge."
    else:
        verdict = Verdict.VIOLATION if worse else Verdict.OK
        requirement = "is not met" if worse else "is met"
        text = (
            f"Requirement {requirement}: expected is that {share.expected:.4%} {share.text}. "
            f"Observed: {share.observed or 0.0:.4%} of {share.values}."
        )
    return DataCheck(
        feature=share.feature,
        check=share.check,
        verdict=verdict,
        observed=share.observed,
        expected=share.expected,
        description=text,
    )


def _columns(constraints: DataConstraints, current: DatasetProfile, *, policy: AlarmPolicy) -> Iterator[DataCheck]:
    if not current.rows:
        return
    verdict = Verdict.VIOLATION if current.rows >= policy.minimum_rows else Verdict.INSUFFICIENT_DATA
    expected = {column.feature for column in constraints.columns}
    missing = [column.feature for column in constraints.columns if column.feature not in current.seen]
    for name in missing:
        text = "The column is in the baseline, but in none of the window's rows."
        yield _column(name, "missing_column_check", verdict, text)
    for name in sorted(current.extra - expected):
        text = "The column is in the window, but not in the baseline."
        yield _column(name, "extra_column_check", verdict, text)


def _column(name: str, check: str, verdict: Verdict, text: str) -> DataCheck:
    return DataCheck(feature=name, check=check, verdict=verdict, observed=None, expected=None, description=text)
