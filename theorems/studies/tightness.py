"""How much more Theorem 3.3 asks than is needed, on families where both are known exactly.

    n directions, K = I;  q_tilde = q_lambda on them, and a null feature takes the rest:  s_q_tilde = r s_lambda
    (5)  <=>  |n r N_j / m - 1| <= eps (1 + lam)  for j = 1..n,    (N_1, .., N_n, rest) ~ Mult(m; 1/(n r), .., 1 - 1/r)

O(n) has r = 1, the coupon collector in a kernel's clothes; N(S) has n = 1 and r = S, where the constant shows.
The ridge is 2^-64: s_lambda = n / (1 + 2^-64), and no count lies between these boxes and those of lam = 0 as long as
m < 2^57, so that every number is the one of the limit lam -> 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, log
from typing import Any

from reference import arithmetic
from theorems.akm17 import lemma_8_leverage_sampling as akm
from theorems.checking.court import Sitting
from theorems.checking.exact_probability import binomial_leaves_interval, multinomial_leaves_box
from theorems.checking.store import Store
from theorems.glss import theorem_3_3_sharpened as sharpened
from theorems.glss.sampling_recipe import Quantities, features_asked, safe_ceiling
from theorems.statement import Enclosure
from theorems.studies.study import Cell, Column, Figure, Study

LAM = Fraction(1, 2**64)


@dataclass(frozen=True, kw_only=True)
class World:
    """One member of the families.

    Parameters
    ----------
    n : directions, >= 1
    r : s_q_tilde / s_lambda, an integer >= 1; not 1 for n = 1, where no draw would be random
    eps, delta : accuracy and failure probability
    """

    n: int
    r: int
    eps: Fraction
    delta: Fraction

    @property
    def family(self) -> str:
        """O(n), N(S), or O(n) N(S) where features are both many and diluted."""
        return " ".join((["O(n)"] if self.n > 1 else []) + (["N(S)"] if self.r > 1 else []))

    @property
    def rate(self) -> int:
        """Draws per expected draw of one direction: n r."""
        return self.n * self.r

    @property
    def quantities(self) -> Quantities:
        """What every size is computed from."""
        s_lambda = self.n / (1 + LAM)
        s_q_tilde = self.r * s_lambda
        return Quantities(
            s_lambda=(s_lambda, s_lambda), s_q_tilde=(s_q_tilde, s_q_tilde), eps=self.eps, delta=self.delta
        )

    def low(self, m: int) -> int:
        """Give the least count of a direction that is within (5)."""
        return max(0, ceil((1 - self.eps * (1 + LAM)) * m / self.rate))

    def high(self, m: int) -> int:
        """Give the largest count of a direction that is within (5)."""
        return floor((1 + self.eps * (1 + LAM)) * m / self.rate)

    def failure(self, m: int) -> Enclosure:
        """Enclose the probability that m draws miss (5)."""
        low, high, p = self.low(m), self.high(m), Fraction(1, self.rate)
        if self.n == 1:
            return binomial_leaves_interval(m, p, low, high)
        law = [p] * self.n + [1 - self.n * p]
        return multinomial_leaves_box(m, law, [low] * self.n + [0], [high] * self.n + [m])

    def fails(self, m: int) -> bool:
        """Decide whether m draws are too few; a probability within 2^-40 of delta counts as too large."""
        return self.failure(m).upper > self.delta


def least_size(x: World) -> int:
    """Give the least m such that it and every larger size works: what "once m >= .." asks for.

    Failure probabilities are sawtooth in m, so that a size may work and a larger one fail. From `sure_size` on
    Chernoff's inequality says that none does. Below it whole ranges are cleared at once, as counts grow with m,

        P[m draws miss (5)] <= n (P[N_a < low(b)] + P[N_b > high(a)])  for a <= m <= b,    N_m ~ Bin(m, 1/(n r))

    and the sizes at which that is too coarse one by one, exactly, from the largest down to the first that fails.
    """
    return (_last_failure(x, 1, sure_size(x)) or 0) + 1


def sure_size(x: World) -> int:
    """Give a size that works together with every larger one: n r ln(2 n / delta) / h(eps).

    By Chernoff a count leaves (1 +- eps) m / (n r) with probability at most 2 exp(-h(eps) m / (n r)), where
    h(eps) = (1 + eps) ln(1 + eps) - eps.
    """

    def formula(rate: Any, n: Any, eps: Any, delta: Any) -> Any:
        return rate * (2 * n / delta).log() / _exponent(eps)

    return safe_ceiling(arithmetic.enclose(formula, x.rate, x.n, x.eps, x.delta))


def _exponent(eps: Any) -> Any:
    return (1 + eps) * (1 + eps).log() - eps


def _last_failure(x: World, a: int, b: int) -> int | None:
    """Find the largest size in a .. b that fails; None when all work."""
    if _cleared(x, a, b):
        return None
    if a == b:
        return a if x.fails(a) else None
    middle = (a + b) // 2
    return _last_failure(x, middle + 1, b) or _last_failure(x, a, middle)


def _cleared(x: World, a: int, b: int) -> bool:
    low, high, p = x.low(b), x.high(a), Fraction(1, x.rate)
    if low * x.rate > a:  # more than a draws meet on average: hopeless, and the tail would be no tail
        return False
    too_many = x.n * binomial_leaves_interval(b, p, 0, high).upper  # first, as the upper tail is the cheaper one
    return too_many <= x.delta and too_many + x.n * binomial_leaves_interval(a, p, low, a).upper <= x.delta


# ------------------------------------------------------------------------------------------------------ the table

COLUMNS = (
    Column(
        name="family",
        says="O(n): n orthogonal directions, each drawn as often as the others; N(S): one direction that a draw meets "
        "with probability 1/S; both: n directions, diluted",
    ),
    Column(name="n", says="number of orthogonal directions; K is the n by n identity, lambda = 2^-64, s_lambda = n"),
    Column(name="s~/s", says="s_q_tilde / s_lambda, the price of a dominating function that is not the leverage"),
    Column(name="eps", says="accuracy"),
    Column(name="delta", says="failure probability"),
    Column(name="ln 1/delta", says="its logarithm, negated"),
    Column(name="printed m", says="3 eps^-2 s_q_tilde ln(16 s_q_tilde s_lambda / delta), GLSS Theorem 3.3, rounded up"),
    Column(name="AKM m", says="(8/3) eps^-2 s_q_tilde ln(16 s_lambda / delta), AKM+17 Lemma 8, rounded up"),
    Column(name="sharpened m", says="2 (1 + eps/3) eps^-2 s_q_tilde ln(16 s_lambda / delta), rounded up"),
    Column(
        name="least m",
        says="the least m such that it and every larger one fails with probability at most delta: exact, by "
        "enumeration and, for larger m, by proof. Failure is sawtooth in m: some smaller m may work too",
    ),
    Column(name="printed/least", says="printed m / least m"),
    Column(name="AKM/least", says="AKM m / least m"),
    Column(name="sharpened/least", says="sharpened m / least m"),
    Column(name="constant needed", says="C in least m = C eps^-2 s_q_tilde ln(s_lambda / delta)"),
    Column(
        name="constant in the limit",
        says="eps^2 / ((1 + eps) ln(1 + eps) - eps): what N(S) needs as delta tends to 0 and S to infinity, so that no "
        "smaller C does for all",
    ),
)


def row(x: World) -> list[Cell]:
    """Measure one world."""
    q = x.quantities
    least = least_size(x)
    sizes = [
        safe_ceiling(interval) for interval in (features_asked(q), akm.asked(q), sharpened.asked(sharpened.proved, q))
    ]
    nats = log(x.delta.denominator) - log(x.delta.numerator)
    return [
        x.family,
        x.n,
        x.r,
        float(x.eps),
        float(x.delta),
        nats,
        *sizes,
        least,
        *(size / least for size in sizes),
        least * float(x.eps) ** 2 / (x.rate * (log(x.n) + nats)),
        float(arithmetic.enclose(lambda eps: eps**2 / _exponent(eps), x.eps)[0]),
    ]


POWERS = tuple(2**k for k in range(1, 9))
NEAR_HALF, QUARTER, TENTH = Fraction(49, 100), Fraction(1, 4), Fraction(1, 10)
MODERATE = (Fraction(1, 10), Fraction(1, 100))
RARE = tuple(Fraction(1, 10**k) for k in (1, 3, 10, 30, 100, 300))


def _orthogonal(sizes: tuple[int, ...], eps: Fraction, deltas: tuple[Fraction, ...], r: int = 1) -> list[World]:
    return [World(n=n, r=r, eps=eps, delta=delta) for delta in deltas for n in sizes]


def _diluted(S: int, eps: Fraction, deltas: tuple[Fraction, ...]) -> list[World]:
    return [World(n=1, r=S, eps=eps, delta=delta) for delta in deltas]


def grid(profile: str) -> list[World]:
    """List the worlds of a profile; a longer profile begins with the shorter one."""
    found = [
        *_orthogonal(POWERS, NEAR_HALF, MODERATE),
        *_diluted(100, NEAR_HALF, RARE),
        *_diluted(100, TENTH, RARE),
    ]
    if profile in ("ci", "night"):
        found += [
            *_orthogonal(POWERS[:7], QUARTER, MODERATE),
            *_orthogonal(POWERS[:6], TENTH, MODERATE),
            *_orthogonal(POWERS[:7], NEAR_HALF, (Fraction(1, 10**6),)),
            *_orthogonal(POWERS[:5], NEAR_HALF, MODERATE, r=8),
            *_diluted(100, QUARTER, RARE),
            *_diluted(4, NEAR_HALF, RARE),
        ]
    if profile == "night":
        found += [
            *_orthogonal(POWERS[7:], QUARTER, MODERATE),
            *_orthogonal(POWERS[6:7], TENTH, MODERATE),
            *_orthogonal((512,), NEAR_HALF, MODERATE),
            *_orthogonal(POWERS[5:7], NEAR_HALF, MODERATE, r=8),
            *_diluted(100, Fraction(1, 100), RARE),
            *_diluted(10**4, NEAR_HALF, RARE),
        ]
    return found


def _rows(profile: str, _sitting: Sitting, _store: Store) -> Iterator[list[Cell]]:
    return map(row, grid(profile))


RATIOS = ("printed/least", "AKM/least", "sharpened/least")

STUDY = Study(
    id="thm3.3.tightness",
    title="What Theorem 3.3 asks, and what is needed",
    about=("glss.thm3.3", "glss.thm3.3.sharpened", "akm.lem8"),
    says="On n orthogonal directions the printed size is two to fourteen times what is needed, and nearer the larger n "
    "and the smaller delta: the logarithm is real, its argument generous. On a diluted direction with a tiny delta the "
    "constant shows: the printed 3 then asks a third to a half too much, and 2 (1 + eps/3) a few percent. No constant "
    "below eps^2 / ((1 + eps) ln(1 + eps) - eps) can be right. Every least m is exact: nothing here is sampled.",
    columns=COLUMNS,
    rows=_rows,
    figures=(
        Figure(
            x="n",
            y=("printed/least",),
            by=("delta",),
            panels="eps",
            x_scale="log",
            y_scale="log",
            level=(1.0, "needed"),
            where=(("family", "O(n)"),),
            says="The coupon collector: n orthogonal directions, drawn by their leverage.",
        ),
        Figure(
            x="ln 1/delta",
            y=RATIOS,
            panels="eps",
            x_scale="log",
            y_scale="log",
            level=(1.0, "needed"),
            where=(("family", "N(S)"), ("s~/s", 100)),
            says="One direction that a draw meets once in a hundred times: three sizes in units of the least.",
        ),
        Figure(
            x="ln 1/delta",
            y=("constant needed", "constant in the limit"),
            panels="eps",
            x_scale="log",
            where=(("family", "N(S)"), ("s~/s", 100)),
            says="The same direction: the constant that is needed climbs to its limit as delta falls.",
        ),
    ),
)
"""How much Theorem 3.3, its sharpened form and Lemma 8 of AKM+17 ask beyond the least m that works."""
