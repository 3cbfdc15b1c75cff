#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What others on the host do: programs that only look like nginx, very many of them, files that are
made to cost, file systems that do not answer. None of it keeps a failure from being found."""
import ctypes
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from env import JSON, NOBODY
from lab import drive, procs
from lab.cases import named
from tap import Skip, require
from test_nginxconf import BAD, location_block, server_block, write_config

NAME = "tlsfail-nginx"  # not longer than a comm, and nobody else's
LIBC = ctypes.CDLL(None, use_errno=True)
MNT_DETACH = 2

BROKEN, = named("verify-expired")


def tests(here):
    yield from here.chosen("strangers", {
        "hung-configuration": check_hung_configuration,
        "many-executables": check_many_executables,
        "of-nobody": check_of_nobody,
        "privileges": check_privileges,
    })


@contextmanager
def unanswered(directory):
    """A file system at DIRECTORY of which every question waits for ever: FUSE, and nobody serves it."""
    try:
        fuse = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise Skip("no FUSE here") from error
    try:
        options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0,allow_other"
        if LIBC.mount(b"hung", os.fsencode(directory), b"fuse", 0, options.encode()):
            raise Skip(f"FUSE cannot be mounted: {os.strerror(ctypes.get_errno())}")
        try:
            yield
        finally:
            LIBC.umount2(os.fsencode(directory), MNT_DETACH)
    finally:
        os.close(fuse)  # what waits gets an error


def require_found(lab, tlsfail, case, seen=0):
    drive.once(lab, case)
    finding = tlsfail.wait_finding(case, seen)
    require(finding, f"no finding for {case.endpoint}", tlsfail.stderr())
    require(finding["error.type"] == case.slug, finding)
    return finding


def check_hung_configuration(here):
    """The finding goes out without its place, the reason is said once, and tlsfail can be ended."""
    case, = BAD
    with here.lab("hung-conf", BAD, start_proxy=False) as lab:
        base = lab.directory / "etc"
        write_config(lab, base / "main.conf", server_block(location_block(
            case, f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {lab.directory}/pki/ca.crt;")))
        lab.proxy.start(argv=[str(lab.proxy.exe), "-c", str(base / "main.conf")])
        with here.trace_json(lab) as tlsfail, unanswered(base):
            tlsfail.wait_armed()
            for seen in range(3):
                finding = require_found(lab, tlsfail, case, seen)
                require("nginx.config.file" not in finding, finding)
            status = tlsfail.interrupt()
            require(status == 0, f"exit status {status}", tlsfail.stderr())
            words = tlsfail.stderr().count("takes long; until it is done")
            require(words == 1, f"said {words} times", tlsfail.stderr())


@contextmanager
def sleeping(programs, prefix=()):
    """PROGRAMS, copies of sleep, run."""
    with procs.Processes() as processes:
        yield [processes.start([*prefix, str(program), "100"]) for program in programs]


def copies(directory, count):
    """COUNT executables called NAME in directories below DIRECTORY."""
    for number in range(count):
        program = directory / str(number) / NAME
        program.parent.mkdir(parents=True)
        shutil.copy("/bin/sleep", program)
        yield program


def check_many_executables(here):
    """More of them than the table of executables holds: that is said, and when they have ended there
    is room again."""
    with here.lab("many", [BROKEN], binary_name=NAME, start_proxy=False) as lab:
        with sleeping(copies(lab.directory / "many", 260)) as others:
            with here.trace(lab, "--comm", NAME, *JSON) as tlsfail:
                procs.wait_until(lambda: "more than 256 executables" in tlsfail.stderr(), 10,
                                 "it does not say that there are too many")
                lab.proxy.start()
                for process in others:
                    process.kill()
                    process.wait()
                tlsfail.wait_armed(30)
                require_found(lab, tlsfail, BROKEN)


def check_of_nobody(here):
    """A program of nobody that is called nginx is named and left out, unless it is asked for."""
    with here.lab("of-nobody", [BROKEN], start_proxy=False) as lab:
        program = lab.directory / "stranger" / "nginx"
        for directory in (lab.directory, lab.directory.parent):
            directory.chmod(0o755)
        program.parent.mkdir()
        shutil.copy("/bin/sleep", program)
        shutil.chown(program, 65534, 65534)
        with sleeping([program], prefix=NOBODY):
            procs.pause(0.3)
            with here.trace(lab, *JSON) as tlsfail:
                procs.wait_until(lambda: f"{program} (pid" in tlsfail.stderr(), 10, "not named")
                require("--all-users includes it" in tlsfail.stderr(), tlsfail.stderr())
            with here.trace(lab, "--all-users", *JSON) as tlsfail:
                procs.wait_until(lambda: f"{program} (pid" in tlsfail.stderr(), 10, "not looked at")
                require("has not loaded a TLS library" in tlsfail.stderr(), tlsfail.stderr())


# linux/capability.h
DAC_OVERRIDE, DAC_READ_SEARCH, SYS_PTRACE, SYS_ADMIN = 1, 2, 19, 21
PERFMON, BPF, CHECKPOINT_RESTORE = 38, 39, 40
READING = {DAC_READ_SEARCH, SYS_PTRACE, CHECKPOINT_RESTORE}
WRITING = {DAC_OVERRIDE, DAC_READ_SEARCH}
TRACING = READING | {DAC_OVERRIDE, PERFMON, BPF, SYS_ADMIN}


def status_of(task):
    """/proc/PID/task/TID/status as a dict."""
    lines = (task / "status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def check_privileges(here):
    """Once armed, tlsfail has but what tracing takes, and its other threads but what reading or writing
    takes; none can get more, and none can run a program. It goes on finding failures, also of a
    program that starts later."""
    with here.lab("privileges", [BROKEN], start_proxy=False) as lab:
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting")
            main = Path(f"/proc/{tlsfail.process.pid}")
            for task in (main / "task").iterdir():
                status = status_of(task)
                held = {n for n in range(64) if int(status["CapPrm"], 16) >> n & 1}
                allowed = TRACING if task.name == main.name else READING
                require(held <= allowed | WRITING, f"thread {task.name}: {held - allowed}")
                require(int(status["CapEff"], 16) == int(status["CapPrm"], 16), status["CapEff"])
                require(status["NoNewPrivs"] == "1", "NoNewPrivs")
                require(status["Seccomp"] == "2", "Seccomp")
            lab.proxy.start()
            tlsfail.wait_armed()
            require_found(lab, tlsfail, BROKEN)
