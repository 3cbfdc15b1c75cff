#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A running nginx, as the proxy and the upstreams have one: its workers and its error.log."""
import re
from pathlib import Path

from . import procs


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


class ErrorLog:
    """An error.log at PATH, which need not be there yet."""

    def __init__(self, path):
        self._path = path

    def size(self):
        """Its length in bytes: what since() takes."""
        return self._path.stat().st_size if self._path.exists() else 0

    def since(self, offset):
        """What it got since it was OFFSET bytes long."""
        if not self._path.exists():
            return ""
        with open(self._path, encoding="utf-8", errors="replace") as log:
            log.seek(offset)
            return log.read()

    def find(self, pattern, offset, timeout=2):
        """Waits TIMEOUT seconds at most until a line after OFFSET matches PATTERN, and returns that
        line, or None."""
        def search():
            return re.search(f"^.*(?:{pattern}).*$", self.since(offset), re.MULTILINE)

        try:
            return procs.wait_until(search, timeout, "error.log").group(0)
        except TimeoutError:
            return None
