#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Where findings go: files, rotated by the real logrotate, on a disk that fills up; and the logs of
the system and collectors, in modules of their own."""
import contextlib
import os
import signal
import subprocess
from pathlib import Path

import env
import test_sinks_log
import test_sinks_otlp
from lab import binaries, drive, procs
from lab.cases import named
from sinks import directory, events, failures, replay, replaying, told_lost
from tap import require

LOGROTATE = env.REPOSITORY / "dist" / "logrotate" / "tlsfail"
MANY = 4000  # several times what the small disk and the queue hold


def tests(here):
    checks = {
        "file-unsafe": check_file_unsafe,
        "file-disk-full": check_disk_full,
        "file-rotated": check_rotated,
        "file-slow-neighbour": check_slow_neighbour,
    }
    yield from here.chosen("sinks", checks)
    yield from test_sinks_log.tests(here)
    yield from test_sinks_otlp.tests(here)


def check_file_unsafe(here):
    """Files that somebody else could have put there are refused, with one line."""
    where = directory(here, "unsafe")
    target = where / "target"
    target.touch()
    (where / "link").symlink_to(target)
    (where / "open").mkdir()
    (where / "open").chmod(0o777)
    for path, words in ((where / "link", "is a symbolic link"),
                        (where / "open" / "x", "everybody may replace files"),
                        (where, "cannot create"), (where / "no" / "x", "No such file"),
                        (Path("/proc/x"), "cannot create")):
        done = replay(here, f"json:{path}")
        require(done.returncode == 1, f"{path}: exit status {done.returncode}", done.stderr)
        require(words in done.stderr and done.stderr.count("\n") == 1, done.stderr)
    require(target.stat().st_size == 0, "it wrote through the link")


@contextlib.contextmanager
def small_disk(where, size):
    """A file system of SIZE at the directory `disk` in WHERE."""
    disk = where / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(disk)], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def check_disk_full(here):
    """The disk fills up in the middle of a line, and later has room again."""
    where = directory(here, "disk-full")
    with small_disk(where, "256k") as disk:
        ballast, log = disk / "ballast", disk / "events.json"
        ballast.write_bytes(bytes(128 * 1024))
        with replaying(here, where, f"json:{log}", repeat=MANY, rate=MANY // 2) as process:
            err = where / "err"
            procs.wait_until(lambda: "No space left" in err.read_text(), 10, "the disk to be full")
            full = log.read_bytes()
            require(full.endswith(b"\n"), "half a line stayed on the full disk")
            # As an operator would: make room for more than the queue holds.
            subprocess.run(["mount", "-o", "remount,size=32m", str(disk)], check=True)
            status = process.wait(timeout=20)
        found = events(log)
    said = err.read_text()
    require(status == 0, f"exit status {status}", said)
    require("works again" in said, "no word of the end of the trouble", said)
    require(failures(found) + told_lost(found) == MANY, "not all are accounted for:",
            f"{failures(found)} written, {told_lost(found)} told as lost", said)


def check_rotated(here):
    """The shipped configuration, by the real logrotate, while findings come; then SIGHUP."""
    case, = named("connection-refused")
    with here.lab("rotated", [case]) as lab:
        logs = lab.directory / "log"
        logs.mkdir()
        log, configuration = logs / "events.json", lab.directory / "logrotate.conf"
        told = lab.directory / "rsyslog-rotate"
        told.write_text(f"#!/bin/sh\necho told >>{lab.directory}/told\n")
        told.chmod(0o755)
        configuration.write_text(
            LOGROTATE.read_text().replace("/var/log/tlsfail", str(logs))
            .replace("/usr/lib/rsyslog/rsyslog-rotate", str(told)))
        with here.trace(lab, "--exe", lab.proxy.exe, "--no-fold", "--sink", f"json:{log}") as tlsfail:
            tlsfail.wait_armed()
            drive.once(lab, case)
            procs.wait_until(lambda: log.stat().st_size, 5, "the first finding")
            subprocess.run([binaries.find("logrotate"), "--force", "--state",
                            str(lab.directory / "state"), str(configuration)], check=True)
            require(not log.exists(), "logrotate did not rotate")
            require((lab.directory / "told").read_text() == "told\n", "rsyslog is told once")
            drive.once(lab, case)
            procs.wait_until(lambda: log.exists() and log.stat().st_size, 5, "a new file")
            log.rename(logs / "by-hand.json")
            tlsfail.process.send_signal(signal.SIGHUP)
            procs.wait_until(log.exists, 5, "a new file after SIGHUP")
            drive.once(lab, case)
            status = tlsfail.interrupt()
        counts = [failures(events(path)) for path in (logs / "events.json.1",
                                                      logs / "by-hand.json", log)]
        mode = log.stat().st_mode & 0o7777
    require(status == 0, f"exit status {status}", tlsfail.stderr())
    require(counts == [1, 1, 1], f"findings in the three files: {counts}")
    require(mode == 0o640, f"mode {mode:o}")


def check_slow_neighbour(here):
    """Nobody reads the one sink; the other gets everything at once."""
    where = directory(here, "slow")
    fifo, log = where / "fifo", where / "events.json"
    subprocess.run(["mkfifo", str(fifo)], check=True)
    with open(fifo, "rb", opener=_nonblocking) as reader:
        with replaying(here, where, f"json:{fifo}", f"json:{log}", repeat=MANY,
                       rate=MANY) as process:
            procs.wait_until(lambda: log.exists() and log.read_bytes().count(b"\n") == MANY, 20,
                             "all findings in the file, while the other sink hangs")
            os.set_blocking(reader.fileno(), True)
            (where / "late").write_bytes(reader.read())
            status = process.wait(timeout=10)
    said = (where / "err").read_text()
    late = events(where / "late")
    require(status == 0, f"exit status {status}", said)
    require(f"json:{log}: {MANY} events written, 0 lost" in said, said)
    require(told_lost(events(log)) == 0, "the other sink was told of losses not its own")
    require(0 < told_lost(late) and failures(late) + told_lost(late) == MANY,
            "not all are accounted for:",
            f"{failures(late)} written, {told_lost(late)} told as lost", said)


def _nonblocking(path, flags):
    return os.open(path, flags | os.O_NONBLOCK)
