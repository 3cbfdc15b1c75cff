#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Faults as operators have them that need more than a case of the lab: nginx's stream module, several
connections, several programs."""
import http.client
import os
import shutil
import subprocess

import env
from lab import clients, drive, tracer
from lab.case import MEDIUM, Case, numbered
from lab.cases import GNUTLS_FILES, good_server
from lab.pki import SERVER_NAME
from lab.proxy import STREAM_MODULE
from lab.server_cases import ASKS
from lab.upstreams import GnutlsServer, Misbehave, Nginx
from tap import Skip, require

# A client of gRPC begins with HTTP/2's preface and its settings.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
TIMES = 3


def _closing(behaviour, data=PREFACE):
    name = behaviour + ("" if data else "-silent-client")
    return Case(name, "prematurely-closed-after-handshake", Misbehave(behaviour),
                "proxy_ssl_protocols TLSv1.2 TLSv1.3;", scheme="stream",
                drive=drive.tunnel(data, TIMES))


CLOSING = numbered((_closing("alpn-or-close"), _closing("alpn-or-close", b""),
                    _closing("alpn-or-close-tls12"), _closing("alpn-or-close-tls12", b""),
                    _closing("alpn-or-close-one-ticket"),
                    _closing("alpn-or-notify", b"")))


RESUMED = numbered(Case("client-cert-missing-resumed-" + version, "client-cert-missing", ASKS,
                        drive=clients.openssl("-" + version, "-sess_out", f"upstream/{version}.pem"))
                   for version in ("tls1_2", "tls1_3"))


CHECKED = numbered((Case("health-check", None, good_server(),
                         drive=clients.finish_and_reset(SERVER_NAME)),))


def _spoken(dialogue, behaviour, slug):
    return Case(f"{dialogue}-{behaviour}", slug, Misbehave(f"{dialogue}-{behaviour}"))


SPOKEN = numbered(_spoken(dialogue, behaviour, slug) for dialogue in ("smtp", "connect")
                  for behaviour, slug in (("close", "peer-closed-in-handshake"),
                                          ("expired", "verify-expired"), ("good", None)))
SPEAKERS = {
    "smtp": ("openssl", lambda case: (
        "s_client", "-starttls", "smtp", "-quiet", "-connect", case.endpoint, "-CAfile",
        "pki/ca.crt", "-verify_return_error")),
    "connect": ("curl", lambda case: (
        "--silent", "--cacert", "pki/ca.crt", "--proxy", f"http://{case.endpoint}",
        f"https://{SERVER_NAME}/")),
}


def _plain(name, upstream, status):
    return Case(name, None, upstream, scheme="http", status=status)


PLAIN = numbered((_plain("plain-to-nginx", good_server(), 400),
                  _plain("plain-to-gnutls", GnutlsServer(GNUTLS_FILES), None),
                  _plain("plain-to-plain", Nginx(' return 400 "no such thing";', listen=""), 400)))

BY_VARIABLE = ("set $who {}; proxy_ssl_certificate pki/$who.crt; "
               "proxy_ssl_certificate_key pki/$who.key;")
UNLOADED = numbered((
    Case("no-such-certificate", "client-cert-unloadable", good_server(),
         BY_VARIABLE.format("nobody"), status=500, confidence=MEDIUM),
    Case("such-a-certificate", None, good_server(), BY_VARIABLE.format("client"), status=200)))

UNFIT = numbered((Case("for-another", "verify-hostname-mismatch", good_server("wrong-name")),
                  Case("for-this", None, good_server())))


def tests(here):
    yield from here.chosen("field", {
        "alpn-missing": check_closing,
        "client-cert-missing-resumed": check_resumed,
        "health-check": check_health_check,
        "clear-text-first": check_spoken,
        "plain-text": check_plain,
        "certificate-by-variable": check_unloaded,
        "name-unseen": check_unfit,
    })


def _require_stream():
    if not os.path.exists(STREAM_MODULE):
        raise Skip(f"{STREAM_MODULE} is missing: install libnginx-mod-stream")


def check_closing(here):
    """A peer that closes as soon as the handshake is done, each time: none of them is a success, and so
    no finding says that others succeed."""
    _require_stream()
    with here.lab("alpn-missing", CLOSING) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        for case in CLOSING:
            case.drive(lab, case)
            for seen in range(TIMES):
                finding = tlsfail.wait_finding(case, seen)
                require(finding, f"{case.name}: {seen} findings of {TIMES}", tlsfail.stderr())
                require(finding["error.type"] == case.slug, finding)
                require("alpn-missing" in finding["tlsfail.candidates"], finding)
                require("thers succeed" not in finding["message"], finding)
                require(finding["tlsfail.peer.failures"] == seen + 1
                        == finding["tlsfail.peer.handshakes"], finding)


def check_health_check(here):
    """A client of TLS 1.3 that is gone with its Finished, as HAProxy's health checks are: nothing has
    failed, and it counts as a success."""
    with here.lab("health-check", CHECKED, role="server") as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        for case in CHECKED:
            for _ in range(TIMES):
                case.drive(lab, case)
        require(tlsfail.interrupt() == 0, tlsfail.stderr())
        require(not tlsfail.findings(), *tlsfail.findings())
        require(f"tlsfail: {TIMES} handshakes seen as the server, 0 failed; noise" in tlsfail.stderr(),
                tlsfail.stderr())


def check_resumed(here):
    """A client without a certificate that resumes its session says nothing of certificates, and is refused
    like the first time."""
    with here.lab("resumed", RESUMED, role="server") as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        for case, version in zip(RESUMED, ("tls1_2", "tls1_3")):
            case.drive(lab, case)
            require(tlsfail.wait_finding(case), tlsfail.stderr())
            again = clients.openssl("-" + version, "-sess_in", f"upstream/{version}.pem")
            for seen in (1, 2):
                again(lab, case)
                finding = tlsfail.wait_finding(case, seen)
                require(finding, f"{version}: resumed, and not found", tlsfail.stderr())
                require(finding["error.type"] == case.slug, finding)
                require(finding.get("tls.resumed"), finding)


def check_plain(here):
    """nginx itself sends plain text to a port that speaks TLS: told once a peer, as no failure."""
    with here.lab("plain-text", PLAIN) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        for case in PLAIN:
            for _ in range(TIMES):
                try:
                    status = case.drive(lab, case)
                except http.client.BadStatusLine:
                    status = None  # an alert, which nginx takes for an answer of HTTP/0.9
                require(status == case.status, f"{case.name}: {status}", lab.proxy.log_since(0))
        for case in PLAIN[:2]:
            finding = tlsfail.wait_finding(case)
            require(finding, f"{case.name}: nothing is said", tlsfail.stderr())
            require(finding["event.name"] == "tls.plaintext.sent", finding)
            require(finding["error.type"] == "plain-text-to-tls", finding)
            require(finding["tlsfail.confidence"] == "high", finding)
            require(f"proxy_pass https://{case.endpoint};" in finding["tlsfail.hint"], finding)
            require(finding["nginx.config.location"] == f"location = /{case.name}", finding)
        require(tlsfail.interrupt() == 0, tlsfail.stderr())
        require(len(tlsfail.findings()) == 2, *tlsfail.findings())
        require("0 handshakes seen, 0 failed" in tlsfail.stderr(), tlsfail.stderr())


def check_unloaded(here):
    """A client certificate whose file depends on a variable and cannot be loaded: nginx connects, and
    sends nothing."""
    broken, good = UNLOADED
    with here.lab("certificate-by-variable", UNLOADED) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        for case in UNLOADED:
            status = case.drive(lab, case)
            require(status == case.status, f"{case.name}: {status}", lab.proxy.log_since(0))
        finding = tlsfail.wait_finding(broken)
        require(finding, tlsfail.stderr())
        require(finding["error.type"] == broken.slug, finding)
        require(finding["tlsfail.confidence"] == "medium", finding)
        require("cannot load certificate" in finding["tlsfail.hint"], finding)
        require(tlsfail.interrupt() == 0, tlsfail.stderr())
        require(not any(tracer.is_about(f, good) for f in tlsfail.findings()), *tlsfail.findings())


def check_unfit(here):
    """A program that compares the name itself, and says nothing of it: the handshake is done and the
    connection closed without a request."""
    broken, good = UNFIT
    with here.lab("name-unseen", UNFIT, start_proxy=False) as lab:
        exe = lab.directory / "curl"
        shutil.copy(shutil.which("curl"), exe)
        with here.trace(lab, "--exe", exe, *env.JSON) as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting for")
            for case in (good, broken):
                for host in (SERVER_NAME, case.address):
                    subprocess.run(
                        [exe, "--silent", "--cacert", "pki/ca.crt", "--resolve",
                         f"{SERVER_NAME}:{case.port}:{case.address}", f"https://{host}:{case.port}/"],
                        cwd=lab.directory, check=False, timeout=10, capture_output=True)
            for seen, name in enumerate((SERVER_NAME, broken.address)):
                finding = tlsfail.wait_finding(broken, seen)
                require(finding, f"{name}: not found", tlsfail.stderr())
                require(finding["error.type"] == broken.slug, finding)
                require(finding["tlsfail.confidence"] == "medium", finding)
                require(f"not for {name}" in finding["message"], finding)
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
            require(not any(tracer.is_about(f, good) and f"not for {SERVER_NAME}" in f["message"]
                            for f in tlsfail.findings()), *tlsfail.findings())


def check_spoken(here):
    """What is said in clear before TLS, by STARTTLS or CONNECT, is no unread answer of the peer: who closes is
    the peer, and what is refused is refused."""
    with here.lab("clear-text-first", SPOKEN, start_proxy=False) as lab:
        exes = {}
        for dialogue, (program, _) in SPEAKERS.items():
            exes[dialogue] = lab.directory / program
            shutil.copy(shutil.which(program), exes[dialogue])
        with here.trace(lab, *(word for exe in exes.values() for word in ("--exe", exe)),
                        *env.JSON) as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting for")
            for case in SPOKEN:
                dialogue = case.name.split("-", maxsplit=1)[0]
                subprocess.run([exes[dialogue], *SPEAKERS[dialogue][1](case)], cwd=lab.directory,
                               input="GET / HTTP/1.0\r\n\r\n", text=True, capture_output=True,
                               timeout=10, check=False)
                if case.slug:
                    finding = tlsfail.wait_finding(case)
                    require(finding, f"{case.name}: no finding", tlsfail.stderr())
                    require(finding["error.type"] == case.slug, finding)
        silent = [case for case in SPOKEN if not case.slug]
        require(not [finding for finding in tlsfail.findings() for case in silent
                     if tracer.is_about(finding, case)], *tlsfail.findings())
