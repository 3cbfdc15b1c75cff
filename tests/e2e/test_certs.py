#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Certificates of healthy peers: told once, told again when they change, warned of in time."""
import json
import time
from dataclasses import replace

import jsonschema

import env
from lab import drive
from lab.case import Case, numbered
from lab.cases import REUSE, VERIFY, good_server, healthy
from lab.upstreams import OpensslServer
from tap import require

SETTLE_S = 0.5  # for an event that must not come
HEALTHY = 100  # handshakes after which certificates are not read any more
LOOK_S = 1.1  # tlsfail looks once a second at what it has use for


def tests(here):
    checks = {"seen-once": check_seen_once, "changed": check_changed, "expiring": check_expiring,
              "off": check_off, "recalled": check_recalled,
              "unsent": check_unsent}
    yield from here.chosen("certs", checks)


def server(name):
    return OpensslServer(("-cert", f"pki/{name}.crt", "-key", f"pki/{name}.key"))


def events(tlsfail, name):
    return [e for e in tlsfail.findings() if e["event.name"] == name]


def check_schema(tlsfail):
    schema = json.loads((env.REPOSITORY / "docs" / "event.schema.json").read_text())
    for event in tlsfail.findings():
        jsonschema.validate(event, schema)


def ask(lab, case, count):
    require(drive.times(count)(lab, case) == 200, "a request failed",
            lab.proxy.log_since(0)[-2000:])


def check_seen_once(here):
    """Ten handshakes with one peer, and ten of which nine are resumed."""
    cases = numbered((healthy("certs-full", good_server()),
                      healthy("certs-resumed", good_server(), REUSE)))
    with here.lab("certs-seen", cases) as lab, here.trace_json(lab, "--certs") as tlsfail:
        tlsfail.wait_armed()
        for case in cases:
            ask(lab, case, 10)
        time.sleep(SETTLE_S)
        status = tlsfail.interrupt()
    require(status == 0, f"exit status {status}", tlsfail.stderr())
    seen = events(tlsfail, "tls.certificate.seen")
    require(sorted(e["network.peer.port"] for e in seen) == sorted(c.port for c in cases),
            "not one event a peer:", *seen)
    require(all(e["tls.server.subject"] == "CN=upstream.test" and e["tls.server.chain_length"] == 1
                for e in seen), *seen)
    require(len(seen) == len(tlsfail.findings()), *tlsfail.findings())
    check_schema(tlsfail)


def check_changed(here):
    """A renewed certificate on the same address and port."""
    case, = numbered((healthy("certs-changed", server("good")),))
    with here.lab("certs-changed", [case]) as lab, here.trace_json(lab, "--certs") as tlsfail:
        tlsfail.wait_armed()
        ask(lab, case, 2)
        lab.upstreams.replace(case, server("rsa"))
        ask(lab, case, 2)
        time.sleep(SETTLE_S)
        tlsfail.interrupt()
    hashes = [e["tls.server.hash.sha256"] for e in events(tlsfail, "tls.certificate.seen")]
    require(len(hashes) == 2 and len(set(hashes)) == 2, *tlsfail.findings())


def check_unsent(here):
    """An upstream that asks for a client certificate, and answers with 400 as it gets none, is reported
    once, without any option; so is not one that asks for none, nor one that refuses in TLS."""
    asks = "ssl_verify_client on; ssl_client_certificate pki/client-ca.crt;"
    names = ("unsent-tls12", "unsent-tls13")
    cases = numbered((
        replace(healthy("unsent-tls12", good_server(more=asks), tls="TLSv1.2"), status=400),
        replace(healthy("unsent-tls13", good_server(more=asks)), status=400),
        healthy("unasked", good_server()),
        replace(healthy("refuses", OpensslServer(("-cert", "pki/good.crt", "-key", "pki/good.key",
                                                  "-Verify", "1", "-CAfile", "pki/client-ca.crt",
                                                  "-verify_return_error"))), status=502)))
    with here.lab("certs-unsent", cases) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        for case in cases:
            require(drive.times(3)(lab, case) == case.status, "another status",
                    lab.proxy.log_since(0)[-2000:])
        time.sleep(SETTLE_S)
        tlsfail.interrupt()
    unsent = events(tlsfail, "tls.certificate.unsent")
    require(sorted(e["network.peer.port"] for e in unsent)
            == sorted(case.port for case in cases if case.name in names), *tlsfail.findings())
    require(all("proxy_ssl_certificate" in e["tlsfail.hint"] for e in unsent), *unsent)
    check_schema(tlsfail)


def check_expiring(here):
    """nginx does not verify, so the certificate that has ended breaks nothing yet."""
    cases = numbered((healthy("certs-good", good_server()),
                      healthy("certs-ended", good_server("expired")),
                      healthy("certs-huge", good_server("huge"))))
    with here.lab("certs-expiring", cases) as lab:
        with here.trace_json(lab, "--cert-warn", "30d") as tlsfail:
            tlsfail.wait_armed()
            for case in cases:
                ask(lab, case, 3)
            time.sleep(SETTLE_S)
            tlsfail.interrupt()
    found = tlsfail.findings()
    require(len(found) == 2, *found)
    for event, case in zip(found, cases[1:]):
        require(event["event.name"] == "tls.certificate.expiring", event)
        require(event["network.peer.port"] == case.port, event)
        require(event["tls.server.not_after"] == "2021-01-01T00:00:00Z", event)
    check_schema(tlsfail)


def check_off(here):
    """Without the options a healthy handshake says nothing."""
    case, = numbered((healthy("certs-off", good_server()),))
    with here.lab("certs-off", [case]) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        ask(lab, case, 3)
        time.sleep(SETTLE_S)
        tlsfail.interrupt()
    require(not tlsfail.findings(), *tlsfail.findings())


def check_recalled(here):
    """After so many healthy handshakes that certificates are not read any more, one fails: the finding
    tells of the certificate of before, and concludes nothing from it. The next failure has its own."""
    case, = numbered((Case("certs-recalled", "verify-expired", server("good"), VERIFY, status=200),))
    with here.lab("certs-recalled", [case]) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        ask(lab, case, HEALTHY)
        time.sleep(LOOK_S)
        ask(lab, case, 1)
        time.sleep(LOOK_S)
        lab.upstreams.replace(case, server("expired"))
        for _ in range(2):
            require(drive.once(lab, case) == 502, "nginx did not refuse the certificate")
            time.sleep(LOOK_S)
        tlsfail.interrupt()
    found = tlsfail.findings()
    require(len(found) == 2 and all(e["error.type"] == "verify-expired" for e in found), *found)
    first, second = found
    recalled = [line for line in first["tlsfail.evidence"] if "not read this time" in line]
    require("tls.server.not_after" not in first and len(recalled) == 1 and
            "CN=upstream.test, valid to 2049" in recalled[0], first)
    require(second["tls.server.not_after"] == "2021-01-01T00:00:00Z", second)
    check_schema(tlsfail)
