r"""The explicit constants of the training theorems, in balls: how wide is wide enough, and how close training comes.

With n' points in all (test points included), gamma = 1 - h lam, T = h K, omega = 1 unless neurons are reweighed:

    beta   = sqrt(2 ln(12 n' / delta))               |f_i(0)| <= beta
    B      = sqrt n (1 + kappa beta)                  ||u(0) - u*|| <= B
    r*     = lam sqrt n / (kappa^2 Lambda_0 + lam)    ||Y - u*|| <= r*
    I      = 2 B / (kappa^2 Lambda_0) + 2 T r*        h sum_k ||Y - u(k)|| <= I
    R      = gamma^-K omega kappa ||X|| I / sqrt m    ||v_r(k) - w_r(0)|| <= R in the radial gauge
    eta    = ||P P^T||_F (omega^2 sqrt(ln(3 n'(n'+1) / delta) / (2m)) + 2 R)     ||Hh(k) - H_cts|| <= eta

all hold together with probability at least 1 - delta if m is at least `needed`:

    eta <= Lambda_0 / 2,   m >= 16 omega^2 ln(6 n' / delta),   n'(n'+1)/2 exp(-.635 m R / omega^2) <= delta / 3

The first and the last ask for m >= (..)^2, since eta and R are a number over sqrt m.

Proof, omega = 1. (1) Hoeffding for each of n'(n'+1)/2 entries of H(0), both tails. (2) For v within R of w(0) the
product of two activations, or of a secant slope and an activation, differs from that at the start only where
(|z_i| <= R and z_j >= -R) or the other way round, z = w(0).x / ||x||; this has probability P(|g| <= R) <= .798 R, and
by Chernoff at most 2 R m neurons do it, for each pair of points but with probability exp(-.635 m R). (3) Given W,
f_i(0) is sub-Gaussian with variance (1/m) sum_r sigma(w_r.x_i)^2, above 1 with probability at most exp(-.0646 m).
(4) By induction over k: as long as the displacement is at most R, ||I - h (kappa^2 Hh(k) + lam)|| <= 1 - h c with
c = kappa^2 Lambda_0 / 2 + lam, so that

    e(k+1) = (I - h (kappa^2 Hh(k) + lam)) e(k) + h kappa^2 (Hh(k) - H_cts)(Y - u*),   e = u - u*

gives ||e(k)|| <= (1 - h c)^k B + kappa^2 eta r* / c, the last at most r*; the sum of the residuals is then at most I,
and the displacement of step k + 1 at most R. With weights the summands lie in [0, omega^2] and neurons move omega
times as far; 16 becomes 19.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np

from reference.arithmetic import Interval, enclose
from reference.exact_spectra import largest_eigenvalue
from reference.preconditions import Float64, exact_rows, inner
from theorems.glss.training_instances import Training

ONE = (Fraction(1), Fraction(1))
FLIPS = Fraction(635, 1000)  # 2 ln(2/.798) - (2 - .798) = .6357 at least
OUTPUTS, REWEIGHED_OUTPUTS = 16, 19  # widths, in units of omega^2 ln(6 n' / delta), at which outputs are sub-Gaussian


class Constants:
    """The constants of one instance, each enclosed.

    Parameters
    ----------
    x : the problem; Lambda_0 > 0 must be proven
    omega_squared : enclosure of the largest squared weight p/q of a neuron; None where neurons are not reweighed
    bits : working precision

    Raises
    ------
    ValueError : Lambda_0 is not known to be positive
    """

    def __init__(self, x: Training, *, omega_squared: Interval | None = None, bits: int = 128) -> None:
        if x.Lambda_0[0] <= 0:
            raise ValueError(f"Constants: Lambda_0 must be positive, got at least {float(x.Lambda_0[0]):g}")
        self.x, self._bits = x, bits
        self.n, self.n_all = len(x.X), len(x.points)
        self._omega2 = omega_squared or ONE
        self._outputs = REWEIGHED_OUTPUTS if omega_squared else OUTPUTS

    def enclose(self, formula: Callable[..., Any], *args: Any) -> Interval:
        """Evaluate a formula of balls at the working precision."""
        return enclose(formula, *args, bits=self._bits)

    @cached_property
    def _gram(self) -> list[list[Fraction]]:
        rows = exact_rows(self.x.points)
        return [[inner(a, b) for b in rows] for a in rows]

    @cached_property
    def gram_norm(self) -> Interval:
        """||P P^T||_F over all points."""
        squares = sum((v * v for row in self._gram for v in row), Fraction(0))
        return self.enclose(lambda t: t.sqrt(), squares)

    @cached_property
    def data_norm(self) -> Interval:
        """||X|| over the training points."""
        square = largest_eigenvalue([row[: self.n] for row in self._gram[: self.n]])
        return self.enclose(lambda t: t.sqrt(), square)

    @cached_property
    def beta(self) -> Interval:
        """Bound on the outputs at the start, without kappa."""
        return self.enclose(lambda delta: (2 * (12 * self.n_all / delta).log()).sqrt(), self.x.delta)

    @cached_property
    def start(self) -> Interval:
        """B, the bound on ||u(0) - u*||."""
        return self.enclose(lambda n, kappa, beta: n.sqrt() * (1 + kappa * beta), self.n, self.x.kappa, self.beta)

    @cached_property
    def residual(self) -> Interval:
        """r*, the bound on ||Y - u*||."""
        return self.enclose(
            lambda n, lam, kappa, least: lam * n.sqrt() / (kappa**2 * least + lam),
            self.n,
            self.x.lam,
            self.x.kappa,
            self.x.Lambda_0,
        )

    @cached_property
    def path(self) -> Interval:
        """I, the bound on h sum_k ||Y - u(k)||."""
        return self.enclose(
            lambda B, kappa, least, T, r: 2 * B / (kappa**2 * least) + 2 * T * r,
            self.start,
            self.x.kappa,
            self.x.Lambda_0,
            self.x.horizon,
            self.residual,
        )

    @cached_property
    def growth(self) -> Interval:
        """gamma^-K, by how much the radial gauge has stretched at the end."""
        return self.enclose(lambda decay: decay ** (-self.x.steps), self.x.decay)

    @cached_property
    def reach(self) -> Interval:
        """R sqrt m, R the displacement of a neuron in the radial gauge."""
        return self.enclose(
            lambda growth, omega2, kappa, norm, path: growth * omega2.sqrt() * kappa * norm * path,
            self.growth,
            self._omega2,
            self.x.kappa,
            self.data_norm,
            self.path,
        )

    @cached_property
    def wobble(self) -> Interval:
        """The product eta sqrt m, eta the distance of a secant kernel from the limiting one."""
        return self.enclose(
            lambda gram, omega2, delta, reach: (
                gram * (omega2 * ((3 * self.n_all * (self.n_all + 1) / delta).log() / 2).sqrt() + 2 * reach)
            ),
            self.gram_norm,
            self._omega2,
            self.x.delta,
            self.reach,
        )

    @cached_property
    def rate(self) -> Interval:
        """The rate c = kappa^2 Lambda_0 / 2 + lam: a step contracts by 1 - h c."""
        return self.enclose(
            lambda kappa, least, lam: kappa**2 * least / 2 + lam, self.x.kappa, self.x.Lambda_0, self.x.lam
        )

    @cached_property
    def needed(self) -> Interval:
        """Width at which the three side conditions hold; they hold for every larger one."""
        pairs = self.n_all * (self.n_all + 1)
        parts = (
            self.enclose(lambda wobble, least: (2 * wobble / least) ** 2, self.wobble, self.x.Lambda_0),
            self.enclose(
                lambda omega2, delta: self._outputs * omega2 * (6 * self.n_all / delta).log(),
                self._omega2,
                self.x.delta,
            ),
            self.enclose(
                lambda omega2, delta, flips, reach: (omega2 * (3 * pairs / (2 * delta)).log() / (flips * reach)) ** 2,
                self._omega2,
                self.x.delta,
                FLIPS,
                self.reach,
            ),
        )
        return max(low for low, _ in parts), max(high for _, high in parts)

    @cached_property
    def least_width(self) -> int:
        """`needed`, rounded up."""
        return ceil(self.needed[1])

    def eta(self, m: int) -> Interval:
        """Give the distance of a secant kernel from the limiting one at width m."""
        return self.enclose(lambda wobble, m: wobble / m.sqrt(), self.wobble, m)

    def radius(self, m: int) -> Interval:
        """Give the displacement R at width m."""
        return self.enclose(lambda reach, m: reach / m.sqrt(), self.reach, m)

    def steady(self, m: int) -> Interval:
        """Give kappa^2 eta r* / c, what is left of the distance to u* when the start is forgotten."""
        return self.enclose(
            lambda kappa, eta, r, c: kappa**2 * eta * r / c, self.x.kappa, self.eta(m), self.residual, self.rate
        )

    def distances(self, m: int) -> tuple[Float64, Float64]:
        """Bound ||u(k) - u*|| <= (1 - h c)^k B + kappa^2 eta r* / c at width m.

        Returns
        -------
        lower, upper : (steps + 1,) float, enclosures of the bound at k = 0, ..., steps
        """
        steady = self.steady(m)
        found = [
            self.enclose(
                lambda step, c, B, rest, k=k: (1 - step * c) ** k * B + rest, self.x.step, self.rate, self.start, steady
            )
            for k in range(self.x.steps + 1)
        ]
        return outwards(found)


def outwards(found: list[Interval]) -> tuple[Float64, Float64]:
    """Write enclosures as floats, each end moved outwards to the next float."""
    lower = np.nextafter(np.array([float(a) for a, _ in found]), -np.inf)
    upper = np.nextafter(np.array([float(b) for _, b in found]), np.inf)
    return lower, upper
