#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Failures that come without end, faster than they can be told: signals, --duration, the count of
what was lost and everything else have their turn all the same."""
import contextlib
import re
import signal
import subprocess
import sys
import time
from functools import partial
from types import SimpleNamespace

from env import JSON
from lab import procs, refused
from tap import require

PORT = 1  # where nobody listens
FULL_S = 1  # the ring is full after that, at some thousands a second
LOSS = "tlsfail.loss"


def tests(here):
    checks = {
        "interrupted": partial(check_ends, end=interrupt),
        "duration": partial(check_ends, end=wait, options=("--duration", 3)),
    }
    yield from here.chosen("storm", checks)


@contextlib.contextmanager
def storm(here, name, *options):
    """A storm of refused connections, and a tracer of it that is armed."""
    directory = here.top / ("storm-" + name)
    directory.mkdir()
    with procs.Processes() as running:
        sources = [running.start([sys.executable, refused.__file__, str(PORT)],
                                 stdout=subprocess.DEVNULL) for _ in range(2)]
        pids = [word for source in sources for word in ("--pid", source.pid)]
        for source in sources:
            procs.wait_until(partial(has_tls, source.pid), 5, "the storm")
        where = SimpleNamespace(directory=directory)
        with here.trace(where, *pids, *JSON, *options) as tlsfail:
            tlsfail.wait_armed()
            yield tlsfail
            require(all(source.poll() is None for source in sources), "the storm has ended")


def has_tls(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        return "libssl" in maps.read()


def lose(tlsfail):
    """Makes sure that some are lost, whichever of the two is faster here."""
    tlsfail.process.send_signal(signal.SIGSTOP)
    time.sleep(FULL_S)
    tlsfail.process.send_signal(signal.SIGCONT)


def interrupt(tlsfail):
    require(tlsfail.process.poll() is None, "it had ended", tlsfail.stderr())
    return tlsfail.interrupt()


def wait(tlsfail):
    return tlsfail.process.wait(10 * procs.PATIENCE)


def check_ends(here, end, options=()):
    """It ends while the storm goes on, and what it lost was told before that; with what it could not
    look at, it has counted everything."""
    with storm(here, end.__name__, *options) as tlsfail:
        lose(tlsfail)
        procs.wait_until(lambda: LOSS in tlsfail.stdout_path.read_text(), 5, "a loss to be told")
        status = end(tlsfail)
    require(status == 0, f"exit status {status}", tlsfail.stderr())
    events = tlsfail.findings()
    lost = sum(event.get("tlsfail.lost.findings", 0) for event in events)
    found = sum(event["event.name"] == "tls.handshake.failure" for event in events)
    told = re.search(r"(\d+) records received, (\d+) records lost", tlsfail.stderr())
    require(told and int(told[2]) == lost, f"{lost} told as lost", tlsfail.stderr())
    require(f"refused connections: {found}\n" in tlsfail.stderr(), f"{found} found",
            tlsfail.stderr())
