#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Cases of causes that it takes some doing to bring about: what no library would answer, CAs that were
recreated or distrusted, ports that mean something, names that have moved. Data and nothing else; numbered by
cases.py, behind those of default_cases.py.
"""
import os
import socket
import time
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

from . import drive, procs, upstreams
from .case import MEDIUM, Case
from .default_cases import VERIFY, server
from .upstreams import Misbehave

TLS12, TLS13 = "TLSv1.2", "TLSv1.3"


def trusting(name):
    """Directives that trust the certificates of the file NAME."""
    return f"proxy_ssl_verify on; proxy_ssl_trusted_certificate pki/{name}.crt; "


LOOKED_S = 1.2  # in which tlsfail has looked at the hosts file again


def kill_worker(lab, case):
    """One request; the worker that passes it on is killed in the handshake."""
    worker, = lab.proxy.worker_pids()
    with drive.start(lab, case):
        procs.wait_until(lambda: case.port in upstreams.connected_ports(), 5, "nginx to connect")
        time.sleep(0.1)
        os.kill(worker, 9)
        procs.wait_until(lambda: lab.proxy.worker_pids() not in ([], [worker]), 5, "a new worker")


def without_ports(lab, case):
    """One request, when each of the few local ports has a connection to the upstream."""
    ports = Path("/proc/sys/net/ipv4/ip_local_port_range")
    usual = ports.read_text(encoding="ascii")
    ports.write_text("60998 60999", encoding="ascii")
    try:
        with ExitStack() as held:
            with suppress(OSError):
                while True:
                    held.enter_context(socket.create_connection((case.address, case.port)))
            return drive.once(lab, case)
    finally:
        ports.write_text(usual, encoding="ascii")


def move_host(lab, case):
    """One request, when the name of the upstream stands for another address than when nginx started."""
    lab.proxy.move(case, "127.0.9.9")
    time.sleep(LOOKED_S)
    return drive.once(lab, case)


def header_elsewhere(case):
    """CASE where another server of the proxy sends the header of the PROXY protocol to the same upstream."""
    return replace(case, location=(
        f"{case.location} }}\n\tserver {{ listen 127.0.0.1:{case.stream_port + 1000}; "
        f"proxy_pass {case.endpoint}; proxy_ssl on; proxy_protocol on;"))


STREAM = {"scheme": "stream", "status": None, "drive": drive.tunnel(b"GET / HTTP/1.0\r\n\r\n")}

# (the case, what makes it of the numbered case, or None)
_ROWS = (
    # -- what no library would answer --
    (Case("legacy-signature", "legacy-signature", Misbehave("legacy-signature"), tls=TLS12), None),
    (Case("peer-signature-wrong", "peer-signature-wrong", Misbehave("wrong-signature"), tls=TLS12), None),
    (Case("downgrade-detected", "downgrade-detected", Misbehave("downgrade"), tls=f"{TLS12} {TLS13}",
          confidence=MEDIUM), None),
    (Case("session-mismatch", "session-mismatch", Misbehave("resume-with-other-suite"),
          "proxy_ssl_session_reuse on;", confidence=MEDIUM, tls=TLS12, drive=drive.again), None),
    (Case("peer-ended-handshake", "peer-ended-handshake", Misbehave("alert-110"), confidence=MEDIUM), None),
    # -- what is set here, and what becomes of the program --
    (Case("no-ciphers-available", "no-ciphers-available", server(),
          "proxy_ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:@SECLEVEL=0;", tls="TLSv1.1"), None),
    (Case("local-process-exited", "local-process-exited", Misbehave("hang"), status=None, log="",
          drive=kill_worker), None),
    (Case("client-cert-unloadable-weak", "client-cert-unloadable", server(),
          "set $who weak; proxy_ssl_certificate pki/$who.crt; proxy_ssl_certificate_key pki/$who.key;",
          status=500, confidence=MEDIUM, log=r"SSL_use_certificate\(", says=("SSL_use_",)), None),
    # -- the network --
    (Case("connect-unreachable", "connect-unreachable", Misbehave("unreachable"),
          log=r"connect\(\) failed \(113: "), None),
    (Case("connect-unreachable-port", "connect-unreachable", Misbehave("port-unreachable"),
          log=r"connect\(\) failed \(111: ", says=("firewalls on the way that reject",),
          never=("RST", "nothing listens")), None),
    (Case("local-ports-exhausted", "local-ports-exhausted", Misbehave("hang"), drive=without_ports,
          log=r"connect\(\) to \S+ failed \(99: ", says=("keepalive", "ip_local_port_range")), None),
    (Case("peer-moved", "peer-moved", server("stranger"), VERIFY + "proxy_ssl_server_name on;", defaults=True,
          drive=move_host), None),
    # -- certificates --
    (Case("verify-chain-incomplete", "verify-chain-incomplete", server("gap-chain"), VERIFY, confidence=MEDIUM), None),
    (Case("verify-signature-mismatch", "verify-signature-mismatch", server("tampered"), VERIFY), None),
    (Case("verify-untrusted-issuer-rekeyed", "verify-untrusted-issuer", server(), trusting("rekeyed-ca"),
          confidence=MEDIUM, says=("recreated under its old name",)), None),
    (Case("verify-crl-unusable", "verify-crl-unusable", server(),
          VERIFY + "proxy_ssl_crl pki/rekeyed-ca.crl;"), None),
    (Case("verify-name-constraints", "verify-name-constraints", server("constrained-chain"),
          VERIFY + "proxy_ssl_verify_depth 2;"), None),
    # A suite of nothing but ECDSA (RFC 6460), and a root of RSA.
    (Case("verify-algorithm", "verify-algorithm", server("under-rsa-ca", " ssl_ecdh_curve prime256v1;"),
          trusting("rsa-ca") + "proxy_ssl_ciphers SUITEB128;", tls=TLS12), None),
    # nginx goes on, and the last error then is that it is not for TLS servers.
    (Case("verify-invalid-ca-distrusted", "verify-invalid-ca", server(), trusting("distrusted-ca")), None),
    (Case("verify-refused", "verify-refused", server("critical"), VERIFY), None),
    # -- what is said before TLS, or should be --
    (Case("proxy-protocol-unexpected", "proxy-protocol-unexpected", server(), "proxy_protocol on;",
          **STREAM), None),
    (Case("proxy-protocol-missing", "proxy-protocol-missing", Misbehave("close-after-hello"), confidence=MEDIUM,
          **STREAM),
     header_elsewhere),
    # What speaks first may have done so before nginx has sent anything: it then begins no handshake.
    (Case("starttls-expected", "starttls-expected", Misbehave("smtp-close"), known_port=587, race=True,
          log="wrong version number"), None),
    (Case("alpn-missing", "alpn-missing", Misbehave("alpn-or-close"), known_port=50051, log="",
          confidence=MEDIUM, **STREAM), None),
)


def rows(first):
    """The cases, numbered from FIRST on."""
    for number, (case, make) in enumerate(_ROWS, first):
        numbered = replace(case, number=number)
        yield make(numbered) if make else numbered
