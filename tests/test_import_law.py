"""The rooms of the house and who may import whom; each law is also shown to bite."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("reference", "theorems", "reports")
ROOMS = frozenset(PACKAGES)
DOOR = "theorems.command_line"


def module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules(root: Path) -> dict[str, str]:
    return {module_name(p, root): p.read_text() for package in PACKAGES for p in sorted((root / package).rglob("*.py"))}


def imported(source: str, known: frozenset[str]) -> Iterator[str]:
    """Every module that a file imports, lazily or not; `from package import module` counts as the module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the room"
            base = node.module or ""
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield full if full in known else base


def within(name: str, *rooms: str) -> bool:
    return any(name == room or name.startswith(room + ".") for room in rooms)


def faults(root: Path, law: Callable[[str, str], bool]) -> list[str]:
    """Pairs 'importer imports imported' that a law forbids."""
    sources = modules(root)
    known = frozenset(sources)
    return [f"{m} imports {i}" for m, text in sources.items() for i in imported(text, known) if not law(m, i)]


def reference_knows_no_other_room(m: str, i: str) -> bool:
    return not within(m, "reference") or not within(i, "theorems", "reports")


def the_court_knows_no_paper(m: str, i: str) -> bool:
    if not within(m, "theorems.checking") or not within(i, *ROOMS):
        return True
    return within(i, "reference.arithmetic", "theorems.statement", "theorems.checking")


def papers_know_the_nouns_and_the_vocabulary(m: str, i: str) -> bool:
    room, *rest = m.split(".")
    # studies are a door, like the command line: they bring instances before the court's measuring tools
    if room != "theorems" or len(rest) < 2 or rest[0] in ("checking", "studies") or not within(i, *ROOMS):
        return True
    # GLSS generalises AKM+17, so that the older lemmas run on the instances and constructions of the newer paper
    builds_on = {"akm17": ("theorems.glss",)}.get(rest[0], ())
    return within(i, "reference", "theorems.statement", "theorems.sources", f"theorems.{rest[0]}", *builds_on)


def reports_know_nobody(m: str, i: str) -> bool:
    return not within(m, "reports") or not within(i, "reference", "theorems")


def one_door_opens_the_gallery(m: str, i: str) -> bool:
    return not within(i, "reports") or within(m, "reports", DOOR)


def one_door_to_balls(m: str, i: str) -> bool:
    return not within(i, "flint", "mpmath") or m == "reference.arithmetic"


def pictures_in_the_gallery_only(m: str, i: str) -> bool:
    return not within(i, "matplotlib", "jinja2", "markupsafe") or within(m, "reports")


def terminal_at_the_door_only(m: str, i: str) -> bool:
    return not within(i, "typer", "click", "rich") or m in (DOOR, "theorems.console")


LAWS = {
    reference_knows_no_other_room: ("reference/bad.py", "from theorems.statement import Answer"),
    the_court_knows_no_paper: ("theorems/checking/bad.py", "def f():\n    from theorems import glss"),
    papers_know_the_nouns_and_the_vocabulary: ("theorems/glss/bad.py", "import theorems.checking.judge"),
    reports_know_nobody: ("reports/bad.py", "import reference.leverage as x"),
    one_door_opens_the_gallery: ("theorems/bad.py", "from reports.page import write_reports"),
    one_door_to_balls: ("theorems/checking/bad.py", "from flint import arb"),
    pictures_in_the_gallery_only: ("theorems/bad.py", "import matplotlib.pyplot as plt"),
    terminal_at_the_door_only: ("theorems/verification.py", "import rich.progress"),
}


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_house_keeps_the_law(law):
    assert faults(ROOT, law) == []


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_law_bites(law, tmp_path):
    path, line = LAWS[law]
    for package in ("theorems/glss", "theorems/checking", "reference", "reports"):
        (tmp_path / package).mkdir(parents=True)
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / path).write_text(line + "\n")
    assert len(faults(tmp_path, law)) == 1


@pytest.mark.parametrize(
    "line", ["from reference import leverage", "import reference.leverage", "from theorems.glss import x"]
)
def test_the_court_may_take_arithmetic_and_nothing_else_of_the_nouns(line, tmp_path):
    (tmp_path / "theorems/checking").mkdir(parents=True)
    bad = tmp_path / "theorems/checking/bad.py"
    bad.write_text("from reference.arithmetic import exact\n")
    assert faults(tmp_path, the_court_knows_no_paper) == []
    bad.write_text(line + "\n")
    assert faults(tmp_path, the_court_knows_no_paper)


def test_the_house_is_not_empty():
    found = modules(ROOT)
    assert len(found) > 30
    assert {"reference.arithmetic", "theorems.checking.judge", DOOR, "reports.page"} <= found.keys()


VAGUE = {"utils", "util", "helpers", "helper", "core", "manager", "common", "misc"}


def vague(root: Path) -> list[str]:
    return [m for m in modules(root) if VAGUE & set(re.split(r"[._]", m))]


def test_every_module_has_a_name_of_its_own(tmp_path):
    assert vague(ROOT) == []
    (tmp_path / "theorems").mkdir()
    (tmp_path / "theorems/matrix_utils.py").touch()
    assert vague(tmp_path) == ["theorems.matrix_utils"]


def fetched(root: Path) -> list[str]:
    """Modules that could talk to the network: a verdict never depends on another host."""
    network = ("http", "urllib", "requests", "httpx", "socket", "ftplib", "aiohttp")
    known = frozenset(modules(root))
    return [m for m, text in modules(root).items() for i in imported(text, known) if within(i, *network)]


def test_nothing_asks_another_host(tmp_path):
    assert fetched(ROOT) == []
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference/bad.py").write_text("from urllib.request import urlopen\n")
    assert fetched(tmp_path) == ["reference.bad"]


def index_hosts(text: str) -> list[str]:
    return re.findall(r"^\s*(?:extra-)?(?:index-url|index|find-links|url)\s*=\s*\S*http\S*", text, re.MULTILINE)


def test_packages_come_from_no_host_of_ours():
    assert index_hosts((ROOT / "pyproject.toml").read_text()) == []
    assert index_hosts('[[tool.uv.index]]\nurl = "http://localhost:1"\n') == ['url = "http://localhost:1"']


def test_relative_imports_are_refused():
    with pytest.raises(AssertionError, match="relative"):
        list(imported("from .statement import Answer", frozenset()))
