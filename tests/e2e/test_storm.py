#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Failures that never stop, faster than they can be reported. Signals, --duration, the watchdog, metrics,
reload and the report of losses get through all the same. What is held is the order of events: each of them
happens while the storm goes on, and the watchdog's messages, one a second, say how long anything took."""
import contextlib
import re
import signal
import socket
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
LOST = ": tlsfail lost "  # in a line of --format line
WATCHDOG = "WATCHDOG=1"
STOPPING = "STOPPING=1"
TICKS = 30  # of the watchdog, one a second; --metrics-file is written every 10 of them


def tests(here):
    checks = {
        "interrupted": partial(check_ends, end=interrupt),
        "duration": partial(check_ends, end=wait, options=("--duration", 3)),
        "everything-else": check_everything_else,
    }
    yield from here.chosen("storm", checks)


@contextlib.contextmanager
def storm(here, name, *options, **tracer_options):
    """A storm of refused connections, and a tracer of it that is armed."""
    directory = here.top / ("storm-" + name)
    directory.mkdir(exist_ok=True)
    with procs.Processes() as running:
        sources = [running.start([sys.executable, refused.__file__, str(PORT)],
                                 stdout=subprocess.DEVNULL) for _ in range(2)]
        pids = [word for source in sources for word in ("--pid", source.pid)]
        for source in sources:
            procs.wait_until(partial(has_tls, source.pid), 5, "the storm")
        where = SimpleNamespace(directory=directory)
        with here.trace(where, *pids, *JSON, *options, **tracer_options) as tlsfail:
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


def check_counts(tlsfail, events):
    """What it reported as lost, and as found, is what its summary counts."""
    lost = sum(event.get("tlsfail.lost.findings", 0) for event in events)
    found = sum(event["event.name"] == "tls.handshake.failure" for event in events)
    summary = re.search(r"(\d+) records received, (\d+) records lost", tlsfail.stderr())
    require(summary and int(summary[2]) == lost, f"{lost} reported as lost", tlsfail.stderr())
    require(f"refused connections: {found}\n" in tlsfail.stderr(), f"{found} found",
            tlsfail.stderr())


def check_ends(here, end, options=()):
    """It ends while the storm goes on, and what it lost was reported before that; with what it could not
    look at, it has counted everything."""
    with storm(here, end.__name__, *options) as tlsfail:
        lose(tlsfail)
        procs.wait_until(lambda: LOSS in tlsfail.stdout_path.read_text(), 5, "a loss to be reported")
        status = end(tlsfail)
    require(status == 0, f"exit status {status}", tlsfail.stderr())
    check_counts(tlsfail, tlsfail.findings())


class Manager:
    """A service manager: the messages of tlsfail in the order in which they came."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.socket.settimeout(10 * procs.PATIENCE)
        self.env = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "10000000"}

    def until(self, word):
        """Waits for a message with WORD; returns all that came, with that one as the last."""
        came = []
        while not came or word not in came[-1]:
            require(len(came) < TICKS, f"no {word} in", *came)
            came.append(self.socket.recv(4096).decode())
        return came

    def take_waiting(self):
        """Takes what has come already."""
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while self.socket.recv(4096):
                pass
        self.socket.settimeout(10 * procs.PATIENCE)

    def until_true(self, condition, what):
        """Requires CONDITION to come true before the watchdog has been fed TICKS times more."""
        for _ in range(TICKS):
            if condition():
                return
            self.until(WATCHDOG)
        require(condition(), f"{what}: not before the watchdog was fed {TICKS} times")


def metric(path, sample):
    """The value of SAMPLE in the metrics file; 0: it is not there."""
    found = re.search("^" + re.escape(sample) + r" (\d+)", path.read_text(), re.M)
    return int(found[1]) if found else 0


def check_everything_else(here):
    """A loss, the metrics, a reload, a request for the state and the end come while the watchdog is fed, and
    records come faster than they can be written."""
    directory = here.top / "storm-else"
    directory.mkdir()
    names = ("tlsfail.prom", "first", "second", "tlsfail.conf")
    page, first, second, config = (directory / name for name in names)
    config.write_text(f'sink = [ "line:{first}" ]\n')
    manager = Manager(directory / "notify")
    failures = 'tlsfail_failures_total{cause="connection-refused",role="client"}'
    lost = 'tlsfail_records_lost_total{stage="kernel",record="failure"}'
    with storm(here, "else", "--config", config, "--metrics-file", page, env=manager.env,
               stdout=subprocess.DEVNULL) as tlsfail:
        manager.until("READY=1")
        lose(tlsfail)
        manager.until_true(lambda: LOST in first.read_text(), "a loss reported")
        before = metric(page, failures)
        manager.until_true(lambda: metric(page, failures) > before and metric(page, lost),
                           "failures and losses in the metrics file")
        config.write_text(f'sink = [ "line:{second}" ]\n')
        tlsfail.process.send_signal(signal.SIGHUP)
        manager.until("RELOADING=1")
        manager.until("READY=1")
        manager.until_true(lambda: second.exists() and second.stat().st_size, "the new output")
        tlsfail.process.send_signal(signal.SIGUSR1)
        manager.until_true(lambda: tlsfail.stderr_lines("tlsfail: alive:"), "an answer to SIGUSR1")
        manager.until(WATCHDOG)
        manager.take_waiting()
        status = interrupt(tlsfail)
        came = manager.until(STOPPING)
    require(status == 0, f"exit status {status}", tlsfail.stderr())
    require(sum(WATCHDOG in message for message in came) <= 1,
            "a second and more went by between SIGINT and its effect:", *came)
    require(metric(page, lost) and not metric(page, "tlsfail_armed"), page.read_text())
