import os
import subprocess
import sys
from pathlib import Path

from theorems.workers import workers

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}


def test_one_job_needs_no_process():
    with workers(1) as executor:
        assert executor is None


def test_jobs_are_processes_that_end_with_the_block():
    with workers(2) as executor:
        pids = {executor.submit(os.getpid).result() for _ in range(4)}
    assert os.getpid() not in pids
    for pid in pids:
        assert not Path(f"/proc/{pid}/cmdline").exists() or not Path(f"/proc/{pid}/cmdline").read_bytes()


def test_a_worker_leaves_when_its_parent_is_killed():
    # the child holds its parent's stdout: the end of the stream is the end of both
    child = (
        "import os, time; from theorems.workers import leave_with; leave_with(os.getppid()); print(); time.sleep(600)"
    )
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-u', '-c', {child!r}])"
    with subprocess.Popen([sys.executable, "-c", parent], env=ENVIRONMENT, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"\n"
        process.kill()
        process.wait(timeout=60)
        assert process.stdout.read() == b""
