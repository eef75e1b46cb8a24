"""From a sentence to the instance that hurts it most: search, nominations before the court, witnesses.

The search may do anything and proves nothing. What looks violated is nominated, and judged by trials whose keys the
search never used; only that can be called REFUTED. The number of a nomination is kept in the store, where no later
search can forget it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from theorems.catalogue import position
from theorems.checking import budget, witness
from theorems.checking.court import Sitting, hear_nominee
from theorems.checking.keys import digest
from theorems.checking.search.evolution import annealed, cma_es, differential
from theorems.checking.search.examples import hypothesis_targets
from theorems.checking.search.objective import Objective, Seen
from theorems.checking.search.portfolio import Search, Sight, Strategy, listed, listed_heavy, run, structured
from theorems.checking.search.shrinking import shrunk
from theorems.checking.store import Store
from theorems.checking.witness_instance import Unwritable, written
from theorems.documents import SCHEMA_VERSION, as_json, write_atomically
from theorems.statement import BrokenTwin, Finding, Instance, Record, Statement, Trials

LOOKS = 400
MOST_NOMINATIONS = 6  # of one search before its end: each is paid for by all that come later
WITNESSES, CACHE = "witnesses", "looks"

PORTFOLIO: tuple[tuple[Strategy, Fraction], ...] = (
    (listed, Fraction(1, 2)),
    (structured, Fraction(1, 2)),
    (hypothesis_targets, Fraction(1, 2)),
    (cma_es, Fraction(1, 2)),
    (differential, Fraction(1, 2)),
    (annealed, Fraction(1, 2)),
    (listed_heavy, Fraction(1)),
    (structured, Fraction(1)),  # with what the others had no use for
)


# Generic moves keep every hypothesis that is checked, but may break what a construction guarantees: on a statement
# itself a find of theirs would accuse the innocent. They attack the twins, which are false anyway.
INSIDE: tuple[tuple[Strategy, Fraction], ...] = (
    (listed, Fraction(1, 2)),
    (hypothesis_targets, Fraction(1)),
    (listed_heavy, Fraction(1)),
)


@dataclass(frozen=True, kw_only=True)
class Nominee:
    """An instance before the court, and what was found."""

    sight: Sight
    record: Record


@dataclass(kw_only=True)
class Probe:
    """One search for one sentence; what it has found so far can be read at any time, also after a Ctrl-C.

    Parameters
    ----------
    statement, twin : what is attacked
    sitting, store : of the court
    directory : of the store
    looks : how many instances may be looked at
    first : whether the first refutation ends the search
    resume : whether looks of an interrupted search are taken over
    allowance : of the nth nomination; None for what `budget` says
    place : of the twin, where it is none of the statement's own
    """

    statement: Statement
    twin: BrokenTwin | None
    sitting: Sitting
    store: Store
    directory: Path
    looks: int = LOOKS
    first: bool = False
    resume: bool = False
    allowance: Callable[[int], budget.Allowance] | None = None
    place: int | None = None
    search: Search = field(init=False)
    nominees: list[Nominee] = field(default_factory=list)
    smallest: Nominee | None = None

    def __post_init__(self) -> None:
        """Set up the search; a twin's own refuting instance is not shown to it."""
        objective = Objective(statement=self.statement, twin=self.twin, seed=self.sitting.seed)
        self.search = Search(
            objective=objective,
            budget=self.looks,
            excluded=frozenset() if self.twin is None else frozenset([digest(self.twin.refuted_on)]),
            known=dict(self._remembered()) if self.resume else {},
            keep=self._remember,
            found=self._promising,
        )

    @property
    def name(self) -> str:
        """A name for files."""
        return self.statement.id if self.twin is None else f"{self.statement.id}.{self.twin.name}"

    @property
    def refuted(self) -> list[Nominee]:
        """What the court refuted, the worst first."""
        guilty = [n for n in self.nominees if n.record.verdict == Finding.REFUTED.value]
        return sorted(guilty, key=lambda n: n.sight.seen.order, reverse=True)

    @property
    def worst(self) -> Sight | None:
        """The worst instance on which the sentence was refuted, else the worst one seen."""
        if self.refuted:
            return self.refuted[0].sight
        return next(iter(self.search.best), None)

    def run(self) -> None:
        """Search, nominate what hurts most, shrink it."""
        portfolio = INSIDE if self.twin is None else PORTFOLIO
        run(self.search, instances(self.statement, self.twin), portfolio)
        if self.first:
            return
        judged = {n.sight.digest for n in self.nominees}
        top = next(iter(self.search.best), None)
        if top is not None and top.seen.ratio > 1 and top.digest not in judged:
            self.nominate(top)
        if self.refuted:
            self._shrink(self.refuted[0])

    def nominate(self, sight: Sight) -> Record:
        """Bring one instance before the court."""
        nth = self.store.place_of(f"{self.name} nominations", sight.digest) - budget.OWN_INSTANCES
        allowance = self._allowed(nth) if self.allowance is None else self.allowance(nth)
        made = hear_nominee(
            self.statement, self.twin, sight.instance, allowance=allowance, sitting=self.sitting, store=self.store
        )
        self.nominees.append(Nominee(sight=sight, record=made))
        return made

    def _allowed(self, nth: int) -> budget.Allowance:
        twin = self.place
        if twin is None and self.twin is not None:
            twin = self.statement.twins.index(self.twin) + 1
        return budget.for_nomination(
            statement=position(self.statement), twin=twin, campaign=self.sitting.campaign, nomination=nth
        )

    def _promising(self, sight: Sight) -> bool:
        if (self.refuted and not self.first) or len(self.nominees) >= MOST_NOMINATIONS:
            return False
        return self.nominate(sight).verdict == Finding.REFUTED.value and self.first

    def _shrink(self, worst: Nominee) -> None:
        found = shrunk(worst.sight.instance, worst.sight.seen.ratio, self.search.objective, self.looks // 2)
        if found is None:
            return
        x, seen = found
        sight = Sight(instance=x, digest=digest(x), seen=seen, by="shrinking", nth=len(self.search.sights))
        if self.nominate(sight).verdict == Finding.REFUTED.value:
            self.smallest = self.nominees[-1]

    # ------------------------------------------------------------------------------------- what is kept of a search

    @property
    def _cache(self) -> Path:
        return self.directory / CACHE / f"{self.name}.jsonl"

    def _remember(self, name: str, seen: Seen) -> None:
        if "timed out" in seen.by:  # another run may have more time
            return
        self._cache.parent.mkdir(parents=True, exist_ok=True)
        row = [self.sitting.code, self.sitting.seed, name, seen.ratio.hex(), seen.exact, seen.by, seen.stress.hex()]
        with self._cache.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def _remembered(self) -> Iterator[tuple[str, Seen]]:
        if not self._cache.exists():
            return
        for line in self._cache.read_text(encoding="utf-8").splitlines():
            try:
                code, seed, name, ratio, exact, by, stress = json.loads(line)
            except ValueError:  # a kill may cut the last line
                continue
            if (code, seed) == (self.sitting.code, self.sitting.seed):
                yield name, Seen(ratio=float.fromhex(ratio), exact=exact, by=by, stress=float.fromhex(stress))


def instances(statement: Statement, twin: BrokenTwin | None) -> list[Instance]:
    """Everything that a statement brings along: its instances of all profiles, and those that refute its twins."""
    found: dict[str, Instance] = {}
    for x in (*statement.instances("night"), *(t.refuted_on for t in statement.twins)):
        found.setdefault(digest(x), x)
    if twin is not None:
        found.pop(digest(twin.refuted_on), None)
    return list(found.values())


def kept(probe: Probe) -> dict[str, str]:
    """Write the worst instance, and the smallest that hurts nearly as much; give their files."""
    folder = probe.directory / WITNESSES
    files: dict[str, str] = {}
    ends = {"worst": probe.refuted[0] if probe.refuted else None, "smallest": probe.smallest}
    for word, nominee in ends.items():
        if nominee is None:
            continue
        record = nominee.record
        counts = Trials(trials=record.trials, failures=record.failures, unsure=record.unsure)
        heard = witness.Heard(
            stream="evidence", seed=record.seed, alpha=Fraction(record.alpha), counts=counts
        ) if record.trials else None  # fmt: skip
        path = folder / f"{probe.name}.{word}.json"
        try:
            witness.write(witness.make(probe.statement, probe.twin, nominee.sight.instance, heard=heard), path)
        except witness.NoWitness as why:
            files[f"{word}: none"] = str(why)
            continue
        files[word] = str(path)
    if not probe.refuted and probe.worst is not None:
        try:
            data = written(probe.worst.instance)
        except Unwritable as why:
            files["worst seen: none"] = str(why)
            return files
        path = folder / f"{probe.name}.seen.json"
        seen = {"schema_version": SCHEMA_VERSION, "refutes": False, **sight_document(probe.worst), "instance": data}
        write_atomically(path, as_json({"statement": probe.statement.id, "twin": _twin(probe), **seen}))
        files["worst seen"] = str(path)
    return files


def sight_document(sight: Sight) -> dict[str, Any]:
    """What is told of one instance."""
    return {
        "instance_name": sight.instance.name,
        "instance_digest": sight.digest,
        "ratio": sight.seen.ratio,
        "exact": sight.seen.exact,
        "by": sight.seen.by,
        "strategy": sight.by,
        "look": sight.nth,
    }


def document(probe: Probe, files: dict[str, str], *, interrupted: bool) -> dict[str, Any]:
    """Everything a probe found, for one JSON document."""
    expected = probe.statement.expected if probe.twin is None else Finding.REFUTED
    refuted = bool(probe.refuted)
    worst = probe.worst
    return {
        "schema_version": SCHEMA_VERSION,
        "statement": probe.statement.id,
        "number": probe.statement.number,
        "twin": _twin(probe),
        "seed": probe.sitting.seed,
        "budget": probe.looks,
        "looks": len(probe.search.sights),
        "interrupted": interrupted,
        "verdict": Finding.REFUTED.value if refuted else "NONE FOUND",
        "because": probe.refuted[0].record.because if refuted else "no instance looked at refutes it",
        "expected": expected.value,
        "as_declared": refuted is (expected is Finding.REFUTED),
        "worst": None if worst is None else sight_document(worst),
        "nominations": [
            {**sight_document(n.sight), "verdict": n.record.verdict, "because": n.record.because}
            for n in probe.nominees
        ],
        "witnesses": files,
    }


def _twin(probe: Probe) -> str | None:
    return None if probe.twin is None else probe.twin.name


def probe_twins(
    statements: Sequence[Statement], *, sitting: Sitting, directory: Path, looks: int
) -> Iterator[dict[str, Any]]:
    """Look for an instance that refutes each twin, without showing its own to the search; stop at the first."""
    with Store.open(directory) as store:
        for statement in statements:
            for twin in statement.twins:
                made = Probe(
                    statement=statement,
                    twin=twin,
                    sitting=sitting,
                    store=store,
                    directory=directory,
                    looks=looks,
                    first=True,
                )
                made.run()
                yield document(made, {}, interrupted=False)


def attack(probe: Probe) -> dict[str, Any]:
    """Run a probe, leave its witnesses, and give its document.

    Raises
    ------
    KeyboardInterrupt : after what was found so far is kept
    """
    try:
        probe.run()
    except KeyboardInterrupt:
        kept(probe)
        raise
    return document(probe, kept(probe), interrupted=False)


def lines(made: dict[str, Any]) -> Iterator[str]:
    """Show a document of `document` as text."""
    about = made["statement"] if made["twin"] is None else f"{made['statement']}/{made['twin']}"
    declared = "as declared" if made["as_declared"] else f"NOT AS DECLARED ({made['expected']})"
    yield f"{made['verdict']}  {about}  {declared}: {made['because']}"
    worst = made["worst"]
    if worst is not None:
        how = "exactly" if worst["exact"] else "on common random numbers, which proves nothing"
        yield f"  worst ratio {worst['ratio']:.6g} ({worst['by']}), seen {how}"
        yield f"  on {worst['instance_name']}, digest {worst['instance_digest'][:16]}, by {worst['strategy']}"
    named = sum(n["verdict"] == Finding.REFUTED.value for n in made["nominations"])
    looks = f"{made['looks']} looks of {made['budget']}"
    yield f"  {looks}, {len(made['nominations'])} nominated, {named} refuted by the court"
    for word, file in made["witnesses"].items():
        yield f"  {word}: {file}"


def twin_lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Show which strategy found what refutes each twin."""
    found = sum(r["verdict"] == Finding.REFUTED.value for r in rows)
    for r in rows:
        w = r["worst"] or {"strategy": "-", "ratio": 0.0, "by": ""}
        word = "found" if r["verdict"] == Finding.REFUTED.value else "MISSED"
        about = f"{r['statement']}/{r['twin']}"
        yield f"{word:<7}{about:<60} {r['looks']:>4} looks  ratio {w['ratio']:<10.4g} {w['strategy']}"
    yield f"{found} of {len(rows)} twins refuted without their own instance ({found / max(1, len(rows)):.1%})"


def constant_lines(made: dict[str, Any]) -> Iterator[str]:
    """Show a document of the constant hunter."""
    for c in made["constants"]:
        yield f"m >= c {c['form']}: c = {c['refuted']:.4f} is refuted, {c['stands']:.4f} is not"
        yield f"  at m = {c['m']:,} on {c['where']}"
    w = made["witness"]
    yield f"witness: c = {w['refuted']:.4f} on {w['where']}: {w['file']}"
    for h in made["hypotheses"]:
        ratio = "" if h["ratio"] is None else f"  ratio {h['ratio']:.4g}"
        yield f"without {h['dropped']:<70} {h['refuted_by']}{ratio}"
