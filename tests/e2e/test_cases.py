#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every case of the lab, under one tlsfail: cause, confidence, peer, process, error.log line; what
the healthy ones must not bring about; error.log against the findings; the summary; the JSON against
its schema."""
import json
import re
from collections import Counter
from functools import partial

import env
from lab import tracer
from lab.cases import CASES, TIMEOUT
from lab.server_cases import TIMED_OUT
from tap import Failure, require

SCHEMA = env.REPOSITORY / "docs" / "event.schema.json"
RACE_ATTEMPTS = 20

# Less than what tlsfail takes for a timer of whole seconds.
TIMER_LATENESS_NS = 50_000_000
TIMERS = (TIMEOUT, TIMED_OUT)  # what nginx logs when one is over
NS_PER_S = 1_000_000_000
LOGGED = "nginx.error_log.message"


def tests(here):
    """Yields (name, test). The lab and the tracer live as long as this generator."""
    chosen = here.chosen_cases(CASES)
    if not chosen:
        return
    with here.lab("cases", chosen) as lab, \
            here.trace_json(lab, "--error-log", lab.traced.log) as tlsfail:
        yield "cases/armed", tlsfail.wait_armed
        for case in chosen:
            check = check_failure if case.slug else check_healthy
            yield "case/" + case.name, partial(check, lab, tlsfail, case)
        yield "cases/healthy-is-silent", partial(check_silence, tlsfail, chosen)
        yield "cases/one-finding-each", partial(check_counts, tlsfail, chosen)
        yield "cases/error-log", partial(check_error_log, lab, tlsfail, chosen)
        yield "cases/summary", partial(check_summary, tlsfail)
        yield "cases/schema", partial(check_schema, tlsfail)


def drive(lab, case):
    """Drives CASE and returns what is wrong with what nginx did: a list of lines."""
    offset = lab.traced.log_size()
    status = case.drive(lab, case)
    problems = []
    if status != case.status:
        problems.append(f"HTTP status: expected {case.status}, got {status}")
    if case.log and not lab.traced.find_in_log(case.log, offset, timeout=1):
        problems += [f"error.log: no line matches {case.log}",
                     *lab.traced.log_since(offset).splitlines()]
    return problems


def drive_to_failure(lab, tlsfail, case):
    """Drives CASE, and returns (what is wrong with what nginx did, its finding or None). A case
    that is a race is driven until it went the way that the case is about."""
    for _ in range(RACE_ATTEMPTS if may_repeat(case) else 1):
        seen = sum(tracer.is_about(finding, case) for finding in tlsfail.findings())
        problems = drive(lab, case)
        # Also of an attempt that went another way: its finding must not be taken for the next's.
        finding = tlsfail.wait_finding(case, seen)
        if timer_was_late(case, finding):
            lab.traced.reload()  # whatever nginx remembers of this attempt
        elif not problems:
            break
    return problems, finding


def may_repeat(case):
    """Whether CASE may take more than one attempt."""
    return case.race or case.log in TIMERS


def timer_was_late(case, finding):
    """Whether a busy machine let nginx give up so late that it looks like a client that went away."""
    return bool(finding and case.log in TIMERS
                and finding["event.duration"] % NS_PER_S > TIMER_LATENESS_NS)


def is_expected(value, expected):
    return value in expected if isinstance(expected, frozenset) else value == expected


def compare(finding, case, workers):
    """What is wrong with FINDING: a list of lines."""
    expected = {"error.type": case.slug, **case.expect}
    problems = [f"{key}: expected {value!r}, got {finding.get(key)!r}"
                for key, value in expected.items() if not is_expected(finding.get(key), value)]
    named = (finding.get("error.type"), *finding.get("tlsfail.candidates", ()))
    if case.truth and case.truth not in named:
        problems.append(f"tlsfail.candidates: {case.truth} is not among {named}")
    if finding.get("tlsfail.confidence") not in case.confidence:
        problems.append(f"tlsfail.confidence: expected {' or '.join(case.confidence)}, "
                        f"got {finding.get('tlsfail.confidence')!r}")
    words = f"{finding.get('message')} {finding.get('tlsfail.hint')}"
    problems += [f"the words do not match {regex!r}: {words}" for regex in case.says
                 if not re.search(regex, words)]
    problems += [f"the words match {regex!r}: {words}" for regex in case.never
                 if re.search(regex, words)]
    if finding.get("process.pid") not in workers:
        problems.append(f"process.pid: expected one of {workers}, "
                        f"got {finding.get('process.pid')!r}")
    return problems


def compare_line(finding, case):
    """What is wrong with the line of error.log in FINDING: a list of lines."""
    line = f"[{finding.get('nginx.error_log.level')}] {finding.get('nginx.error_log.message')}"
    if case.log is None or re.search(case.log, line):
        return []
    return [f"nginx.error_log.message: no match for {case.log}: {line!r}"]


def check_failure(lab, tlsfail, case):
    workers = lab.traced.worker_pids()  # one of them may be killed
    problems, finding = drive_to_failure(lab, tlsfail, case)
    if finding is None:
        problems.append(f"no finding for {case.endpoint}")
    else:
        wrong = compare(finding, case, workers + lab.traced.worker_pids()) + compare_line(finding, case)
        problems += wrong
        if wrong:
            problems.append(json.dumps(finding))
    require(not problems, *problems)


def check_healthy(lab, _tlsfail, case):
    problems = drive(lab, case)
    require(not problems, *problems)


def check_silence(tlsfail, cases):
    noise = [finding for finding in tlsfail.failures() for case in cases
             if case.slug is None and tracer.is_about(finding, case)]
    require(not noise, *map(json.dumps, noise))


def check_counts(tlsfail, cases):
    """One failure is one finding, and there is none about anybody else."""
    seen = Counter(tracer.endpoint_of(finding) for finding in tlsfail.failures())
    known = {(case.address, case.port): case for case in cases}
    problems = [f"{count} findings for {peer}" for peer, count in seen.items()
                if peer not in known or (count > 1 and not may_repeat(known[peer]))]
    require(not problems, *problems)


def check_error_log(lab, tlsfail, cases):
    """Every line about TLS has its finding, and every finding has its line. That the end of what has
    failed fails too (OpenSSL 3.2 and later) is no news."""
    logged = re.findall(r"\*(\d+) (?!SSL_shutdown\(\))(.*SSL.*), client: ",
                        lab.traced.log_since(0))
    findings = Counter((str(finding.get("nginx.connection")), finding.get(LOGGED))
                       for finding in tlsfail.failures())
    problems = [f"{findings[line]} findings for {line}" for line in logged if findings[line] != 1]
    quiet = {(case.address, case.port) for case in cases if case.log == ""}
    problems += [f"no line for {json.dumps(finding)}" for finding in tlsfail.failures()
                 if LOGGED not in finding and tracer.endpoint_of(finding) not in quiet]
    require(logged or not any("SSL" in (case.log or "") for case in cases),
            "error.log has no line about TLS")
    require(not problems, *problems)


def check_summary(tlsfail):
    """SIGINT ends tlsfail with 0, and its summary counts what it has found."""
    status = tlsfail.interrupt()
    text = tlsfail.stderr()
    require(status == 0, f"exit status {status}", text)
    causes = Counter(finding["error.type"] for finding in tlsfail.failures())
    counted = {slug: int(count) for count, slug in
               re.findall(r"^tlsfail:\s+(\d+) ([a-z0-9-]+)$", text, re.MULTILINE)}
    require(counted == dict(causes), f"found: {dict(causes)}", f"summary: {counted}", text)
    require(re.search(r"^tlsfail: \d+ handshakes? seen, \d+ failed", text, re.MULTILINE),
            "no line 'N handshakes? seen, M failed'", text)
    require(re.search(r"^tlsfail:.* 0 records lost", text, re.MULTILINE),
            "no line '0 records lost'", text)
    require("; SSL lines without a finding: 0\n" in text
            or not any(LOGGED in finding for finding in tlsfail.failures()), "lines without a finding", text)


def check_schema(tlsfail):
    try:
        import jsonschema  # only this test needs more than the standard library
    except ImportError as missing:
        raise Failure("install python3-jsonschema") from missing
    validator = jsonschema.Draft202012Validator(
        json.loads(SCHEMA.read_text()), format_checker=jsonschema.FormatChecker())
    problems = [f"{finding['error.type']}: {error.message}"
                for finding in tlsfail.findings() for error in validator.iter_errors(finding)]
    require(not problems, *problems)
