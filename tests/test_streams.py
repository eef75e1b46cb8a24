import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from theorems import streams
from theorems.streams import Signalled, printable, stop_code, tell

ROOT = Path(__file__).parents[1]


def chained(error, *, cause=None, context=None):
    error.__cause__, error.__context__ = cause, context
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (KeyboardInterrupt(), 130),
        (SystemError("error return without exception set"), 130),
        (Signalled(signal.SIGTERM), 143),
        (Signalled(signal.SIGHUP), 129),
        (chained(SystemError(), cause=Signalled(signal.SIGTERM)), 143),
        (chained(KeyboardInterrupt(), cause=chained(SystemError(), context=Signalled(signal.SIGTERM))), 143),
        (chained(ValueError(), context=KeyboardInterrupt()), 130),
        (ValueError(), None),
        (chained(ValueError(), cause=OSError()), None),
        (None, None),
    ],
)
def test_an_error_that_stands_for_a_signal_is_known(error, code):
    assert stop_code(error) == code


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain λ \\ name.npy", "plain λ \\ name.npy"),
        ("\x1b[31m", r"\x1b[31m"),
        ("a\nb\tc\x7f\x9b", r"a\nb\tc\x7f\x9b"),
        ("\u202e\udce9", r"\u202e\udce9"),
    ],
)
def test_only_visible_characters_are_printed(text, shown):
    assert printable(text) == shown
    assert shown.isprintable()


class Full:
    def write(self, _):
        raise OSError(28, "No space left on device")

    def flush(self):
        pass


def test_a_line_for_nobody_changes_nothing(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Full())
    tell("lost")
    sys.stderr.write("lost as well")  # nothing is left that would fail again at exit
    monkeypatch.setattr(sys, "stderr", None)
    tell("lost, too")


def test_a_line_is_told(capsys):
    tell("heard")
    assert capsys.readouterr().err == "heard\n"


def script(code):
    return subprocess.run(
        [sys.executable, "-c", "import os, signal, sys\nfrom theorems.streams import *\n" + code],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_signals_unwind_and_ignored_ones_stay_ignored():
    done = script(
        "signal.signal(signal.SIGHUP, signal.SIG_IGN); listen()\n"
        "for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):\n"
        "    try:\n        os.kill(os.getpid(), number)\n"
        "    except KeyboardInterrupt as e:\n        print(stop_code(e))\n"
    )
    assert (done.stdout, done.stderr) == ("143\n130\n", "")


def test_a_signal_that_falls_into_a_callback_is_sent_again():
    done = script(
        "import time, weakref\nlisten()\n"
        "class Thing: pass\n"
        "thing = Thing()\n"
        "watch = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGTERM))\n"
        "try:\n    del thing\n    time.sleep(50)\n"
        "except Signalled as e:\n    print(stop_code(e))\n"
    )
    assert (done.stdout, done.stderr) == ("143\n", "")


def test_other_lost_errors_are_told_as_ever(monkeypatch):
    told = []
    monkeypatch.setattr(sys, "__unraisablehook__", told.append)
    lost = SimpleNamespace(exc_value=ValueError())
    streams._send_again(lost)
    assert told == [lost]


@pytest.mark.parametrize("closed", ["0", "1", "2", "0 1 2"])
def test_no_file_gets_the_number_of_a_closed_stream(tmp_path, closed):
    code = (
        "import os, sys\nfrom theorems.streams import occupy\noccupy()\n"
        "number = os.open('here', os.O_CREAT | os.O_RDWR)\nos.write(number, str(number).encode())\n"
        "assert all(os.get_inheritable(n) for n in range(3))"
    )
    shut = " ".join(f"{n}>&-" for n in closed.split())
    subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -c "$1" {shut}', sys.executable, code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        check=True,
        timeout=60,
    )
    assert int((tmp_path / "here").read_text()) > 2


def test_occupying_open_streams_takes_nothing():
    probe = os.open(os.devnull, os.O_RDONLY)
    os.close(probe)
    streams.occupy()
    again = os.open(os.devnull, os.O_RDONLY)
    os.close(again)
    assert again == probe
