"""The command line: a door. Data goes to stdout, progress to stderr; imports wait until a command needs them.

Exit codes: 0 all as declared, 1 a verdict differs or a twin survived, 2 usage, 3 undecided, 4 invalid instance,
5 corrupt or divergent evidence, 70 internal, 130 interrupted, 141 nobody reads, 143 terminated.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from theorems.console import CORRUPT, UNDECIDED, USAGE, OneLine, one_line_errors, outside, show, stop
from theorems.streams import printable, tell

if TYPE_CHECKING:
    from theorems.doctor import Check
    from theorems.statement import Statement
    from theorems.studies.study import Study
    from theorems.verification import Case


app = typer.Typer(
    name="theorems",
    cls=OneLine,
    help="The theorems of machine-learning theory, executable: verdicts with stated error rates.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Names = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Statement ids, or numbers as printed: 3.3")]
Profile = Annotated[str, typer.Option(help="quick, ci or night: which instances are heard")]
Seed = Annotated[int | None, typer.Option(help="Seed of every key; the release seed when left out")]
Budget = Annotated[int | None, typer.Option(help="Most trials of one record; the profile's when left out")]
Jobs = Annotated[int, typer.Option(help="Processes, one BLAS thread each")]
StorePath = Annotated[
    Path, typer.Option("--store", help="Where evidence and records are kept; an interrupted run resumes")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout")]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Only the last line")]
Verbose = Annotated[
    bool, typer.Option("-v", "--verbose", help="Every layer and digest; the traceback of an internal error")
]


@app.callback(invoke_without_command=True)
def _without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        tell(context.get_help())
        raise typer.Exit(USAGE)


@app.command("list")
def list_statements(store: StorePath = Path(".theorems"), as_json: AsJson = False) -> None:
    """List the papers' tables of contents: statement, kind, status of the last run, and what is not covered yet."""
    with one_line_errors():
        from theorems.console import contents
        from theorems.documents import RECORDS, SCHEMA_VERSION, last_verdicts, listing
        from theorems.documents import as_json as rendered

        status = last_verdicts(store / RECORDS)
        if as_json:
            show(rendered({"schema_version": SCHEMA_VERSION, **listing(status)}), nl=False)
        else:
            show("\n".join(contents(listing(status))))


@app.command("show")
def show_card(name: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Show one statement: what it says, where, its hypotheses and who guarantees them, its twins."""
    with one_line_errors():
        from theorems.catalogue import find
        from theorems.console import card

        show("\n".join(card(find(name))))


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
    features: Annotated[str | None, typer.Option(help="relu (the default) or fourier, with --data")] = None,
    sigma: Annotated[
        str | None, typer.Option(help="Bandwidth of the Gaussian kernel, with --features fourier; 1 when left out")
    ] = None,
    lam: Annotated[
        str | None,
        typer.Option(help="Ridge added to K, with --data; ||K|| / 10 rounded to 8 bits when left out"),
    ] = None,
    eps: Annotated[str | None, typer.Option(help="Accuracy in (0, 1/2), with --data; 0.3 when left out")] = None,
    delta: Annotated[
        str | None, typer.Option(help="Failure probability in (0, 1), with --data; 0.1 when left out")
    ] = None,
    junitxml: Annotated[Path | None, typer.Option(help="Also write a JUnit file")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Judge statements and their broken twins, and leave the records for `theorems report`."""
    with one_line_errors(verbose=verbose):
        from theorems.checking.budget import TRIALS
        from theorems.console import table
        from theorems.documents import as_json as rendered
        from theorems.documents import write_atomically
        from theorems.verification import docket

        if profile not in TRIALS:
            stop(USAGE, f"--profile must be one of {', '.join(TRIALS)}; got {profile!r}")
        outside(store, junitxml=junitxml)
        given = {"--features": features, "--sigma": sigma, "--lam": lam, "--eps": eps, "--delta": delta}
        statements = _chosen(names)
        if data is not None:
            cases = _cases_on(data, statements, {k.lstrip("-"): v for k, v in given.items() if v is not None})
        elif idle := [option for option, value in given.items() if value is not None]:
            stop(USAGE, f"{idle[0]} needs --data, got {idle[0]} {given[idle[0]]} alone")
        else:
            cases = docket(statements, profile)
        cases = [c for c in cases if keyword in c.id]
        if not cases:
            stop(USAGE, f"-k must be part of the id of a record, got {keyword!r}, which selects nothing")
        options = {"--profile": profile, "-k": keyword or None, "--data": None if data is None else str(data), **given}
        words = ["verify", *(names or []), *(w for k, v in options.items() if v is not None for w in (k, v))]
        made = _heard(
            cases, words=words, profile=profile, seed=seed, budget=budget, jobs=jobs, store=store, quiet=quiet
        )
        if junitxml is not None:
            from theorems.junit import junit

            write_atomically(junitxml, junit(made))
        show(rendered(made) if as_json else "\n".join(table(made, quiet=quiet, verbose=verbose)), nl=not as_json)
        raise typer.Exit(made["summary"]["exit_code"])


def _chosen(names: Sequence[str] | None) -> list[Statement]:
    """Give the named statements, each once and in the order of the catalogue; all of them when none is named."""
    from theorems.catalogue import CATALOGUE, find

    chosen = {find(n).id for n in names or [s.id for s in CATALOGUE]}
    return [s for s in CATALOGUE if s.id in chosen]


def _cases_on(data: Path, statements: Sequence[Statement], numbers: dict[str, str]) -> list[Case]:
    """Put the user's own matrix before the court, as the first instance of Theorem 3.3."""
    from theorems.user_data import STATEMENT, sampling_instance
    from theorems.verification import Case

    if STATEMENT not in {s.id for s in statements}:
        stop(USAGE, f"--data is judged by {STATEMENT} only, got {', '.join(s.id for s in statements)}")
    if "sigma" in numbers and numbers.get("features") != "fourier":
        stop(USAGE, f"--sigma needs --features fourier, got --features {numbers.get('features', 'relu')}")
    return [Case(statement=STATEMENT, twin=None, nth=None, instance=sampling_instance(data, **numbers))]


def _heard(
    cases: Sequence[Case],
    *,
    words: Sequence[str],
    profile: str,
    seed: int | None,
    budget: int | None,
    jobs: int,
    store: Path,
    quiet: bool,
    keep: bool = True,
) -> dict[str, Any]:
    """Judge the cases; leave the records in `store` unless they are not to be kept."""
    from theorems import verification
    from theorems.checking.budget import RELEASE_SEED, TRIALS
    from theorems.checking.source import require_unchanged
    from theorems.console import progress
    from theorems.documents import document
    from theorems.workers import workers

    ranges = {"--seed": (seed, 0, 2**63 - 1), "--budget": (budget, 1, 2**40), "--jobs": (jobs, 1, 1024)}
    for option, (value, least, most) in ranges.items():
        if value is not None and not least <= value <= most:
            stop(USAGE, f"{option} must lie in [{least}, {most}], got {value}")
    store.mkdir(parents=True, exist_ok=True)
    if not os.access(store, os.W_OK):
        stop(USAGE, f"--store must be a folder that can be written to, got {store}")
    sitting = verification.open_sitting(
        seed=RELEASE_SEED if seed is None else seed, trials=budget or TRIALS[profile], directory=store
    )
    with progress(len(cases), enabled=not quiet) as note, workers(min(jobs, len(cases))) as executor:
        if keep:
            return verification.verify(
                cases, words=words, sitting=sitting, profile=profile, directory=store, executor=executor, progress=note
            )
        records = []
        for record in verification.hear_all(cases, sitting=sitting, directory=store, executor=executor):
            records.append(record)
            note(record)
    require_unchanged(sitting.code)
    return document(records, words=words, sitting=sitting, profile=profile, left_out=verification.not_run(cases))


@app.command("study")
def measure_studies(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Study ids; all when left out")] = None,
    profile: Annotated[str, typer.Option(help="quick, ci or night: how many rows")] = "quick",
    seed: Seed = None,
    store: StorePath = Path(".theorems"),
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure how much is asked against what is needed, in tables over grids, and leave them for `theorems report`."""
    with one_line_errors():
        from rich.console import Console

        from theorems.checking.budget import RELEASE_SEED, TRIALS
        from theorems.documents import as_json as rendered
        from theorems.studies.documents import StudiesUnreadable, measure
        from theorems.studies.plain_text import lines
        from theorems.studies.registry import UnknownStudy, chosen

        if profile not in TRIALS:
            stop(USAGE, f"--profile must be one of {', '.join(TRIALS)}; got {profile!r}")
        if seed is not None and not 0 <= seed < 2**63:
            stop(USAGE, f"--seed must lie in [0, {2**63 - 1}], got {seed}")
        store.mkdir(parents=True, exist_ok=True)
        try:
            studies = chosen(ids or [])
            with Console(stderr=True, quiet=quiet).status("") as status:

                def note(study: Study, rows: int) -> None:
                    if not rows and not quiet:
                        tell(f"measuring {study.id}")
                    status.update(f"{study.id}: {rows} rows")

                given = RELEASE_SEED if seed is None else seed
                made = measure(studies, profile=profile, seed=given, directory=store, progress=note)
        except UnknownStudy as e:
            stop(USAGE, str(e))
        except StudiesUnreadable as e:
            stop(CORRUPT, str(e))
        if as_json:
            show(rendered(made), nl=False)
            return
        for entry in made["studies"] if not quiet else ():
            show("\n".join(lines(entry)))
        done = ", ".join(f"{entry['id']} ({len(entry['rows'])} rows)" for entry in made["studies"]) or "nothing"
        show(f"measured {done}; seed {given}, profile {profile}. Next: theorems report")


@app.command()
def report(
    store: StorePath = Path(".theorems"),
    html: Annotated[Path, typer.Option(help="The page")] = Path("theorems-report.html"),
    markdown: Annotated[Path, typer.Option(help="Its Markdown twin")] = Path("theorems-report.md"),
) -> None:
    """Draw the records that the last command left: one self-contained HTML page and its Markdown twin."""
    with one_line_errors():
        from reports.page import RecordsUnreadable, write_reports
        from theorems.documents import RECORDS, STUDIES

        outside(store, html=html, markdown=markdown)
        records, studies = store / RECORDS, store / STUDIES
        if not records.exists():
            stop(USAGE, f"no records in {records}; make them with: theorems verify --store {store}")
        if len({p.resolve() for p in (records, html, markdown)}) < 3:
            stop(USAGE, f"--html, --markdown and the records must be three files, got {html}, {markdown}, {records}")
        try:
            write_reports(records, html, markdown, studies=studies if studies.exists() else None)
        except RecordsUnreadable as e:
            stop(CORRUPT, str(e))
        show(f"{printable(str(html))}\n{printable(str(markdown))}")


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
    with one_line_errors():
        from theorems.console import kill_matrix
        from theorems.documents import as_json as rendered
        from theorems.verification import docket

        cases = [c for c in docket(_chosen(names), "quick") if c.twin is not None]
        made = _heard(
            cases,
            words=["twins", *(names or [])],
            profile="quick",
            seed=seed,
            budget=budget,
            jobs=jobs,
            store=store,
            quiet=False,
            keep=False,  # the records of `verify` stay what `report` draws
        )
        show(rendered(made) if as_json else "\n".join(kill_matrix(made)), nl=not as_json)
        raise typer.Exit(made["summary"]["exit_code"])


@app.command()
def probe(
    name: Annotated[str | None, typer.Argument(metavar="[ID]", help="Statement id, or number as printed: 3.3")] = None,
    twin: Annotated[str | None, typer.Option(help="Attack this broken twin, without its own refuting instance")] = None,
    twins: Annotated[bool, typer.Option("--twins", help="Attack every twin, of ID or of all; a table")] = False,
    constant: Annotated[
        bool, typer.Option("--constant", help="3.3 only: the greatest refuted constant, and which hypotheses can go")
    ] = False,
    budget: Annotated[int | None, typer.Option(help="Instances looked at; 400 when left out", min=1)] = None,
    seed: Seed = None,
    store: StorePath = Path(".theorems"),
    resume: Annotated[bool, typer.Option("--resume", help="Take over the looks of an interrupted search")] = False,
    as_json: AsJson = False,
) -> None:
    """Search for the instance that hurts most, leave it as a witness; exit 1 when the verdict is not as declared."""
    with one_line_errors():
        from threadpoolctl import threadpool_limits

        from theorems import constant_hunter, probing
        from theorems.catalogue import CATALOGUE, find
        from theorems.checking.budget import RELEASE_SEED, TRIALS
        from theorems.checking.store import Store
        from theorems.documents import SCHEMA_VERSION
        from theorems.documents import as_json as rendered
        from theorems.verification import open_sitting

        if (name is None and not twins) or sum((twin is not None, twins, constant)) > 1:
            stop(USAGE, "probe needs an ID, and at most one of --twin, --twins, --constant")
        if seed is not None and not 0 <= seed < 2**63:
            stop(USAGE, f"--seed must lie in [0, {2**63 - 1}], got {seed}")
        chosen = list(CATALOGUE) if name is None else [find(name)]
        attacked = next((t for t in chosen[0].twins if t.name == twin), None)
        if twin is not None and attacked is None:
            stop(USAGE, f"--twin must be one of {', '.join(t.name for t in chosen[0].twins)}; got {twin}")
        if constant and chosen[0].id != constant_hunter.STATEMENT:
            stop(USAGE, f"--constant hunts in {constant_hunter.STATEMENT} only, got {chosen[0].id}")
        looks = probing.LOOKS if budget is None else budget
        sitting = open_sitting(seed=RELEASE_SEED if seed is None else seed, trials=TRIALS["ci"], directory=store)
        with threadpool_limits(limits=1):
            if constant:
                made = constant_hunter.document(chosen[0], sitting=sitting, directory=store, looks=looks)
                made, text, code = {"schema_version": SCHEMA_VERSION, **made}, probing.constant_lines(made), 0
            elif twins:
                rows = []
                for row in probing.probe_twins(chosen, sitting=sitting, directory=store, looks=looks):
                    rows.append(row)
                    tell(f"{row['verdict']} {row['statement']}/{row['twin']} after {row['looks']} looks")
                made, text = {"schema_version": SCHEMA_VERSION, "twins": rows}, probing.twin_lines(rows)
                code = 0 if all(row["as_declared"] for row in rows) else 1
            else:
                with Store.open(store) as evidence:
                    made = probing.attack(
                        probing.Probe(
                            statement=chosen[0],
                            twin=attacked,
                            sitting=sitting,
                            store=evidence,
                            directory=store,
                            looks=looks,
                            resume=resume,
                        )
                    )
                text, code = probing.lines(made), 0 if made["as_declared"] else 1
        show(rendered(made) if as_json else "\n".join(text), nl=not as_json)
        raise typer.Exit(code)


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Witness files")],
    standalone: Annotated[
        Path | None,
        typer.Option(help="Also write FILE and a replay.py for the standard library alone into this folder"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Replay witnesses: decided in integers alone, then recomputed; exit 0 when every violation is proven."""
    with one_line_errors():
        from dataclasses import asdict

        from theorems.checking.witness import read
        from theorems.checking.witness_file import Refused
        from theorems.documents import SCHEMA_VERSION
        from theorems.documents import as_json as rendered
        from theorems.replaying import replay as replay_file
        from theorems.replaying import write_standalone

        if standalone is not None and len(files) != 1:
            stop(USAGE, f"--standalone takes one FILE, got {len(files)}")
        replays, refused = [], []
        for file in files:
            try:
                replays.append(replay_file(file))
            except Refused as e:
                refused.append(str(e))
        if standalone is not None and not refused:
            write_standalone(read(files[0]), standalone)
        if as_json:
            made = {"schema_version": SCHEMA_VERSION, "replays": [asdict(r) for r in replays], "refused": refused}
            typer.echo(rendered(made), nl=False)
        else:
            for r in replays:
                typer.echo(f"{'PROVEN' if r.proven else 'NOT PROVEN':<10} {r.file}  {r.about}")
                typer.echo(f"  decided in integers: {r.decided}\n  recomputed: {r.recomputed}")
        if refused:
            stop(CORRUPT, "refused: " + "; ".join(refused))
        raise typer.Exit(0 if all(r.proven for r in replays) else 1)


@app.command()
def loewner(
    files: Annotated[list[Path] | None, typer.Argument(metavar="[FILE]...", help="JSON: K, Kt, lam, eps, side")] = None,
    lower: Annotated[Path | None, typer.Option(help="A.npy of A <= B")] = None,
    upper: Annotated[Path | None, typer.Option(help="B.npy of A <= B")] = None,
    as_json: AsJson = False,
) -> None:
    """Decide A <= B in the Loewner order, with a certificate; exit 0 when every file is decided."""
    with one_line_errors():
        from dataclasses import asdict

        from theorems.checking.loewner_files import decide_file, decide_pair
        from theorems.documents import SCHEMA_VERSION
        from theorems.documents import as_json as rendered

        if bool(files) == (lower is not None or upper is not None) or (lower is None) != (upper is None):
            stop(USAGE, "loewner needs either FILE... or both --lower and --upper")
        decisions = [decide_file(f) for f in files or []]
        if lower is not None and upper is not None:
            decisions.append(decide_pair(lower, upper))
        if as_json:
            show(rendered({"schema_version": SCHEMA_VERSION, "decisions": [asdict(d) for d in decisions]}), nl=False)
        else:
            for d in decisions:
                witness = f"  v = ({', '.join(f'{x:.6g}' for x in d.witness)})" if d.witness else ""
                show(f"{d.verdict:<9} {printable(d.file)}  [{d.rung}, {d.bits} bits]{witness}")
        raise typer.Exit(UNDECIDED if any(d.verdict == "UNSURE" for d in decisions) else 0)


@app.command()
def doctor(
    calibrate: Annotated[bool, typer.Option("--calibrate", help="Measure the court itself; minutes")] = False,
    matrices: Annotated[int | None, typer.Option(help="How many for the Loewner ladder (100,000)", min=1)] = None,
    store: StorePath = Path(".theorems"),
    as_json: AsJson = False,
) -> None:
    """Look at this installation, and with --calibrate at the court and its broken twins; exit 1 on anything BAD."""
    with one_line_errors():
        from dataclasses import asdict

        from theorems.doctor import calibration, examine, line
        from theorems.documents import SCHEMA_VERSION
        from theorems.documents import as_json as rendered

        if matrices is not None and not calibrate:
            stop(USAGE, f"--matrices goes with --calibrate, got --matrices {matrices} alone")
        checks = []

        def note(made: Iterator[Check]) -> None:
            for check in made:
                checks.append(check)
                if not as_json:
                    show(printable(line(check)))

        note(examine(store))
        if calibrate:
            note(calibration(matrices or 100_000, lambda done: tell(f"{done:,} matrices")))
        ok = all(check.ok for check in checks)
        if as_json:
            made = {"schema_version": SCHEMA_VERSION, "ok": ok, "checks": [asdict(check) for check in checks]}
            show(rendered(made), nl=False)
        raise typer.Exit(0 if ok else 1)
