#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The end-to-end suite: tlsfail on a real nginx with real broken upstreams. Needs root.

    run.py [--tlsfail PROGRAM] [--only GLOB] [--keep] [--soak SECONDS]

Prints TAP; exits with 0 only when all is well. It runs in a network namespace of its own.
"""
import argparse
import os
import sys

import env
import test_budget
import test_cases
import test_certs
import test_confirm
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

MODULES = (test_cases, test_confirm, test_probe_servers,
           test_implementations, test_certs, test_hooks, test_lifecycle, test_host,
           test_container, test_mishaps, test_nginxconf, test_patches, test_errorlog, test_memory, test_metrics, test_dist,
           test_replay, test_budget, test_input, test_output, test_fold, test_peers, test_field, test_gone,
           test_programs, test_plain, test_unused,
           test_doctor, test_safety, test_server, test_obstacles, test_service, test_sinks, test_stops, test_storm,
           test_verifier, test_uring, test_wire, test_wordless, test_probe,
           test_strangers, test_soak, test_top, test_separation)


def parse_options():
    parser = argparse.ArgumentParser(description="end-to-end tests of tlsfail")
    parser.add_argument("--tlsfail", default=env.REPOSITORY / "build" / "tlsfail",
                        help="the program under test")
    parser.add_argument("--only", default="*", metavar="GLOB",
                        help="run the tests whose names match, such as 'case/verify-*'")
    parser.add_argument("--keep", action="store_true", help="keep the directory of the run")
    parser.add_argument("--soak", default=40, type=seconds, metavar="TIME", dest="soak_s",
                        help="how long a soak lasts, such as 30m or 2h; 40s by default")
    return parser.parse_args()


def seconds(text):
    """A TIME of the command line: 20, 20s, 30m, 2h."""
    units = {"s": 1, "m": 60, "h": 3600}
    return float(text.rstrip("smh")) * units.get(text[-1], 1)


def main():
    options = parse_options()
    if os.geteuid() != 0:
        print("run.py: the end-to-end tests need root", file=sys.stderr)
        return 1
    if not os.access(options.tlsfail, os.X_OK):
        print(f"run.py: {options.tlsfail} is missing: run make first", file=sys.stderr)
        return 1
    lab.exit_on_sigterm()
    netns.enter_network()
    report = Report()
    with lab.directory(keep=options.keep) as top:
        here = env.Env(options.tlsfail, top, options.only, options.soak_s)
        for module in MODULES:
            report.run_all(module.__name__, module.tests(here))
    return report.finish()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
