#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What becomes of tlsfail when nobody takes its output: a pipe that is closed, a disk that is full,
a pipe that is never read."""
import os
import signal
import time
from functools import partial

from lab import drive, tracer
from lab.cases import named
from tap import require

FLOOD = 400  # failures; their JSON is several times what a pipe holds
STOP_LIMIT_S = 2


def tests(here):
    checks = {
        "closed-pipe": check_closed_pipe,
        "disk-full": check_disk_full,
        "never-read-duration": check_never_read_duration,
        "never-read-sigint": partial(check_never_read, sig=signal.SIGINT),
        "never-read-sigterm": partial(check_never_read, sig=signal.SIGTERM),
    }
    yield from here.chosen("output", checks)


def check_closed_pipe(here):
    """As in `tlsfail | head -1`: the reader leaves, and tlsfail ends without a word."""
    case, = named("connection-refused")
    reader, writer = os.pipe()
    with here.lab("closed-pipe", [case]) as lab:
        with here.trace_json(lab, stdout=writer) as tlsfail:
            os.close(writer)
            tlsfail.wait_armed()
            drive.once(lab, case)
            require(os.read(reader, 1 << 16).endswith(b"\n"), "no finding")
            os.close(reader)
            drive.once(lab, case)
            status = tlsfail.process.wait(timeout=5)
    require(status == 0, f"exit status {status}", tlsfail.stderr())
    said = tracer.complaints(tlsfail.stderr())
    require(not said, "it said:", *said)


def check_disk_full(here):
    case, = named("connection-refused")
    with open("/dev/full", "wb") as full, here.lab("disk-full", [case]) as lab:
        with here.trace_json(lab, stdout=full) as tlsfail:
            tlsfail.wait_armed()
            drive.once(lab, case)
            status = tlsfail.process.wait(timeout=5)
    require(status == 1, f"exit status {status}", tlsfail.stderr())
    said = tracer.complaints(tlsfail.stderr())
    require(len(said) == 1, "not exactly one line:", tlsfail.stderr())


def check_never_read(here, sig):
    """A full pipe may not keep tlsfail from ending when it is told to."""
    case, = named("connection-refused")
    reader, writer = os.pipe()
    with here.lab(f"never-read-{sig.name}", [case]) as lab:
        with here.trace_json(lab, stdout=writer) as tlsfail:
            os.close(writer)
            tlsfail.wait_armed()
            drive.times(FLOOD)(lab, case)
            time.sleep(0.5)
            asked = time.monotonic()
            tlsfail.interrupt(sig, timeout=STOP_LIMIT_S)
            lasted = time.monotonic() - asked
    os.close(reader)
    require(lasted <= STOP_LIMIT_S, f"it took {lasted:.1f} s to end")


def check_never_read_duration(here):
    """Nor from ending by itself, and from counting meanwhile: what finds no room is counted."""
    case, = named("connection-refused")
    reader, writer = os.pipe()
    with here.lab("never-read-duration", [case]) as lab:
        with here.trace_json(lab, "--duration", 2, stdout=writer) as tlsfail:
            os.close(writer)
            tlsfail.wait_armed()
            drive.times(FLOOD)(lab, case)
            status = tlsfail.process.wait(timeout=10)
        written = os.read(reader, 1 << 20).count(b"\n")
    os.close(reader)
    require(status == 0, f"exit status {status}", tlsfail.stderr())
    require(f" {FLOOD} connection-refused\n" in tlsfail.stderr(), tlsfail.stderr())
    require(f"{FLOOD - written} findings were not written" in tlsfail.stderr(), written,
            tlsfail.stderr())
