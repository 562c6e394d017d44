"""Tail probabilities of four distributions, with the standard library: importing scipy costs more than an analysis.

Continued fractions and series as in Abramowitz and Stegun, 6.5.29, 6.5.31 and 26.5.8; agree with scipy to 1e-6.
"""

import math

_PRECISION = 1e-15
_TINY = 1e-300
_MOST_STEPS = 100_000


def kolmogorov_tail(x: float) -> float:
    """P(K > x) of the Kolmogorov distribution, the limit of sqrt(n) * D."""
    if x <= 0:
        return 1.0
    if x < 1.0:  # the other series would need many terms here
        factor = math.sqrt(2 * math.pi) / x
        return 1 - factor * math.fsum(math.exp(-((2 * k - 1) ** 2) * math.pi**2 / (8 * x * x)) for k in range(1, 5))
    return min(1.0, 2 * math.fsum((-1) ** (k - 1) * math.exp(-2 * k * k * x * x) for k in range(1, 9)))


def chi_square_tail(x: float, degrees: int) -> float:
    """P(X >= x) of the chi-square distribution."""
    a, half = degrees / 2, x / 2
    if half <= 0:
        return 1.0
    scale = math.exp(a * math.log(half) - half - math.lgamma(a))
    if half < a + 1:
        term = total = 1 / a
        step = a
        while term > total * _PRECISION:
            step += 1
            term *= half / step
            total += term
        return max(0.0, 1 - total * scale)
    return scale * _gamma_fraction(a, half)


def binomial_tail(at_least: int, *, trials: int, share: float) -> float:
    """P(X >= at_least) of a binomial distribution."""
    if at_least <= 0 or (share >= 1 and at_least <= trials):
        return 1.0
    if at_least > trials or share <= 0:
        return 0.0
    a, b = at_least, trials - at_least + 1
    logarithm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(share) + b * math.log1p(-share)
    scale = math.exp(logarithm)
    if share < (a + 1) / (a + b + 2):
        return min(1.0, scale * _beta_fraction(a, b, share) / a)
    return max(0.0, 1 - scale * _beta_fraction(b, a, 1 - share) / b)


def hypergeometric_tail(at_least: int, *, population: int, marked: int, draws: int) -> float:
    """P(X >= at_least), X the number of marked ones among `draws` from a population without putting any back."""
    lowest, highest = max(0, draws - (population - marked)), min(marked, draws)
    if at_least <= lowest:
        return 1.0
    if at_least > highest:
        return 0.0
    if at_least <= draws * marked / population:
        # The lower tail is the upper tail of those that are not marked, which is the shorter sum here.
        fewer = hypergeometric_tail(
            draws - at_least + 1, population=population, marked=population - marked, draws=draws
        )
        return max(0.0, 1.0 - fewer)
    logarithm = (
        _log_choices(marked, at_least)
        + _log_choices(population - marked, draws - at_least)
        - _log_choices(population, draws)
    )
    term = total = 1.0
    for count in range(at_least, highest):
        rest = population - marked - draws + count + 1
        term *= (marked - count) * (draws - count) / ((count + 1) * rest)
        total += term
        if term < total * _PRECISION:
            break
    return min(1.0, math.exp(logarithm) * total)


def _log_choices(of: int, take: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(take + 1) - math.lgamma(of - take + 1)


def _gamma_fraction(a: float, x: float) -> float:
    """Lentz's evaluation of the continued fraction of the upper incomplete gamma function."""
    b = x + 1 - a
    c, d = 1 / _TINY, 1 / b
    value = d
    for step in range(1, _MOST_STEPS):
        factor = -step * (step - a)
        b += 2
        d = 1 / _not_zero(factor * d + b)
        c = _not_zero(b + factor / c)
        value *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return value


def _beta_fraction(a: float, b: float, x: float) -> float:
    """Lentz's evaluation of the continued fraction of the incomplete beta function."""
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for step in range(1, _MOST_STEPS):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        for factor in (even, odd):
            d = 1 / _not_zero(1 + factor * d)
            c = _not_zero(1 + factor / c)
            value *= c * d
        if abs(c * d - 1) < _PRECISION:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
