#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Records the golden recordings anew: one lab run for each case that has a cause, and what `replay`
makes of it, in both formats. Needs root.

    record_golden.py [--tlsfail PROGRAM] [--only GLOB]

A case whose finding is not the expected one keeps its old files, and the exit status is 1.
"""
import argparse
import fnmatch
import os
import shutil
import subprocess
import sys

import env
from lab import implementations, lab, netns, server_cases
from lab.cases import CASES
from test_cases import RACE_ATTEMPTS, compare, drive

GOLDEN = env.REPOSITORY / "tests" / "golden"
HOST_NAME = "lab"
# Paths are part of what is recorded, so this one is the same for everybody.
DIRECTORY = "/tmp/tlsfail-lab"


def parse_options():
    parser = argparse.ArgumentParser(description="record the golden recordings anew")
    parser.add_argument("--tlsfail", default=env.REPOSITORY / "build" / "tlsfail",
                        help="the program that records and replays")
    parser.add_argument("--only", default="*", metavar="GLOB",
                        help="only the cases whose names match")
    return parser.parse_args()


# The lab's name, what the traced nginx is in it, and the cases. Of other implementations of TLS, those
# that answer differently than OpenSSL.
SIDES = (("client", "client", CASES), ("server", "server", server_cases.CASES),
         ("implementations", "client", implementations.DIFFERENT))


def record(here, where, case):
    """Drives CASE under a trace of its own. Returns (recording, problems, its finding or None, workers)."""
    recording = where.directory / (case.name + ".rec")
    workers = where.traced.worker_pids()  # one of them may be killed
    for _ in range(RACE_ATTEMPTS if case.race else 1):
        with here.trace_json(where, "-v", "--record", recording,
                             "--error-log", where.traced.log) as tlsfail:
            tlsfail.wait_armed()
            problems = drive(where, case)
            finding = tlsfail.wait_finding(case)
            status = tlsfail.interrupt()
        if status != 0:
            problems.append(f"exit status {status}: {tlsfail.stderr()}")
        if not problems:
            break
    return recording, problems, finding, workers + where.traced.worker_pids()


def judge(case, problems, finding, workers):
    """Completes PROBLEMS with what is wrong with FINDING."""
    if finding is None:
        return problems + ["no finding"]
    return problems + compare(finding, case, workers)


def hand_back(path):
    """Gives PATH to the user who ran sudo."""
    if "SUDO_UID" in os.environ:
        os.chown(path, int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"]))


def update_expectations(program):
    """Makes what is expected of every recording anew. Returns whether it went well."""
    status = subprocess.run([GOLDEN / "run", "--tlsfail", program, "--update"],
                            check=False).returncode
    for path in GOLDEN.iterdir():
        hand_back(path)
    return status == 0


def record_case(here, where, case):
    """Records CASE anew and says how it went. Returns whether it went well."""
    recording, problems, finding, workers = record(here, where, case)
    problems = judge(case, problems, finding, workers)
    if problems:
        print(f"{case.name}: not recorded", *problems, sep="\n    ", flush=True)
        return False
    shutil.copyfile(recording, GOLDEN / (case.name + ".rec"))
    print(f"{case.name}: recorded", flush=True)
    return True


def record_side(here, name, role, cases, pattern):
    """Records those of CASES that match PATTERN, in the lab NAME where the traced nginx is of ROLE.
    Returns how each went."""
    chosen = [case for case in cases
              if case.slug and fnmatch.fnmatchcase(case.name, pattern)]
    if not chosen:
        return []
    with here.lab(name, chosen, role=role) as where:
        return [record_case(here, where, case) for case in chosen]


def main():
    options = parse_options()
    lab.exit_on_sigterm()
    netns.enter_network()
    netns.enter_hostname(HOST_NAME)
    recorded = []
    with lab.directory(DIRECTORY) as top:
        here = env.Env(options.tlsfail, top)
        for name, role, cases in SIDES:
            recorded += record_side(here, name, role, cases, options.only)
    updated = update_expectations(here.tlsfail)
    return 0 if updated and recorded and all(recorded) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
