#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""nginx as the TLS server, and clients that fail with it: the cases of tools/lab/server_cases.py, with
return probes and without; noise, and --role."""
import re
from functools import partial

import env
from lab import cases, server_cases
from lab.server_cases import CASES
from tap import require
from test_budget import ring_records
from test_cases import (check_counts, check_failure, check_healthy, check_schema, check_silence,
                        drive)

ROLE_CASES = {
    "client": cases.named("cipher-mismatch", "verify-expired", "peer-closed-in-handshake",
                          "good-tls13", "good-tls12"),
    "server": server_cases.named("server-no-shared-cipher", "client-rejects-cert", "port-scan",
                                 "plain-http-to-https", "served-tls13", "served-client-cert"),
}
NOISE = ("port-scan", "client-not-tls", "closed-after-early-data")


def tests(here):
    """Yields (name, test)."""
    for name, options in (("server", ("--role", "server")),
                          ("server-entry-only", ("--role", "server", "--no-return-probes"))):
        chosen = [case for case in CASES if here.wants(f"{name}/{case.name}")]
        if chosen:
            yield from suite(here, name, chosen, options)


    yield from here.chosen("role", {
        "client": partial(check_other_role, traced="server", wanted="client"),
        "server": partial(check_other_role, traced="client", wanted="server"),
    })


def check_other_role(here, traced, wanted):
    """What --role leaves out does not even leave the kernel, and is not counted."""
    with here.lab("role-" + wanted, ROLE_CASES[traced], role=traced) as lab:
        recording = lab.directory / "role.rec"
        with here.trace_json(lab, "-v", "--role", wanted, "--record", recording) as tlsfail:
            tlsfail.wait_armed()
            for case in lab.cases:
                problems = drive(lab, case)
                require(not problems, *problems)
            status = tlsfail.interrupt()
        records = ring_records(recording.read_bytes())
    require(status == 0, f"exit status {status}", tlsfail.stderr())
    require(not tlsfail.findings(), *tlsfail.findings())
    require(records == 0, f"{records} ring records")
    require(re.search(r"^tlsfail: 0 handshakes seen", tlsfail.stderr(), re.MULTILINE),
            tlsfail.stderr())


def suite(here, name, chosen, options):
    with here.lab(name, chosen, role="server") as lab:
        recording = lab.directory / "server.rec"
        with here.trace_json(lab, "-v", "--error-log", lab.traced.log, "--record", recording,
                             *options) as tlsfail:
            yield f"{name}/armed", tlsfail.wait_armed
            for case in chosen:
                check = check_server_failure if case.slug else check_healthy
                yield f"{name}/{case.name}", partial(check, lab, tlsfail, case)
            yield f"{name}/healthy-is-silent", partial(check_silence, tlsfail, chosen)
            yield f"{name}/one-finding-each", partial(check_counts, tlsfail, chosen)
            yield f"{name}/summary", partial(check_summary, here, tlsfail, recording)
            yield f"{name}/schema", partial(check_schema, tlsfail)


def check_server_failure(lab, tlsfail, case):
    check_failure(lab, tlsfail, case)
    finding = tlsfail.wait_finding(case)
    require(finding["tlsfail.role"] == "server", finding)


def check_summary(here, tlsfail, recording):
    """Noise is counted, and told with -v only; --role leaves the other role out."""
    status = tlsfail.interrupt()
    require(status == 0, f"exit status {status}", tlsfail.stderr())
    slugs = [finding["error.type"] for finding in tlsfail.findings()]
    noise = sum(slug in NOISE for slug in slugs)
    replays = {options: here.run("replay", *env.JSON, *options, recording)
               for options in ((), ("-v",), ("--role", "server"), ("--role", "client"))}
    told = {options: re.findall(r'"error.type":"([^"]+)"', replay.stdout)
            for options, replay in replays.items()}
    require(told[("-v",)] == slugs, slugs, told[("-v",)])
    require(told[()] == [slug for slug in slugs if slug not in NOISE], slugs, told[()])
    require(told[("--role", "server")] == told[()], told)
    require(told[("--role", "client")] == [], told)
    summary = f"{len(slugs) - noise} failed; noise (-v shows it): {noise}"
    require(summary in replays[()].stderr, summary, replays[()].stderr)
    require(" 0 records lost" in tlsfail.stderr(), tlsfail.stderr())
    require("; SSL lines without a finding: 0\n" in tlsfail.stderr(), tlsfail.stderr())
