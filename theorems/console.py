"""What a person reads: cards, tables and progress. Data goes to stdout, progress to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import typer

from theorems.statement import Record, Statement


def card(s: Statement) -> Iterator[str]:
    """Describe one statement, line by line."""
    yield f"{s.kind} {s.number}  {s.title}   [{s.id}]"
    yield f"{s.source}  ({s.source.source.identifier})"
    yield ""
    yield f"  {s.plainly}"
    yield f"  LaTeX: {s.says}"
    yield f"  constants: {s.constant}; declared: {s.expected.value}; resolution rho = {float(s.rho):g}"
    yield f"  deviation from print: {s.deviation or 'none'}"
    yield ""
    yield "hypotheses"
    for h in s.hypotheses:
        by = (
            "checked"
            if h.holds
            else f"by construction: {h.guaranteed_by}"
            if h.guaranteed_by
            else f"ASSUMED: {h.assumed}"
        )
        yield f"  {h.says}  [{by}]"
    for m in s.misprints:
        yield f"misprint {m.id}: {m.says} -> {m.instead} (witness: {m.witness})"
    yield ""
    yield "broken twins, each refuted"
    for t in s.twins:
        yield f"  {t.name:<34} on {t.refuted_on.name}: {t.because}"
    for note in s.notes:
        yield f"note: {note}"


@contextmanager
def progress(total: int, *, enabled: bool) -> Iterator[Callable[[Record], None]]:
    """A bar on a terminal, plain lines otherwise, nothing when quiet; always on stderr."""
    if not enabled:
        yield lambda _: None
        return
    if not sys.stderr.isatty():
        done = 0

        def line(record: Record) -> None:
            nonlocal done
            done += 1
            typer.echo(f"[{done}/{total}] {record.verdict} {record.id}", err=True)

        yield line
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("hearing", total=total)
        yield lambda record: bar.update(task, advance=1, description=f"{record.verdict} {record.id}")


def table(made: dict[str, Any], *, quiet: bool, verbose: bool) -> Iterator[str]:
    """List the verdicts of a records document; quiet leaves the last line."""
    colour = _colours()
    if not quiet:
        for s in made["statements"]:
            mine = [r for r in made["records"] if r["statement"] == s["id"]]
            yield f"{s['kind']} {s['number']}  {s['title']}   [{s['id']}]"
            for r in mine:
                if r["twin"] is None:
                    yield from _row(r, r["instance"], colour, verbose=verbose)
            if any(r["twin"] for r in mine):
                yield "  broken twins, to be refuted"
            for r in mine:
                if r["twin"] is not None:
                    yield from _row(r, f"{r['twin']} on {r['instance']}", colour, verbose=verbose)
            if any(r["twin"] is None for r in mine):
                yield f"  => {colour(s['verdict'])} (declared {s['expected']})"
            yield ""
    total, declared = made["summary"]["total"], made["summary"]["as_declared"]
    twins = [r for r in made["records"] if r["twin"] is not None]
    killed = sum(r["as_declared"] for r in twins)
    yield (
        f"{declared} of {total} as declared, {killed} of {len(twins)} twins refuted; seed {made['seed']}, "
        f"profile {made['profile']}, {len(made['not_run'])} NOT RUN. Next: theorems report"
    )


def _row(r: dict[str, Any], subject: str, colour: Any, *, verbose: bool) -> Iterator[str]:
    if r["evidence"] == "exact":
        seen = f"exact, p <= {r['probability'][1]}"
    elif r["evidence"] == "trials":
        unsure = f" + {r['unsure']} unsure" if r["unsure"] else ""
        seen = f"{r['failures']}{unsure} of {r['trials']} fail"
    else:
        seen = r["evidence"]
    m = f"m {r['measured']['m asked']:,}" if "m asked" in r["measured"] else ""
    slack = f"slack {r['slack']:g}" if r["slack"] is not None else ""
    killed = ", ".join(x["name"] for x in r["layers"] if x["finding"] == "REFUTED")
    by = f"by {killed}" if killed else r["excluded"]
    flag = "" if r["as_declared"] else f"   NOT AS DECLARED ({r['expected']}): {r['fault']}"
    how = f"alpha {r['alpha']:.2g}; {by}"
    yield f"  {colour(r['verdict'])} {subject:<50} {seen:<24} {m:<12} {slack:<11} {how}{flag}"
    if r["price"] and not r["as_declared"]:
        yield f"             a decision costs {r['price']}"
    if "first error" in r["measured"]:
        yield f"             first error: {r['measured']['first error']}"
    if verbose:
        yield f"             {r['instance_says']}; digest {r['instance_digest'][:16]}"
        yield f"             {r['because']}"
        for layer in r["layers"]:
            yield f"             layer {layer['name']:<22} {layer['finding']:<10} {layer['because']}"


def _colours() -> Any:
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return lambda word: f"{word:<10}"
    tint = {"SUPPORTED": "green", "REFUTED": "red", "UNDECIDED": "yellow", "VACUOUS": "magenta"}
    return lambda word: typer.style(f"{word:<10}", fg=tint[word])


def kill_matrix(made: dict[str, Any]) -> Iterator[str]:
    """Show twin by layer: X refuted, '.' looked and saw nothing, blank had nothing to look at."""
    rows = [r for r in made["records"] if r["twin"] is not None]
    layers = list(dict.fromkeys(x["name"] for r in rows for x in r["layers"]))
    width = max((len(r["twin"]) for r in rows), default=0)
    yield " " * (width + 2) + "  ".join(layers)
    for r in rows:
        marks = {x["name"]: "X" if x["finding"] == "REFUTED" else "." for x in r["layers"]}
        cells = "  ".join(f"{marks.get(name, ''):^{len(name)}}" for name in layers)
        yield f"{r['twin']:<{width}}  {cells}  {'' if r['as_declared'] else 'SURVIVED'}".rstrip()
    killed = sum(r["as_declared"] for r in rows)
    yield f"{killed} of {len(rows)} twins refuted by at least one layer; seed {made['seed']}"
