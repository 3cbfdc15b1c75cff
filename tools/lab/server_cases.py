#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The cases in which the nginx that is looked at is the server: the upstream nginx, and clients that
fail with it. Data and nothing else, like cases.py."""
from . import clients
from .case import HIGH, MEDIUM, Case, numbered
from .cases import ANSWER, GOOD, GOOD_FILES, TLS13, alert, good_server, reason
from .pki import SERVER_NAME
from .upstreams import Nginx, OpensslEcho, PythonServer

ANY_CIPHER = ("-cipher", "ALL:@SECLEVEL=0")
CLIENT_CA = " ssl_client_certificate pki/client-ca.crt; ssl_verify_client on;"
ASKS = good_server(more=CLIENT_CA)
ECHO = OpensslEcho(GOOD_FILES)
ECHO_ASKS = OpensslEcho(GOOD_FILES + ("-CAfile", "pki/client-ca.crt", "-Verify", "1",
                                      "-verify_return_error"))
PATIENCE = " client_header_timeout 1s;"
GARBAGE = b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00"
BROKEN_HELLO = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"
BAD_STATUS = b"\x15\x03\x03\x00\x02\x02\x71"
HANDSHAKE_FAILURE = b"\x15\x03\x03\x00\x02\x02\x28"
EHLO = b"EHLO mail.test\r\n"
PROXY_HEADER = b"PROXY TCP4 192.0.2.1 192.0.2.2 40112 443\r\n"
HELLO = clients.client_hello()

def handshake_error(text):
    """The line nginx logs when OpenSSL gives up a handshake with a client for the reason TEXT."""
    return (rf"\[(?:info|error|crit)\] .*SSL_do_handshake\(\) failed \(SSL: .*{text}.*"
            "while SSL handshaking")


def request_error(text):
    """The line nginx logs when it refuses a request."""
    return rf"\[info\] .*{text}.* while reading client request headers"


PLAIN = r"\[info\] .*client sent (?:plain HTTP request to HTTPS port|invalid (?:method|request))"
REJECTED = r"\[info\] .*handshake rejected while SSL handshaking"
WENT_AWAY = (r"\[info\] .*(?:client closed connection|peer closed connection in SSL handshake).*"
             "while SSL handshaking")
TIMED_OUT = r"\[info\] .*client timed out \(110: Connection timed out\) while SSL handshaking"


def client_cert(name):
    """Options of openssl s_client that show the client certificate NAME."""
    return ("-cert", f"pki/{name}.crt", "-key", f"pki/{name}.key")


def case(name, slug, upstream, client, log, *, status=None, **more):
    """A failing client."""
    return Case(name, slug, upstream, drive=client, log=log, status=status, **more)


NO_TLS = (
    case("plain-http-to-https", "plain-http-to-https", good_server(),
         clients.curl(scheme="http"), PLAIN, status=400,
         expect={"tlsfail.first_bytes": b"GET / HT".hex(), "tls.established": False}),
    case("plain-http-to-https-ipv6", "plain-http-to-https", good_server(),
         clients.curl(scheme="http"), PLAIN, status=400, family=6,
         expect={"network.type": "ipv6"}),
    case("tls-to-plain-port", "tls-to-plain-port", Nginx(ANSWER, listen=""),
         clients.curl("--insecure"), None, status=0, says=("speaks no TLS", "listen is"),
         never=("worker_connections",)),
    case("https-proxy-request", "https-proxy-request", good_server(), clients.through_proxy, PLAIN),
    case("proxy-protocol-to-https", "proxy-protocol-to-https", good_server(),
         clients.send(PROXY_HEADER + HELLO, wait=True), PLAIN),
    case("client-not-tls", "client-not-tls", good_server(), clients.send(GARBAGE, wait=True), PLAIN),
)

NEGOTIATION = (
    case("client-protocol-too-old", "client-protocol-too-old", good_server(),
         clients.openssl("-tls1_1", *ANY_CIPHER), handshake_error("unsupported protocol"),
         expect={**reason(258), **alert(70, "sent"), "tls.client.supported_versions": ["1.1"]}),
    case("client-protocol-too-new", "server-protocol-too-old",
         good_server(more=" ssl_protocols TLSv1.2;"), clients.openssl("-tls1_3"),
         handshake_error("unsupported protocol"), expect=reason(258), says=(r"TLS ?v?1\.3",),
         never=("update the client",)),
    # The version is chosen before the name is looked at: the default server's ssl_protocols count.
    case("client-protocol-too-old-default-server", "client-protocol-too-old",
         Nginx(GOOD + "server_name first.test; ssl_protocols TLSv1.3;" + ANSWER,
               named=f"{GOOD} server_name {SERVER_NAME}; ssl_protocols TLSv1.2 TLSv1.3;{ANSWER}"),
         clients.openssl("-tls1_2"), handshake_error("unsupported protocol"),
         expect=reason(258),
         says=(r"ssl_protocols is TLSv1\.3 \(.*default server of the address",),
         never=(r"ssl_protocols is TLSv1\.2",)),
    case("server-no-shared-group-default-server", "server-no-shared-group",
         Nginx(GOOD + f"server_name first.test; ssl_ecdh_curve secp384r1; ssl_protocols {TLS13};"
               + ANSWER,
               named=f"{GOOD} server_name {SERVER_NAME}; ssl_ecdh_curve X25519;{ANSWER}"),
         clients.openssl("-tls1_3", "-groups", "X25519"),
         handshake_error("no suitable key share"), expect=reason(101),
         says=(r"ssl_ecdh_curve is secp384r1 \(.*default server of the address",)),
    case("server-no-shared-cipher", "server-no-shared-cipher",
         good_server(more=" ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-CHACHA20-POLY1305;"),
         clients.openssl("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"),
         handshake_error("no shared cipher"), expect={**reason(193), **alert(40, "sent")}),
    case("server-no-shared-cipher-gnutls", "server-no-shared-cipher",
         good_server(more=" ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-CHACHA20-POLY1305;"),
         clients.gnutls("--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-GCM"),
         handshake_error("no shared cipher"), expect=reason(193)),
    case("server-no-shared-group", "server-no-shared-group",
         good_server(more=f" ssl_protocols {TLS13}; ssl_ecdh_curve secp384r1;"),
         clients.openssl("-tls1_3", "-groups", "X25519"),
         handshake_error("no suitable key share"), expect={**reason(101), **alert(40, "sent")}),
    case("server-no-shared-signature", "server-no-shared-signature", good_server(),
         clients.openssl("-tls1_3", "-sigalgs", "rsa_pss_rsae_sha256"),
         handshake_error("no suitable signature algorithm"),
         expect={**reason(118), **alert(40, "sent")}),
    case("server-rejects-sni", "server-rejects-sni", Nginx("ssl_reject_handshake on;"),
         clients.openssl(name="nobody.test"), handshake_error("callback failed") + "|" + REJECTED,
         expect={**reason(234), **alert(112, "sent"), "tls.client.server_name": "nobody.test"}),
    case("server-alpn-mismatch", "server-alpn-mismatch", good_server(),
         clients.openssl("-alpn", "imap,xmpp-client"), handshake_error("no application protocol"),
         expect={**reason(235), **alert(120, "sent"), "tls.client.alpn": ["imap", "xmpp-client"]}),
    case("inappropriate-fallback", "inappropriate-fallback", good_server(),
         clients.openssl("-tls1_2", "-fallback_scsv"), handshake_error("inappropriate fallback"),
         expect={**reason(373), **alert(86, "sent")}),
    case("server-certificate-callback-failed", "server-certificate-callback-failed",
         Nginx("ssl_certificate pki/$ssl_server_name.crt; ssl_certificate_key pki/good.key;"
               + ANSWER),
         clients.openssl(name="missing.test"), handshake_error("cert cb error"),
         expect={**reason(377), **alert(80, "sent")}),
    # The security level leaves nothing for the request for a certificate.
    case("server-internal-error", "server-internal-error",
         OpensslEcho(GOOD_FILES + ("-tls1_2", "-Verify", "1", "-client_sigalgs", "RSA+SHA1")),
         clients.openssl("-tls1_2"), None, confidence=MEDIUM, expect=alert(80, "sent")),
    case("client-broken-handshake", "client-broken-handshake", good_server(),
         clients.send(BROKEN_HELLO, wait=True), handshake_error(""), confidence=HIGH + MEDIUM,
         expect=alert(50, "sent")),
)

CERTIFICATES = (
    case("client-rejects-cert", "client-rejects-cert", good_server(),
         clients.openssl("-verify_return_error", "-CAfile", "pki/other-ca.crt"),
         handshake_error("alert number 48"), expect=alert(48)),
    case("client-rejects-cert-tls12", "client-rejects-cert", good_server(),
         clients.curl("--tls-max", "1.2", "--cacert", "pki/other-ca.crt"),
         handshake_error("alert number 48"), status=0, expect=alert(48)),
    case("client-rejects-cert-expired", "client-rejects-cert", good_server("expired"),
         clients.curl("--cacert", "pki/ca.crt"), handshake_error("alert number 45"), status=0,
         expect=alert(45)),
    case("client-rejects-cert-name", "client-rejects-cert", good_server("wrong-name"),
         clients.python(ca="ca.crt"), handshake_error("alert number 42"), expect=alert(42)),
    case("client-rejects-cert-gnutls", "client-rejects-cert", good_server(),
         clients.gnutls("--x509cafile", "pki/other-ca.crt"), handshake_error("alert number 4[28]")),
    case("client-cert-missing", "client-cert-missing", ASKS, clients.curl("--insecure"),
         request_error("client sent no required SSL certificate"), status=400,
         expect={"tls.established": True}),
    case("client-cert-missing-tls12", "client-cert-missing", ASKS,
         clients.curl("--insecure", "--tls-max", "1.2"),
         request_error("client sent no required SSL certificate"), status=400),
    case("client-cert-missing-http2", "client-cert-missing",
         Nginx(GOOD + CLIENT_CA + ANSWER, listen="ssl http2"), clients.curl("--insecure", "--http2"),
         request_error("client sent no required SSL certificate"), status=400),
    case("client-cert-missing-gnutls", "client-cert-missing", ASKS, clients.gnutls("--insecure"),
         request_error("client sent no required SSL certificate")),
    case("client-cert-verify-failed", "client-cert-verify-failed", ASKS,
         clients.openssl(*client_cert("client-untrusted")),
         request_error("client SSL certificate verify error"),
         expect={"tls.client.subject": "CN=proxy.test", "tls.verify.enforced": True}),
    case("client-cert-verify-failed-expired", "client-cert-verify-failed", ASKS,
         clients.openssl("-tls1_2", *client_cert("client-expired")),
         request_error("client SSL certificate verify error: \\(10:"),
         expect={"tls.verify.code": 10, "tls.client.not_after": "2021-01-01T00:00:00Z"}),
)

ENDS = (
    case("client-closed-in-handshake", "client-closed-in-handshake", good_server(),
         clients.send(HELLO, answer=True), WENT_AWAY, confidence=MEDIUM),
    case("client-closed-in-handshake-reset", "client-closed-in-handshake", good_server(),
         clients.send(HELLO, answer=True, reset=True), handshake_error("") + "|" + WENT_AWAY,
         confidence=MEDIUM),
    case("client-refuses-handshake", "client-refuses-handshake", good_server(),
         clients.send(HELLO, answer=True, more=HANDSHAKE_FAILURE),
         handshake_error("alert number 40"), confidence=MEDIUM, expect=alert(40)),
    case("port-scan", "port-scan", good_server(), clients.after_success(clients.send()), WENT_AWAY),
    case("port-scan-reset", "port-scan", good_server(),
         clients.after_success(clients.send(reset=True)), None),
    case("port-scan-some-bytes", "port-scan", good_server(), clients.send(HELLO[:3]), WENT_AWAY),
    case("client-handshake-timeout", "client-handshake-timeout", good_server(more=PATIENCE),
         clients.after_success(clients.send(wait=True)), TIMED_OUT, confidence=HIGH + MEDIUM),
    case("client-handshake-timeout-in-hello", "client-handshake-timeout",
         good_server(more=PATIENCE), clients.send(HELLO[:50], wait=True), TIMED_OUT,
         confidence=HIGH + MEDIUM),
)


# A program that leaves it all to OpenSSL.
OPENSSL = (
    case("plain-http-to-https-openssl", "plain-http-to-https", ECHO, clients.curl(scheme="http"),
         None, status=0, expect=reason(156)),
    case("https-proxy-request-openssl", "https-proxy-request", ECHO, clients.through_proxy, None,
         expect=reason(155)),
    case("client-not-tls-openssl", "client-not-tls", ECHO, clients.send(GARBAGE, wait=True), None,
         expect=reason(267)),
    case("plain-mail-to-tls-openssl", "plain-mail-to-tls", ECHO, clients.send(EHLO, wait=True), None,
         known_port=465, expect=reason(267)),
    case("client-cert-missing-openssl", "client-cert-missing", ECHO_ASKS,
         clients.curl("--insecure"), None, status=0, expect={**reason(199), **alert(116, "sent")}),
    case("client-cert-missing-openssl-tls12", "client-cert-missing", ECHO_ASKS,
         clients.curl("--insecure", "--tls-max", "1.2"), None, status=0,
         expect={**reason(199), **alert(40, "sent")}),
    case("client-cert-verify-failed-openssl", "client-cert-verify-failed", ECHO_ASKS,
         clients.openssl(*client_cert("client-untrusted")), None,
         expect={**reason(134), "tls.client.subject": "CN=proxy.test"}),
)


def healthy(name, upstream, client, status=200):
    """A client to which nothing happens."""
    return Case(name, None, upstream, drive=client, status=status)


HEALTHY = (
    healthy("served-tls13", good_server(), clients.curl("--insecure")),
    healthy("served-tls12", good_server(), clients.curl("--insecure", "--tls-max", "1.2")),
    healthy("served-http2", Nginx(GOOD + ANSWER, listen="ssl http2"),
            clients.curl("--insecure", "--http2")),
    healthy("served-proxy-protocol", Nginx(GOOD + ANSWER, listen="ssl proxy_protocol"),
            clients.curl("--insecure", "--haproxy-protocol", times=2)),
    healthy("served-ipv6", good_server(), clients.curl("--insecure")),
    healthy("served-client-cert", ASKS,
            clients.curl("--insecure", "--cert", "pki/client.crt", "--key", "pki/client.key",
                         times=3)),
    healthy("served-client-cert-tls12", ASKS,
            clients.curl("--insecure", "--tls-max", "1.2", "--cert", "pki/client.crt", "--key",
                         "pki/client.key")),
    healthy("served-client-cert-http2", Nginx(GOOD + CLIENT_CA + ANSWER, listen="ssl http2"),
            clients.curl("--insecure", "--http2", "--cert", "pki/client.crt", "--key",
                         "pki/client.key")),
    healthy("served-without-cert", good_server(more=CLIENT_CA.replace(" on;", " optional;")),
            clients.curl("--insecure", times=2)),
    # As a monitoring system does that looks at the certificate.
    healthy("served-no-request", good_server(), clients.openssl(request=""), status=None),
    healthy("served-openssl", ECHO, clients.openssl(request=""), status=None),
    healthy("served-no-request-tls12", good_server(), clients.openssl("-tls1_2", request=""),
            status=None),
)

# What a client says that speaks another protocol, or an old TLS.
RTSP = b"OPTIONS / RTSP/1.0\r\n\r\n"
SIP = b"OPTIONS sip:nm SIP/2.0\r\n"
FTP = b"USER anonymous\r\n"
REDIS = b"*1\r\n$4\r\nPING\r\n"
# ClientHello of SSL 3.0; and of TLS 1.0 in the format of SSL 2.0 (RFC 5246, appendix E.2).
SSL3_HELLO = (b"\x16\x03\x00\x00\x2f\x01\x00\x00\x2b\x03\x00" + bytes(range(32))
              + b"\x00\x00\x04\x00\x2f\x00\x05\x01\x00")
SSL2_HELLO = b"\x80\x2b\x01\x03\x01\x00\x12\x00\x00\x00\x10" + bytes.fromhex(
    "00002f000035000005000004000009000003") + bytes(range(16))
ECDSA_P256 = ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256")

NAMES = (
    # The named server itself rejects.
    case("server-rejects-sni-named", "server-rejects-sni",
         Nginx(GOOD + ANSWER, named=f"server_name {SERVER_NAME}; ssl_reject_handshake on;"),
         clients.openssl(), REJECTED + "|" + handshake_error("callback failed"),
         expect=alert(112, "sent"), says=(r"ssl_reject_handshake is on",),
         never=("no server block has", "add the name to server_name")),
    case("server-rejects-sni-none-sent", "server-rejects-no-sni",
         Nginx("ssl_reject_handshake on;", named=f"{GOOD} server_name {SERVER_NAME};{ANSWER}"),
         clients.openssl("-noservername", name=None), REJECTED + "|" + handshake_error("callback failed"),
         expect=alert(112, "sent"), says=("no server name",),
         never=("add the name to server_name",)),
    case("server-rejects-sni-unknown", "server-rejects-sni",
         Nginx("ssl_reject_handshake on;", named=f"{GOOD} server_name other.test;{ANSWER}"),
         clients.openssl(), REJECTED + "|" + handshake_error("callback failed"),
         expect=alert(112, "sent"), says=("[Nn]o server block has that name", "add the name to server_name")),
)

OLD_CLIENTS = (
    case("client-ssl3", "client-protocol-too-old", good_server(),
         clients.send(SSL3_HELLO, wait=True), handshake_error(""), says=("SSL 3.0",)),
    case("client-ssl2-hello", "client-protocol-too-old", good_server(),
         clients.send(SSL2_HELLO, wait=True), handshake_error("")),
    # The security level allows no TLS 1.0, whatever ssl_protocols says.
    case("client-tls10-seclevel", "client-protocol-too-old",
         good_server(more=" ssl_protocols TLSv1 TLSv1.1 TLSv1.2;"),
         clients.openssl("-tls1", *ANY_CIPHER), handshake_error(""),
         expect={**reason(118), **alert(80, "sent")}, says=("@SECLEVEL=0", "MD5 and SHA-1"),
         never=("internal error",)),
    case("client-tls11-seclevel-echo", "client-protocol-too-old", ECHO,
         clients.openssl("-tls1_1", *ANY_CIPHER), None, expect=reason(118)),
    case("server-tls11-seclevel", "server-protocol-too-old",
         good_server(more=" ssl_protocols TLSv1 TLSv1.1;"), clients.openssl(), handshake_error(""),
         expect={**reason(118), **alert(80, "sent")}, says=("allow TLSv1.3 in ssl_protocols",),
         never=("update the client",)),
    case("server-tls13-without-certificate", "server-protocol-too-old",
         OpensslEcho(("-nocert", "-tls1_3")), clients.openssl(), None, confidence=MEDIUM,
         expect=reason(258), says=("check that the server has a certificate",)),
)

PARTS = (
    case("server-no-shared-group-tls12", "server-no-shared-group",
         good_server(more=" ssl_ecdh_curve secp384r1;"),
         clients.openssl("-tls1_2", "-groups", "P-256"), handshake_error("no shared cipher"),
         says=("ssl_ecdh_curve is secp384r1",)),
    case("server-no-shared-cipher-key", "server-no-shared-cipher", good_server(),
         clients.openssl("-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"),
         handshake_error("no shared cipher"), says=("RSA",)),
    case("server-alpn-mismatch-h2", "server-alpn-mismatch", good_server(),
         clients.openssl("-alpn", "h2"), handshake_error("no application protocol"),
         says=("http2",)),
    case("server-alpn-mismatch-other", "server-alpn-mismatch", good_server(),
         clients.openssl("-alpn", "imap"), handshake_error("no application protocol"),
         never=("http2 to",)),
)

# The certificate is in order, and nobody answers at the address of the responder.
OCSP = CLIENT_CA + " ssl_ocsp leaf; ssl_ocsp_responder http://127.0.0.1:9/;"
OCSP_REFUSED = (
    case("client-cert-ocsp-refused", "client-cert-ocsp-refused", good_server(more=OCSP),
         clients.openssl("-tls1_2", *client_cert("client")),
         request_error("client SSL certificate verify error: "), confidence=MEDIUM,
         says=("ssl_ocsp", "the responder did not answer"),
         never=("was not asked for",)),
)

OTHER_PROTOCOLS = (
    case("client-not-tls-smtp", "client-not-tls", good_server(), clients.send(EHLO, wait=True), PLAIN),
    case("client-not-tls-rtsp", "client-not-tls", good_server(), clients.send(RTSP, wait=True), None),
    case("client-not-tls-sip", "client-not-tls", good_server(), clients.send(SIP, wait=True), None),
    case("client-not-tls-ftp", "client-not-tls", good_server(), clients.send(FTP, wait=True), None),
    case("client-not-tls-redis", "client-not-tls", good_server(), clients.send(REDIS, wait=True), None),
    case("proxy-header-missing", "proxy-header-missing",
         Nginx(GOOD + ANSWER, listen="ssl proxy_protocol"),
         clients.after(clients.curl("--insecure", "--haproxy-protocol"), clients.curl("--insecure")),
         None, status=0, confidence=HIGH + MEDIUM),
    # Nobody has ever come through.
    case("proxy-header-missing-at-first", "proxy-header-missing",
         Nginx(GOOD + ANSWER, listen="ssl proxy_protocol"), clients.curl("--insecure"),
         None, status=0),
    case("proxy-header-missing-tls13-only", "proxy-header-missing",
         Nginx(GOOD + ANSWER, listen="ssl proxy_protocol"), clients.openssl("-tls1_3"),
         None),
    case("proxy-header-missing-http", "proxy-header-missing",
         Nginx(GOOD + ANSWER, listen="ssl proxy_protocol"),
         clients.after(clients.curl("--insecure", "--haproxy-protocol"),
                       clients.curl(scheme="http")), None, status=0),
)

# What nginx itself does not do as a server, or only to clients that are rare.
RARE = (
    case("plain-mail-to-tls", "plain-mail-to-tls", good_server(), clients.send(EHLO, wait=True), PLAIN,
         known_port=465),
    case("client-rejects-status", "client-rejects-status", good_server(),
         clients.send(HELLO, answer=True, more=BAD_STATUS), handshake_error("alert number 113"),
         expect=alert(113)),
    case("server-certificate-callback-failed-weak", "server-certificate-callback-failed",
         Nginx("ssl_certificate pki/$ssl_server_name.crt; ssl_certificate_key pki/$ssl_server_name.key;"
               + ANSWER), clients.openssl(name="weak"), handshake_error("cert cb error"),
         says=("SSL_use_",)),
    case("closed-after-early-data", "closed-after-early-data", good_server(more=" ssl_early_data on;"),
         clients.early_data, None, confidence=MEDIUM),
    case("server-abort", "server-abort", PythonServer("impatient"), clients.send(HELLO, wait=True), None,
         confidence=MEDIUM),
    case("server-callback-failed", "server-callback-failed", PythonServer("refuse-names"),
         clients.openssl(), None, expect=alert(49, "sent")),
)

CASES = numbered(NO_TLS + NEGOTIATION + CERTIFICATES + ENDS + OPENSSL + NAMES
                 + OLD_CLIENTS + PARTS + OCSP_REFUSED + OTHER_PROTOCOLS + HEALTHY + RARE)


def named(*names):
    """The cases of those NAMES, in that order."""
    by_name = {case.name: case for case in CASES}
    return tuple(by_name[name] for name in names)
