#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The processes of a running tlsfail, each in turn: stopped and let go on, killed, or without room for
another descriptor or byte. Nothing is lost that the queues hold, what is lost is counted, and the end comes."""
import contextlib
import os
import re
import resource
import signal
import subprocess
import time
from functools import partial
from pathlib import Path

from lab import drive, procs
from lab.cases import named
from tap import require
from test_separation import ANALYST, CRASHED, FILES, KEEPER, kept
from test_sinks import small_disk

EXPIRED, = named("verify-expired")

# Longer than tlsfail waits for an analyst that does not come back.
LONG_S = 32
# Nothing else depends on how long one is stopped, but the keeper and who opens files: those are asked, and
# are waited for some seconds.
SHORT_S = 5
FAILURES = 40  # findings of them are more than a pipe holds
PIPE_BYTES = 65536
END_S = 30  # an end that nobody watches over any more


def tests(here):
    yield from here.chosen("stops", {
        "long": check_long,
        "keeper": partial(check_short, name=KEEPER),
        "files": partial(check_short, name=FILES),
        "keeper-at-end": check_keeper_at_end,
        "files-killed": check_files_killed,
        "analyst-killed": check_analyst_killed,
        "collector-killed": check_collector_killed,
        "no-descriptors": check_no_descriptors,
        "disk-full": check_disk_full,
    })


def require_told(tlsfail, count):
    """There are so many findings, all of EXPIRED, and no more."""
    require(tlsfail.wait_finding(EXPIRED, count - 1, 10),
            f"{len(tlsfail.findings())} of {count} failures are told", tlsfail.stderr())
    require(len(tlsfail.failures()) == count, f"{len(tlsfail.failures())} findings of {count} failures")


def require_well_ended(tlsfail):
    require(tlsfail.interrupt(timeout=10) == 0, tlsfail.stderr())
    said = tlsfail.stderr()
    require(", 0 records lost" in said and CRASHED not in said, said)


def check_long(here):
    """Of three that trace the same nginx one has its analyst stopped, one its collector, and one the reader
    of its pipe."""
    with here.lab("stops-long", [EXPIRED]) as lab, contextlib.ExitStack() as stack:
        running = stack.enter_context(procs.Processes())
        reader = running.start(["cat"], stdin=subprocess.PIPE,
                               stdout=stack.enter_context(open(lab.directory / "reader.out", "wb")))
        tracers = [stack.enter_context(here.trace_json(lab, name=name, **options))
                   for name, options in (("analyst", {}), ("collector", {}),
                                         ("reader", {"stdout": reader.stdin}))]
        reader.stdin.close()
        tracers[2].stdout_path = lab.directory / "reader.out"
        for tlsfail in tracers:
            tlsfail.wait_armed()
        analyst = tracers[0].analyst()
        with procs.stopped(analyst, tracers[1].process.pid, reader.pid):
            begun = time.monotonic()
            drive.times(FAILURES)(lab, EXPIRED)
            time.sleep(max(0, LONG_S - (time.monotonic() - begun)))
            require(not any(tlsfail.findings() for tlsfail in tracers), "one was not stopped")
        for tlsfail in tracers:
            require_told(tlsfail, FAILURES)
        require(tracers[0].analyst() == analyst, "it is another analyst", tracers[0].stderr())
        require(tracers[2].stdout_path.stat().st_size > PIPE_BYTES, "the pipe held it all")
        for tlsfail in tracers:
            require_well_ended(tlsfail)


def check_short(here, name):
    """Failures go on being told meanwhile: who is asked for a file and does not answer is done without."""
    with here.lab("stops-" + name, [EXPIRED]) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        drive.once(lab, EXPIRED)
        require_told(tlsfail, 1)
        with procs.stopped(*tlsfail.parts()[name]):
            begun = time.monotonic()
            lab.proxy.reload()  # so that there are files to be looked at
            drive.times(3)(lab, EXPIRED)
            require_told(tlsfail, 4)
            time.sleep(max(0, SHORT_S - (time.monotonic() - begun)))
        drive.once(lab, EXPIRED)
        require_told(tlsfail, 5)
        require_well_ended(tlsfail)


def check_keeper_at_end(here):
    """A keeper that is stopped and does not go on cannot say that the analyst has ended: nobody waits for
    that for ever, and nobody is left."""
    with here.lab("stops-end", [EXPIRED]) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        drive.once(lab, EXPIRED)
        require_told(tlsfail, 1)
        found = tlsfail.parts()
        os.kill(found[KEEPER][0], signal.SIGSTOP)
        require(tlsfail.interrupt(timeout=END_S) == 1, tlsfail.stderr())
        require("does not answer: tlsfail ends" in tlsfail.stderr(), tlsfail.stderr())
        require_gone(pid for pids in found.values() for pid in pids)


def require_gone(pids):
    pids = list(pids)
    procs.wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), 5,
                     "the others to end")


def check_files_killed(here):
    """Another one is asked: a finding has its place in the configuration as before."""
    with here.lab("stops-files-killed", [EXPIRED]) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        for seen in range(2):
            drive.once(lab, EXPIRED)
            require_told(tlsfail, seen + 1)
            require("nginx.config.file" in tlsfail.findings()[-1], tlsfail.findings()[-1])
            for pid in tlsfail.parts()[FILES]:
                os.kill(pid, signal.SIGKILL)
            lab.proxy.reload()
        require_well_ended(tlsfail)


def check_analyst_killed(here):
    """Also by somebody who just kills it: another one goes on."""
    before = kept()
    try:
        with here.lab("stops-analyst-killed", [EXPIRED]) as lab, here.trace_json(lab) as tlsfail:
            tlsfail.crashes = True
            tlsfail.wait_armed()
            drive.once(lab, EXPIRED)
            require_told(tlsfail, 1)
            analyst = tlsfail.analyst()
            os.kill(analyst, signal.SIGKILL)
            procs.wait_until(lambda: tlsfail.analyst() not in (None, analyst), 10, "another analyst")
            drive.once(lab, EXPIRED)
            require_told(tlsfail, 2)
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
            said, = tlsfail.stderr_lines(CRASHED + " (signal 9)")
            require("go on" in said, said)
    finally:
        for path in kept() - before:
            path.unlink()


def check_collector_killed(here):
    """The others end with it. (What becomes of what was attached: host/tlsfail-killed.)"""
    with here.lab("stops-collector-killed", [EXPIRED]) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        found = tlsfail.parts()
        require(set(found) >= {KEEPER, ANALYST}, found)
        tlsfail.process.kill()
        tlsfail.process.wait(5 * procs.PATIENCE)
        require_gone(pid for pids in found.values() for pid in pids)


def check_no_descriptors(here):
    """Each in turn cannot get one more: findings go on, and what they lack comes back with the room."""
    for name in (ANALYST, KEEPER, FILES, "collector"):
        with here.lab("stops-few-" + name, [EXPIRED]) as lab, here.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            drive.once(lab, EXPIRED)
            require_told(tlsfail, 1)
            pids = [tlsfail.process.pid] if name == "collector" else tlsfail.parts()[name]
            try:
                limits = {pid: resource.prlimit(pid, resource.RLIMIT_NOFILE) for pid in pids}
            except PermissionError:
                require(name == ANALYST, name)  # of another user: that takes CAP_SYS_RESOURCE
                continue
            for pid, (_, hard) in limits.items():
                highest = max(int(fd.name) for fd in Path(f"/proc/{pid}/fd").iterdir())
                resource.prlimit(pid, resource.RLIMIT_NOFILE, (highest + 1, hard))
            lab.proxy.reload()
            drive.times(2)(lab, EXPIRED)
            require_told(tlsfail, 3)
            for pid, limit in limits.items():
                with contextlib.suppress(ProcessLookupError):
                    resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)
            lab.proxy.reload()
            drive.once(lab, EXPIRED)
            require_told(tlsfail, 4)
            require("nginx.config.file" in tlsfail.findings()[-1], name, tlsfail.stderr())
            require_well_ended(tlsfail)


def check_disk_full(here):
    """The analyst writes to a file that another process has opened for it: the disk is full, and has room
    again. What is neither written nor told as lost does not exist."""
    with here.lab("stops-disk", [EXPIRED]) as lab, small_disk(lab.directory, "256k") as disk:
        out, ballast = disk / "findings.json", disk / "ballast"
        with here.trace_json(lab, "--sink", f"json:{out}", "--sink-queue", "16") as tlsfail:
            tlsfail.wait_armed()
            ballast.write_bytes(bytes(240 * 1024))
            drive.times(FAILURES)(lab, EXPIRED)
            procs.wait_until(lambda: "No space left" in tlsfail.stderr(), 10, "the disk to be full")
            ballast.unlink()
            drive.once(lab, EXPIRED)
            require(tlsfail.wait_finding(EXPIRED, FAILURES, 10), tlsfail.stderr())
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
            written = out.read_text().count('"error.type"')
            told = re.search(rf"{out}: (\d+) events written, (\d+) lost", tlsfail.stderr())
            require(told and int(told[1]) == written, f"{written} written", tlsfail.stderr())
            require(written + int(told[2]) == FAILURES + 1, f"{written} written", tlsfail.stderr())
