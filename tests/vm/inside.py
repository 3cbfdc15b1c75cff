#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Inside a guest: the end-to-end tests on its kernel, as TAP.

    inside.py --guest NAME --groups GROUP,... --tests GLOB --results DIRECTORY

Left in DIRECTORY are what the guest is (`environment.json`), and for each lab the findings, the
recording, tlsfail's messages and nginx's log.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import env
import guests
import image
import test_cases
import test_connect
import test_container
import test_cost
import test_doctor
import test_hooks
import test_host
import test_lifecycle
import test_lockdown
import test_mishaps
import test_obstacles
import test_preemption
import test_safety
import test_soak
import test_unused
import test_verifier
from lab import lab, netns, rare_cases
from tap import Report, Skip

# What locks the kernel down comes last.
MODULES = (test_cases, test_hooks, test_unused, test_doctor, test_safety, test_obstacles, test_verifier,
           test_lifecycle, test_connect, test_host, test_container, test_mishaps,
           test_preemption, test_soak, test_cost, test_lockdown)

KEPT = ("*.out", "*.err", "*.rec", "*.prom", "proxy/error.log", test_cost.LEFT,
        test_verifier.LEFT)


class GuestEnv(env.Env):
    """What the tests are given, with GUEST's peculiarities: those of GROUPS that match PATTERN. Every
    trace is recorded."""

    owns_clock = True

    def __init__(self, guest, top, groups, pattern):
        super().__init__(env.REPOSITORY / guest.tlsfail, top, pattern, guest.soak_s)
        self._guest = guest
        self.degraded = guest.degraded
        self._groups = groups

    def wants(self, name):
        return name.split("/")[0] in self._groups and super().wants(name)

    def adapted(self, case):
        return replace(case, **self._guest.differs.get(case.name, {}))

    def chosen_cases(self, cases):
        """(Those of rare causes are about the diagnosis, which is the same on every kernel.)"""
        rare = {case.name for case in rare_cases.rows(1)}
        return super().chosen_cases([case for case in cases if case.name not in rare
                                     and "case/" + case.name not in self._guest.lacks])

    def trace(self, where, *args, **options):
        recording = where.directory / (options.get("name", "tlsfail") + ".rec")
        return super().trace(where, "--record", recording, *args, **options)


def first_match(pattern, argv):
    """What the group of PATTERN is in the output of ARGV."""
    said = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=30, check=True).stdout
    return re.search(pattern, said)[1]


def environment(guest):
    """The versions that matter."""
    return {
        "suite": guest.name,
        "kernel": os.uname().release,
        "nginx": first_match(r"nginx/(\S+)", ["nginx", "-v"]),
        "openssl": first_match(r"OpenSSL (\S+)", ["openssl", "version"]),
    }


class GuestReport(Report):
    """Skips what GUEST lacks, but for hook alternatives: the kernel has to refuse those. What is
    run on the host is left to it. SECONDS is how long each test took."""

    def __init__(self, guest):
        super().__init__()
        self._lacks = guest.lacks
        self.seconds = {}

    def run(self, name, test):
        def skip():
            raise Skip(self._lacks[name])

        if name == guests.RUN_ON_HOST:
            return
        left_out = name in self._lacks and not name.startswith("hook/")
        started = time.monotonic()
        super().run(name, skip if left_out else test)
        self.seconds[name] = round(time.monotonic() - started, 1)

    def run_lacking_cases(self, here):
        """A line for each case that is not even in the lab's configuration."""
        for name in self._lacks:
            if name.startswith("case/") and here.wants(name):
                self.run(name, None)


def keep(top, results):
    """Copies what is worth it of every lab in TOP to RESULTS."""
    for pattern in KEPT:
        for path in top.glob("*/" + pattern):
            kept = results / path.relative_to(top)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, kept)


def begin(description):
    """Reads the command line. Returns (options, guest, report)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--guest", required=True)
    parser.add_argument("--groups", required=True)
    parser.add_argument("--tests", required=True)
    parser.add_argument("--results", type=Path, required=True)
    options = parser.parse_args()
    guest, = guests.named(options.guest)
    (options.results / "environment.json").write_text(json.dumps(environment(guest)))
    return options, guest, GuestReport(guest)


def end(options, report):
    """Leaves how long each test took. Returns the exit status."""
    (options.results / "seconds.json").write_text(json.dumps(report.seconds))
    return report.finish()


def main():
    options, guest, report = begin("the tests inside a guest")
    netns.enter_network()
    with lab.directory(certificates=Path("/", image.PKI)) as top:
        here = GuestEnv(guest, top, options.groups.split(","), options.tests)
        for module in MODULES:
            report.run_all(module.__name__, module.tests(here))
        keep(top, options.results)
    report.run_lacking_cases(here)
    return end(options, report)


if __name__ == "__main__":
    sys.exit(main())
