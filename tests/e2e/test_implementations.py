#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Upstreams of every implementation of TLS at hand: the cases of tools/lab/implementations.py, under
one tlsfail. Programs that are not installed are skipped."""
from functools import partial

from lab.implementations import CASES
from lab.servers import PROGRAMS
from tap import Skip, require
from test_cases import check_counts, check_error_log, check_failure, check_schema


def tests(here):
    """Yields (name, test)."""
    chosen = [case for case in CASES if here.wants("implementation/" + case.name)]
    lacks = {program: server.lacks() for program, server in PROGRAMS.items()}
    present = [case for case in chosen if not lacks[case.upstream.program]]
    for case in chosen:
        if case not in present:
            yield "implementation/" + case.name, partial(skip, lacks[case.upstream.program])
    if present:
        yield from suite(here, present)


def skip(missing):
    raise Skip(f"{missing} is not installed")


def suite(here, chosen):
    with here.lab("implementations", chosen) as lab, \
            here.trace_json(lab, "--error-log", lab.traced.log) as tlsfail:
        yield "implementations/armed", tlsfail.wait_armed
        for case in chosen:
            yield "implementation/" + case.name, partial(check, lab, tlsfail, case)
        yield "implementations/one-finding-each", partial(check_counts, tlsfail, chosen)
        yield "implementations/error-log", partial(check_error_log, lab, tlsfail, chosen)
        yield "implementations/schema", partial(check_schema, tlsfail)


def check(lab, tlsfail, case):
    """What is wrong is the cause, or a candidate where something else looks like it."""
    check_failure(lab, tlsfail, case)
    finding = tlsfail.wait_finding(case)
    if case.truth:
        require(case.truth in finding.get("tlsfail.candidates", ()), finding)
