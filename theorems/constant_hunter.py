"""How small the constant of Theorem 3.3 can be, and which of its hypotheses can go.

On the families O(n) and N(S) the failure probability at every size is known exactly (`studies.tightness`). So for

    m >= c eps^-2 s_q_tilde L,   L = ln(16 s_q_tilde s_lambda / delta), ln(16 s_lambda / delta), ln(s_lambda / delta), 1

each of their members refutes every c up to (last failing m) / (eps^-2 s_q_tilde L) and none above. What is found is a
fact about these members: a greater c may still be refuted elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor
from pathlib import Path
from typing import Any

from reference import arithmetic
from reference import finite_features as finite
from reference.arithmetic import Interval
from theorems.catalogue import find
from theorems.checking import witness
from theorems.checking.court import Sitting
from theorems.checking.store import Store
from theorems.glss.sampling_instances import FiniteWorld
from theorems.glss.sampling_recipe import PAPER, Quantities, safe_ceiling
from theorems.glss.theorem_3_3_kernel_approximation import conclusion
from theorems.probing import WITNESSES, Probe
from theorems.statement import BrokenTwin, Statement
from theorems.studies.tightness import LAM, NEAR_HALF, World, least_size

STATEMENT = "glss.thm3.3"
WITNESSED = 2**20  # draws: what a witness may hold
SHOWN = 10**4  # the constants are rounded to 1 / SHOWN, outwards

Formula = Callable[[Any, Any, Any, Any], Any]

SIZES: dict[str, Formula] = {
    "eps^-2 s ln(16 s s_lambda / delta)": lambda s, sl, eps, delta: s * (16 * s * sl / delta).log() / eps**2,
    "eps^-2 s ln(16 s_lambda / delta)": lambda s, sl, eps, delta: s * (16 * sl / delta).log() / eps**2,
    "eps^-2 s ln(s_lambda / delta)": lambda s, sl, eps, delta: s * (sl / delta).log() / eps**2,
    "eps^-2 s": lambda s, _sl, eps, _delta: s / eps**2,
}


def worlds() -> list[World]:
    """Members of both families: many directions, and one that is met rarely, for failures down to 10^-300.

    The accuracy is near 1/2, where eps^2 / h(eps), the limit of what any of them refutes, is greatest.
    """
    rare = [Fraction(1, 10**k) for k in (1, 3, 10, 30, 100, 300)]
    return [
        *(World(n=n, r=1, eps=NEAR_HALF, delta=d) for n in (2, 8, 32) for d in rare[:2]),
        *(World(n=1, r=S, eps=NEAR_HALF, delta=d) for S in (4, 100) for d in rare),
    ]


@dataclass(frozen=True, kw_only=True)
class Constant:
    """What the families say about one form of the bound.

    Parameters
    ----------
    form : m >= c times this
    refuted : the greatest constant that is refuted, rounded down
    stands : the least constant, rounded up, that none of the families refutes
    world, m : that refute, and at which size
    """

    form: str
    refuted: Fraction
    stands: Fraction
    world: World
    m: int

    @property
    def where(self) -> str:
        """The instance in words."""
        x = self.world
        return f"{x.family}, n = {x.n}, s/s_lambda = {x.r}, eps = {x.eps}, delta = {float(x.delta):.0e}"


def hunt() -> Iterator[Constant]:
    """Find the greatest refuted constant of every form."""
    last = [(x, least_size(x) - 1) for x in worlds()]
    for form, formula in SIZES.items():
        yield greatest(form, formula, last)


def greatest(form: str, formula: Formula, last: list[tuple[World, int]]) -> Constant:
    """Give the greatest refuted constant among worlds with their last failing sizes."""
    found = []
    for x, m in last:
        low, high = _unit(formula, x.quantities)
        if m >= 1:
            found.append((Fraction(floor(SHOWN * m / high), SHOWN), Fraction(ceil(SHOWN * m / low), SHOWN), x, m))
    refuted, _, world, m = max(found, key=lambda f: f[0])
    stands = max(f[1] for f in found)
    return Constant(form=form, refuted=refuted, stands=stands, world=world, m=m)


def _unit(formula: Formula, q: Quantities) -> Interval:
    return arithmetic.enclose(formula, q.s_q_tilde, q.s_lambda, q.eps, q.delta)


def instance(x: World) -> FiniteWorld:
    """Give a world of the study as an instance of the theorem."""
    one, rest = Fraction(1), Fraction(x.r - 1, x.r)
    features = finite.coupon(x.n) if x.n > 1 or x.r == 1 else finite.coupon(1)
    tau = None
    if x.r > 1:
        features = finite.with_null_atom(features, Fraction(1, 2))
        s_lambda = x.n / (one + LAM)
        # atoms of mass 1/(2n) and Gram 2: leverage 2 n tau each, the null one takes the rest
        scores = features.leverage(LAM)
        tau = tuple(v if v else x.r * s_lambda * rest / features.p[j] for j, v in enumerate(scores))
    return FiniteWorld(
        name=f"n{x.n}-r{x.r}",
        says=f"{x.family}: {x.n} orthonormal directions, s_q_tilde = {x.r} s_lambda",
        features=features,
        tau_tilde=tau,
        lam=LAM,
        eps=x.eps,
        delta=x.delta,
    )


def kept(form: str, folder: Path) -> tuple[Constant, str]:
    """Write a witness against the greatest constant that one small enough can refute; give both."""
    formula = SIZES[form]
    small = [(x, m) for x in worlds() if x.n == 1 and (m := least_size(x) - 1) <= WITNESSED]
    found = greatest(form, formula, small)

    # not the rounded constant: failure is sawtooth in m, and the size must be the one that fails
    c = found.m / _unit(formula, found.world.quantities)[1]

    def size(q: Quantities) -> int:
        low, high = _unit(formula, q)
        return safe_ceiling((c * low, c * high))

    made = witness.make(
        find(STATEMENT),
        None,
        instance(found.world),
        conclusion=conclusion(replace(PAPER, size=size)),
        mutation=f"m >= {float(found.refuted)} {form}",
    )
    path = folder / WITNESSES / f"{STATEMENT}.constant.json"
    witness.write(made, path)
    return found, str(path)


def document(statement: Statement, *, sitting: Sitting, directory: Path, looks: int) -> dict[str, Any]:
    """Everything the hunter finds: constants, a witness, and which hypotheses the statement needs."""
    found = list(hunt())
    small, path = kept(found[0].form, directory)
    return {
        "constants": [
            {"form": c.form, "refuted": float(c.refuted), "stands": float(c.stands), "m": c.m, "where": c.where}
            for c in found
        ],
        "witness": {"refuted": float(small.refuted), "where": small.where, "file": path},
        "hypotheses": list(necessity(statement, sitting=sitting, directory=directory, looks=looks)),
    }


def necessity(statement: Statement, *, sitting: Sitting, directory: Path, looks: int) -> Iterator[dict[str, Any]]:
    """Drop each hypothesis alone and look for an instance outside it that refutes what is left."""
    with Store.open(directory) as store:
        for k, h in enumerate(statement.hypotheses, start=1):
            if h.holds is None:
                yield {"dropped": h.says, "refuted_by": "cannot be dropped: by construction", "ratio": None}
                continue
            dropped = BrokenTwin(
                name=f"without_{k}",
                because=f"{statement.title}, without: {h.says}",
                conclusion=statement.conclusion,
                refuted_on=statement.instances("quick")[0],
                without=(h.says,),
            )
            probe = Probe(
                statement=statement,
                twin=dropped,
                sitting=sitting,
                store=store,
                directory=directory,
                looks=looks,
                first=True,
                place=len(statement.twins) + k,
            )
            probe.run()
            worst = probe.refuted[0] if probe.refuted else None
            yield {
                "dropped": h.says,
                "refuted_by": "none found" if worst is None else worst.sight.by,
                "ratio": None if worst is None else worst.sight.seen.ratio,
                "because": "" if worst is None else worst.record.because,
            }
