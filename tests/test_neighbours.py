# ruff: noqa: ARG005 - stand-ins take the arguments of what they stand for
import subprocess
import sys
from pathlib import Path

import pytest

from theorems.__main__ import main
from theorems.neighbours import HOME, IntruderFound, require_our_own

ROOT = Path(__file__).parents[1]


def test_our_own_packages_are_accepted():
    assert HOME == ROOT
    require_our_own()


def ask(folder: Path, *args: str) -> subprocess.CompletedProcess:
    """Run `python -m theorems` from a folder; Python itself puts that folder first on the path."""
    return subprocess.run(
        [sys.executable, "-m", "theorems", *args],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("intruder", ["reports/__init__.py", "reports.py", "reference/__init__.py"])
def test_an_intruder_is_named_in_one_line(tmp_path, intruder):
    (tmp_path / intruder).parent.mkdir(exist_ok=True)
    (tmp_path / intruder).write_text("raise SystemExit('the intruder ran')")
    done = ask(tmp_path, "list")
    name = Path(intruder).parts[0].removesuffix(".py")
    assert done.returncode == 2
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert f"the package {name!r} must lie in {ROOT}" in line
    assert str(tmp_path / intruder).removesuffix("/__init__.py") in line


def test_a_folder_that_is_no_package_is_no_intruder(tmp_path):
    (tmp_path / "reports").mkdir()  # a namespace package only where no other answers
    done = ask(tmp_path, "--help")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("spec", "found"), [(None, "nothing"), ("elsewhere", "elsewhere")])
def test_a_missing_or_foreign_package_is_named(monkeypatch, spec, found):
    class Spec:
        submodule_search_locations = None
        origin = "/elsewhere.py"

    monkeypatch.setattr("theorems.neighbours.find_spec", lambda name: Spec if spec else None)
    with pytest.raises(IntruderFound, match=rf"must lie in .*{found}.* answers to that name"):
        require_our_own()


class TestMain:
    def test_opens_the_door(self, monkeypatch, capsys):
        monkeypatch.setattr(sys, "argv", ["theorems", "--help"])
        with pytest.raises(SystemExit) as stop:
            main()
        assert not stop.value.code
        assert "verify" in capsys.readouterr().out

    def test_stops_at_an_intruder(self, monkeypatch, capsys):
        monkeypatch.setattr("theorems.neighbours.find_spec", lambda name: None)
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 2
        line = f"theorems: the package 'reference' must lie in {ROOT}, but nothing answers to that name\n"
        assert capsys.readouterr() == ("", line)
