#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a peer did before: counted where successes are seen too, said in the finding, and told when
the peer works again. What nginx retries over a pool: which failures belong to one request."""
import json
import re
import shutil
import signal
import subprocess
from collections import Counter

import jsonschema

import env
from lab import binaries, drive, procs, tracer
from lab.case import Case, numbered
from lab.cases import GOOD_FILES, VERIFY, good_server, healthy
from lab.upstreams import Misbehave, Nothing, OpensslServer
from tap import require

GOOD = OpensslServer(GOOD_FILES)
RECOVERED = "tlsfail.peer.recovered"
SUMMARY = "tlsfail.summary"
POOL_REQUESTS = 6
RECOVERY_S = 15  # it takes 3, and the tick that looks


def tests(here):
    checks = {"recovers": check_recovers, "flaps": check_flaps, "pool": check_pool,
              "slow-collector": check_slow_collector, "namespaces": check_namespaces}
    yield from here.chosen("peers", checks)


def check_schema(events):
    schema = json.loads((env.REPOSITORY / "docs" / "event.schema.json").read_text())
    for event in events:
        jsonschema.validate(event, schema)


def history(event):
    """(state, handshakes, failures, failures in a row) of the peer that EVENT is about."""
    return tuple(event.get("tlsfail.peer." + key)
                 for key in ("state", "handshakes", "failures", "failures_in_row"))


def failures_of(tlsfail, case, count):
    """The COUNT failures of CASE's upstream, which are waited for."""
    procs.wait_until(lambda: sum(tracer.is_about(f, case) for f in tlsfail.findings()) >= count,
                     5, f"{count} failures")
    return [f for f in tlsfail.findings() if tracer.is_about(f, case)]


def check_recovers(here):
    """It works, fails always, works again: each finding says so, and the recovery is told once."""
    case, = numbered((Case("recovers", "peer-closed-in-handshake", GOOD, status=200),))
    with here.lab("recovers", [case]) as lab:
        recording = lab.directory / "recovers.rec"
        with here.trace_json(lab, "--record", recording) as tlsfail:
            tlsfail.wait_armed()
            drive.times(3)(lab, case)
            lab.upstreams.replace(case, Misbehave("close-after-hello"))
            for count in range(1, 5):
                drive.once(lab, case)
                found = failures_of(tlsfail, case, count)
            lab.upstreams.replace(case, GOOD)
            require(drive.times(3)(lab, case) == 200, lab.proxy.log_since(0)[-1000:])
            procs.wait_until(lambda: any(f["event.name"] == RECOVERED for f in tlsfail.findings()),
                             RECOVERY_S, "the recovery")
            drive.once(lab, case)
            tlsfail.interrupt()
        replayed = here.run("replay", *env.JSON, recording)
        text = here.run("replay", recording)
    require([history(f) for f in found] == [
        ("flapping", 4, 1, 1), ("flapping", 5, 2, 2), ("failing", 6, 3, 3), ("failing", 7, 4, 4)],
        *map(json.dumps, found))
    require("every time" in found[3]["message"] and "every time" not in found[0]["message"],
            *(f["message"] for f in found))
    recovered = [f for f in tlsfail.findings() if f["event.name"] == RECOVERED]
    require(len(recovered) == 1, *recovered)
    require(recovered[0]["tlsfail.peer.state"] == "recovered" and
            recovered[0]["tlsfail.peer.failures"] == 4, *recovered)
    require(replayed.stdout == tlsfail.stdout_path.read_text(), "the replay differs")
    require(" works again: 4 of " in text.stdout and "peer: always fails since" in text.stdout,
            text.stdout)
    check_schema(tlsfail.findings())


def check_flaps(here):
    """Failures with successes in between: how many of how many, and other words for the cause."""
    case, = numbered((Case("flaps", "peer-closed-in-handshake", Misbehave("close-every-fourth")),))
    with here.lab("flaps", [case]) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        statuses = Counter()
        for _ in range(20):
            statuses[drive.once(lab, case)] += 1
            found = failures_of(tlsfail, case, statuses[502])
        tlsfail.interrupt()
    require(statuses == {200: 15, 502: 5}, statuses)
    require(history(found[-1]) == ("flapping", 20, 5, 1), json.dumps(found[-1]))
    require("Others succeed" in found[-1]["message"], found[-1]["message"])
    require("sni-missing" not in found[-1].get("tlsfail.candidates", ()), json.dumps(found[-1]))


def check_slow_collector(here):
    """A collector that stands still while handshakes fail and succeed says of each failure what was
    so when it happened."""
    case, = numbered((Case("slow", "peer-closed-in-handshake", Misbehave("close-every-fourth")),))
    with here.lab("slow", [case]) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        tlsfail.process.send_signal(signal.SIGSTOP)
        try:
            statuses = Counter(drive.once(lab, case) for _ in range(20))
        finally:
            tlsfail.process.send_signal(signal.SIGCONT)
        require(statuses == {200: 15, 502: 5}, statuses)
        found = failures_of(tlsfail, case, 5)
        tlsfail.interrupt()
    require([history(f)[1:] for f in found] == [(4 * n, n, 1) for n in range(1, 6)],
            *map(history, found))


def retried(lab):
    """How many attempts failed, for each client's connection that error.log names."""
    lines = re.findall(r"\*(\d+) .*upstream: \"https://", lab.proxy.log_since(0))
    return Counter(Counter(lines).values())


def check_pool(here):
    """Two of three servers fail: nginx goes on to the next, and what it then tries is known as the
    same request's."""
    members = numbered((Case("pool-refuses", "connection-refused", Nothing()),
                        Case("pool-expired", "verify-expired", good_server("expired")),
                        healthy("pool-good", good_server())))
    pool = Case("pool", None, Nothing(), VERIFY, status=200, number=len(members) + 1,
                pool=tuple(member.endpoint for member in members))
    metrics = here.top / "pool.prom"
    with here.lab("pool", [*members, pool]) as lab, here.trace_json(
            lab, "--summary", 1, "--metrics-file", metrics) as tlsfail:
        tlsfail.wait_armed()
        require(drive.times(POOL_REQUESTS)(lab, pool) == 200, lab.proxy.log_since(0)[-2000:])
        expected = retried(lab)
        count = sum(size * times for size, times in expected.items())
        procs.wait_until(lambda: any(f["event.name"] == SUMMARY for f in tlsfail.findings()), 5,
                         "a summary, though nothing happens")
        tlsfail.interrupt()
    found = [f for f in tlsfail.findings() if f["event.name"] == "tls.handshake.failure"]
    require(len(found) == count, f"{count} failures in error.log, here {len(found)}")
    require(2 in expected, lab.proxy.log_since(0))
    require(f"\ntlsfail_retries_total {count}\n" in metrics.read_text(), count, metrics.read_text())
    groups = {}
    for failure in found:
        groups.setdefault(failure["tlsfail.group"], []).append(failure["tlsfail.attempt"])
    require(Counter(map(len, groups.values())) == expected, expected, groups)
    require(all(attempts == list(range(1, len(attempts) + 1)) for attempts in groups.values()),
            groups)
    # Each request was answered in the end, so each failure was followed by another attempt.
    for member in members[:2]:
        counts = sum(tracer.is_about(f, member) for f in found)
        whole = summaries(tlsfail, member)[-1]
        require((whole["tlsfail.peer.failures"], whole["tlsfail.peer.retried"],
                 whole["error.type"], whole["nginx.config.upstream"]) ==
                (counts, counts, member.slug, pool.name), whole)
        told = [f for f in tlsfail.findings() if f["event.name"] == SUMMARY
                and f["tlsfail.summary.scope"] == "interval" and tracer.is_about(f, member)]
        require(sum(f["tlsfail.peer.failures"] for f in told) == counts, counts, *told)
        require(whole["tlsfail.summary.scope"] == "run", whole)
    group = [f for f in tlsfail.findings() if "tlsfail.upstream.peers" in f][-1]
    require((group["nginx.config.upstream"], group["tlsfail.upstream.peers"],
             group["tlsfail.peer.failures"], group["tlsfail.peer.retried"]) ==
            (pool.name, 2, count, count), group)
    require(not summaries(tlsfail, members[2]), *summaries(tlsfail, members[2]))
    check_schema(tlsfail.findings())


def summaries(tlsfail, case):
    """The first, of an interval, and the last, of the whole run, about CASE's upstream."""
    found = [f for f in tlsfail.findings()
             if f["event.name"] == SUMMARY and tracer.is_about(f, case)]
    return found[:1] + found[-1:]


def check_namespaces(here):
    """One address in two network namespaces is two peers, each with its own counts."""
    case, = numbered((Case("namespaces", "connection-refused", Nothing()),))
    with here.lab("namespaces", [case], start_proxy=False) as lab:
        exe = lab.directory / "curl"
        shutil.copy(binaries.find("curl"), exe)
        ask = [str(exe), "--silent", "https://127.0.0.1:1/"]
        elsewhere = ["unshare", "--net", "sh", "-c", 'ip link set lo up; for i in 1 2 3; do "$@"; done',
                     "sh", *ask]
        with here.trace(lab, "--exe", exe, *env.JSON) as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting for")
            for _ in range(2):
                subprocess.run(ask, check=False, timeout=10)
            subprocess.run(elsewhere, check=False, timeout=10)
            subprocess.run(ask, check=False, timeout=10)
            procs.wait_until(lambda: len(tlsfail.findings()) == 6, 5, "6 failures")
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
        counted = [event["tlsfail.peer.failures"] for event in tlsfail.findings()]
        require(counted == [1, 2, 1, 2, 3, 3], counted, tlsfail.stderr())
