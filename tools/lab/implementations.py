#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The same failures with servers of every implementation of TLS at hand: data and nothing else.

A row of SCENARIOS is a way to fail; what a program answers differently than OpenSSL is in DIFFERS,
and what it cannot be configured to do in LEFT_OUT. A case is named after both.
"""
from dataclasses import replace

from .case import LOW, MEDIUM, Case, numbered
from .cases import (CLOSED, PREMATURE, TLS12, TLS13, VERIFY, alert, client_cert, handshake_error,
                    read_error, verify, verify_error)
from .servers import PROGRAMS, Listener

ONLY_TLS12 = (TLS12, TLS12)
ONLY_TLS13 = (TLS13, TLS13)
ONE_CIPHER = "ECDHE-ECDSA-AES256-GCM-SHA384"
ANOTHER_CIPHER = "proxy_ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;"
UNTRUSTED = client_cert("client-untrusted")


def one_alert(numbers):
    """The members of the JSON, and the words in nginx's line, for an alert of NUMBERS."""
    code = numbers[0] if len(numbers) == 1 else frozenset(numbers)
    return alert(code), f"alert number ({'|'.join(map(str, numbers))})"


def early(*numbers):
    """The members of a case for an alert, one of NUMBERS, within the handshake."""
    expect, words = one_alert(numbers)
    return {"expect": expect, "log": handshake_error(words)}


def late(*numbers):
    """The members of a case for an alert after it. An upstream that closes at once, with our request
    unread, resets the connection, which can overtake the alert."""
    expect, words = one_alert(numbers)
    return {"expect": expect, "log": read_error(words), "race": True}


# (the case but for its name, what its listener does)
SCENARIOS = {
    "client-cert-required": (
        Case("", "client-cert-required", None, **late(116)), {"client_ca": True}),
    "client-cert-required-legacy": (
        Case("", "client-cert-required-legacy", None, tls=TLS12, **early(40)),
        {"client_ca": True}),
    "client-cert-untrusted": (
        Case("", "client-cert-untrusted", None, UNTRUSTED, **late(48)), {"client_ca": True}),
    "client-cert-untrusted-tls12": (
        Case("", "client-cert-untrusted", None, UNTRUSTED, tls=TLS12, **early(48)),
        {"client_ca": True}),
    "protocol-version-rejected": (
        Case("", "protocol-version-rejected", None, tls=TLS12, **early(70)),
        {"versions": ONLY_TLS13}),
    "protocol-version-rejected-tls13": (
        Case("", "protocol-version-rejected", None, **early(70)), {"versions": ONLY_TLS12}),
    "cipher-mismatch": (
        Case("", "cipher-mismatch", None, ANOTHER_CIPHER, tls=TLS12, confidence=MEDIUM,
             **early(40)),
        {"versions": ONLY_TLS12, "cipher": ONE_CIPHER}),
    "sni-unrecognized": (
        Case("", "sni-unrecognized", None, "proxy_ssl_name elsewhere.test;", **early(112)),
        {"strict_name": True}),
    "sni-missing": (
        Case("", "sni-missing", None, "proxy_ssl_server_name off;", **early(112)),
        {"strict_name": True}),
    "verify-expired": (
        Case("", "verify-expired", None, VERIFY, expect=verify(10), log=verify_error(10)),
        {"certificate": "expired"}),
}


def ambiguous(slug, truth, **members):
    """What is seen fits SLUG, which is not what is wrong."""
    return {"slug": slug, "truth": truth, "confidence": MEDIUM, **members}


def likely(slug, **members):
    """What is seen fits other causes, too, and that which is wrong fits best."""
    return {"slug": slug, "confidence": MEDIUM, **members}


def any_reason(number):
    """Of those who refuse a client certificate with the same alert NUMBER whatever is wrong. That there
    is none is one alert or another by their release (Java 17.0.15 has 42, 17.0.21 the standard's)."""
    return {
        "client-cert-required": late(42, 116),
        "client-cert-required-legacy": early(42, 40),
        "client-cert-untrusted": likely("client-cert-untrusted", **late(number)),
        "client-cert-untrusted-tls12": likely("client-cert-untrusted", **early(number)),
    }


CERTIFICATE = {"tls.client.certificate_sent": True}
NO_CERTIFICATE = {"tls.client.certificate_sent": False}
NO_ANSWER = {**ambiguous("peer-closed-in-handshake", "protocol-version-rejected", log=CLOSED,
                         expect={}), "confidence": LOW}

# By program and scenario, other members of the case.
DIFFERS = {
    "caddy": any_reason(42),
    "tomcat": any_reason(46),
    # It closes without a word when it refuses a certificate, or a name.
    "node": {
        "client-cert-untrusted": likely("client-cert-untrusted", log=PREMATURE,
                                        expect=CERTIFICATE),
        "client-cert-untrusted-tls12": likely("client-cert-untrusted", log=CLOSED,
                                              expect=CERTIFICATE),
        "sni-unrecognized": {**ambiguous("peer-closed-in-handshake", "sni-unrecognized",
                                         log=CLOSED, expect={}), "confidence": LOW},
    },
    # It closes without a word but when a certificate does not verify.
    "lighttpd-gnutls": {
        "client-cert-required": likely("client-cert-required", log=PREMATURE,
                                       expect=NO_CERTIFICATE),
        "client-cert-required-legacy": likely("client-cert-required-legacy", log=CLOSED,
                                              expect=NO_CERTIFICATE),
        "client-cert-untrusted": ambiguous("client-cert-rejected", "client-cert-untrusted",
                                           **late(49)),
        "client-cert-untrusted-tls12": ambiguous("client-cert-rejected", "client-cert-untrusted",
                                                 **early(49)),
        "protocol-version-rejected": NO_ANSWER,
        "protocol-version-rejected-tls13": NO_ANSWER,
    },
    "lighttpd-mbedtls": {
        "client-cert-required-legacy": likely("client-cert-required-legacy", log=CLOSED,
                                              expect=NO_CERTIFICATE),
        "protocol-version-rejected-tls13": ambiguous(
            "cipher-mismatch", "protocol-version-rejected", **early(40)),
    },
    "lighttpd-wolfssl": {
        "client-cert-required-legacy": likely("client-cert-required-legacy", log=CLOSED,
                                              expect=NO_CERTIFICATE),
        "protocol-version-rejected-tls13": ambiguous(
            "cipher-mismatch", "protocol-version-rejected", **early(40)),
    },
}

NO_STRICT_NAMES = ("sni-unrecognized", "sni-missing")
LEFT_OUT = {
    "apache": NO_STRICT_NAMES,  # an HTTP answer
    "stunnel": NO_STRICT_NAMES,
    "caddy": NO_STRICT_NAMES,
    "tomcat": NO_STRICT_NAMES,
    "node": ("sni-missing",),
    "lighttpd-gnutls": NO_STRICT_NAMES + ("cipher-mismatch",),
    # mbed TLS 2.28 has no TLS 1.3.
    "lighttpd-mbedtls": NO_STRICT_NAMES + ("cipher-mismatch", "client-cert-required",
                                           "client-cert-untrusted", "verify-expired"),
    "lighttpd-wolfssl": NO_STRICT_NAMES,
}


def case_of(program, scenario):
    """The case of SCENARIO with PROGRAM."""
    case, listener = SCENARIOS[scenario]
    return replace(case, name=f"{scenario}-{program}", upstream=Listener(program, **listener),
                   **DIFFERS.get(program, {}).get(scenario, {}))


CASES = numbered(case_of(program, scenario) for program in PROGRAMS for scenario in SCENARIOS
                 if scenario not in LEFT_OUT.get(program, ()))

# Those that answer differently than OpenSSL.
DIFFERENT = tuple(case for case in CASES if any(
    case.name == f"{scenario}-{program}" for program in DIFFERS for scenario in DIFFERS[program]))
