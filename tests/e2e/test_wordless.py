#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Servers whose TLS library tells tlsfail nothing, and whose end of a handshake says little by itself: no answer at
all, an alert that is encrypted, one that was not read."""
from functools import partial

from lab import clients
from lab.server_cases import ANY_CIPHER
from tap import require
from test_plain import GNUTLS, serving

OTHER_CA = "pki/other-ca.crt"
REFUSING = clients.openssl("-CAfile", OTHER_CA, "-verify_return_error")
REFUSING_ENCRYPTED = clients.gnutls("--x509cafile", OTHER_CA, "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3")
OLD = clients.openssl("-tls1_1", *ANY_CIPHER)
NARROW = clients.openssl("-tls1_2", "-cipher", "CAMELLIA256-SHA")

# By name: the server, whether it asks for a certificate, the client, what is said of it; of the last, who reads the
# alert may be quicker to close than who sent it.
CASES = {
    "encrypted-alert": (GNUTLS, False, REFUSING_ENCRYPTED, ("client-rejects-cert",)),
    "alert-unread": ("lighttpd-wolfssl", False, REFUSING, ("client-rejects-cert",)),
    "old-client-unanswered": ("lighttpd-gnutls", False, OLD, ("client-protocol-too-old",)),
    "few-suites-unanswered": ("lighttpd-gnutls", False, NARROW, ("server-no-shared-cipher",)),
    "padded-alert": ("tomcat", True, clients.openssl("-tls1_3"),
                     ("client-cert-missing", "client-closed-in-handshake")),
}


def tests(here):
    yield from here.chosen("wordless", {name: partial(check, name=name) for name in CASES})


def check(here, name):
    """It is reported, as what it most likely is."""
    server, asks, client, slugs = CASES[name]
    with serving(here, server, asks) as (lab, case, tlsfail):
        client(lab, case)
        finding = tlsfail.wait_finding(case)
        require(finding and finding["error.type"] in slugs, finding, tlsfail.stderr())
        require(finding["tlsfail.confidence"] == "medium", finding)
