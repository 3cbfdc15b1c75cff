#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""trace --confirm: what a failure leaves open is settled by a probe, which follows as an event of its
own; how often, as whom, and in which network namespace it asks."""
import json
import os
import re
import socket
import threading
import time
from functools import partial
from pathlib import Path

import env
from lab import implementations, procs, tracer
from lab.case import Case, numbered
from lab.cases import CASES, named
from lab.servers import PROGRAMS
from lab.upstreams import Nothing, connected_ports
from tap import require
from test_cases import drive

SETTLED_S = 20  # a probe that tries all that it can

# What no probe can settle: a server that does not say which CAs it trusts, nor what is wrong with a
# certificate of another one.
LEFT_OPEN = {"client-cert-untrusted-lighttpd-gnutls", "client-cert-untrusted-tls12-lighttpd-gnutls",
             # Silence, and the certificate's kind of key, are the same to every client.
             "handshake-blackholed", "key-type",
             # Nor why a server closes.
             "close-after-asking"}


def ambiguous(cases):
    """Those of CASES whose cause cannot be told by one failure."""
    return [case for case in cases if case.truth and case.name not in LEFT_OPEN]


def tests(here):
    """Yields (name, test)."""
    lacks = {program: server.lacks() for program, server in PROGRAMS.items()}
    present = [case for case in implementations.CASES if not lacks[case.upstream.program]]
    for name, cases in (("confirm", CASES), ("confirm-implementation", present)):
        chosen = [here.adapted(case) for case in ambiguous(cases)
                  if here.wants(f"{name}/{case.name}")]
        if chosen:
            with here.lab(name, chosen) as lab, here.trace_json(lab, "--confirm") as tlsfail:
                yield f"{name}/armed", tlsfail.wait_armed
                for case in chosen:
                    yield f"{name}/{case.name}", partial(check, lab, tlsfail, case)
    yield from here.chosen("confirm", CHECKS)


def confirmed(tlsfail, case):
    """The events about CASE that a probe has settled."""
    return [event for event in tlsfail.findings()
            if event["event.name"] == "tls.handshake.confirmed"
            and event.get("network.peer.port") == case.port]


def check(lab, tlsfail, case):
    drive(lab, case)
    try:
        events = procs.wait_until(lambda: confirmed(tlsfail, case), SETTLED_S, "a confirmation")
    except TimeoutError:
        events = []
    require(len(events) == 1, f"{len(events)} confirmations",
            *map(json.dumps, tlsfail.findings()[-2:]))
    require(events[0]["error.type"] == case.truth, f"not {case.truth}", json.dumps(events[0]))
    require(events[0]["tlsfail.confidence"] == "proven", json.dumps(events[0]))
    require(events[0]["tlsfail.confirmed"], json.dumps(events[0]))


ALERT_40 = bytes([21, 3, 3, 0, 2, 2, 40])


class Refuser:
    """A server on the endpoint of CASE that answers every ClientHello with alert 40, and counts."""

    def __init__(self, case):
        self.count = 0
        self._listener = socket.create_server((case.address, case.port))
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread
        self._listener.close()

    def _serve(self):
        while True:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            self.count += 1
            with conn:
                try:
                    self.answer(conn)
                except OSError:
                    pass

    def answer(self, conn):
        """Speaks to a client."""
        conn.recv(4096)
        conn.sendall(ALERT_40)


def quiet(count, seconds=2):
    """Waits until COUNT() has been the same for so long, and returns it."""
    last, since = count(), time.monotonic()
    while time.monotonic() - since < seconds * procs.PATIENCE:
        time.sleep(0.1)
        if count() != last:
            last, since = count(), time.monotonic()
    return last


def check_rate(here):
    """Ten failures, and one probe: the peer sees what one verdict takes, and then nothing more."""
    case = numbered((Case("refused-by-alert", "cipher-mismatch", Nothing()),))[0]
    with here.lab("confirm-rate", (case,)) as lab, Refuser(case) as refuser, \
            here.trace_json(lab, "--confirm") as tlsfail:
        tlsfail.wait_armed()
        drive(lab, case)
        asked = quiet(lambda: refuser.count) - 1
        require(1 <= asked <= 12, f"{asked} connections of the probe")
        for _ in range(9):
            drive(lab, case)
        more = quiet(lambda: refuser.count) - asked - 10
        require(more == 0, f"{more} connections more than those of nginx")


def check_opt_in(here):
    """Without --confirm nobody is asked."""
    case = numbered((Case("refused-by-alert", "cipher-mismatch", Nothing()),))[0]
    with here.lab("confirm-opt-in", (case,)) as lab, Refuser(case) as refuser, \
            here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        drive(lab, case)
        require(quiet(lambda: refuser.count) == 1, f"{refuser.count} connections")


class Flooder(Refuser):
    """Refuses the first, and sends every other one bytes without end."""

    def answer(self, conn):
        if self.count == 1:
            super().answer(conn)
        else:
            conn.recv(4096)
            while True:
                conn.sendall(bytes([22, 3, 3, 0x3f, 0]) + os.urandom(0x3f00))


def check_harm(here):
    """A peer that does harm to the prober does none to the tracer."""
    case = numbered((Case("refused-by-alert", "cipher-mismatch", Nothing()),))[0]
    with here.lab("confirm-harm", (case,)) as lab, Flooder(case) as flooder, \
            here.trace_json(lab, "--confirm") as tlsfail:
        tlsfail.wait_armed()
        drive(lab, case)
        require(quiet(lambda: flooder.count) > 1, "nobody has probed")
        flooder.count = 0
        drive(lab, case)
        require(tlsfail.wait_finding(case, 1), "no second finding")
        require(not confirmed(tlsfail, case), *map(json.dumps, tlsfail.findings()))
        require(tlsfail.interrupt() == 0, tlsfail.stderr())


def probers(parent):
    """{pid: (user, network namespace)} of the processes below PARENT that are probing."""
    found = {}
    for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        for pid in Path(f"/proc/{child}/task/{child}/children").read_text().split():
            status = Path(f"/proc/{pid}/status").read_text()
            found[pid] = (re.search(r"^Uid:\s+(\d+)", status, re.M)[1],
                          os.readlink(f"/proc/{pid}/ns/net"))
    return found


def check_other_network(here):
    """The tracer is in a network namespace of its own: the probe asks from that of nginx, and as
    nobody."""
    cases = named("handshake-timeout")
    wrapper = here.top / "elsewhere"
    wrapper.write_text(f'#!/bin/sh\nexec unshare -n {here.tlsfail} "$@"\n')
    wrapper.chmod(0o755)
    with here.lab("confirm-network", cases) as lab:
        args = [word for exe in lab.traced.exes for word in ("--exe", exe)]
        with tracer.Tracer(wrapper, lab.directory,
                           [*args, *env.JSON, "--confirm"]) as tlsfail:
            tlsfail.wait_armed()
            drive(lab, cases[0])
            seen = {}

            def connected():
                seen.update(probers(tlsfail.process.pid))
                return cases[0].port in connected_ports() and seen
            procs.wait_until(connected, 10, "a probe")
            user, network = next(iter(probers(tlsfail.process.pid).values()))
    require(user == "65534", f"the prober is of user {user}")
    require(network == os.readlink("/proc/self/ns/net"), network)


CHECKS = {"rate": check_rate, "opt-in": check_opt_in, "harm": check_harm,
          "other-network": check_other_network}
