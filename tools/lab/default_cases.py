#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Cases at nginx's own defaults: no server name is sent, sessions are reused, nothing is verified, and
what is passed to has a host name. Data and nothing else; numbered by cases.py, behind its own.
"""
from dataclasses import replace

from . import drive
from .case import LOW, MEDIUM, Case
from .pki import SERVER_NAME
from .upstreams import Misbehave, Nginx, OpensslServer

ANSWER = ' return 200 "ok\\n";'
GOOD_FILES = ("-cert", "pki/good.crt", "-key", "pki/good.key")
VERIFY = "proxy_ssl_verify on; proxy_ssl_trusted_certificate pki/ca.crt; "
SNI_ON = "proxy_ssl_server_name on"
CLOSED = "peer closed connection in SSL handshake"


def _cert(name):
    return f"ssl_certificate pki/{name}.crt; ssl_certificate_key pki/{name}.key; "


def server(name="good", more=""):
    key = {"gap-chain": "deep"}.get(name, name.replace("-chain", ""))
    return Nginx(f"ssl_certificate pki/{name}.crt; ssl_certificate_key pki/{key}.key; "
                 + more + ANSWER)


def behind(default):
    """CASE with an upstream that shows the certificate of another server unless it is asked for its
    own: DEFAULT is what the directives of the other one are."""
    def make(case):
        named = (f"{_cert('good')} {ANSWER} }}\n\tserver {{ listen {case.endpoint} ssl "
                 f"default_server; {default}")
        return replace(case, upstream=Nginx(f"server_name *.{SERVER_NAME}; {named}"))
    return make


def _stranger(certificate):
    return behind(_cert(certificate) + " return 421;")


def _at_its_address(case):
    """CASE with an address in the place of the host name, and an upstream that wants a name."""
    return replace(behind("ssl_reject_handshake on;")(case), target=case.endpoint)


def _by_address(case):
    """CASE with an address in the place of the host name."""
    return replace(case, target=case.endpoint)


def _alert(code):
    return {"tls.alert.code": code, "tls.alert.direction": "received"}


# (the case, what makes its upstream of the numbered case, or None)
_ROWS = (
    # -- no name was sent --
    (Case("default-server", "sni-missing", None, VERIFY, confidence=MEDIUM), _stranger("stranger")),
    (Case("default-server-expired", "sni-missing", None, VERIFY, confidence=MEDIUM),
     _stranger("stranger-expired")),
    (Case("default-server-self-signed", "sni-missing", None, VERIFY, confidence=MEDIUM),
     _stranger("stranger-self-signed")),
    (Case("default-server-untrusted", "sni-missing", None, VERIFY, confidence=MEDIUM),
     _stranger("stranger-untrusted")),
    (Case("default-server-rejects", "sni-missing", None, expect=_alert(112)),
     behind("ssl_reject_handshake on;")),
    (Case("closed-unless-named", "sni-missing", Misbehave("close-unless-named"),
          confidence=MEDIUM, log=CLOSED), None),
    (Case("reset-unless-named", "sni-missing", Misbehave("reset-unless-named"), confidence=MEDIUM,
          log=CLOSED), None),
    (Case("default-server-in-block", "sni-missing", None, VERIFY, confidence=MEDIUM,
          group="pool_a"), _stranger("stranger")),
    # -- it is not the name --
    (Case("own-expired", "verify-expired", server("expired"), VERIFY, never=(SNI_ON,)), None),
    (Case("own-self-signed", "verify-self-signed", server("self-signed"), VERIFY,
          never=(SNI_ON,)), None),
    (Case("own-untrusted", "verify-untrusted-issuer", server("untrusted"), VERIFY,
          confidence=MEDIUM), None),
    (Case("trusted-ca-expired", "trusted-ca-expired", server("under-expired-ca"),
          "proxy_ssl_verify on; proxy_ssl_trusted_certificate pki/expired-ca.crt;"), None),
    (Case("one-suite", "cipher-mismatch",
          server(more="ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-CHACHA20-POLY1305;"),
          "proxy_ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;", confidence=MEDIUM,
          expect=_alert(40)), None),
    (Case("one-group", "group-mismatch", OpensslServer(GOOD_FILES + ("-groups", "P-384")),
          "proxy_ssl_conf_command Groups X25519;", confidence=MEDIUM, expect=_alert(40)), None),
    (Case("suites-after-success", "cipher-mismatch",
          server(more="ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;"),
          "proxy_ssl_session_reuse off; proxy_ssl_ciphers "
          "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-GCM-SHA384:"
          "ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES256-GCM-SHA384;",
          sibling="proxy_ssl_session_reuse off;", drive=drive.after_sibling, confidence=MEDIUM,
          expect=_alert(40)), None),
    (Case("key-type", "sni-missing",
          OpensslServer(("-cert", "pki/rsa.crt", "-key", "pki/rsa.key", "-tls1_2", "-cipher",
                         "ECDHE-ECDSA-AES128-GCM-SHA256")), confidence=MEDIUM,
          truth="cipher-mismatch", expect=_alert(40)), None),
    (Case("session-refused", "resumption-refused", Misbehave("refuse-sessions"),
          drive=drive.again, confidence=MEDIUM), None),
    (Case("name-of-block", "sni-malformed", Misbehave("alert-47"),
          "proxy_ssl_server_name on;", group="my_backend", confidence=MEDIUM,
          expect=_alert(47)), None),
    (Case("name-with-dot", "sni-malformed", Misbehave("alert-47"),
          f"{SNI_ON}; proxy_ssl_name {SERVER_NAME}.;", confidence=MEDIUM, expect=_alert(47),
          says=(f"set proxy_ssl_name {SERVER_NAME};",)), None),
    (Case("no-name-denied", "sni-missing", Misbehave("alert-49"), confidence=MEDIUM,
          expect=_alert(49)), None),
    (Case("name-without-dot", "sni-unrecognized", Misbehave("alert-40"),
          "proxy_ssl_server_name on;", group="backend", confidence=MEDIUM,
          expect=_alert(40)), None),
    # -- nothing is wrong --
    (Case("defaults", None, server(), status=200), None),
    (Case("defaults-verified", None, server(), VERIFY, status=200, drive=drive.times(3)), None),
    (Case("defaults-unverified", None, server("stranger-expired"), status=200), None),
    # -- what other places do with the same peer, and what little was offered --
    (Case("default-server-named-elsewhere", "sni-missing", None,
          VERIFY + "proxy_ssl_session_reuse off;",
          sibling="proxy_ssl_server_name on; proxy_ssl_session_reuse off;",
          drive=drive.after_sibling, confidence=MEDIUM), _stranger("stranger")),
    (Case("suites-of-one-key", "cipher-mismatch",
          OpensslServer(("-cert", "pki/rsa.crt", "-key", "pki/rsa.key", "-tls1_2")),
          "proxy_ssl_ciphers aECDSA;", confidence=MEDIUM, expect=_alert(40)), None),
    (Case("two-groups", "group-mismatch", OpensslServer(GOOD_FILES + ("-groups", "P-521")),
          "proxy_ssl_conf_command Groups X25519:P-256;", confidence=MEDIUM,
          expect=_alert(40)), None),
    # -- a session that another place began --
    (Case("default-server-resumed", "sni-missing", None, VERIFY, sibling=" ",
          drive=drive.after_sibling, confidence=MEDIUM, says=("proxy_ssl_session_reuse off",)),
     _stranger("stranger")),
    (Case("default-server-resumed-self-signed", "sni-missing", None, VERIFY, sibling=" ",
          drive=drive.after_sibling, confidence=MEDIUM), _stranger("stranger-self-signed")),
    (Case("expired-resumed", "verify-expired", server("expired"), VERIFY, sibling=" ",
          drive=drive.after_sibling, confidence=MEDIUM, says=("ended 2021-01-01",)), None),
    (Case("session-of-sibling", "session-verify-result", server(), VERIFY, sibling=" ",
          drive=drive.after_sibling, confidence=MEDIUM,
          says=("proxy_ssl_session_reuse off",)), None),
    (Case("suites-of-one-place", "cipher-mismatch", server("rsa"), "proxy_ssl_ciphers aECDSA;",
          sibling=" ", drive=drive.after_sibling, confidence=MEDIUM,
          says=("proxy_ssl_ciphers DEFAULT",)), None),
    # -- no name is known that could be sent --
    (Case("name-of-address", "sni-missing", None, "proxy_ssl_server_name on;",
          expect=_alert(112), says=("is an address",)), _at_its_address),
    (Case("key-type-address", "cipher-mismatch",
          OpensslServer(("-cert", "pki/rsa.crt", "-key", "pki/rsa.key", "-tls1_2", "-cipher",
                         "ECDHE-ECDSA-AES128-GCM-SHA256")), confidence=MEDIUM,
          expect=_alert(40)), _by_address),
    (Case("default-server-address", "verify-hostname-mismatch", None, VERIFY,
          says=("the DNS name of the server that you mean",),
          never=("set proxy_ssl_name stranger",)),
     lambda case: replace(_stranger("stranger")(case), target=case.endpoint)),
    (Case("other-names-expired", "verify-expired", server("stranger-expired"),
          VERIFY + "proxy_ssl_server_name on;", says=("which it is not for",)), None),
    # -- it asks for a client certificate, and needs none --
    (Case("close-after-asking", "client-cert-required", Misbehave("close-after-asking"),
          "proxy_ssl_protocols TLSv1.3;", truth="prematurely-closed-after-handshake",
          confidence=MEDIUM), None),
    # -- it is not the server that is at fault --
    (Case("certificate-by-variable", "client-cert-unloadable", server(),
          "set $who nobody; proxy_ssl_certificate pki/$who.crt; "
          "proxy_ssl_certificate_key pki/$who.key;", status=500, confidence=MEDIUM,
          log="cannot load certificate", says=("cannot load certificate",)), None),
    (Case("header-awaited", "sni-missing",
          Nginx(_cert("good") + ANSWER, listen="ssl proxy_protocol"), confidence=MEDIUM,
          truth="proxy-protocol-missing"), None),
    (Case("header-awaited-named", "peer-reset-in-handshake",
          Nginx(_cert("good") + ANSWER, listen="ssl proxy_protocol"), f"{SNI_ON}; ",
          confidence=LOW, truth="proxy-protocol-missing"), None),
    (Case("dot-at-the-end", "verify-hostname-mismatch", server(),
          f"{VERIFY} proxy_ssl_name {SERVER_NAME}.;",
          says=(f"set proxy_ssl_name {SERVER_NAME};",), never=("reissued",)), None),
    (Case("key-of-another", "client-cert-unloadable", server(),
          "set $who ca; proxy_ssl_certificate pki/$who.crt; "
          "proxy_ssl_certificate_key pki/client.key;", status=500, confidence=MEDIUM,
          log="SSL_use_PrivateKey", says=("SSL_use_",)), None),
    (Case("below-a-wildcard", "verify-hostname-mismatch", server("wildcard"),
          f"{VERIFY} {SNI_ON}; proxy_ssl_name a.b.{SERVER_NAME};",
          never=("IP addresses only",)), None),
    (Case("wildcard-by-address", "verify-hostname-mismatch", server("wildcard"), VERIFY,
          says=("which may be another server's",), never=("of ,", "to ,")), _by_address),
    (Case("name-of-block-not-served", "verify-hostname-mismatch", None, f"{VERIFY} {SNI_ON};",
          group="pool_b", says=(rf"set proxy_ssl_name name-of-block-not-served\.{SERVER_NAME};",),
          never=("pool_b is still served",)), _stranger("stranger")),
    (Case("clear-http2", "peer-not-tls-http", Nginx(ANSWER, listen="http2"),
          says=("HTTP/2 without TLS",), never=("STARTTLS", "proxy_pass http:")), None),
    (Case("root-missing", "verify-root-missing", server("deep-chain"),
          "proxy_ssl_verify on; proxy_ssl_verify_depth 4; "
          "proxy_ssl_trusted_certificate pki/intermediate.crt;",
          says=("Lab Root CA",)), None),
    (Case("alert-80", "peer-internal-error", Misbehave("alert-80"), f"{SNI_ON};",
          confidence=LOW, expect=_alert(80)), None),
    (Case("alert-71", "insufficient-security", Misbehave("alert-71"), f"{SNI_ON};",
          expect=_alert(71)), None),
    (Case("old-version", "old-version-signature",
          OpensslServer(GOOD_FILES + ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")),
          "proxy_ssl_protocols TLSv1.1 TLSv1.2;"), None),
)


def rows(first):
    """The cases, numbered from FIRST on."""
    for number, (case, make) in enumerate(_ROWS, first):
        numbered = replace(case, number=number, defaults=True)
        yield make(numbered) if make else numbered
