#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The traced process does not suffer. Under a seccomp filter it survives on every kernel; and without
return probes, as where they would endanger it, every case of the lab has the same cause, which may be
less certain."""
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from lab import drive, under_seccomp
from lab.cases import CASES, named
from tap import require
from test_budget import count_runs
from test_cases import check_counts, check_healthy, check_silence, compare, drive_to_failure

# Whose handshake one thread of nginx is in has to be told apart, whatever else it does.
AT_ONCE = named("good-tls13", "good-tls12", "good-keepalive", "good-resumed-tls12",
                "good-resumed-tls13", "good-verified-tls12", "plain-http", "verify-expired",
                "verify-expired-tls12", "verify-hostname-mismatch", "cipher-mismatch",
                "peer-closed-mid-handshake", "peer-not-tls-http")
EACH = 40

NO_RETURNS = "--no-return-probes"

# Between them nginx uses every function that has a return probe.
UNDER_SECCOMP = named("good-tls13", "good-tls12", "good-verified", "verify-expired",
                      "verify-hostname-mismatch", "protocol-version-rejected",
                      "client-cert-required")
SECCOMP_FILTERED = "\nSeccomp:\t2\n"
KILLS = "tlsfail: on this kernel return probes kill"


def tests(here):
    """Yields (name, test). The lab and the tracer live as long as this generator."""
    yield from here.chosen("seccomp", {
        "survives": partial(check_seccomp, options=[]),
        "survives-entry-only": partial(check_seccomp, options=[NO_RETURNS]),
    })
    yield from here.chosen("entry-only", {
        "at-once": partial(check_at_once, options=[NO_RETURNS]),
        "at-once-with-returns": partial(check_at_once, options=[]),
        "no-return-programs": check_programs,
    })
    chosen = [case for case in CASES if here.wants("entry-only/" + case.name)]
    if not chosen:
        return
    with here.lab("entry-only", chosen) as lab, \
            here.trace_json(lab, NO_RETURNS) as tlsfail:
        yield "entry-only/armed", tlsfail.wait_armed
        for case in chosen:
            check = check_failure if case.slug else check_healthy
            yield "entry-only/" + case.name, partial(check, lab, tlsfail, case)
        yield "entry-only/healthy-is-silent", partial(check_silence, tlsfail, chosen)
        yield "entry-only/one-finding-each", partial(check_counts, tlsfail, chosen)


def check_failure(lab, tlsfail, case):
    workers = lab.traced.worker_pids()  # one of them may be killed
    problems, finding = drive_to_failure(lab, tlsfail, case)
    require(finding, *problems, f"no finding for {case.endpoint}")
    certain = {"tlsfail.confidence": case.confidence[0]}
    problems += compare({**finding, **certain}, case, workers + lab.traced.worker_pids())
    require(not problems, *problems, finding)


def check_seccomp(here, options):
    """With the probes that tlsfail chooses by itself, or with OPTIONS."""
    report = json.loads(here.run("doctor", "--format", "json").stdout)
    safe, = (part["status"] == "ok" for part in report["requirements"]
             if part["name"] == "return probes")
    with here.lab("-".join(["seccomp", *options]), UNDER_SECCOMP, start_proxy=False) as lab:
        lab.proxy.start(under_seccomp.PREFIX)
        worker, = lab.proxy.worker_pids()
        require(SECCOMP_FILTERED in Path(f"/proc/{worker}/status").read_text(), "no filter")
        with here.trace_json(lab, *options) as tlsfail:
            tlsfail.wait_armed()
            told = tlsfail.stderr_lines(KILLS)
            require(bool(told) == (not safe and not options), f"safe: {safe}", tlsfail.stderr())
            for case in UNDER_SECCOMP:
                check = check_failure if case.slug else check_healthy
                check(lab, tlsfail, case)
            check_silence(tlsfail, UNDER_SECCOMP)
        require(lab.proxy.worker_pids() == [worker], "the worker was killed", lab.proxy.log_since(0))


def check_at_once(here, options):
    """Failures and successes at the same time, in one worker."""
    with here.lab("-".join(["at-once", *options]), AT_ONCE) as lab, here.trace_json(lab, *options) as tlsfail:
        tlsfail.wait_armed()
        with ThreadPoolExecutor(len(AT_ONCE)) as pool:
            statuses = list(pool.map(partial(drive.times(EACH), lab), AT_ONCE))
        require(statuses == [case.status for case in AT_ONCE], statuses)
        tlsfail.interrupt()
        found = Counter((finding["network.peer.port"], finding["error.type"])
                        for finding in tlsfail.findings())
    expected = {(case.port, case.slug): EACH for case in AT_ONCE if case.slug}
    require(found == expected, expected, found, tlsfail.stderr())


def check_programs(here):
    """What is not to be attached is not even loaded."""
    with here.lab("entry-only-programs", named("good-tls13")) as lab:
        for options, wanted in (([], True), ([NO_RETURNS], False)):
            with here.trace_json(lab, *options) as tlsfail:
                tlsfail.wait_armed()
                names = set(count_runs(tlsfail.process.pid))
            require(any(name.startswith("uprobe") for name in names), names)
            require(any(name.startswith("uretprobe") for name in names) == wanted, names)
