#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the sinks share: replays into them, and what came out."""
import contextlib
import json
import subprocess

import env
from lab import procs
from tap import require

RECORDING = env.REPOSITORY / "tests" / "golden" / "verify-expired.rec"
FEW = 20


def directory(here, name):
    """A directory of its own for one test."""
    path = here.top / ("sinks-" + name)
    path.mkdir()
    return path


def replay_args(*sinks, repeat=FEW, rate=None, more=()):
    """The arguments of `tlsfail replay` into SINKS, of REPEAT failures, with MORE of them."""
    args = ["replay", RECORDING, "--no-fold", "--repeat", repeat]
    for sink in sinks:
        args += ["--sink", sink]
    return args + (["--rate", rate] if rate else []) + list(more)


def replay(here, *sinks, prefix=(), **options):
    """Replays to the end, as `PREFIX tlsfail replay ...`. Returns the CompletedProcess."""
    return here.run(*replay_args(*sinks, **options), prefix=prefix)


@contextlib.contextmanager
def replaying(here, where, *sinks, **options):
    """A replay that goes on meanwhile. Yields its Popen; its stderr is the file `err` in WHERE."""
    with open(where / "err", "wb") as err:
        process = procs.start_owned(
            [str(here.tlsfail), *map(str, replay_args(*sinks, **options))],
            stdout=subprocess.DEVNULL, stderr=err)
    try:
        yield process
    finally:
        procs.stop(process)


def events(*paths):
    """The events in the files PATHS. Each line has to be a whole one."""
    lines = [line for path in paths for line in path.read_bytes().split(b"\n")[:-1]]
    for path in paths:
        require(path.read_bytes().endswith(b"\n"), f"{path.name} ends within a line")
    return [json.loads(line) for line in lines]


def failures(found):
    return sum(event["event.name"] == "tls.handshake.failure" for event in found)


def told_lost(found):
    """What the events in FOUND say was lost at their output."""
    return sum(event.get("tlsfail.lost.output", 0) for event in found)
