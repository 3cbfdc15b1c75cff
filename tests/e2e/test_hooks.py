#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every alternative by which a fact can be had, forced with --hook, finds the same. All of them
watch the very same connections, and each finding is compared, member by member, with what the
default choice made of that connection. What this kernel does not offer is skipped."""
import json
import re
import signal
import time
from contextlib import ExitStack
from functools import partial

from lab import procs, tracer
from lab.case import Case, numbered
from lab.cases import CASES as EVERY_CASE
from lab.cases import TLS12, VERIFY, named
from lab.server_cases import CASES as SERVER_CASES
from lab.upstreams import Misbehave
from tap import Skip, require
from test_host import SETTLE_S, replace_file

ALTERNATIVES = (
    "handshake=wire", "handshake=uprobe",
    "wire=tp_btf", "wire=fentry", "wire=kprobe",
    "state=tp_btf", "state=raw_tp",
    "close=fentry", "close=kprobe", "close=tp_btf", "close=raw_tp",
    "reset=tp_btf", "reset=raw_tp", "reset=kprobe",
    "exec=tp_btf", "exec=raw_tp",
)

# Between them they need every fact but exec. In each, what comes after what is a matter of cause and
# effect: in a race alternatives, which do not look at quite the same moment, may both be right.
AFTER_EXEC = "hold-expired"
CASES = (
    *named("connection-refused-after-tls", "local-abort", "prematurely-closed-after-handshake-fin",
           "good-tls13"),
    Case("hold-close", "peer-closed-in-handshake", Misbehave("hold-close")),
    Case("hold-close-ipv6", "peer-closed-in-handshake", Misbehave("hold-close"), family=6),
    Case("hold-reset", "peer-reset-in-handshake", Misbehave("hold-reset")),
    Case("hold-http", "peer-not-tls-http", Misbehave("hold-http"), tls=TLS12),
    Case("hold-alert", "protocol-version-rejected", Misbehave("hold-alert"), tls=TLS12),
    Case("hold-client-cert", "client-cert-required", Misbehave("hold-client-cert")),
    # Driven once more by an nginx that has started anew, from another file: that needs exec.
    Case(AFTER_EXEC, "verify-expired", Misbehave("hold-expired"), VERIFY),
)

# So many start, and end, at the same time.
ARMED_LIMIT_S = 30
SKIPPED = "were skipped by the kernel"
END_LIMIT_S = 30

# What may differ: alternatives look at the same event at other moments, some microseconds apart, and
# so see other times, and a round trip time that one more or one less segment went into; and the last
# bytes, a close_notify, may still have to wait for an acknowledgement (Nagle) before TCP sends them.
MOMENTS = ("@timestamp", "event.duration", "tcp.rtt", "tlsfail.bytes_sent", "tlsfail.group",
           "tlsfail.peer.since", "tlsfail.peer.failing_since", "tlsfail.peer.last_success")
# Nor is it a matter of hooks whether nginx's configuration has been read by then, and what that adds.
OF_CONFIGURATION = re.compile(r"nginx\.|tlsfail\.(hint|patch)$")
DURATION = re.compile(r"\b\d+(\.\d+)? (ns|us|ms|s|min)\b")
# Only the wire tells of them: no TLS library is called, or SSL_read_early_data() instead of what is attached
# to; or what was said in clear before is not known, so that the handshake counts as undecided.
ONLY_BY_WIRE = ("tls-to-plain-port", "closed-after-early-data", "proxy-protocol-unexpected")


def tests(here):
    """Yields (name, test). The lab and the tracers live as long as this generator."""
    yield from here.chosen("handshake", {
        "every-case": partial(check_every_case, role="client", cases=by_both(EVERY_CASE)),
        "every-case-as-server": partial(check_every_case, role="server", cases=by_both(SERVER_CASES)),
    })
    chosen = [alternative for alternative in ALTERNATIVES if here.wants("hook/" + alternative)]
    if not chosen:
        return
    offered = alternatives_offered(here)
    with here.lab("hooks", numbered(map(here.adapted, CASES))) as lab, ExitStack() as stack:
        default = stack.enter_context(here.trace_json(lab, name="default"))
        tracers = {}
        for number, hooks in enumerate(combinations(filter(offered.get, chosen)), 1):
            args = [word for alternative in hooks for word in ("--hook", alternative)]
            tlsfail = stack.enter_context(here.trace_json(lab, *args, name=f"hooks-{number}"))
            tracers.update(dict.fromkeys(hooks, tlsfail))
        yield "hooks/doctor", partial(check_doctor, offered)
        yield "hooks/default", partial(check_default, lab, default, set(tracers.values()))
        for alternative in chosen:
            check = (partial(check_hook, default, tracers[alternative])
                     if offered.get(alternative) else partial(check_refused, here, alternative))
            yield "hook/" + alternative, check


def by_both(cases):
    return [case for case in cases if case.name not in ONLY_BY_WIRE]


def check_every_case(here, cases, role):
    """Handshakes from the wire, and from the TLS library: the same cause for every case, as sure of it. Unless the
    kernel skipped a run of a BPF program, and says so: then once more."""
    problems, skipped = told_of_every(here, cases, role, "every-" + role)
    if problems and skipped:
        print("# runs of BPF programs were skipped: once more")
        problems, _ = told_of_every(here, cases, role, "again-" + role)
    require(not problems, *problems)


def told_of_every(here, cases, role, name):
    """What tracers of each kind say differently of CASES; and whether one of them missed runs of its programs."""
    with here.lab(name, [here.adapted(case) for case in cases], role=role) as lab, \
            ExitStack() as stack:
        told = {choice: stack.enter_context(
            here.trace_json(lab, "-v", "--hook", f"handshake={choice}", name=choice))
            for choice in ("auto", "wire", "uprobe")}
        for tlsfail in told.values():
            tlsfail.wait_armed(ARMED_LIMIT_S)
        for case in lab.cases:
            case.drive(lab, case)
        time.sleep(SETTLE_S)
        for tlsfail in told.values():
            require(tlsfail.interrupt(timeout=END_LIMIT_S) == 0, tlsfail.stderr())
        found = {choice: [verdict(lab, role, finding) for finding in tlsfail.findings()
                          if finding["event.name"] == "tls.handshake.failure"]
                 for choice, tlsfail in told.items()}
    print(f"# {len(found['auto'])} findings of {len(lab.cases)} cases")
    require(len(found["auto"]) > len(lab.cases) / 2, *found["auto"])
    problems = []
    for choice in ("wire", "uprobe"):
        missing = [verdict for verdict in found["auto"] if verdict not in found[choice]]
        more = [verdict for verdict in found[choice] if verdict not in found["auto"]]
        if missing or more:
            problems += [f"with handshake={choice} missing:", *missing, "and only there:", *more,
                         told[choice].stderr()]
    return problems, any(SKIPPED in tlsfail.stderr() for tlsfail in told.values())


def verdict(lab, role, finding):
    """What is said of a case, in short."""
    port = finding.get("network.peer.port" if role == "client" else "network.local.port")
    name = next((case.name for case in lab.cases if case.port == port), port)
    return name, finding["error.type"], finding["tlsfail.confidence"]


def alternatives_offered(here):
    """What doctor says of every alternative: {FACT=KIND: whether this kernel offers it}."""
    report = json.loads(here.run("doctor", "--format", "json").stdout)
    return {f"{fact['name']}={alternative['kind']}": alternative["available"]
            for fact in report["facts"] for alternative in fact["alternatives"]}


def combinations(alternatives):
    """Yields lists of ALTERNATIVES, one for each fact, that have every one of them at least once:
    so few processes are enough."""
    of_fact = {}
    for alternative in alternatives:
        of_fact.setdefault(alternative.split("=")[0], []).append(alternative)
    for i in range(max(map(len, of_fact.values()), default=0)):
        yield [each[i % len(each)] for each in of_fact.values()]


def check_doctor(offered):
    require(set(offered) == set(ALTERNATIVES), *offered)


def check_refused(here, alternative):
    """What doctor says that the kernel does not offer is refused, in one clear line."""
    done = here.run("trace", "--hook", alternative)
    said = done.stderr.splitlines()
    require(done.returncode == 1 and not done.stdout and len(said) == 1,
            f"exit status {done.returncode}", *said)
    raise Skip(said[0])


def check_default(lab, default, others):
    """Drives the cases. The findings of DEFAULT have to be the right ones. OTHERS end here, however
    that went: each is then judged by itself."""
    wanted = sum(case.slug is not None for case in lab.cases) + 1
    try:
        for each in (default, *others):
            each.wait_armed(ARMED_LIMIT_S)
        drive_all(lab, default)
        require(len(default.findings()) == wanted, *default.findings())
        wait_findings(wanted, others)
    finally:
        for each in others:
            each.process.send_signal(signal.SIGINT)


def drive_all(lab, default):
    for case in lab.cases:
        drive_one(lab, default, case)
    lab.proxy.stop()
    replace_file(lab.proxy.exe)
    lab.proxy.start()
    procs.pause(SETTLE_S)
    again, = (case for case in lab.cases if case.name == AFTER_EXEC)
    drive_one(lab, default, again, seen=1)


def wait_findings(wanted, tracers):
    """Waits until each of TRACERS has told of WANTED findings. What one does not tell is seen when
    it is compared."""
    try:
        procs.wait_until(lambda: all(len(each.findings()) >= wanted for each in tracers),
                         tracer.FINDING_LIMIT_S, "as many findings")
    except TimeoutError:
        pass


def drive_one(lab, default, case, seen=0):
    status = case.drive(lab, case)
    require(status == case.status, f"{case.name}: HTTP {status}")
    if case.slug:
        finding = default.wait_finding(case, seen)
        require(finding, f"no finding for {case.name}", default.stderr())
        require(finding["error.type"] == case.slug, f"{case.name}:", finding)


def check_hook(default, tlsfail):
    """TLSFAIL has to have found what DEFAULT did."""
    status = tlsfail.process.wait(END_LIMIT_S * procs.PATIENCE)
    require(status == 0, f"exit status {status}", tlsfail.stderr())
    expected = [comparable(finding) for finding in default.findings()]
    found = [comparable(finding) for finding in tlsfail.findings()]
    require(len(found) == len(expected), f"{len(expected)} findings by default, here {len(found)}:",
            *map(json.dumps, tlsfail.findings()))
    problems = [line for pair in zip(expected, found) for line in differences(*pair)]
    require(not problems, f"{' '.join(tlsfail.process.args)}:", *problems)


def comparable(finding):
    """FINDING without what may differ."""
    kept = {key: value for key, value in finding.items()
            if key not in MOMENTS and not OF_CONFIGURATION.match(key)}
    return json.loads(DURATION.sub("TIME", json.dumps(without_times(kept))))


def without_times(finding):
    steps = [{key: value for key, value in step.items() if key != "t"}
             for step in finding.get("tlsfail.timeline", [])]
    return {**finding, "tlsfail.timeline": steps}


def differences(expected, found):
    """The members in which two findings differ, a line for each."""
    about = expected["error.type"]
    return [f"{about}: {key}: by default {expected.get(key)!r}, here {found.get(key)!r}"
            for key in {**expected, **found} if expected.get(key) != found.get(key)]
