"""What a person reads: cards, tables, progress and errors. Data goes to stdout, progress and errors to stderr."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from errno import EDQUOT, EIO, ENOSPC
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from typer.core import TyperGroup

from theorems.streams import INTERRUPTED, printable, stop_code, tell

if TYPE_CHECKING:
    from theorems.statement import Record, Statement

USAGE, UNDECIDED, INVALID, CORRUPT, INTERNAL, READER_LEFT = 2, 3, 4, 5, 70, 141
_NO_ROOM = (ENOSPC, EDQUOT, EIO)  # the machine's trouble, not the command's


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
    if sys.stderr is None or not sys.stderr.isatty():
        done = 0

        def line(record: Record) -> None:
            nonlocal done
            done += 1
            tell(f"[{done}/{total}] {record.verdict} {record.id}")

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
        yield f"             first error: {printable(r['measured']['first error'])}"
    if verbose or r["instance"].startswith("data-"):  # a user's own, with the lambda that was chosen for it
        yield f"             {r['instance_says']}; digest {r['instance_digest'][:16]}"
    if verbose:
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


# ------------------------------------------------------------------------------------------------- errors


class OneLine(TyperGroup):
    """Commands that report wrong usage in one line, like every other trouble."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Read the arguments, or show the help that they ask for."""
        with _outermost():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was read."""
        with _outermost():
            return super().invoke(ctx)

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run the command that the arguments name, and exit."""
        try:
            sys.exit(super().main(*args, **extra | {"standalone_mode": False}))
        except typer.Abort:
            _say("interrupted")
            sys.exit(INTERRUPTED)
        except Exception as e:
            # Typer brings its own click or uses click itself, by version: what both call a usage error shows here
            if not hasattr(e, "format_message"):
                raise
            _say(e.format_message())
            sys.exit(USAGE)


@contextmanager
def _outermost() -> Iterator[None]:
    """End in our words what happens outside the commands, before Typer ends it in its own."""
    try:
        yield
    except KeyboardInterrupt as e:
        _end(stop_code(e) or INTERRUPTED, "interrupted")
    except OSError as e:  # a help text that could not be written
        _end(*_unwritten(e))


class _Stop(Exception):
    """What `stop` raises."""

    def __init__(self, code: int, line: str) -> None:
        super().__init__(line)
        self.code = code


def stop(code: int, line: str) -> NoReturn:
    """End the command with one line and an exit code."""
    raise _Stop(code, line)


def show(text: str, *, nl: bool = True) -> None:
    """Write data to stdout, or end the command: data that could not be written are no success."""
    try:
        typer.echo(text, nl=nl)
    except OSError as e:
        stop(*_unwritten(e))


def _unwritten(error: OSError) -> tuple[int, str]:
    sys.stdout = StringIO()  # what the buffer holds would fail again at exit
    if isinstance(error, BrokenPipeError):
        return READER_LEFT, ""  # a reader that stops reading, like head, is no trouble
    return INTERNAL, f"stdout: {error.strerror}"


def outside(store: Path, **outputs: Path | None) -> None:
    """Refuse outputs in the store, where they could overwrite evidence."""
    for option, path in outputs.items():
        if path is not None and path.resolve().parent == store.resolve():
            stop(USAGE, f"--{option} must lie outside the store {store}, got {path}")


@contextmanager
def one_line_errors(*, verbose: bool = False) -> Iterator[None]:
    """Turn each kind of trouble into one line and its exit code."""
    try:
        yield
    except typer.Exit:
        raise
    except (KeyboardInterrupt, Exception) as e:
        known = _known(e)
        if known is None:
            if verbose:
                tell(traceback.format_exc().rstrip())
            where = traceback.extract_tb(e.__traceback__)[-1]
            known = INTERNAL, f"internal error: {type(e).__name__}: {e} ({where.filename}:{where.lineno})"
        _end(*known)


def _known(error: BaseException) -> tuple[int, str] | None:
    """Give the exit code and the line of trouble that has a name."""
    if code := stop_code(error):
        return code, "interrupted; whole batches of evidence are kept, the same command resumes"
    if isinstance(error, _Stop):
        return error.code, str(error)
    from theorems.catalogue import UnknownStatement
    from theorems.checking.loewner_files import UnreadableInput
    from theorems.checking.source import SourceChanged
    from theorems.checking.store import Divergence, StoreFull, StoreUnreadable
    from theorems.statement import HypothesisNotMet
    from theorems.user_data import BadData

    match error:
        case UnknownStatement() | UnreadableInput() | BadData():
            return USAGE, str(error)
        case HypothesisNotMet():
            return INVALID, f"invalid instance: {error}"
        case Divergence() | StoreUnreadable() | SourceChanged():
            return CORRUPT, str(error)
        case StoreFull():
            return INTERNAL, str(error)
        case OSError():
            line = f"{error.filename or ''}: {error.strerror or error}".lstrip(": ")
            return (INTERNAL if error.errno in _NO_ROOM else USAGE), line
    return None


def _say(line: str) -> None:
    tell(f"theorems: {printable(' '.join(line.split()))}")


def _end(code: int, line: str) -> NoReturn:
    if line:
        _say(line)
    raise typer.Exit(code)


def contents(listing: dict[str, Any]) -> Iterator[str]:
    """Show the papers' tables of contents, part by part, with the statements that cover them."""
    by_id = {s["id"]: s for s in listing["statements"]}
    for paper in dict.fromkeys(c["paper"] for c in listing["contents"]):
        parts = [c for c in listing["contents"] if c["paper"] == paper]
        yield f"{paper}: {sum(c['covered'] for c in parts)} of {len(parts)} parts covered"
        for c in parts:
            yield f"  {c['part']}" + ("" if c["covered"] else "   NOT COVERED YET")
            for s in (by_id[i] for i in c["statements"]):
                declared = f", declared {s['expected']}" if s["expected"] != "SUPPORTED" else ""
                yield (
                    f"    {s['status']:<10} {s['number']:<18} {s['id']:<28} {s['kind']:<12} "
                    f"{s['title']}  ({len(s['twins'])} twins{declared})"
                )
