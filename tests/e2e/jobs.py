#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs the parts of a suite side by side, in as many processes: most of a test is waiting. A part is a name and
a generator function of tests: see tap.Report.run_all()."""
import contextlib
import io
import multiprocessing
import os
import sys
from multiprocessing.connection import wait

from lab import lab, procs
from tap import Report

JOBS_MAX = 4
END_LIMIT_S = 30  # for what a worker has to clean up


def add_option(parser):
    """Adds --jobs to PARSER."""
    parser.add_argument("--jobs", type=int, default=min(len(os.sched_getaffinity(0)), JOBS_MAX), metavar="N",
                        help="run up to N tests at the same time; by default one for each CPU, at most "
                        f"{JOBS_MAX}")


class _Relayed(Report):
    """Sends CONNECTION what it would print, after what the tests have printed."""

    def __init__(self, connection):
        super().__init__()
        self._connection = connection

    def tell(self, passed, description, diagnostics=""):
        said = sys.stdout.getvalue()
        sys.stdout = io.StringIO()
        self._connection.send((passed, description, diagnostics, said))


def _work(connection, parts, begin):
    """A worker: runs those of PARTS whose numbers come from CONNECTION, until None comes."""
    procs.die_with_parent()
    lab.exit_on_sigterm()
    sys.stdout = io.StringIO()
    report = _Relayed(connection)
    with contextlib.suppress(EOFError, KeyboardInterrupt), begin() as here:
        for number in iter(connection.recv, None):
            name, tests = parts[number]
            report.run_all(name, tests(here))
            connection.send(None)


class _Worker:
    """A process that runs PARTS, one after the other."""

    def __init__(self, parts, begin):
        context = multiprocessing.get_context("fork")
        self.connection, its = context.Pipe()
        self.process = context.Process(target=_work, args=(its, parts, begin))
        self.process.start()
        its.close()  # so that its end is seen
        self.part = None  # the number of what it runs

    def give(self, waiting):
        """Has it run the first of WAITING, or end."""
        self.part = waiting.pop(0) if waiting else None
        with contextlib.suppress(ConnectionError):  # it has ended, which is seen next
            self.connection.send(self.part)

    def end(self):
        self.process.terminate()
        self.process.join(END_LIMIT_S)
        self.process.kill()
        self.process.join()
        self.connection.close()


def run(parts, jobs, report, begin):
    """Runs the tests of PARTS, (name, tests) each, JOBS of them at the same time; the first ones begin. What
    BEGIN returns is entered in each process and gives the Env of its tests. REPORT is told how each test went, and
    which parts came to no end."""
    waiting = list(range(len(parts)))
    unfinished = []  # (number of a part, why)
    with contextlib.ExitStack() as stack:
        workers = {}
        for _ in range(min(max(jobs, 1), len(parts))):
            worker = _Worker(parts, begin)
            stack.callback(worker.end)
            workers[worker.connection] = worker
            worker.give(waiting)
        while workers:
            for connection in wait(list(workers)):
                worker = workers[connection]
                try:
                    told = connection.recv()
                except (EOFError, ConnectionError):
                    del workers[connection]
                    worker.process.join()
                    if worker.part is not None:
                        unfinished.append((worker.part, f"its process ended: {worker.process.exitcode}"))
                    continue
                if told is None:
                    worker.give(waiting)
                else:
                    report.tell(*told)
    for number, why in [*unfinished, *((number, "no process was left for it") for number in waiting)]:
        report.tell(False, parts[number][0], why)
