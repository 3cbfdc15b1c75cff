#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What every test is given: the program under test, a directory, and ways to start a lab and a
tracer in it. Importing this makes the `lab` package importable."""
import fnmatch
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(REPOSITORY / "tools"))

from lab import lab, procs, tracer

# A test may bring about several failures of a kind: each is told.
JSON = ("--format", "json", "--no-fold")

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")


class Env:
    """TLSFAIL is the program's path, TOP the run's directory, PATTERN which tests to run, SOAK_S how
    many seconds a soak lasts."""

    degraded = ()  # what doctor has to find fault with here, by name
    owns_clock = False  # may it be set?

    def __init__(self, tlsfail, top, pattern="*", soak_s=40):
        self.soak_s = soak_s
        self.tlsfail = Path(tlsfail).resolve()
        self.top = top
        self._pattern = pattern

    def wants(self, name):
        """Whether the test NAME was asked for."""
        return fnmatch.fnmatchcase(name, self._pattern)

    def adapted(self, case):
        """CASE as it is where the tests run."""
        return case

    def chosen_cases(self, cases):
        """Those of CASES that were asked for."""
        return [self.adapted(case) for case in cases if self.wants("case/" + case.name)]

    def chosen(self, group, checks):
        """Yields ("GROUP/NAME", test) for those of CHECKS, {name: function of this Env}, that were
        asked for."""
        for name, check in checks.items():
            if self.wants(f"{group}/{name}"):
                yield f"{group}/{name}", partial(check, self)

    def lab(self, name, cases, **options):
        """A lab of its own for one test: see lab.Lab."""
        return lab.Lab(self.top, name, cases, **options)

    def trace(self, where, *args, **options):
        """`tlsfail trace ARGS` beside the lab WHERE: see tracer.Tracer."""
        return tracer.Tracer(self.tlsfail, where.directory, args, **options)

    def trace_json(self, where, *args, **options):
        """`tlsfail trace` of the programs that WHERE is about, printing JSON."""
        exes = [word for exe in where.traced.exes for word in ("--exe", exe)]
        return self.trace(where, *exes, *JSON, *args, **options)

    def undated(self, path):
        """The text output in the file at PATH, as a program that reads it gets it: without dates."""
        text = Path(path).read_text(encoding="utf-8")
        return re.sub(r"^(TIME) {11}|^\d{4}-\d\d-\d\d (?=\d\d:\d\d:\d\d )", r"\1", text, flags=re.M)

    def run(self, *args, prefix=(), program=None):
        """Runs `PREFIX tlsfail ARGS` to its end; PROGRAM is another copy of it. Returns the
        CompletedProcess, as text."""
        return subprocess.run([*prefix, str(program or self.tlsfail), *map(str, args)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              errors="replace", timeout=20 * procs.PATIENCE, check=False)
