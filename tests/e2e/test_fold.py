#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A dead upstream under load: a readable screen and a small log, and every failure in the counts."""
import errno
import json
import re
import subprocess

import jsonschema

import env
from lab import binaries, drive, procs, tracer
from lab.cases import named
from tap import require

STORM = 3000  # requests, and so failures; in two halves
INTERVAL_S = 1
FOLDED = "tlsfail.folded"


def tests(here):
    checks = {"storm": check_storm, "off": check_off, "text": check_text, "open": check_open}
    yield from here.chosen("fold", checks)


def traced_storm(here, name, *options, pause=None):
    """Two storms of failures, and PAUSE(tracer) in between. What came of them is replayed. Returns
    the tracer, which has ended."""
    case, = named("connection-refused")
    with here.lab(name, [case]) as lab:
        recording = lab.directory / "storm.rec"
        with here.trace(lab, "--exe", lab.proxy.exe, "--record", recording, *options) as tlsfail:
            tlsfail.wait_armed()
            answers = drive.storm(STORM // 2)(lab, case)
            if pause:
                pause(tlsfail)
            answers += drive.storm(STORM // 2)(lab, case)
            require(answers == STORM, f"{answers} answers of {STORM}")
            status = tlsfail.interrupt()
        other = [line for line in lab.proxy.log_since(0).splitlines()
                 if "upstream:" in line and "Connection refused" not in line]
        replayed = here.run("replay", *options, recording)
    require(status == 0, f"exit status {status}", tlsfail.stderr())
    require(replayed.stdout == here.undated(tlsfail.stdout_path), "the replay differs")
    counted = re.search(r"^tlsfail:\s+(\d+) connection-refused$", tlsfail.stderr(), re.MULTILINE)
    # What else made nginx answer 502 would be in its log.
    require(counted and int(counted[1]) == STORM - len(other), tlsfail.stderr(), *other[:9])
    return tlsfail


def wait_folded(tlsfail):
    """Nothing happens any more, and the count is told all the same."""
    procs.wait_until(lambda: any(e["event.name"] == FOLDED for e in tlsfail.findings()), 5,
                     "the count of an interval")


def check_storm(here):
    """The first is told, then a count each interval; together they are all."""
    tlsfail = traced_storm(here, "storm", "--format", "json", "--fold-interval", INTERVAL_S,
                           pause=wait_folded)
    events = tlsfail.findings()
    failures = [e for e in events if e["event.name"] == "tls.handshake.failure"]
    folded = [e for e in events if e["event.name"] == FOLDED]
    # The second storm is news when there was none for an interval.
    require(len(failures) <= 2, *map(json.dumps, failures))
    require(len(failures) + sum(e["tlsfail.suppressed"] for e in folded) == STORM, *folded)
    require({e["error.type"] for e in folded} == {failures[0]["error.type"]}, *folded)
    schema = json.loads((env.REPOSITORY / "docs" / "event.schema.json").read_text())
    for event in events:
        jsonschema.validate(event, schema)


def check_off(here):
    tlsfail = traced_storm(here, "storm-off", *env.JSON)
    events = tlsfail.findings()
    require(len(events) == STORM, f"{len(events)} events of {STORM}")
    require(not any("tlsfail.suppressed" in e for e in events))


def check_text(here):
    """A minute of it is less than a screen."""
    tlsfail = traced_storm(here, "storm-text")
    lines = tlsfail.stdout_path.read_text().splitlines()
    require(len(lines) < 24, *lines)
    require(any(f" {STORM - 1} more failures of this kind within " in line for line in lines),
            *lines)


# It has a TLS library, connects when it is told to, and does not close.
OPENS = """
import socket, ssl
client = socket.socket()
input()
print(client.connect_ex(("127.0.0.1", 1)), flush=True)
input()
"""


def check_open(here):
    """A refused socket that is not closed by the end, as while somebody else has it open too, is told
    then."""
    with procs.Processes() as processes:
        opens = processes.start([binaries.find("python3"), "-c", OPENS], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True, bufsize=1)
        with tracer.Tracer(here.tlsfail, here.top, ("--pid", opens.pid, *env.JSON),
                           name="open") as tlsfail:
            tlsfail.wait_armed()
            opens.stdin.write("\n")
            require(opens.stdout.readline().strip() == str(errno.ECONNREFUSED), "not refused")
            status = tlsfail.interrupt()
    require(status == 0, f"exit status {status}", tlsfail.stderr())
    finding, = tlsfail.findings()
    require(finding["error.type"] == "connection-refused" and finding["process.pid"] == opens.pid
            and finding["tlsfail.timeline"][-1]["what"] == "not closed yet", finding)
