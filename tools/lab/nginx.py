#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A running nginx, as the proxy and the upstreams have one: its workers and its error.log."""
import os
import re
import shutil
import signal
from pathlib import Path

from . import binaries, procs


def _is_worker(pid):
    # Until it has set its title, a worker is not yet one that answers.
    try:
        title = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):  # it has ended, even while we read
        return False
    return title.startswith(b"nginx: worker process\0")


def worker_pids(master):
    """The pids of the workers of the MASTER, a pid, that run now."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text()
    return [int(pid) for pid in children.split() if _is_worker(pid)]


def reload(master):
    """Has the MASTER, a Popen, reload, and returns when it has only new workers, as many as before."""
    old = set(worker_pids(master.pid))

    def replaced():
        now = set(worker_pids(master.pid))
        return len(now) == len(old) and not now & old

    master.send_signal(signal.SIGHUP)
    procs.wait_until(replaced, 10, "nginx to reload")


def environment(exe, private_libraries):
    """The environment for the nginx EXE; with PRIVATE_LIBRARIES, one in which it runs on copies of
    OpenSSL's, which are made beside it."""
    variables = dict(os.environ)
    if private_libraries:
        copies = exe.parent / "lib"
        copies.mkdir()
        for name in ("libssl.so", "libcrypto.so"):
            shutil.copy(binaries.find_library(exe, name), copies)
        variables["LD_LIBRARY_PATH"] = str(copies)
    return variables


class Logged:
    """An nginx with an error.log at LOG, a path, which need not be there yet."""

    def __init__(self, log):
        self.log = log

    def log_size(self):
        """The length of error.log, in bytes: what log_since() takes."""
        return self.log.stat().st_size if self.log.exists() else 0

    def log_since(self, offset):
        """What error.log got since it was OFFSET bytes long."""
        if not self.log.exists():
            return ""
        with open(self.log, encoding="utf-8", errors="replace") as log:
            log.seek(offset)
            return log.read()

    def find_in_log(self, pattern, offset, timeout=2):
        """Waits TIMEOUT seconds at most until a line of error.log after OFFSET matches PATTERN,
        and returns that line, or None."""
        def search():
            return re.search(f"^.*(?:{pattern}).*$", self.log_since(offset), re.MULTILINE)

        try:
            return procs.wait_until(search, timeout, "error.log").group(0)
        except TimeoutError:
            return None
