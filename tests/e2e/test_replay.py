#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A recording replayed by nobody prints what the trace printed, byte for byte."""
import re
import shutil
import tempfile
from functools import partial
from pathlib import Path

import env
from env import NOBODY
from lab.cases import named
from tap import require

CASES = named("verify-expired", "connection-refused", "good-tls13", "client-cert-required",
              "peer-not-tls-http", "verify-hostname-mismatch-tls12", "peer-closed-in-handshake")


def tests(here):
    checks = {form: partial(check_replay, form=form) for form in ("json", "text")}
    yield from here.chosen("replay", {**checks, "metrics": check_metrics})


def readable_copy(path, where):
    """Copies PATH into the directory WHERE, for all to read and run. Returns the copy, which nobody else has."""
    copy = Path(tempfile.mkdtemp(prefix="nobody-", dir=where)) / path.name
    copy.parent.chmod(0o755)
    shutil.copy(path, copy)
    copy.chmod(0o755)
    return copy


def check_replay(here, form):
    with here.lab("replay-" + form, CASES) as lab:
        recording = lab.directory / "trace.rec"
        with here.trace(lab, "--exe", lab.proxy.exe, "--format", form,
                        "--record", recording, "--error-log", lab.proxy.log) as tlsfail:
            tlsfail.wait_armed()
            for case in CASES:
                case.drive(lab, case)
            status = tlsfail.interrupt()
        require(status == 0, f"trace: exit status {status}", tlsfail.stderr())
        traced = tlsfail.stdout_path.read_text()
        if form == "text":
            require(re.search(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", traced, re.M), "no dates", traced)
            traced = here.undated(tlsfail.stdout_path)
        require(recording.stat().st_mode & 0o077 == 0, "others may read the recording")
        replay = here.run("replay", "--format", form, readable_copy(recording, lab.directory),
                          program=readable_copy(here.tlsfail, lab.directory), prefix=NOBODY)
    require(replay.returncode == 0, f"replay: exit status {replay.returncode}", replay.stderr)
    require(traced.count("\n") >= sum(case.slug is not None for case in CASES),
            "too few lines", traced)
    require(replay.stdout == traced, "traced:", traced, "replayed:", replay.stdout)


def check_metrics(here):
    """The failures of a recording are counted as those of a trace are."""
    figures = here.top / "replay.prom"
    replay = here.run("replay", "--metrics-file", figures, "--repeat", "3", "--sink", "json:-",
                      env.REPOSITORY / "tests" / "golden" / "verify-expired.rec")
    require(replay.returncode == 0, f"replay: exit status {replay.returncode}", replay.stderr)
    page = figures.read_text()
    for sample in ('tlsfail_failures_total{cause="verify-expired",role="client"} 3',
                   'tlsfail_handshakes_total{role="client",result="failure"} 3',
                   'tlsfail_sink_events_dropped_total{sink="json:-"} 0'):
        require(sample in page.splitlines(), f"no {sample} in", page)
