"""Rules about single columns that need no distribution: completeness, type, categories, range, and the columns' being
there at all. Names and meanings are Model Monitor's, except range_check:
https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-interpreting-violations.html

Model Monitor compares shares as they are, so that one odd value in a small window is a violation. Here a share is
worse than its constraint only if a binomial test says so, under false-discovery control over all checks of the window,
and is an alarm when that has been so in as many windows as the policy asks for. At once comes only what no further
window makes more certain: a column is missing or new, or most of its values are missing or of another type.
Must not read data or files.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from drift_monitor.baseline import ColumnConstraints, DataConstraints
from drift_monitor.drift.persistence import Persistence, persistence
from drift_monitor.drift.policy import AlarmPolicy, WindowFindings
from drift_monitor.drift.significance import adjusted, increase_p_value, share_p_value
from drift_monitor.profile.categorical import CategoricalProfile
from drift_monitor.profile.curve import count_below
from drift_monitor.profile.dataset import ColumnProfile, DatasetProfile
from drift_monitor.profile.numeric import NumericProfile
from drift_monitor.results import DataCheck, Verdict, Window
from drift_monitor.schema import ColumnType

# Rules of the data's form. Which values there are (categories, range) is a matter of distribution, as drift is.
_OF_FORM = frozenset({"completeness_check", "data_type_check"})
# With less than this part of the values that should keep such a rule, the column is not what it was.
_COLLAPSED = 0.5


@dataclass(frozen=True, kw_only=True)
class _Share:
    """`bad` of `values` break a rule that `expected` (0 to 1) of the values are expected to keep.

    `known_values`: of how many values of the baseline the expectation is, None if that is not known.
    """

    feature: str
    check: str
    bad: int
    values: int
    expected: float
    text: str
    known_values: int | None

    @property
    def observed(self) -> float | None:
        return 1 - self.bad / self.values if self.values else None


def run_checks(
    constraints: DataConstraints,
    current: DatasetProfile,
    *,
    policy: AlarmPolicy,
    history: Sequence[WindowFindings] = (),
    window: Window | None = None,
) -> tuple[DataCheck, ...]:
    """All checks of all columns, also those that are met, in the order of the constraints.

    `history` is oldest first and without this window. Below the policy's minimum of values a check is
    INSUFFICIENT_DATA. A share stands out if the data shows, at the policy's false-discovery rate, that it is worse than
    the constraint by more than the policy's tolerance, and worse than the baseline given the baseline's own number of
    values.
    """
    shares = [
        share
        for column in constraints.columns
        if column.feature in current.seen and column.feature in current.columns
        for share in _shares(column, current.columns[column.feature], rows=constraints.rows)
    ]
    enough = [share for share in shares if share.values >= policy.minimum_rows]
    q_values = adjusted([_p_value(share, policy) for share in enough])
    worse = {id(share) for share, q in zip(enough, q_values, strict=True) if q <= policy.false_discovery_rate}
    judged = [
        _judged(share, worse=id(share) in worse, policy=policy, past=_past(share, history, policy), window=window)
        for share in shares
    ]
    return tuple(judged) + tuple(_columns(constraints, current, policy=policy))


def _p_value(share: _Share, policy: AlarmPolicy) -> float:
    expected_bad = max(0.0, 1 - share.expected)
    of_categories = share.check == "categorical_values_check"
    tolerance = policy.category_floor(share.feature) if of_categories else policy.tolerance
    beyond_tolerance = share_p_value(share.bad, share.values, share=min(1.0, expected_bad + tolerance))
    known = share.known_values
    if not known:
        return beyond_tolerance
    baseline_bad = round(expected_bad * known)
    grown = increase_p_value(share.bad, share.values, baseline_part=baseline_bad, baseline_whole=known)
    return max(beyond_tolerance, grown)


def _shares(column: ColumnConstraints, profile: ColumnProfile, *, rows: int | None) -> Iterator[_Share]:
    # Missing values have neither type nor category: of them the baseline's rows say nothing.
    known = None if rows is None else round(rows * (1.0 if column.completeness is None else column.completeness))
    if isinstance(profile, CategoricalProfile):
        yield from _completeness(column, profile.present, profile.missing, rows=rows)
        if column.domain is not None and column.domain_share is not None:
            yield _categories(column, profile, known)
        return
    read = profile.present + profile.mismatched
    yield from _completeness(column, read, profile.missing, rows=rows)
    if column.type_share is not None:
        yield _type(column, profile, read, known)
    if column.bounds is not None or column.non_negative:
        yield _range(column, profile, known)


def _completeness(column: ColumnConstraints, present: int, missing: int, *, rows: int | None) -> Iterator[_Share]:
    if column.completeness is not None:
        yield _Share(
            feature=column.feature,
            check="completeness_check",
            bad=missing,
            values=present + missing,
            expected=column.completeness,
            text="of the values are present",
            known_values=rows,
        )


def _type(column: ColumnConstraints, profile: NumericProfile, read: int, known: int | None) -> _Share:
    fractional = profile.fractional if column.type is ColumnType.INTEGRAL else 0
    return _Share(
        feature=column.feature,
        check="data_type_check",
        bad=profile.mismatched + fractional,
        values=read,
        expected=1.0 if column.type_share is None else column.type_share,
        text=f"of the values are {column.type}",
        known_values=known,
    )


def _categories(column: ColumnConstraints, profile: CategoricalProfile, known: int | None) -> _Share:
    domain = set(column.domain or ())
    counted = zip(profile.categories, profile.counts.tolist(), strict=True)
    inside = sum(count for category, count in counted if category in domain)
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
        known_values=known,
    )


def _range(column: ColumnConstraints, profile: NumericProfile, known: int | None) -> _Share:
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
        known_values=known,
    )


def _count_up_to(profile: NumericProfile, bound: float) -> int:
    if bound == np.inf:
        return profile.present
    return round(float(count_below(profile, np.array([np.nextafter(bound, np.inf)]))[0]))


def _judged(share: _Share, *, worse: bool, policy: AlarmPolicy, past: Persistence, window: Window | None) -> DataCheck:
    if share.values < policy.minimum_rows:
        return _check(share, Verdict.INSUFFICIENT_DATA, f"Only {share.values} values, too few to judge.")
    if not worse:
        return _check(share, Verdict.OK, f"Requirement is met: {_figures(share)}")
    has_collapsed = share.check in _OF_FORM and (share.observed or 0.0) <= _COLLAPSED * share.expected
    is_alarm = has_collapsed or past.hits + 1 >= policy.windows_to_alarm
    check = _check(share, Verdict.VIOLATION if is_alarm else Verdict.OK, f"Requirement is not met: {_figures(share)}")
    return replace(check, stands_out=True, windows=past.run + 1, since=past.since or (window.start if window else None))


def _past(share: _Share, history: Sequence[WindowFindings], policy: AlarmPolicy) -> Persistence:
    key = (share.feature, share.check)
    judged = [(past.window, key in past.checks_stood_out) for past in history if key in past.checks_judged]
    return persistence(judged, windows=policy.windows)


def _check(share: _Share, verdict: Verdict, description: str) -> DataCheck:
    return DataCheck(
        feature=share.feature,
        check=share.check,
        verdict=verdict,
        observed=share.observed,
        expected=share.expected,
        description=description,
    )


def _figures(share: _Share) -> str:
    return (
        f"expected is that {share.expected:.4%} {share.text}. Observed: {share.observed or 0.0:.4%} of {share.values}."
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
    return DataCheck(
        feature=name,
        check=check,
        verdict=verdict,
        observed=None,
        expected=None,
        description=text,
        stands_out=verdict is Verdict.VIOLATION,
    )
