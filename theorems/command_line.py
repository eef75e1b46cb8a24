"""The command line: a door. Data goes to stdout, progress to stderr; imports wait until a command needs them.

Exit codes: 0 all as declared, 1 a verdict differs or a twin survived, 2 usage, 3 undecided, 4 invalid instance,
5 corrupt or divergent evidence, 70 internal, 130 interrupted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from concurrent.futures import Executor


USAGE, UNDECIDED, INVALID, CORRUPT, INTERNAL, INTERRUPTED = 2, 3, 4, 5, 70, 130

app = typer.Typer(
    name="theorems",
    help="The theorems of machine-learning theory, executable: verdicts with stated error rates.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Names = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Statement ids, or numbers as printed: 3.3")]
Profile = Annotated[str, typer.Option(help="quick, ci or night: which instances are heard")]
Seed = Annotated[int | None, typer.Option(help="Seed of every key; the release seed when left out")]
Budget = Annotated[int | None, typer.Option(help="Most trials of one record; the profile's when left out", min=1)]
Jobs = Annotated[int, typer.Option(help="Processes, one BLAS thread each", min=1)]
StorePath = Annotated[
    Path, typer.Option("--store", help="Where evidence and records are kept; an interrupted run resumes")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Only the last line")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="Every layer, hypothesis and digest")]


class _Stop(Exception):
    """End the command with one line and an exit code."""

    def __init__(self, code: int, line: str) -> None:
        super().__init__(line)
        self.code = code


def _stop(code: int, line: str) -> NoReturn:
    raise _Stop(code, line)


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Turn each kind of trouble into one line and its exit code."""
    from theorems.catalogue import UnknownStatement
    from theorems.checking.loewner_files import UnreadableInput
    from theorems.checking.store import Divergence, StoreFull, StoreUnreadable
    from theorems.statement import HypothesisNotMet
    from theorems.user_data import BadData

    try:
        yield
    except (UnknownStatement, UnreadableInput, BadData) as e:
        _end(USAGE, str(e))
    except HypothesisNotMet as e:
        _end(INVALID, f"invalid instance: {e}")
    except (Divergence, StoreUnreadable) as e:
        _end(CORRUPT, str(e))
    except StoreFull as e:
        _end(INTERNAL, str(e))
    except OSError as e:
        _end(USAGE, f"{e.filename or ''}: {e.strerror or e}".lstrip(": "))
    except KeyboardInterrupt:
        _end(INTERRUPTED, "interrupted; whole batches of evidence are kept, the same command resumes")
    except _Stop as e:
        _end(e.code, str(e))


def _end(code: int, line: str) -> NoReturn:
    typer.echo(f"theorems: {' '.join(line.split())}", err=True)
    raise typer.Exit(code)


@app.command("list")
def list_statements(as_json: AsJson = False) -> None:
    """List the statements: number, kind, what is declared, in one line each."""
    from theorems.catalogue import CATALOGUE
    from theorems.documents import SCHEMA_VERSION
    from theorems.documents import as_json as rendered

    if as_json:
        rows = [
            {
                "id": s.id,
                "number": s.number,
                "title": s.title,
                "kind": s.kind,
                "source": str(s.source),
                "constant": s.constant,
                "expected": s.expected.value,
                "twins": [t.name for t in s.twins],
            }
            for s in CATALOGUE
        ]
        typer.echo(rendered({"schema_version": SCHEMA_VERSION, "statements": rows}), nl=False)
        return
    for s in CATALOGUE:
        typer.echo(
            f"{s.number:<6} {s.id:<16} {s.kind:<12} {s.title}  ({len(s.twins)} twins, declared {s.expected.value})"
        )


@app.command()
def show(name: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Show one statement: what it says, where, its hypotheses and who guarantees them, its twins."""
    with _one_line_errors():
        from theorems.catalogue import find
        from theorems.console import card

        typer.echo("\n".join(card(find(name))))


@app.command()
def verify(
    names: Names = None,
    profile: Profile = "quick",
    seed: Seed = None,
    budget: Budget = None,
    jobs: Jobs = 1,
    store: StorePath = Path(".theorems"),
    keyword: Annotated[str, typer.Option("-k", help="Only records whose id contains this")] = "",
    data: Annotated[Path | None, typer.Option(help="Your own .npy matrix, rows are points: judge 3.3 on it")] = None,
    features: Annotated[str, typer.Option(help="relu or fourier, with --data")] = "relu",
    sigma: Annotated[str, typer.Option(help="Bandwidth of the Gaussian kernel, with --features fourier")] = "1",
    lam: Annotated[
        str | None, typer.Option(help="Ridge added to K, with --data; a tenth of ||K|| when left out")
    ] = None,
    eps: Annotated[str, typer.Option(help="Accuracy in (0, 1/2), with --data")] = "0.3",
    delta: Annotated[str, typer.Option(help="Failure probability in (0, 1), with --data")] = "0.1",
    junitxml: Annotated[Path | None, typer.Option(help="Also write a JUnit file")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Judge statements and their broken twins, and leave the records for `theorems report`."""
    with _one_line_errors():
        from theorems import verification
        from theorems.catalogue import CATALOGUE, find
        from theorems.checking.budget import RELEASE_SEED, TRIALS
        from theorems.console import progress, table
        from theorems.documents import as_json as rendered
        from theorems.documents import write_atomically

        if profile not in TRIALS:
            _stop(USAGE, f"--profile must be one of {', '.join(TRIALS)}; got {profile!r}")
        if seed is not None and not 0 <= seed < 2**63:
            _stop(USAGE, f"--seed must lie in [0, 2^63), got {seed}")
        statements = [find(n) for n in names] if names else list(CATALOGUE)
        if data is None:
            cases = [c for c in verification.docket(statements, profile) if keyword in c.id]
        else:
            from theorems.user_data import sampling_instance

            cases = [
                verification.Case(
                    statement="glss.thm3.3",
                    twin=None,
                    nth=1,
                    instance=sampling_instance(data, features=features, sigma=sigma, lam=lam, eps=eps, delta=delta),
                )
            ]
        if not cases:
            _stop(USAGE, f"-k {keyword!r} selects nothing")
        sitting = verification.open_sitting(
            seed=RELEASE_SEED if seed is None else seed, trials=budget or TRIALS[profile], directory=store
        )
        with progress(len(cases), enabled=not quiet) as tell, _executor(jobs) as executor:
            made = verification.verify(
                cases, sitting=sitting, profile=profile, directory=store, executor=executor, progress=tell
            )
        if junitxml is not None:
            from theorems.junit import junit

            write_atomically(junitxml, junit(made))
        typer.echo(rendered(made) if as_json else "\n".join(table(made, quiet=quiet, verbose=verbose)), nl=not as_json)
        raise typer.Exit(made["summary"]["exit_code"])


@contextmanager
def _executor(jobs: int) -> Iterator[Executor | None]:
    if jobs == 1:
        yield None
        return
    import loky

    executor = loky.ProcessPoolExecutor(max_workers=jobs)
    try:
        yield executor
    finally:
        executor.shutdown(kill_workers=True)


@app.command()
def report(
    store: StorePath = Path(".theorems"),
    html: Annotated[Path, typer.Option(help="The page")] = Path("theorems-report.html"),
    markdown: Annotated[Path, typer.Option(help="Its Markdown twin")] = Path("theorems-report.md"),
) -> None:
    """Draw the records that the last command left: one self-contained HTML page and its Markdown twin."""
    with _one_line_errors():
        from reports.page import RecordsUnreadable, write_reports
        from theorems.documents import RECORDS

        records = store / RECORDS
        if not records.exists():
            _stop(USAGE, f"no records in {records}; make them with: theorems verify --store {store}")
        try:
            write_reports(records, html, markdown)
        except RecordsUnreadable as e:
            _stop(CORRUPT, str(e))
        typer.echo(f"{html}\n{markdown}")


@app.command()
def twins(
    names: Names = None,
    seed: Seed = None,
    budget: Budget = None,
    jobs: Jobs = 1,
    store: StorePath = Path(".theorems"),
    as_json: AsJson = False,
) -> None:
    """Print the kill matrix: which layer refutes which broken twin; exit 1 when one survives."""
    with _one_line_errors():
        from theorems import verification
        from theorems.catalogue import CATALOGUE, find
        from theorems.checking.budget import RELEASE_SEED, TRIALS
        from theorems.console import kill_matrix, progress
        from theorems.documents import as_json as rendered

        statements = [find(n) for n in names] if names else list(CATALOGUE)
        cases = [c for c in verification.docket(statements, "quick") if c.twin is not None]
        sitting = verification.open_sitting(
            seed=RELEASE_SEED if seed is None else seed, trials=budget or TRIALS["quick"], directory=store
        )
        with progress(len(cases), enabled=True) as tell, _executor(jobs) as executor:
            made = verification.verify(
                cases, sitting=sitting, profile="quick", directory=store, executor=executor, progress=tell
            )
        typer.echo(rendered(made) if as_json else "\n".join(kill_matrix(made)), nl=not as_json)
        raise typer.Exit(made["summary"]["exit_code"])


@app.command()
def loewner(
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="JSON: K, Kt, lam, eps, side")] = None,
    lower: Annotated[Path | None, typer.Option(help="A.npy of A <= B")] = None,
    upper: Annotated[Path | None, typer.Option(help="B.npy of A <= B")] = None,
    as_json: AsJson = False,
) -> None:
    """Decide A <= B in the Loewner order, with a certificate; exit 0 when every file is decided."""
    with _one_line_errors():
        from dataclasses import asdict

        from theorems.checking.loewner_files import decide_file, decide_pair
        from theorems.documents import SCHEMA_VERSION
        from theorems.documents import as_json as rendered

        if bool(files) == (lower is not None or upper is not None) or (lower is None) != (upper is None):
            _stop(USAGE, "loewner needs either FILE... or both --lower and --upper")
        decisions = [decide_file(f) for f in files or []]
        if lower is not None and upper is not None:
            decisions.append(decide_pair(lower, upper))
        if as_json:
            typer.echo(
                rendered({"schema_version": SCHEMA_VERSION, "decisions": [asdict(d) for d in decisions]}), nl=False
            )
        else:
            for d in decisions:
                witness = f"  v = ({', '.join(f'{x:.6g}' for x in d.witness)})" if d.witness else ""
                typer.echo(f"{d.truth:<9} {d.file}  [{d.rung}, {d.bits} bits]{witness}")
        raise typer.Exit(UNDECIDED if any(d.truth == "UNSURE" for d in decisions) else 0)
