#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""nginx's error.log beside the findings: rotated, truncated, full of rubbish, and files that are
none. (That every line has its finding, and the other way round, is proved by test_cases.)"""
import os
import re
import signal
import time
from functools import partial

from lab import drive, procs
from lab.cases import named
from tap import require
from test_input import CANNOT, require_refusal

MESSAGE = "nginx.error_log.message"


def tests(here):
    checks = {
        "rotated": check_rotated,
        "truncated": check_truncated,
        "rubbish": check_rubbish,
        "alone": check_alone,
        "reload": check_reload,
        "stalled": check_stalled,
        "text": check_text,
        "auto": check_auto,
        "auto-late": check_auto_late,
        "auto-moved": check_auto_moved,
        "auto-none": check_auto_none,
    }
    checks.update({f"not-a-log-{name}": partial(check_not_a_log, name=name)
                   for name in NOT_A_LOG})
    yield from here.chosen("error-log", checks)


def fail_once(lab, tlsfail, case, seen):
    """Drives CASE once. Returns its finding, the first after SEEN others."""
    drive.once(lab, case)
    finding = tlsfail.wait_finding(case, seen)
    require(finding, "no finding", tlsfail.stderr())
    return finding


def require_line(finding, where):
    require(MESSAGE in finding, f"{where}: the finding has no line of error.log", finding)


def rename(lab):
    """What logrotate does: nginx opens the file anew when it is told to."""
    log = lab.proxy.log
    log.rename(log.with_suffix(".1"))
    os.kill(lab.proxy.pid, signal.SIGUSR1)
    procs.wait_until(log.exists, 5, "nginx to open its log anew")


def truncate(lab):
    """logrotate's copytruncate."""
    os.truncate(lab.proxy.log, 0)


def check_after(here, name, change):
    """Findings before and after CHANGE have their lines."""
    case, = named("peer-closed-in-handshake")
    with here.lab("error-log-" + name, [case]) as lab:
        with here.trace_json(lab, "--error-log", lab.proxy.log) as tlsfail:
            tlsfail.wait_armed()
            before = fail_once(lab, tlsfail, case, 0)
            change(lab)
            after = fail_once(lab, tlsfail, case, 1)
            again = fail_once(lab, tlsfail, case, 2)
            status = tlsfail.interrupt()
    require(status == 0, f"exit status {status}", tlsfail.stderr())
    for finding, where in ((before, "before"), (after, "after"), (again, "after that")):
        require_line(finding, where)
    numbers = [finding["nginx.connection"] for finding in (before, after, again)]
    require(len(set(numbers)) == 3, "not three connections:", numbers)
    require_none_alone(tlsfail)


def require_none_alone(tlsfail):
    require("SSL lines without a finding: 0\n" in tlsfail.stderr(), tlsfail.stderr())


def check_rotated(here):
    check_after(here, "rotated", rename)


def check_truncated(here):
    check_after(here, "truncated", truncate)


def check_reload(here):
    """Workers that a reload starts write to the same file."""
    check_after(here, "reload", lambda lab: lab.proxy.reload())


STALLED = 20  # failures


def check_stalled(here):
    """Failures that came while nobody looked have their lines all the same, and each its own."""
    case, = named("peer-closed-in-handshake")
    with here.lab("error-log-stalled", [case]) as lab:
        with here.trace_json(lab, "--error-log", lab.proxy.log) as tlsfail:
            tlsfail.wait_armed()
            for pid in (tlsfail.process.pid, tlsfail.analyst()):
                before = len(tlsfail.failures())
                os.kill(pid, signal.SIGSTOP)
                for _ in range(STALLED):
                    drive.once(lab, case)
                time.sleep(3)  # for longer than a finding waits for its line
                os.kill(pid, signal.SIGCONT)
                procs.wait_until(lambda want=before + STALLED: len(tlsfail.failures()) == want, 10, "the findings")
            status = tlsfail.interrupt()
    require(status == 0, f"exit status {status}", tlsfail.stderr())
    for finding in tlsfail.failures():
        require_line(finding, "stalled")
    require(len({finding["nginx.connection"] for finding in tlsfail.failures()}) == 2 * STALLED, "lines twice")
    require_none_alone(tlsfail)


def append(lab, data):
    with open(lab.proxy.log, "ab") as log:
        log.write(data)


def check_rubbish(here):
    """Whatever else is in the file, the lines behind it are found."""
    check_after(here, "rubbish", lambda lab: append(lab, b"".join((
        b"\n\n", b"no line of nginx\n", b"\xff\xfe\x00\x1b[2J\n", b"x" * 100_000 + b"\n",
        b"2026/11/21 18:00:00 [error] 1#1: *1\n",
        b"2026/11/21 18:00:00 [error] 99999999999999999999#1: *1 SSL\n"))))


def check_alone(here):
    """A line about TLS that nothing was found for is counted, but not one of another program."""
    case, = named("peer-closed-in-handshake")
    with here.lab("error-log-alone", [case]) as lab:
        with here.trace_json(lab, "--error-log", lab.proxy.log) as tlsfail:
            tlsfail.wait_armed()
            fail_once(lab, tlsfail, case, 0)
            worker, = lab.proxy.worker_pids()
            line, = re.findall(r"^.*peer closed connection in SSL handshake.*$",
                               lab.proxy.log_since(0), re.MULTILINE)
            line = line.replace(case.endpoint, "192.0.2.1:443")
            for pid in (worker, os.getpid()):
                append(lab, line.replace(f"{worker}#{worker}", f"{pid}#{pid}").encode() + b"\n")
            fail_once(lab, tlsfail, case, 1)
            # What is younger may be about a connection that is not closed yet.
            time.sleep(0.5)
            status = tlsfail.interrupt()
    require(status == 0, f"exit status {status}", tlsfail.stderr())
    require("error.log: findings with a matching line: 2; SSL lines without a finding: 1\n"
            in tlsfail.stderr(), tlsfail.stderr())


def check_text(here):
    case, = named("peer-closed-in-handshake")
    with here.lab("error-log-text", [case]) as lab:
        with here.trace(lab, "--exe", lab.proxy.exe, "-v", "-c", "1",
                        "--error-log", lab.proxy.log) as tlsfail:
            tlsfail.wait_armed()
            drive.once(lab, case)
            tlsfail.process.wait(timeout=5)
    text = tlsfail.stdout_path.read_text()
    require(re.search(r"^ +error\.log: +\[error\] \*\d+ peer closed connection in SSL handshake "
                      "while SSL handshaking to upstream$", text, re.MULTILINE), text)


def check_auto(here):
    """The file that the configuration names, below nginx's prefix."""
    case, = named("peer-closed-in-handshake")
    with here.lab("error-log-auto", [case]) as lab:
        with here.trace_json(lab, "--error-log", "auto") as tlsfail:
            tlsfail.wait_armed()
            finding = fail_once(lab, tlsfail, case, 0)
            tlsfail.interrupt()
        require_line(finding, "auto")
        require(os.path.samefile(finding["nginx.error_log.file"], lab.proxy.log), finding)
    require_none_alone(tlsfail)


def wait_followed(tlsfail, log):
    procs.wait_until(lambda: f"tlsfail: now following {log}\n" in tlsfail.stderr(), 5,
                     "the log to be followed")


def check_auto_late(here):
    """An nginx that starts after tlsfail, as both may when a host starts."""
    case, = named("peer-closed-in-handshake")
    with here.lab("error-log-late", [case]) as lab:
        lab.proxy.stop()
        with here.trace_json(lab, "--error-log", "auto") as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting")
            lab.proxy.start()
            wait_followed(tlsfail, lab.proxy.log)
            finding = fail_once(lab, tlsfail, case, 0)
            status = tlsfail.interrupt()
        require_line(finding, "late")
        require(status == 0 and NO_NGINX in tlsfail.stderr(), status, tlsfail.stderr())
    require_none_alone(tlsfail)


def check_auto_moved(here):
    """A reload names another file. The first failure after it makes that known."""
    case, = named("peer-closed-in-handshake")
    with here.lab("error-log-moved", [case]) as lab:
        config = lab.directory / "proxy.conf"
        moved = lab.proxy.log.with_name("moved.log")
        with here.trace_json(lab, "--error-log", "auto") as tlsfail:
            tlsfail.wait_armed()
            before = fail_once(lab, tlsfail, case, 0)
            config.write_text(config.read_text().replace("proxy/error.log", str(moved)))
            lab.proxy.reload()
            fail_once(lab, tlsfail, case, 1)
            wait_followed(tlsfail, moved)
            after = fail_once(lab, tlsfail, case, 2)
            status = tlsfail.interrupt()
        require_line(before, "before")
        require_line(after, "after")
        require(os.path.samefile(after["nginx.error_log.file"], moved), after)
        require(status == 0, f"exit status {status}", tlsfail.stderr())


NO_NGINX = "tlsfail: --error-log auto: no nginx is running; looking again when an nginx starts\n"


def check_auto_none(here):
    """That there is none yet is no reason not to start."""
    done = here.run("trace", "--comm", "nobody", "--error-log", "auto", "--duration", "1")
    require(done.returncode == 0 and NO_NGINX in done.stderr, done.returncode, done.stderr)


NOT_A_LOG = {
    "missing": lambda path: None,
    "directory": lambda path: path.mkdir(),
    "fifo": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/null"),
}


def check_not_a_log(here, name):
    path = here.top / ("not-a-log-" + name)
    NOT_A_LOG[name](path)
    require_refusal(here.run("trace", "--comm", "nobody", "--error-log", path), CANNOT, str(path))
