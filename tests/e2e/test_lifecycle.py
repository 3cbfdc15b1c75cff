#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Which processes are traced, and for how long: reloads, program starts later, selection by
name and by pid, --duration and --count."""
import os
import signal
import sys
import time

import soak
from env import JSON
from lab import drive, procs, tracer
from lab.cases import named
from tap import require

BINARY_NAME = f"comm-{os.getpid()}"  # not longer than a comm, and nobody else's


def tests(here):
    checks = {
        "reload": check_reload,
        "nginx-starts-later": check_late_start,
        "select-comm": check_comm,
        "select-pid": check_pid,
        "duration": check_duration,
        "count": check_count,
        "signals": check_signals,
        "signal-at-start": check_signal_at_start,
        "comes-and-goes": check_comes_and_goes,
    }
    yield from here.chosen("lifecycle", checks)


def require_finding(lab, tlsfail, case, seen=0):
    """Drives CASE; its finding has to come, and from a worker that runs now."""
    drive.once(lab, case)
    finding = tlsfail.wait_finding(case, seen)
    require(finding, f"no finding for {case.endpoint}", tlsfail.stderr())
    workers = lab.proxy.worker_pids()
    require(finding["error.type"] == case.slug, finding)
    require(finding["process.pid"] in workers, f"not a worker's pid, of {workers}", finding)


# A signal that came before the program did: blocked, it is still there after exec.
PENDING = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
os.kill(os.getpid(), signal.SIGINT)
os.execv(sys.argv[1], sys.argv[1:])
"""


def check_signal_at_start(here):
    """A signal that comes while tlsfail starts ends it there: it does not trace first."""
    done = here.run("trace", *JSON, prefix=(sys.executable, "-c", PENDING))
    require(done.returncode == 0 and not done.stdout, done)
    require(done.stderr == "tlsfail: interrupted before tracing began\n", done)


# How tlsfail ends, one time after the other.
ENDS = (signal.SIGINT, signal.SIGKILL) * 3


def check_comes_and_goes(here):
    """Whether tlsfail comes, or ends in whatever way, each request in the midst of it is answered as ever."""
    with here.lab("comes-and-goes", named("good-tls13", "good-tls12", "verify-expired"), workers=2) as lab, \
            soak.Traffic(lab) as traffic:
        for number, end in enumerate(ENDS):
            with here.trace_json(lab, name=f"comes-{number}") as tlsfail:
                tlsfail.wait_armed()
                before = traffic.requests.total()
                procs.wait_until(lambda least=before + 20: traffic.requests.total() > least, 10, "requests")
                tlsfail.process.send_signal(end)
                tlsfail.process.wait(10)
    require(traffic.requests.total() > 20 * len(ENDS), traffic.requests)
    require(not traffic.surprises, dict(traffic.surprises))


def check_reload(here):
    """The workers that a reload starts are traced as the old ones were."""
    case, = named("verify-expired")
    with here.lab("reload", [case], workers=2) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        require_finding(lab, tlsfail, case)
        lab.proxy.reload()
        require_finding(lab, tlsfail, case, seen=1)


def check_signals(here):
    """SIGUSR1 asks how it stands, --heartbeat says it of itself; SIGQUIT and a terminal that is gone end it as Ctrl-C does."""
    case, = named("verify-expired")
    for end in (signal.SIGQUIT, signal.SIGHUP):
        with here.lab("signals-" + end.name, [case]) as lab, \
                here.trace_json(lab, *(("--heartbeat", "1s") if end == signal.SIGHUP else ())
                                ) as tlsfail:
            tlsfail.wait_armed()
            require_finding(lab, tlsfail, case)
            if end == signal.SIGQUIT:
                tlsfail.process.send_signal(signal.SIGUSR1)
            tlsfail.wait_stderr("tlsfail: alive: 1 failure since")
            status = tlsfail.interrupt(end)
            require(status == 0, f"{end.name}: exit status {status}", tlsfail.stderr())
            require("handshake seen" in tlsfail.stderr(), "the summary", tlsfail.stderr())


def check_late_start(here):
    """tlsfail waits for a program that does not run yet, says so, and then traces it."""
    case, = named("verify-expired")
    with here.lab("late", [case], start_proxy=False) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_stderr("tlsfail: ")
        require(str(lab.proxy.exe) in tlsfail.stderr(), "does not name what it waits for",
                tlsfail.stderr())
        lab.proxy.start()
        tlsfail.wait_armed()
        procs.pause(1)  # it may have been armed before; nginx does a handshake no sooner than this
        require_finding(lab, tlsfail, case)


def check_comm(here):
    case, = named("verify-expired")
    with here.lab("comm", [case], binary_name=BINARY_NAME) as lab:
        with here.trace(lab, "--comm", BINARY_NAME, *JSON) as tlsfail:
            tlsfail.wait_armed()
            require_finding(lab, tlsfail, case)


def check_pid(here):
    """--pid of the master is about its workers too, and about those of the next reload."""
    case, = named("verify-expired")
    with here.lab("pid", [case]) as lab:
        with here.trace(lab, "--pid", lab.proxy.pid, *JSON) as tlsfail:
            tlsfail.wait_armed()
            require_finding(lab, tlsfail, case)
            lab.proxy.reload()
            require_finding(lab, tlsfail, case, seen=1)


def check_duration(here):
    with here.lab("duration", named("good-tls13")) as lab:
        with here.trace_json(lab, "--duration", 1) as tlsfail:
            tlsfail.wait_armed()
            armed = time.monotonic()
            status = tlsfail.process.wait(5 * procs.PATIENCE)
            lasted = time.monotonic() - armed
            require(status == 0, f"exit status {status}", tlsfail.stderr())
            require(lasted > 0.5, f"--duration 1 lasted {lasted:.1f} s")


def check_count(here):
    """It ends by itself after that many findings; successes do not count."""
    good, expired, refused = cases = named("good-tls13", "verify-expired", "connection-refused")
    with here.lab("count", cases) as lab, here.trace_json(lab, "--count", 2) as tlsfail:
        tlsfail.wait_armed()
        for case in (good, expired, good):
            drive.once(lab, case)
        require(tlsfail.wait_finding(expired), "no finding", tlsfail.stderr())
        require(tlsfail.process.poll() is None, "ended after one finding", tlsfail.stderr())
        drive.once(lab, refused)
        status = tlsfail.process.wait(5 * procs.PATIENCE)
        require(status == 0, f"exit status {status}", tlsfail.stderr())
        findings = tlsfail.findings()
        require(len(findings) == 2 and tracer.is_about(findings[1], refused), *findings)
