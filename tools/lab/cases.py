#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The cases: data and nothing else. One row is one way in which a handshake fails, or does not.

A case named like its slug shows that cause at its plainest; others say in their name what differs.
"""
from . import default_cases, drive, rare_cases
from .case import HIGH, LOW, MEDIUM, Case, numbered
from .pki import SERVER_NAME
from .upstreams import GnutlsServer, Misbehave, Nginx, Nothing, OpensslServer

TLS12 = "TLSv1.2"
TLS13 = "TLSv1.3"


def cert(name):
    """nginx directives of a server that shows the certificate NAME."""
    key = name.replace("-chain", "")
    return f"ssl_certificate pki/{name}.crt; ssl_certificate_key pki/{key}.key;"


def client_cert(name):
    """nginx directives of a proxy that shows the client certificate NAME."""
    return f"proxy_ssl_certificate pki/{name}.crt; proxy_ssl_certificate_key pki/{name}.key;"


ANSWER = ' return 200 "ok\\n";'
GOOD = cert("good")
GOOD_FILES = ("-cert", "pki/good.crt", "-key", "pki/good.key")
GNUTLS_FILES = ("--x509certfile", "pki/good.crt", "--x509keyfile", "pki/good.key")
VERIFY = "proxy_ssl_verify on; proxy_ssl_trusted_certificate pki/ca.crt; "
REUSE = "proxy_ssl_session_reuse on; "

SMALL_DH = OpensslServer(("-cert", "pki/rsa.crt", "-key", "pki/rsa.key", "-tls1_2",
                          "-dhparam", "pki/dh1024.pem", "-cipher", "DHE:@SECLEVEL=0"))
WEAK_KEY = OpensslServer(("-cert", "pki/weak.crt", "-key", "pki/weak.key",
                          "-cipher", "ALL:@SECLEVEL=0"))
NO_SECURE_RENEGOTIATION = GnutlsServer(
    GNUTLS_FILES + ("--priority", "NORMAL:-VERS-TLS1.3:%DISABLE_SAFE_RENEGOTIATION"))
OPENSSL_CLIENT_CA = OpensslServer(
    GOOD_FILES + ("-CAfile", "pki/client-ca.crt", "-Verify", "1", "-verify_return_error"))
GNUTLS_CLIENT_CA = GnutlsServer(
    GNUTLS_FILES + ("--x509cafile", "pki/client-ca.crt", "--require-client-cert",
                    "--verify-client-cert"))

# What nginx logs.
CLOSED = r"\[error\] .*peer closed connection in SSL handshake while SSL handshaking to upstream"
RESET = (r"\[error\] .*peer closed connection in SSL handshake \(104: Connection reset by peer\) "
         r"while SSL handshaking to upstream")
TIMEOUT = (r"\[error\] .*upstream timed out \(110: Connection timed out\) "
           "while SSL handshaking to upstream")
UNANSWERED = (r"\[error\] .*upstream timed out \(110: Connection timed out\) "
              "while connecting to upstream")
REFUSED = r"\[error\] .*connect\(\) failed \(111: Connection refused\) while connecting"
PREMATURE = r"\[error\] .*upstream prematurely closed connection while reading response header"
NO_NAME = (f'upstream SSL certificate does not match "{SERVER_NAME}" '
           "while SSL handshaking to upstream")


def handshake_error(text):
    """The line nginx logs when OpenSSL gives up a handshake for the reason TEXT."""
    return rf"\[(?:info|error|crit)\] .*SSL_do_handshake\(\) failed \(SSL: .*{text}.*to upstream"


def read_error(text):
    """The line nginx logs when an alert comes after the handshake."""
    return rf"SSL_read\(\) failed \(SSL: .*{text}.* while reading response header from upstream"


def verify_error(code):
    """The line nginx logs when verification ended in CODE."""
    return rf"\[error\] .*upstream SSL certificate verify error: \({code}:.* to upstream"


def good_server(name="good", more=""):
    """An nginx upstream that shows the certificate NAME and answers 200."""
    return Nginx(cert(name) + more + ANSWER)


def alert(code, direction="received"):
    """The members of the JSON for an alert."""
    return {"tls.alert.code": code, "tls.alert.direction": direction}


def reason(code):
    """The members of the JSON for the error that OpenSSL raised first."""
    return {"tls.openssl.reason_code": code}


def verify(code):
    """The members of the JSON for a failed verification."""
    return {"tls.verify.code": code, "tls.verify.enforced": True}


def resumed(was):
    """The members of the JSON for an earlier session that was offered."""
    return {"tls.client.session_offered": True, "tls.resumed": was}


def retry(group, count=1):
    """The members of the JSON for a server that sent a HelloRetryRequest."""
    return {"tls.hello_retry.group": group, "tls.hello_retry.count": count}


NO_TLS = (
    Case("connection-refused", "connection-refused", Nothing(), log=REFUSED),
    Case("connection-refused-ipv6", "connection-refused", Nothing(), family=6,
         log=REFUSED),
    Case("connection-refused-after-tls", "connection-refused", OpensslServer(GOOD_FILES),
         drive=drive.stop_upstream_between, log=REFUSED),
    Case("connect-timeout", "connect-timeout", Misbehave("unanswered"),
         "proxy_connect_timeout 1s;", status=504, log=UNANSWERED,
         expect={"tlsfail.close_kind": "timeout"}),
    Case("peer-not-tls-http", "peer-not-tls-http", Nginx(ANSWER, listen=""),
         log=handshake_error("wrong version number"), expect=reason(267)),
    Case("peer-not-tls-http-status", "peer-not-tls-http", Misbehave("http"), tls=TLS12,
         log=handshake_error("wrong version number"), expect=reason(267)),
    # What speaks first may have done so before nginx has sent anything: it then begins no handshake.
    Case("peer-not-tls-other", "peer-not-tls-other", Misbehave("ssh"), race=True,
         log=handshake_error("wrong version number"),
         expect={"tlsfail.first_bytes": b"SSH-2.0-OpenSSH_".hex(), **reason(267)}, says=(r"\(SSH\)",)),
    Case("mysql-on-another-port", "starttls-expected", Misbehave("mysql"), race=True,
         log=handshake_error("wrong version number"), expect=reason(267), says=("speaks MySQL",)),
)

CLOSES = (
    # When the FIN comes with the connection, nginx reads before it begins the handshake: no TLS is
    # seen, and the confidence is low. Either way it did not send a ClientHello that was read.
    Case("peer-closed-before-hello", "peer-closed-before-hello", Misbehave("close-at-accept"),
         race=True, log=f"(?:{CLOSED})|(?:{PREMATURE})", confidence=HIGH + MEDIUM + LOW),
    Case("peer-closed-in-handshake", "peer-closed-in-handshake", Misbehave("close-after-hello"),
         log=CLOSED, confidence=MEDIUM + LOW),
    Case("peer-closed-in-handshake-ipv6", "peer-closed-in-handshake",
         Misbehave("close-after-hello"), family=6, log=CLOSED, confidence=MEDIUM + LOW,
         expect={"network.type": "ipv6"}),
    Case("peer-reset-in-handshake", "peer-reset-in-handshake", Misbehave("reset-after-hello"),
         log=RESET, confidence=MEDIUM + LOW),
    Case("handshake-timeout", "handshake-timeout", Misbehave("hang"), status=504,
         location="proxy_connect_timeout 1s;", confidence=HIGH + MEDIUM, log=TIMEOUT,
         expect={"tcp.hello_acked": True}),
    Case("handshake-blackholed", "accept-queue-full", Misbehave("blackhole"),
         "proxy_connect_timeout 1s;", status=504, confidence=LOW, log=TIMEOUT,
         truth="handshake-blackholed",
         expect={"tcp.hello_acked": False}),
    Case("local-abort", "local-abort", Misbehave("hang"), status=None,
         drive=drive.abort_after(0.35), confidence=HIGH + MEDIUM,
         log=r"\[info\] .*so upstream connection is closed too.* while SSL handshaking"),
    Case("prematurely-closed-after-handshake", "prematurely-closed-after-handshake",
         Nginx(GOOD + " return 444;"), confidence=HIGH + MEDIUM, log=PREMATURE,
         expect={"tls.established": True}),
    Case("prematurely-closed-after-handshake-tls12", "prematurely-closed-after-handshake",
         Nginx(GOOD + " return 444;"), tls=TLS12, confidence=HIGH + MEDIUM, log=PREMATURE,
         expect={"tls.established": True}),
    Case("prematurely-closed-after-handshake-fin", "prematurely-closed-after-handshake",
         Misbehave("close-after-request"), confidence=HIGH + MEDIUM, log=PREMATURE,
         expect={"tls.established": True}),
    Case("peer-closed-mid-handshake", "peer-closed-mid-handshake",
         Misbehave("close-mid-handshake"), confidence=HIGH + MEDIUM, log=CLOSED),
    Case("peer-broken-answer", "peer-broken-answer", Misbehave("break-hello"),
         confidence=HIGH + MEDIUM, expect=alert(10, "sent"),
         log=handshake_error("unexpected message")),
    Case("peer-access-denied", "peer-access-denied", Misbehave("alert-49"), confidence=MEDIUM,
         expect={"tlsfail.candidates": ["sni-unrecognized"], **alert(49)},
         log=handshake_error("alert number 49")),
    Case("corrupt-record", "corrupt-record", Misbehave("alert-20"), confidence=HIGH + MEDIUM,
         expect=alert(20), log=handshake_error("alert number 20")),
    Case("alpn-mismatch", "alpn-mismatch", Misbehave("alert-120"), confidence=HIGH + MEDIUM,
         expect=alert(120), log=handshake_error("alert number 120")),
    Case("unknown", "unknown", Misbehave("alert-200"), confidence=LOW, expect=alert(200),
         log=handshake_error("reason.1200")),
)

# What OpenSSL 3.0 has that is as long as a post-quantum key share.
LARGE_KEY_SHARE = ("proxy_ssl_conf_command Groups ffdhe8192:X25519:P-256:P-384:P-521:X448; "
                   "proxy_ssl_ciphers ALL:@SECLEVEL=0; proxy_connect_timeout 1s;")
LARGE_TICKET = REUSE + client_cert("client-large") + "proxy_connect_timeout 1s;"
BOTH = f"{TLS12} {TLS13}"
UNACKNOWLEDGED = {"tcp.hello_acked": False}
ACKNOWLEDGED = {"tcp.hello_acked": True}

# Hellos that do not fit into one packet. The post-quantum ones need OpenSSL 3.5.
LARGE = (
    Case("large-hello-lost", "large-hello-intolerant", Misbehave("long-hello-lost"),
         LARGE_KEY_SHARE, tls=BOTH, status=504, confidence=MEDIUM, log=TIMEOUT,
         expect={"tlsfail.close_kind": "timeout", **UNACKNOWLEDGED}),
    Case("large-hello-silence", "handshake-timeout", Misbehave("long-hello-hang"),
         LARGE_KEY_SHARE, tls=BOTH, status=504, confidence=HIGH + MEDIUM, log=TIMEOUT,
         expect={"tlsfail.close_kind": "timeout", **ACKNOWLEDGED}),
    Case("large-hello-close", "peer-closed-in-handshake", Misbehave("long-hello-close"),
         LARGE_KEY_SHARE, tls=BOTH, confidence=LOW, log=CLOSED, truth="large-hello-intolerant",
         expect={"tlsfail.close_kind": "fin", **ACKNOWLEDGED}),
    Case("large-hello-reset", "peer-reset-in-handshake", Misbehave("long-hello-reset"),
         LARGE_KEY_SHARE, tls=BOTH, confidence=LOW, log=RESET, truth="large-hello-intolerant",
         expect={"tlsfail.close_kind": "rst"}),
    # The first handshake is a short one. Its ticket holds the certificate of the client.
    Case("large-hello-ticket", "large-hello-intolerant", Misbehave("long-hello-hang"),
         LARGE_TICKET, status=504, confidence=MEDIUM, log=TIMEOUT, drive=drive.again,
         expect=ACKNOWLEDGED),
)

NEGOTIATION = (
    Case("protocol-version-rejected", "protocol-version-rejected",
         good_server(more=f" ssl_protocols {TLS13};"), tls=TLS12, expect=alert(70),
         log=handshake_error("alert number 70")),
    Case("protocol-version-rejected-openssl", "protocol-version-rejected",
         OpensslServer(GOOD_FILES + ("-tls1_2",)), tls=TLS13, expect=alert(70),
         log=handshake_error("alert number 70")),
    Case("protocol-version-too-old", "protocol-version-too-old",
         OpensslServer(GOOD_FILES + ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")), tls=TLS12,
         log=handshake_error("unsupported protocol"), expect=reason(258)),
    Case("protocol-version-too-old-gnutls", "protocol-version-too-old",
         GnutlsServer(GNUTLS_FILES + ("--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.1")), tls=TLS12,
         log=handshake_error("unsupported protocol"), expect=reason(258)),
    Case("cipher-mismatch", "cipher-mismatch",
         good_server(more=" ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-CHACHA20-POLY1305;"),
         location="proxy_ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;", tls=TLS12,
         confidence=HIGH + MEDIUM, expect=alert(40), log=handshake_error("alert number 40")),
    Case("cipher-mismatch-tls13", "cipher-mismatch",
         OpensslServer(GOOD_FILES + ("-tls1_3", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256")),
         location="proxy_ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;",
         confidence=HIGH + MEDIUM, expect=alert(40), log=handshake_error("alert number 40")),
    Case("cipher-mismatch-group", "group-mismatch",
         OpensslServer(GOOD_FILES + ("-tls1_3", "-groups", "P-384")),
         location="proxy_ssl_conf_command Groups X25519;", confidence=HIGH + MEDIUM,
         expect=alert(40), log=handshake_error("alert number 40")),
    Case("group-mismatch", "group-mismatch", Misbehave("alert-47"), confidence=MEDIUM,
         expect=alert(47), log=handshake_error("alert number 47")),
    Case("group-mismatch-retry", "group-mismatch", Misbehave("retry-refuse"), confidence=MEDIUM,
         expect={**alert(40), **retry("secp384r1")}, log=handshake_error("alert number 40")),
    Case("peer-closed-mid-handshake-retry", "peer-closed-mid-handshake", Misbehave("retry-close"),
         confidence=MEDIUM, expect=retry("secp384r1"), log=CLOSED),
    Case("peer-broken-answer-retry-twice", "peer-broken-answer", Misbehave("retry-twice"),
         confidence=MEDIUM, expect={**alert(10, "sent"), **retry("secp384r1", 2)},
         log=handshake_error("unexpected message")),
    Case("peer-broken-answer-retry-unoffered", "peer-broken-answer", Misbehave("retry-unoffered"),
         confidence=MEDIUM, expect={**alert(47, "sent"), **retry("secp224r1")},
         log=handshake_error("bad key share")),
    Case("peer-broken-answer-retry-needless", "peer-broken-answer", Misbehave("retry-needless"),
         confidence=MEDIUM, expect={**alert(47, "sent"), **retry("x25519")},
         log=handshake_error("bad key share")),
    # The server's security level allows no TLS 1.0, and it says so with "internal error".
    Case("peer-internal-error", "protocol-version-rejected",
         good_server(more=" ssl_protocols TLSv1 TLSv1.1 TLSv1.2;"), tls="TLSv1",
         confidence=MEDIUM, expect=alert(80),
         log=handshake_error("alert number 80")),
    Case("no-protocols-available", "no-protocols-available", good_server(),
         "proxy_ssl_conf_command MinProtocol TLSv1.3;", tls=TLS12, expect=reason(191),
         log=handshake_error("no protocols available")),
    Case("dh-key-too-small", "dh-key-too-small", SMALL_DH, tls=TLS12, expect=reason(394),
         log=handshake_error("dh key too small")),
    Case("legacy-renegotiation", "legacy-renegotiation", NO_SECURE_RENEGOTIATION, tls=TLS12,
         expect=reason(338), log=handshake_error("unsafe legacy renegotiation disabled")),
    Case("sni-missing", "sni-missing", Nginx("ssl_reject_handshake on;"),
         location="proxy_ssl_server_name off;", confidence=HIGH + MEDIUM, expect=alert(112),
         log=handshake_error("alert number 112")),
    Case("sni-missing-tls12", "sni-missing", Nginx("ssl_reject_handshake on;"), tls=TLS12,
         location="proxy_ssl_server_name off;", confidence=HIGH + MEDIUM, expect=alert(112),
         log=handshake_error("alert number 112")),
    Case("sni-unrecognized", "sni-unrecognized", Nginx("ssl_reject_handshake on;"),
         confidence=HIGH + MEDIUM, log=handshake_error("alert number 112"),
         expect={"tls.client.server_name": SERVER_NAME, **alert(112)}),
)

VERIFICATION = (
    Case("verify-expired", "verify-expired", good_server("expired"), VERIFY,
         log=verify_error(10), expect=verify(10)),
    Case("verify-expired-tls12", "verify-expired", good_server("expired"), VERIFY, tls=TLS12,
         log=verify_error(10), expect=verify(10)),
    Case("verify-expired-ipv6", "verify-expired", good_server("expired"), VERIFY, family=6,
         log=verify_error(10), expect={"network.type": "ipv6", **verify(10)}),
    # The server wants a key share of another group, so the ClientHello is sent twice.
    Case("verify-expired-retry", "verify-expired",
         OpensslServer(("-cert", "pki/expired.crt", "-key", "pki/expired.key", "-tls1_3",
                        "-groups", "P-384")),
         VERIFY + "proxy_ssl_conf_command Groups X25519:P-384;", log=verify_error(10),
         expect={**verify(10), **retry("secp384r1")}),
    Case("verify-expired-hostile-names", "verify-expired", good_server("hostile"), VERIFY,
         log=verify_error(10), expect=verify(10)),
    Case("verify-expired-huge", "verify-expired", good_server("huge"), VERIFY,
         log=verify_error(10), expect=verify(10)),
    Case("verify-expired-huge-tls12", "verify-expired", good_server("huge"), VERIFY, tls=TLS12,
         log=verify_error(10), expect=verify(10)),
    Case("verify-not-yet-valid", "verify-not-yet-valid", good_server("not-yet-valid"), VERIFY,
         log=verify_error(9), expect=verify(9)),
    Case("verify-self-signed", "verify-self-signed", good_server("self-signed"), VERIFY,
         log=verify_error(18), expect=verify(18)),
    Case("verify-untrusted-issuer", "verify-untrusted-issuer", good_server("untrusted"), VERIFY,
         confidence=HIGH + MEDIUM, log=verify_error("2[01]")),
    Case("verify-untrusted-issuer-tls12", "verify-untrusted-issuer", good_server("untrusted"),
         VERIFY, tls=TLS12, confidence=HIGH + MEDIUM, log=verify_error("2[01]")),
    Case("verify-untrusted-issuer-no-chain", "verify-untrusted-issuer", good_server("deep"), VERIFY,
         tls=TLS12, confidence=MEDIUM + LOW, truth="verify-chain-incomplete",
         log=verify_error("2[01]")),
    Case("verify-self-signed-in-chain", "verify-self-signed-in-chain",
         good_server("untrusted-chain"), VERIFY, expect=verify(19), log=verify_error(19)),
    # OpenSSL 3 says 20 of a chain that is too long; only 1.1.1 says 22.
    Case("verify-untrusted-issuer-depth", "verify-depth-exceeded", good_server("deep-chain"),
         VERIFY + "proxy_ssl_verify_depth 0;", confidence=MEDIUM, log=verify_error(20),
         expect=verify(20)),
    Case("verify-revoked", "verify-revoked", good_server("revoked"),
         VERIFY + "proxy_ssl_crl pki/ca.crl;", log=verify_error(23), expect=verify(23)),
    Case("verify-crl-missing", "verify-crl-missing", good_server(),
         VERIFY + "proxy_ssl_crl pki/other-ca.crl;", log=verify_error(3), expect=verify(3)),
    # nginx passes over all errors and has the last: 26 of the CA, where it began with 79.
    Case("verify-invalid-ca", "verify-invalid-ca", good_server("under-not-ca-chain"), VERIFY,
         log=verify_error("(?:24|26|79)"), never=("serverAuth;", "is not meant for")),
    Case("verify-purpose", "verify-purpose", good_server("wrong-usage"), VERIFY,
         expect=verify(26), log=verify_error(26)),
    Case("weak-certificate", "weak-certificate", WEAK_KEY, VERIFY, expect=verify(66),
         log=verify_error(66)),
    Case("verify-hostname-mismatch", "verify-hostname-mismatch", good_server("wrong-name"), VERIFY,
         log=NO_NAME),
    Case("verify-hostname-mismatch-tls12", "verify-hostname-mismatch", good_server("wrong-name"),
         VERIFY, tls=TLS12, log=NO_NAME),
)

WITHOUT_CA = "proxy_ssl_verify on; proxy_ssl_trusted_certificate pki/other-ca.crt; "

# Locations with the same address share its sessions, and a resumed one verifies nothing.
SESSIONS = (
    # The session has the verify result of the sibling, which trusts nobody and does not ask.
    Case("verify-untrusted-issuer-resumed", "session-verify-result", good_server(),
         VERIFY + REUSE, sibling=REUSE, drive=drive.after_sibling, confidence=MEDIUM,
         log=verify_error("2[01]"), expect=resumed(True)),
    Case("verify-untrusted-issuer-hidden", "verify-untrusted-issuer", OpensslServer(GOOD_FILES),
         WITHOUT_CA + REUSE, sibling=VERIFY + REUSE, drive=drive.forget_after_sibling,
         confidence=MEDIUM, log=verify_error("2[01]"), expect=resumed(False)),
    Case("verify-untrusted-issuer-hidden-tls12", "verify-untrusted-issuer",
         OpensslServer(GOOD_FILES), WITHOUT_CA + REUSE, sibling=VERIFY + REUSE, tls=TLS12,
         drive=drive.forget_after_sibling, confidence=MEDIUM, log=verify_error("2[01]"),
         expect=resumed(False)),
    Case("client-cert-required-hidden", "client-cert-required", OPENSSL_CLIENT_CA, REUSE,
         sibling=REUSE + client_cert("client"), drive=drive.forget_after_sibling,
         expect={**alert(116), **resumed(False)}, log=read_error("alert number 116")),
)

CLIENT_CERTIFICATE = (
    Case("client-cert-required", "client-cert-required",
         OPENSSL_CLIENT_CA, expect=alert(116),
         log=read_error("alert number 116")),
    Case("client-cert-required-gnutls", "client-cert-required",
         GNUTLS_CLIENT_CA, race=True, expect=alert(116),
         log=read_error("alert number 116")),
    # The same, but its RST overtakes nginx, which then never reads the alert.
    Case("prematurely-closed-after-handshake-unread-alert", "client-cert-required",
         GNUTLS_CLIENT_CA, race=True, drive=drive.let_upstream_win, confidence=HIGH + MEDIUM,
         expect={"tls.established": True},
         log=r"\[error\] .*connect\(\) failed \(32: Broken pipe\) while connecting to upstream"),
    Case("client-cert-required-legacy", "client-cert-required-legacy",
         OPENSSL_CLIENT_CA, tls=TLS12, expect=alert(40),
         confidence=HIGH + MEDIUM, log=handshake_error("alert number 40")),
    Case("client-cert-untrusted", "client-cert-untrusted",
         OPENSSL_CLIENT_CA, client_cert("client-untrusted"),
         expect=alert(48), log=read_error("alert number 48")),
    Case("client-cert-untrusted-tls12", "client-cert-untrusted",
         OPENSSL_CLIENT_CA, client_cert("client-untrusted"),
         tls=TLS12, expect=alert(48), log=handshake_error("alert number 48")),
    Case("client-cert-expired", "client-cert-expired", OPENSSL_CLIENT_CA,
         client_cert("client-expired"), expect=alert(45), log=read_error("alert number 45")),
    Case("client-cert-rejected", "client-cert-rejected", OPENSSL_CLIENT_CA,
         client_cert("client-wrong-usage"), confidence=HIGH + MEDIUM, expect=alert(43),
         log=read_error("alert number 43")),
)


def healthy(name, upstream, location="", **more):
    """A case in which nothing fails."""
    return Case(name, None, upstream, location, status=200, **more)


HEALTHY = (
    healthy("good-tls12", good_server(), tls=TLS12),
    healthy("good-tls13", good_server()),
    healthy("good-ipv6", good_server(), family=6),
    healthy("good-keepalive", good_server(), keepalive=4, drive=drive.times(20),
            location='proxy_http_version 1.1; proxy_set_header Connection "";'),
    healthy("good-resumed-tls12", good_server(), REUSE, tls=TLS12, drive=drive.times(3)),
    healthy("good-resumed-tls13", good_server(), REUSE, drive=drive.times(3)),
    healthy("good-verified", good_server(), VERIFY),
    healthy("good-verified-tls12", good_server(), VERIFY, tls=TLS12),
    healthy("good-retry", OpensslServer(GOOD_FILES + ("-tls1_3", "-groups", "P-384")),
            "proxy_ssl_conf_command Groups X25519:P-384;"),
    healthy("good-chain-verified", good_server("deep-chain"),
            VERIFY + "proxy_ssl_verify_depth 2;"),
    healthy("good-client-cert", OPENSSL_CLIENT_CA,
            client_cert("client")),
    healthy("good-client-cert-tls12", OPENSSL_CLIENT_CA,
            client_cert("client"), tls=TLS12),
    healthy("unverified-untrusted", good_server("untrusted")),
    healthy("unverified-expired", good_server("expired")),
    healthy("unverified-expired-tls12", good_server("expired"), tls=TLS12),
    healthy("unverified-self-signed", good_server("self-signed")),
    healthy("plain-http", Nginx(ANSWER, listen=""), scheme="http"),
    healthy("ticketless", OpensslServer(GOOD_FILES + ("-tls1_3", "-num_tickets", "0"))),
    healthy("slow-answer", Misbehave("answer-late")),
    healthy("short-hello", Misbehave("long-hello-hang"), tls=BOTH),
    healthy("large-answer", Nginx(
        GOOD + " location = /large-answer { alias upstream/large; }")),
)

_TUNED = numbered(NO_TLS + CLOSES + LARGE + NEGOTIATION + VERIFICATION + SESSIONS
                   + CLIENT_CERTIFICATE + HEALTHY)
_DEFAULTS = tuple(default_cases.rows(len(_TUNED) + 1))
CASES = _TUNED + _DEFAULTS + tuple(rare_cases.rows(len(_TUNED) + len(_DEFAULTS) + 1))


def named(*names):
    """The cases of those NAMES, in that order."""
    by_name = {case.name: case for case in CASES}
    return tuple(by_name[name] for name in names)
