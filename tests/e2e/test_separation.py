#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What has privileges reads nothing that strangers wrote, and what reads it has none: the processes of a
running tlsfail, what each may do, and what becomes of a crash of the one that reads."""
import errno
import json
import os
import re
import signal
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import inject
from lab import drive, procs
from lab.cases import named
from readers import Readers
from tap import Skip, require
from test_service import fail_into, hang_up, lines_of, write_config
from test_storm import LOSS, storm
from test_strangers import (ELF, READING, TRACING, WRITING, capabilities, opened, require_found, require_powerless,
                            status_of)

EXPIRED, = named("verify-expired")
KEPT = Path("/var/lib/tlsfail")
KEEPER, ANALYST, FILES = "tlsfail-keeper", "tlsfail-analyst", "tlsfail-files"
DAC_OVERRIDE = 1
CHOWN, OTHERS = 0, {5, 6, 7}  # KILL, SETGID, SETUID
CRASHED = "tlsfail: the process that reads what peers send has crashed"


def tests(here):
    yield from here.chosen("separation", {
        "parts": check_parts,
        "readers": check_readers,
        "tries": check_tries,
        "crash": check_crash,
        "crash-metric": check_crash_metric,
        "crash-counts": check_crash_counts,
        "crash-reload": check_crash_reload,
        "crash-row": check_crash_row,
        "crash-begin": check_crash_begin,
        "stalled": check_stalled,
        "keeper-gone": check_keeper_gone,
    })


def check_parts(here):
    """Each process, and each thread of the analyst, has what it needs and no more, with every kind of
    output that a local file is written for."""
    with here.lab("separation-parts", [EXPIRED]) as lab:
        with here.trace_json(lab, "--sink", f"json:{lab.directory}/findings.json", "--metrics-file",
                             f"{lab.directory}/tlsfail.prom", "--metrics", "127.0.0.1:9917",
                             "--error-log", "auto") as tlsfail:
            tlsfail.wait_armed()
            require_found(lab, tlsfail, EXPIRED)
            found = tlsfail.parts()
            require(set(found) == {KEEPER, ANALYST, FILES}, found)
            for pid in (tlsfail.process.pid, *found[FILES]):
                status = status_of(Path(f"/proc/{pid}"))
                allowed = TRACING - {DAC_OVERRIDE} if pid == tlsfail.process.pid \
                    else READING | WRITING | {CHOWN}
                require(capabilities(status, "CapPrm") <= allowed, status)
                require(status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status)
            status = status_of(Path(f"/proc/{found[KEEPER][0]}"))
            require(capabilities(status, "CapPrm") <= READING | WRITING | {CHOWN} | OTHERS, status)
            require(status["NoNewPrivs"] == "1", status)
            analyst, = found[ANALYST]
            tasks = list(Path(f"/proc/{analyst}/task").iterdir())
            require(len(tasks) > 2, "no threads")
            for task in tasks:
                require_powerless(status_of(task))
            require_nothing_open(analyst)


def require_nothing_open(pid):
    """No BPF, no perf events, no directory, and no file of /proc but its own figures."""
    for target in opened(pid):
        require(not re.match(r"anon_inode:(bpf|\[?perf)|/proc/(?!\d+/stat$)", target), target)
        require(not os.path.isdir(target), target)


# One failure does not tell its cause: it is probed.
AMBIGUOUS, = named("verify-untrusted-issuer-no-chain")


def check_readers(here):
    """What has privileges reads nothing that others wrote: of each file of nginx it is looked at who reads
    it. (Who opens files looks for private keys in them, which are not to be handed over.)"""
    with here.lab("separation-readers", [AMBIGUOUS], private_libraries=True) as lab:
        libraries = {Path(line.split()[-1]) for line in
                     Path(f"/proc/{lab.proxy.pid}/maps").read_text().splitlines()
                     if re.search(r"/lib(ssl|crypto)\.so", line)}
        files = [*libraries, lab.directory / "proxy.conf", *(lab.directory / "pki").glob("*ca*.crt")]
        require(len(libraries) == 2, libraries)
        with Readers(files) as readers, here.trace_json(lab, "--confirm", "--error-log", "auto") as tlsfail:
            tlsfail.wait_armed()
            drive.once(lab, AMBIGUOUS)
            procs.wait_until(lambda: any(event["event.name"] == "tls.handshake.confirmed"
                                         for event in tlsfail.findings()), 20, "a confirmation")
        ours = {seen for seen in readers.seen if seen[1].startswith("tlsfail")}
        for name, process, user, capabilities_held in ours:
            require(process == FILES and name not in map(os.path.basename, libraries)
                    or user and not capabilities_held, name, process, user, capabilities_held)
        for name, process in (*((path.name, ELF) for path in libraries), ("proxy.conf", ANALYST),
                              ("proxy.conf", "tlsfail-prober")):
            require(any(seen[:2] == (name, process) for seen in ours), name, process, *map(str, ours))


# Numbers of x86-64. A pointer to nowhere is looked at only by a call that is not refused: EFAULT.
CALLS = {"open": (2, 0, 0), "openat": (257, -100, 0, 0), "socket": (41, 2, 1, 0), "connect": (42, 0, 0, 0),
         "ptrace": (101, 0, 0, 0, 0), "bpf": (321, 0, 0, 0), "perf_event_open": (298, 0, 0, 0, 0),
         "execve": (59, 0, 0, 0), "kill": (62, 1, 0), "setuid": (105, 0), "mkdir": (83, 0, 0),
         "unlink": (87, 0), "fork": (57,), "process_vm_readv": (310, 1, 0, 0, 0, 0), "mount": (165, 0, 0),
         "unshare": (272, 0x10000000), "init_module": (175, 0, 0, 0), "io_uring_setup": (425, 1, 0)}
GETPPID = 110


def check_tries(here):
    """The analyst of a running tlsfail is made to try what it should not be able to."""
    if not inject.possible():
        raise Skip("registers of this machine are not known to the test")
    with here.lab("separation-tries", [EXPIRED]) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        with inject.stopped(tlsfail.analyst()) as call:
            require(call(GETPPID) == tlsfail.parts()[KEEPER][0], "no call is made")
            results = {name: call(*(word % 2 ** 64 for word in words)) for name, words in CALLS.items()}
        refused = dict.fromkeys(CALLS, -errno.EPERM)
        require(results == refused, results)
        require_found(lab, tlsfail, EXPIRED)


def kept():
    return set(KEPT.glob("crash-*.rec"))


def crash_at_hand(lab, tlsfail):
    """Has the analyst die with a record at hand."""
    analyst = tlsfail.analyst()
    os.kill(analyst, signal.SIGSTOP)
    drive.once(lab, EXPIRED)
    time.sleep(0.3)  # for the record to be in the queue
    os.kill(analyst, signal.SIGSEGV)
    os.kill(analyst, signal.SIGCONT)
    procs.wait_until(lambda: tlsfail.analyst() not in (None, analyst), 10, "another analyst")


def check_crash(here):
    """Another one goes on with the next record; the one at hand is kept, and can be replayed."""
    before = kept()
    try:
        with here.lab("separation-crash", [EXPIRED]) as lab, here.trace_json(lab) as tlsfail:
            tlsfail.crashes = True
            tlsfail.wait_armed()
            require_found(lab, tlsfail, EXPIRED)
            crash_at_hand(lab, tlsfail)
            told, = tlsfail.stderr_lines(CRASHED)
            path = re.search(r"is kept as (/\S+);", told)
            require(path and Path(path[1]) in kept() - before, told)
            require(Path(path[1]).stat().st_mode & 0o077 == 0, "others may read it")
            replayed = here.run("replay", path[1])
            require("1 records" not in replayed.stderr and replayed.returncode == 0, replayed)
            # The connection of the record at hand is still told, if not with all of its bytes.
            procs.wait_until(lambda: len(tlsfail.findings()) >= 2, 5, "the finding after it")
            seen = len(tlsfail.findings())
            finding = require_found(lab, tlsfail, EXPIRED, seen)
            require(finding["process.executable.path"], finding)
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
            require("has crashed 1 time" in tlsfail.stderr(), tlsfail.stderr())
    finally:
        for path in kept() - before:
            path.unlink()


def check_crash_metric(here):
    """Crashes are counted, and outputs that were begun are gone on with."""
    before = kept()
    try:
        with here.lab("separation-metric", [EXPIRED]) as lab:
            prom, out = lab.directory / "tlsfail.prom", lab.directory / "findings.json"
            with here.trace_json(lab, "--sink", f"json:{out}", "--metrics-file", prom) as tlsfail:
                tlsfail.crashes = True
                tlsfail.wait_armed()
                require_found(lab, tlsfail, EXPIRED)
                crash_at_hand(lab, tlsfail)
                require_found(lab, tlsfail, EXPIRED, len(tlsfail.findings()))
                require(tlsfail.interrupt() == 0, tlsfail.stderr())
            require("\ntlsfail_analyst_crashes_total 1\n" in prom.read_text(), prom.read_text())
            require(len(out.read_text().splitlines()) >= 2, out.read_text())
    finally:
        for path in kept() - before:
            path.unlink()


def segv_analyst(tlsfail):
    """The analyst dies; returns when there is another one."""
    analyst = tlsfail.analyst()
    os.kill(analyst, signal.SIGSEGV)
    procs.wait_until(lambda: tlsfail.analyst() not in (None, analyst), 10, "another analyst")


REQUESTS = 60


def drive_many(lab):
    """REQUESTS failures, spread over a few seconds; returns how many the client saw."""
    seen = 0
    for _ in range(REQUESTS):
        seen += drive.once(lab, EXPIRED) == EXPIRED.status
        time.sleep(0.05)
    return seen


METRICS = "127.0.0.1:9918"


def failures(page=None):
    """What the metrics count so far, those that are served or those of the PAGE."""
    if page is None:
        with urllib.request.urlopen(f"http://{METRICS}/metrics", timeout=5) as response:
            page = response.read().decode()
    return sum(map(int, re.findall(r"^tlsfail_failures_total{.*} (\d+)$", page, re.M)))


def check_crash_counts(here):
    """In the midst of traffic the analyst dies, twice: metrics, folds and the peer's history go on from where
    they were, and lack what was at hand at most."""
    before, crashes = kept(), 2
    try:
        with here.lab("separation-counts", [EXPIRED]) as lab, ThreadPoolExecutor(1) as pool:
            prom, out = lab.directory / "tlsfail.prom", lab.directory / "findings.json"
            with here.trace(lab, "--exe", lab.traced.exes[0], "--format", "json", "--fold-interval", "300",
                            "--sink", f"json:{out}", "--metrics-file", prom, "--metrics", METRICS) as tlsfail:
                tlsfail.crashes = True
                tlsfail.wait_armed()
                seen = pool.submit(drive_many, lab)
                for crash in range(crashes):
                    count = crash and failures()
                    procs.wait_until(lambda count=count: failures() > count, 10, "failures to be counted")
                    read = failures()
                    segv_analyst(tlsfail)
                    require(failures() >= read, "a counter went back", read)
                seen = seen.result()
                require(tlsfail.interrupt() == 0, tlsfail.stderr())
            require(seen == REQUESTS, seen)
            require_all_but(prom, out, seen, crashes, tlsfail)
            require("begin anew" not in tlsfail.stderr(), tlsfail.stderr())
    finally:
        for path in kept() - before:
            path.unlink()


def require_all_but(prom, out, seen, crashes, tlsfail):
    """Of what was SEEN by the client the metrics, the summary and the events lack one for each of the CRASHES
    at most, and so does what the peer's history says."""
    counted = failures(prom.read_text())
    require(seen - crashes <= counted <= seen, seen, counted)
    summary = re.search(r"(\d+) failed; refused", tlsfail.stderr())
    require(summary and int(summary[1]) == counted, counted, tlsfail.stderr())
    events = [json.loads(line) for line in out.read_text().splitlines()]
    told = sum(event.get("tlsfail.suppressed", 1) for event in events
               if event["event.name"] in ("tls.handshake.failure", "tlsfail.folded"))
    require(seen - crashes <= told <= counted, seen, counted, *events)
    last = events[-1]
    require(last["tlsfail.peer.failures_in_row"] >= seen - crashes, last)
    written = re.search(r'^tlsfail_sink_events_written_total{sink="json:/.*} (\d+)$', prom.read_text(), re.M)
    require(written and int(written[1]) == len(events), len(events), prom.read_text())


def check_crash_reload(here):
    """What a reload has brought is gone on with: outputs that were not there at the start, and what was
    counted of them."""
    before = kept()
    try:
        with here.lab("separation-reload", [EXPIRED]) as lab:
            prom = lab.directory / "tlsfail.prom"
            with here.trace(lab, "--config", write_config(lab), "--metrics-file", prom) as tlsfail:
                tlsfail.crashes = True
                tlsfail.wait_armed()
                fail_into(lab, EXPIRED, "one.json", 1)
                write_config(lab, output="two.json")
                hang_up(tlsfail, "tlsfail: reloaded: findings now go to the new outputs")
                fail_into(lab, EXPIRED, "two.json", 1)
                segv_analyst(tlsfail)
                fail_into(lab, EXPIRED, "two.json", 2)
                require(len(lines_of(lab, "one.json")) == 1, *lines_of(lab, "one.json"))
                require(tlsfail.interrupt() == 0, tlsfail.stderr())
            require(re.findall(r'^tlsfail_sink_events_written_total{sink="json:.*/(.*)"} (\d+)$',
                               prom.read_text(), re.M) == [("two.json", "2")], prom.read_text())
    finally:
        for path in kept() - before:
            path.unlink()


def check_crash_row(here):
    """One crash after the other may come from what is taken over: from the fourth on that is left behind, and
    said. What was counted before it is not in the summary."""
    before = kept()
    try:
        with here.lab("separation-row", [EXPIRED]) as lab, here.trace_json(lab) as tlsfail:
            tlsfail.crashes = True
            tlsfail.wait_armed()
            require_found(lab, tlsfail, EXPIRED)
            for _ in range(4):
                require("begin anew" not in tlsfail.stderr(), tlsfail.stderr())
                segv_analyst(tlsfail)
                time.sleep(1)  # more than it takes to begin
            require("counts and the history of peers begin anew" in tlsfail.stderr(), tlsfail.stderr())
            require_found(lab, tlsfail, EXPIRED, len(tlsfail.findings()))
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
            require(" 1 failed; refused" in tlsfail.stderr(), tlsfail.stderr())
    finally:
        for path in kept() - before:
            path.unlink()


TRIES = 4  # fewer than the crashes in a row after which it is given up


def segv_two(tlsfail):
    """The analyst dies, and the next one as soon as it is there; returns when there is a third one."""
    keeper, analyst = tlsfail.parts()[KEEPER][0], tlsfail.analyst()
    children = Path(f"/proc/{keeper}/task/{keeper}/children")
    before = set(children.read_text().split())
    os.kill(analyst, signal.SIGSEGV)
    until = time.monotonic() + 10
    while not (new := set(children.read_text().split()) - before) and time.monotonic() < until:
        pass
    require(new, "there is no other analyst")
    os.kill(int(min(new, key=int)), signal.SIGSEGV)
    procs.wait_until(lambda: tlsfail.analyst() not in (None, analyst, *map(int, new)), 10, "another analyst")


def check_crash_begin(here):
    """Nor does one that crashes before it has begun end the run, and the next one takes nothing over."""
    before = kept()
    try:
        with here.lab("separation-begin", [EXPIRED]) as lab, here.trace_json(lab) as tlsfail:
            tlsfail.crashes = True
            tlsfail.wait_armed()
            for _ in range(TRIES):
                segv_two(tlsfail)
                told = tlsfail.stderr_lines(f"{CRASHED} (signal 11): it had not begun;")
                if told:
                    break
            else:
                raise Skip("an analyst begins faster than it can be ended here")
            require("counts and the history of peers begin anew" in told[0], told)
            require_found(lab, tlsfail, EXPIRED, len(tlsfail.findings()))
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
    finally:
        for path in kept() - before:
            path.unlink()


def check_stalled(here):
    """An analyst that takes nothing costs what does not fit, counted; the ring is taken from all the
    same, and the end comes in time."""
    with storm(here, "stalled") as tlsfail:
        analyst = tlsfail.analyst()
        os.kill(analyst, signal.SIGSTOP)
        time.sleep(4)
        os.kill(analyst, signal.SIGCONT)
        procs.wait_until(lambda: LOSS in tlsfail.stdout_path.read_text(), 10, "a loss to be told")
        require(tlsfail.interrupt() == 0, tlsfail.stderr())
    require(not tlsfail.stderr_lines(CRASHED), tlsfail.stderr())


def check_keeper_gone(here):
    """Without the process that watches over the others there is nothing to go on with: that is said, and
    all of them end."""
    with here.lab("separation-keeper", [EXPIRED]) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        found = tlsfail.parts()
        os.kill(found[KEEPER][0], signal.SIGKILL)
        require(tlsfail.process.wait(10 * procs.PATIENCE) == 1, tlsfail.stderr())
        require("is gone: tlsfail ends" in tlsfail.stderr(), tlsfail.stderr())
        procs.wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pids in found.values()
                                         for pid in pids if pid != tlsfail.process.pid),
                         5, "the others to end")
