"""The processes of `--jobs`: they leave with the run that started them, however it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from time import sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Executor

_PULSE = 1.0  # seconds between two looks at the parent


@contextmanager
def workers(jobs: int) -> Iterator[Executor | None]:
    """Open an executor of `jobs` processes, killed on any exit; None for one job, which needs no process."""
    if jobs == 1:
        yield None
        return
    import loky

    executor = loky.ProcessPoolExecutor(max_workers=jobs, initializer=leave_with, initargs=(os.getpid(),))
    try:
        yield executor
    finally:
        executor.shutdown(kill_workers=True)


def leave_with(parent: int) -> None:
    """Watch, in a worker, the process that started it: a parent that was killed outright kills nobody."""
    Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        sleep(_PULSE)
    os._exit(1)
