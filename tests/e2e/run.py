#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The end-to-end suite: tlsfail on a real nginx with real broken upstreams. Needs root.

    run.py [--tlsfail PROGRAM] [--only GLOB] [--jobs N] [--keep] [--soak SECONDS]

Prints TAP; exits with 0 only when all is well. It runs in network namespaces of its own.
"""
import argparse
import os
import sys
from contextlib import contextmanager
from functools import partial

import env
import jobs
import test_budget
import test_cases
import test_certs
import test_confirm
import test_connect
import test_container
import test_dist
import test_doctor
import test_errorlog
import test_field
import test_fold
import test_gone
import test_hooks
import test_host
import test_implementations
import test_input
import test_lifecycle
import test_memory
import test_metrics
import test_mishaps
import test_nginxconf
import test_obstacles
import test_output
import test_patches
import test_peers
import test_plain
import test_probe
import test_probe_servers
import test_programs
import test_replay
import test_safety
import test_separation
import test_server
import test_service
import test_sinks
import test_soak
import test_stops
import test_storm
import test_strangers
import test_top
import test_unused
import test_uring
import test_verifier
import test_wire
import test_wordless
from lab import lab, netns
from tap import Report

# Those that take the longest come first, so that none is left over when the rest is done.
SIDE_BY_SIDE = tuple(module.tests for module in (
    test_patches, test_budget, test_errorlog, test_stops, test_sinks, test_dist, test_host, test_strangers,
    test_separation, test_probe_servers, test_gone, test_certs, test_metrics, test_top, test_probe, test_safety,
    test_server, test_wire, test_nginxconf, test_lifecycle, test_cases, test_confirm, test_hooks, test_verifier,
    test_container, test_peers, test_output, test_field, test_programs, test_plain, test_replay, test_input,
    test_fold, test_service, test_connect, test_implementations, test_doctor, test_unused, test_wordless, test_uring))

# Nothing runs beside these: a busy machine makes handshakes cheaper, what processes share counts in parts, a
# storm takes all the time that there is, and whatever is called nginx is traced, or named by doctor.
ALONE = (test_budget.tests_of_library, test_storm.tests, test_soak.tests, test_mishaps.tests, test_memory.tests,
         test_obstacles.tests)


def parse_options():
    parser = argparse.ArgumentParser(description="end-to-end tests of tlsfail")
    parser.add_argument("--tlsfail", default=env.REPOSITORY / "build" / "tlsfail",
                        help="the program under test")
    parser.add_argument("--only", default="*", metavar="GLOB",
                        help="run the tests whose names match, such as 'case/verify-*'")
    jobs.add_option(parser)
    parser.add_argument("--keep", action="store_true", help="keep the directories of the run")
    parser.add_argument("--soak", default=40, type=seconds, metavar="TIME", dest="soak_s",
                        help="how long a soak lasts, such as 30m or 2h; 40s by default")
    return parser.parse_args()


def seconds(text):
    """A TIME of the command line: 20, 20s, 30m, 2h."""
    units = {"s": 1, "m": 60, "h": 3600}
    return float(text.rstrip("smh")) * units.get(text[-1], 1)


@contextmanager
def begin(options, certificates):
    """The Env of one of the processes that run tests: nothing that others touch, not even certificates."""
    netns.enter_network()
    with lab.directory(keep=options.keep, certificates=certificates) as top:
        yield env.Env(options.tlsfail, top, options.only, options.soak_s)


def main():
    options = parse_options()
    if os.geteuid() != 0:
        print("run.py: the end-to-end tests need root", file=sys.stderr)
        return 1
    if not os.access(options.tlsfail, os.X_OK):
        print(f"run.py: {options.tlsfail} is missing: run make first", file=sys.stderr)
        return 1
    lab.exit_on_sigterm()
    report = Report()
    with lab.directory() as top:
        for parts, count in (SIDE_BY_SIDE, options.jobs), (ALONE, 1):
            jobs.run([(tests.__module__, tests) for tests in parts], count, report,
                     partial(begin, options, top / "pki"))
    return report.finish()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
