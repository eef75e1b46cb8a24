"""Standard streams and signals: what may reach a terminal, and what a run does when they fail it.

Imports nothing heavy: this is the first thing that runs.
"""

from __future__ import annotations

import os
import signal
import sys
from io import StringIO
from threading import Timer
from types import FrameType

INTERRUPTED = 128 + signal.SIGINT


class Signalled(KeyboardInterrupt):
    """SIGINT, SIGTERM or SIGHUP came: all unwind like Ctrl-C, so that workers end and whole batches are kept.

    A class of its own, because Python dies of a plain KeyboardInterrupt that passed through `exec`, caught or not.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


def _raise(signum: int, _: FrameType | None) -> None:
    raise Signalled(signum)


def listen() -> None:
    """Let the signals that end a run unwind it; one that is ignored, as under nohup, stays so."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(signum) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(signum, _raise)
    sys.unraisablehook = _send_again


def _send_again(lost: sys.UnraisableHookArgs) -> None:
    """Repeat a signal that fell into a callback of the collector or of an import: what is raised there is dropped."""
    if not isinstance(lost.exc_value, Signalled):
        sys.__unraisablehook__(lost)
        return
    again = Timer(0.01, os.kill, (os.getpid(), lost.exc_value.signum))
    again.daemon = True
    again.start()


def stop_code(error: BaseException | None) -> int | None:
    """Give the exit code of the signal that an error stands for; None where it stands for none.

    Object arithmetic in C turns a signal that falls into it into SystemError.
    """
    found = None
    while error is not None:
        if isinstance(error, Signalled):
            return 128 + error.signum
        if isinstance(error, KeyboardInterrupt | SystemError):
            found = INTERRUPTED
        error = error.__cause__ or error.__context__
    return found


def occupy() -> None:
    """Put the null device where a standard stream is closed: the next file would get its number, and its output."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)  # for the workers as well
    os.close(descriptor)


def tell(text: str) -> None:
    """Write a line to stderr; where that is closed or full there is nobody to tell, and no verdict changes."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except OSError:
        sys.stderr = StringIO()  # what the buffer holds would fail again at exit, and change the exit code


def printable(text: str) -> str:
    """Escape what is no visible character: a user's file name may hold bytes that a terminal obeys."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
