#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Findings as OTLP logs: what a strict receiver gets, and what becomes of them when it answers with
errors, resets, hangs, speaks something else or is not there."""
import contextlib
import json
import socket
import threading

import env
from lab import procs
from otlp import Receiver
from sinks import FEW, RECORDING, directory, replay, replaying
from tap import require

MANY = 700  # several batches
HEADERS = "OTEL_EXPORTER_OTLP_HEADERS=Authorization=Bearer abc=,X-Tenant=7"
WRONG = (200, {"Content-Type": "text/html"}, b"<html>It works!</html>")


def tests(here):
    checks = {
        "otlp": check_otlp,
        "otlp-outage": check_outage,
        "otlp-at-end": check_at_end,
        "otlp-refused": check_refused,
        "otlp-partial": check_partial,
        "otlp-bad-targets": check_bad_targets,
        "otlp-hangs": check_hangs,
    }
    if "otlp:" in here.run("trace", "--help").stdout:
        yield from here.chosen("sinks", checks)


def lost(done):
    """How many events the summary of the replay DONE counts as lost."""
    return int(done.stderr.split(" events written, ")[1].split()[0])


def require_taken(receiver, count, said):
    require(not receiver.complaints, "malformed:", *receiver.complaints[:3])
    require(len(receiver.records) == count, f"{len(receiver.records)} of {count} records", said)


def check_otlp(here):
    """Each record says what the JSON says, with the same types; the resource who speaks."""
    with Receiver() as receiver:
        done = replay(here, receiver.sink, repeat=MANY, prefix=("env", HEADERS))
    require(done.returncode == 0, f"exit status {done.returncode}", done.stderr)
    require_taken(receiver, MANY, done.stderr)
    require(1 < len(receiver.requests) < MANY // 10, f"{len(receiver.requests)} requests")
    for headers, resource, scope, _ in receiver.requests:
        require((headers["Authorization"], headers["X-Tenant"]) == ("Bearer abc=", "7"),
                str(headers))
        require(resource["service.name"] == "tlsfail" and resource["service.version"]
                and resource["host.name"] == socket.gethostname(), str(resource))
        require(scope["name"] == "tlsfail", str(scope))
    want = json.loads(RECORDING.with_suffix(".json").read_text())
    time, message = want.pop("@timestamp"), want.pop("message")
    for record in receiver.records:
        require(record["attributes"] == want, "the attributes are not those of the JSON:",
                json.dumps(record["attributes"]), json.dumps(want))
        require(record["body"] == message, record["body"])
        require(record["eventName"] == want["event.name"], record["eventName"])
        require((record["severityNumber"], record["severityText"]) == (13, "WARN"), "severity")
        require(record["timeUnixNano"] % 10**9 == int(time[-10:-1]), time)


def check_outage(here):
    """What is temporary is waited for, as long as is asked for; nothing is lost or doubled."""
    where = directory(here, "otlp-outage")
    faults = ["reset", (503, {"Retry-After": "1"}, b""), (429, {}, b""), (502, {}, b""), None,
              (504, {}, b"gone")]
    with Receiver(faults) as receiver:
        with replaying(here, where, receiver.sink, repeat=MANY, rate=MANY // 4,
                       more=("--sink-queue", 16)) as process:
            status = process.wait(timeout=40)
    said = (where / "err").read_text()
    require(status == 0, f"exit status {status}", said)
    require_taken(receiver, MANY, said)
    require(said.count("retrying, and queueing") == 1 == said.count("works again"), said)
    require("0 lost" in said, said)


def check_at_end(here):
    """A collector that wants to be left alone for longer than there is time is asked once more at the end."""
    where = directory(here, "otlp-at-end")
    with Receiver([(503, {"Retry-After": "120"}, b"")]) as receiver:
        with replaying(here, where, receiver.sink, rate=FEW // 4) as process:
            procs.wait_until(lambda: "retrying" in (where / "err").read_text(), 10, "the first answer")
            require(process.poll() is None, "it ended before")
            status = process.wait(timeout=20)
    said = (where / "err").read_text()
    require(status == 0, f"exit status {status}", said)
    require_taken(receiver, FEW, said)
    require("0 lost" in said, said)


def check_refused(here):
    """An answer after which nothing may be sent again: that batch is lost, counted, and told."""
    with Receiver([(500, {}, b"oops")]) as receiver:
        done = replay(here, receiver.sink, repeat=MANY)
    told = [record["attributes"]["tlsfail.lost.output"] for record in receiver.records
            if record["eventName"] == "tlsfail.loss"]
    require(done.returncode == 1, f"exit status {done.returncode}", done.stderr)
    require("it answered 500" in done.stderr, done.stderr)
    require(0 < lost(done) < MANY and told == [lost(done)], f"told {told}", done.stderr)
    require_taken(receiver, MANY - lost(done) + 1, done.stderr)


def check_partial(here):
    """A collector that takes a request, but not all that is in it."""
    answer = json.dumps({"partialSuccess": {"rejectedLogRecords": "3", "errorMessage": "full"}})
    with Receiver([(200, {}, answer.encode())]) as receiver:
        done = replay(here, receiver.sink)
    require("the collector rejected 3 records: full" in done.stderr, done.stderr)
    require(lost(done) == 3 and done.returncode == 1, done.stderr)


@contextlib.contextmanager
def banner(greeting):
    """A server that says GREETING to whoever connects, and leaves. Yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection:
                        connection.sendall(greeting)
                        connection.recv(1 << 16)

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def check_bad_targets(here):
    """One line says what is wrong, all is counted as lost, and the end comes."""
    with banner(b"SSH-2.0-OpenSSH_9.2p1\r\n") as port, Receiver([WRONG] * 50) as web:
        for sink, words in ((f"otlp:http://127.0.0.1:{port}", "HTTP/0.9"),
                            (f"otlp:https://127.0.0.1:{port}", "SSL"),
                            (web.sink, "does not speak OTLP"),
                            ("otlp:http://127.0.0.1:1", "Failed to connect"),
                            ("otlp:http://no-such-host.invalid:4318", "Could not resolve host")):
            done = replay(here, sink)
            require(done.returncode == 1, f"{sink}: exit status {done.returncode}", done.stderr)
            require(done.stderr.count(f"tlsfail: {sink}: ") == 2 and words in done.stderr,
                    f"{sink}: not one line that says {words!r}:", done.stderr)
            require(lost(done) == FEW, done.stderr)
        # Slow enough that a report of what was refused first is refused, too: it is no event.
        done = replay(here, web.sink, rate=FEW // 4)
        require(lost(done) == FEW, done.stderr)
    for target in ("ftp://127.0.0.1", "http://", "127.0.0.1:4318", "http://127.0.0.1:99999"):
        done = replay(here, f"otlp:{target}")
        require(done.returncode == 2 and "is not a collector URL" in done.stderr,
                f"{target}: exit status {done.returncode}", done.stderr)
    done = replay(here, "otlp:http://127.0.0.1:1", prefix=("env", HEADERS + ",novalue"))
    require(done.returncode == 1 and "is not KEY=VALUE" in done.stderr, done.stderr)


def check_hangs(here):
    """A collector that takes the request and never answers: the end does not wait for it."""
    where = directory(here, "otlp-hangs")
    with Receiver(["hang"] * 9) as receiver:
        with replaying(here, where, receiver.sink, rate=FEW) as process:
            status = process.wait(timeout=20)
    said = (where / "err").read_text()
    require(status == 0, f"exit status {status}", said)
    require(f"0 events written, {FEW} lost" in said, said)
