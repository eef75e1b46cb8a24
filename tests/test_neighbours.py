# ruff: noqa: ARG005 - stand-ins take the arguments of what they stand for
import subprocess
import sys
from pathlib import Path

import pytest

import theorems.__main__ as program
from theorems.__main__ import main
from theorems.neighbours import HOME, IntruderFound, require_our_own
from theorems.streams import Signalled

ROOT = Path(__file__).parents[1]


def test_our_own_packages_are_accepted():
    assert HOME == ROOT
    require_our_own(program.__file__)


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
        require_our_own(program.__file__)


def test_another_theorems_under_our_own_program_is_named(tmp_path):
    # run as a script, the program's folder is on the path, not its parent: another copy may answer
    script = tmp_path / "theorems" / "__main__.py"
    script.parent.mkdir()
    script.write_bytes(Path(program.__file__).read_bytes())
    done = subprocess.run(
        [sys.executable, script, "list"], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    assert f"the package 'theorems' must be {script.parent}, but {ROOT / 'theorems'} answers" in line


def test_a_foreign_theorems_in_the_working_folder_does_not_reach_the_command(tmp_path):
    (tmp_path / "theorems").mkdir()
    (tmp_path / "theorems" / "__init__.py").write_text("raise SystemExit('the intruder ran')")
    command = "import sys; from theorems.__main__ import main; sys.exit(main())"  # what the installed script says
    done = subprocess.run(
        [sys.executable, "-P", "-c", command, "--help"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def deaf(monkeypatch):
    """Leave the signals and hooks of the process that tests as they are."""
    monkeypatch.setattr("theorems.streams.listen", lambda: None)


@pytest.mark.usefixtures("deaf")
class TestMain:
    def test_opens_the_door(self, monkeypatch, capsys):
        monkeypatch.setattr(sys, "argv", ["theorems", "--help"])
        with pytest.raises(SystemExit) as stop:
            main()
        assert not stop.value.code
        assert "verify" in capsys.readouterr().out

    @pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (Signalled(15), 143)])
    def test_a_signal_before_any_command_is_one_line(self, monkeypatch, capsys, error, code):
        def interrupt(*_):
            raise error

        monkeypatch.setattr("theorems.neighbours.require_our_own", interrupt)
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == code
        assert capsys.readouterr() == ("", "theorems: interrupted\n")

    def test_stops_at_an_intruder(self, monkeypatch, capsys):
        monkeypatch.setattr("theorems.neighbours.find_spec", lambda name: None)
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code == 2
        line = f"theorems: the package 'reference' must lie in {ROOT}, but nothing answers to that name\n"
        assert capsys.readouterr() == ("", line)
