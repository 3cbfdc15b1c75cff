#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Starts processes, remembers them, and ends them all, by pid and in bounded time."""
import contextlib
import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path

# How many times longer everything may take: virtual machines that are emulated are slow.
PATIENCE = float(os.environ.get("LAB_PATIENCE", "1"))

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


def die_with_parent():
    """Has this process end with its parent: nothing may outlive a run that was killed before it could clean up."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def wait_until(check, timeout, what):
    """Calls CHECK until it returns something true, and returns that. TIMEOUT is in seconds, times
    PATIENCE; when they have passed it raises TimeoutError, which names WHAT was waited for."""
    deadline = time.monotonic() + timeout * PATIENCE
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout * PATIENCE:g} s for {what}")
        time.sleep(0.01)


def pause(seconds):
    """Lets SECONDS, times PATIENCE, pass."""
    time.sleep(seconds * PATIENCE)


def children(pid):
    """The pids of the children of the process PID."""
    return [int(word) for task in Path(f"/proc/{pid}/task").iterdir()
            for word in (task / "children").read_text().split()]


@contextlib.contextmanager
def stopped(*pids):
    """None of PIDS runs meanwhile. One that ends all the same is none of our business."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def start_owned(argv, before=None, **popen_options):
    """Starts ARGV, which ends when this process does, and returns its Popen. The new process calls
    BEFORE first."""
    def prepare():
        die_with_parent()
        if before:
            before()

    popen_options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.Popen(argv, preexec_fn=prepare, **popen_options)


def stop(process, sig=signal.SIGTERM, timeout=3):
    """Ends PROCESS with SIG, or with SIGKILL once TIMEOUT seconds, times PATIENCE, have passed.
    Returns its exit status as Popen gives it."""
    if process.poll() is None:
        process.send_signal(sig)
        try:
            process.wait(timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


class Processes:
    """All processes of one lab. Leaving the `with` block ends them, youngest first."""

    def __init__(self):
        self._running = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self._running):
            stop(process)

    def start(self, argv, **popen_options):
        """Starts ARGV and returns its Popen; this object goes on owning the process."""
        process = start_owned(argv, **popen_options)
        self._running.append(process)
        return process
