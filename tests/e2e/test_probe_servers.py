#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""tlsfail probe against servers that do harm, that want to be talked to first, that go away; its exit
statuses; what it writes for Prometheus, and whether the alerts come."""
import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
from contextlib import contextmanager

import env
from lab import procs, prometheus
from lab.cases import ANSWER, cert
from lab.case import Case, numbered
from lab.pki import SERVER_NAME
from lab.upstreams import Nginx, OpensslServer, listening_ports
from tap import Skip, require
from test_probe import check_schema

WORKS, FAILS, USAGE, UNTRIED = 0, 1, 2, 3
MEMORY = ("prlimit", "--as=300000000")  # bytes; more is refused
RULES = env.REPOSITORY / "dist" / "prometheus" / "tlsfail.probe.rules.yml"
METRICS = "127.0.0.1:9109"


def tests(here):
    """Yields (name, test)."""
    yield from here.chosen("probe-server", CHECKS)


@contextmanager
def server(behave):
    """A server that does BEHAVE with each connection. Yields its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def handle(conn):
        with conn:
            try:
                behave(conn)
            except (OSError, EOFError):
                pass

    def serve():
        while True:
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=handle, args=(conn,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def probe(here, *args, prefix=()):
    done = here.run("probe", "--format", "json", *args, prefix=prefix)
    return done, [json.loads(line) for line in done.stdout.splitlines()]


# -- who does harm ---------------------------------------------------------------------------------


def endless(conn, begin, chunk):
    conn.recv(4096)
    conn.sendall(begin)
    while True:
        conn.sendall(chunk)


def hang(conn):
    time.sleep(60)


def reset(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def flood(conn):
    endless(conn, b"", os.urandom(65536))


def speak_first(conn):
    conn.sendall(b"220 mail.test ESMTP\r\n")
    time.sleep(60)


def record(content, kind=22):
    return struct.pack("!BHH", kind, 0x0303, len(content)) + content


def message(kind, length, content):
    return bytes([kind]) + length.to_bytes(3, "big") + content


# ServerHello of TLS 1.2 with TLS_RSA_WITH_AES_128_CBC_SHA
HELLO = record(message(2, 38, b"\x03\x03" + bytes(32) + b"\0\0\x2f\0"))


def endless_message(conn):
    endless(conn, record(message(2, 0xffffff, b"\x03\x03" + bytes(100))), record(bytes(16000)))


def endless_certificates(conn):
    endless(conn, HELLO + record(message(11, 0xffffff, b"\xff\xff\xfc")), record(bytes(16000)))


def endless_messages(conn):
    endless(conn, HELLO, record(message(22, 4, bytes(4))) * 100)


def endless_warnings(conn):
    endless(conn, b"", record(b"\x01\x70", kind=21) * 1000)


def drip(conn):
    conn.recv(4096)
    for byte in HELLO * 1000:
        conn.sendall(bytes([byte]))
        time.sleep(0.05)


HARMFUL = (hang, reset, flood, speak_first, endless_message, endless_certificates, endless_messages,
           endless_warnings, drip)


def check_harm(here):
    """Each is a failure that is named, within bounded time and memory, also by --enumerate."""
    for behave in HARMFUL:
        with server(behave) as port:
            done, results = probe(here, "--timeout", "1s", "--enumerate", f"127.0.0.1:{port}",
                                  prefix=MEMORY)
        require(done.returncode == FAILS, behave.__name__, done)
        require(results[0]["probe.result"] == "fails" and results[0]["error.type"],
                behave.__name__, done)
        check_schema(results[0])


# -- who wants to be talked to first ---------------------------------------------------------------


def line(conn):
    data = b""
    while not data.endswith(b"\n"):
        byte = conn.recv(1)
        if not byte:
            raise EOFError
        data += byte
    return data


def expect(conn, word):
    got = line(conn)
    if word not in got.upper():
        raise EOFError


def smtp(conn):
    conn.sendall(b"220-mail.test\r\n220 ESMTP\r\n")
    expect(conn, b"EHLO")
    conn.sendall(b"250-mail.test\r\n250 STARTTLS\r\n")
    expect(conn, b"STARTTLS")
    conn.sendall(b"220 go on\r\n")


def imap(conn):
    conn.sendall(b"* OK IMAP4rev1\r\n")
    expect(conn, b"STARTTLS")
    conn.sendall(b"* a comment\r\na OK go on\r\n")


def pop3(conn):
    conn.sendall(b"+OK\r\n")
    expect(conn, b"STLS")
    conn.sendall(b"+OK\r\n")


def postgres(conn):
    if conn.recv(8) == bytes.fromhex("0000000804d2162f"):
        conn.sendall(b"S")


def mysql(conn):
    greeting = (b"\x0a8.0.0\0" + bytes(4) + b"12345678\0" + struct.pack("<H", 0xffff)
                + b"\x21\2\0" + struct.pack("<H", 0xffff) + bytes(11) + b"123456789012\0")
    conn.sendall(len(greeting).to_bytes(3, "little") + b"\0" + greeting)
    request = conn.recv(36)
    if len(request) != 36 or not request[5] & 8:
        raise EOFError


def ldap(conn):
    if b"1.3.6.1.4.1.1466.20037" in conn.recv(64):
        conn.sendall(bytes.fromhex("300c02010178070a010004000400"))


def proxy(conn):
    expect(conn, b"PROXY TCP4 127.0.0.1 127.0.0.1 ")


def then_tls(here, talk):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(here.top / "pki" / "good.crt", here.top / "pki" / "good.key")

    def behave(conn):
        talk(conn)
        with context.wrap_socket(conn, server_side=True) as tls:
            tls.recv(1)
    return behave


STARTTLS = (smtp, imap, pop3, postgres, mysql, ldap)


def check_starttls(here):
    for talk in STARTTLS:
        with server(then_tls(here, talk)) as port:
            done, results = probe(here, "--starttls", talk.__name__, f"127.0.0.1:{port}")
            require(done.returncode == WORKS, talk.__name__, done)
            require(results[0]["tls.protocol.version"] == "1.3", results)
            done, _ = probe(here, "--timeout", "1s", f"127.0.0.1:{port}")
            require(done.returncode == FAILS, talk.__name__, done)


def check_starttls_refused(here):
    """What the server said is in the answer."""
    def refuse(conn):
        conn.sendall(b"554 \x1b[31mno\r\n")

    with server(refuse) as port:
        done, results = probe(here, "--starttls", "smtp", f"127.0.0.1:{port}")
    require(done.returncode == FAILS and r"554 \x1b[31mno" in results[0]["message"], done)


def check_proxy_header(here):
    """That a PROXY header is missing is found out."""
    with server(then_tls(here, proxy)) as port:
        done, _ = probe(here, "--proxy-header", f"127.0.0.1:{port}")
        require(done.returncode == WORKS, done)
        done, results = probe(here, "--timeout", "1s", f"127.0.0.1:{port}")
    require(done.returncode == FAILS, done)
    require(results[0]["probe.works"] == "with a PROXY header before TLS", results)


def check_listening(here):
    """Where a connection to this host is refused, it is said who does listen."""
    with server(hang) as port:
        done, results = probe(here, "127.0.0.1:1")
    require(str(port) in results[0]["probe.listening"].split(", "), done)
    check_schema(results[0])


# -- exit status, the end --------------------------------------------------------------------------


def check_exit_status(here):
    expected = {
        ("--starttls", "ftp", "127.0.0.1"): USAGE,
        ("--timeout", "soon", "127.0.0.1"): USAGE,
        ("nobody.invalid:443",): UNTRIED,
        ("-c", here.top / "absent.conf"): UNTRIED,
        ("--cert", here.top / "absent.pem", "127.0.0.1:1"): UNTRIED,
        ("127.0.0.1:1",): FAILS,
    }
    for args, status in expected.items():
        done, _ = probe(here, *args)
        require(done.returncode == status, args, done)


def check_interrupt(here):
    """Ctrl-C: what is known by then is shown."""
    with server(hang) as port:
        process = subprocess.Popen(
            [here.tlsfail, "probe", "--format", "json", "--timeout", "30s", "127.0.0.1:1",
             f"127.0.0.1:{port}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=10 * procs.PATIENCE)
    require(json.loads(first)["error.type"] == "connection-refused", first)
    require("interrupted" in said and process.returncode == FAILS, rest, said, process.returncode)


def check_from(here):
    """What a tracer saw fail is asked again, each peer once."""
    event = {"event.name": "tls.handshake.failure", "network.peer.address": "127.0.0.1",
             "network.peer.port": 1, "tls.client.server_name": "app.test"}
    path = here.top / "failures.ndjson"
    path.write_text("".join(json.dumps(event) + "\n" for _ in range(3)))
    done, results = probe(here, "--from", path)
    require(done.returncode == FAILS and len(results) == 1, done)


# -- what a server accepts -------------------------------------------------------------------------

ACCEPTING = numbered((
    Case("modern", None, Nginx(cert("good") + " ssl_protocols TLSv1.2 TLSv1.3;"
                               " ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;" + ANSWER)),
    Case("old", None, OpensslServer(("-cert", "pki/rsa.crt", "-key", "pki/rsa.key", "-tls1",
                                     "-cipher", "ALL:@SECLEVEL=0"))),
))


def check_enumerate(here):
    """Beside sslscan where it is installed: the same versions and suites, in fewer connections."""
    spec = importlib.util.spec_from_file_location(
        "bench_enumerate", env.REPOSITORY / "tests" / "bench" / "enumerate.py")
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    with here.lab("probe-enumerate", ACCEPTING, start_proxy=False):
        for case in ACCEPTING:
            _, results = probe(here, "--enumerate", case.endpoint)
            check_schema(results[0])
            ours, connections, _ = bench.measure("tlsfail", here.tlsfail, case)
            versions = {version for version, _ in ours}
            require(versions == ({"1.2", "1.3"} if case.name == "modern" else {"1.0"}), ours)
            if not shutil.which("sslscan"):
                raise Skip("sslscan is not installed")
            theirs, many, _ = bench.measure("sslscan", here.tlsfail, case)
            require(ours == theirs, bench.difference(ours, theirs))
            require(connections < many, f"{connections} connections, sslscan {many}")


# -- Prometheus ------------------------------------------------------------------------------------


def check_watch(here):
    """--watch under a real Prometheus: a certificate that ends in 10 days is an alert, and stays one
    when the upstream is gone."""
    directory = here.top / "probe-watch"
    directory.mkdir()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "10",
                    "-subj", "/CN=" + SERVER_NAME, "-keyout", "k", "-out", "c"], cwd=directory,
                   check=True, capture_output=True)
    upstream = procs.start_owned(["openssl", "s_server", "-quiet", "-www", "-accept",
                                  "127.0.0.1:8499", "-cert", "c", "-key", "k"], cwd=directory)
    procs.wait_until(lambda: 8499 in listening_ports(), 10, "the upstream")
    metrics = directory / "probe.prom"
    events = directory / "events.json"
    watch = procs.start_owned([str(here.tlsfail), "probe", "--watch", "1s", "--metrics-file",
                               str(metrics), "--metrics", METRICS, "--sink", f"json:{events}",
                               "127.0.0.1:8499"], stdout=subprocess.DEVNULL)
    try:
        procs.wait_until(metrics.exists, 10, "metrics")
        linted = prometheus.promtool("check", "metrics", text=metrics.read_text())
        require(not linted.returncode, linted)
        with prometheus.Prometheus(directory, METRICS, [RULES]) as server_:
            fires = 'ALERTS{alertname="UpstreamCertificateEndsSoon",alertstate="firing"}'
            server_.wait_query("tlsfail_upstream_works == 1")
            server_.wait_query(fires)
            procs.stop(upstream)
            server_.wait_query("tlsfail_upstream_works == 0")
            server_.wait_query('tlsfail_upstream_failing{cause="connection-refused"} == 1')
            require(server_.query(fires), "the alert is gone")
            require(server_.query("tlsfail_upstream_certificate_not_after_timestamp_seconds"))
    finally:
        procs.stop(watch)
        procs.stop(upstream)
    told = [json.loads(event)["event.name"] for event in events.read_text().splitlines()]
    require(told == ["tls.handshake.failure"], told)


def check_docs(here):
    """What docs/probe.md shows can be run: each command line is one that is accepted."""
    text = (env.REPOSITORY / "docs" / "probe.md").read_text()
    commands = re.findall(r"^tlsfail (probe[^#\n]*)", text, re.M)
    require(len(commands) >= 6, commands)
    for command in commands:
        done = here.run(*command.split(), "--help")
        require(done.returncode == 0, command, done)


# Those that are about what a server does, and not about where the verb runs.
SHARED = {
    "starttls": check_starttls,
    "starttls-refused": check_starttls_refused,
    "proxy-header": check_proxy_header,
    "listening": check_listening,
    "exit-status": check_exit_status,
    "interrupt": check_interrupt,
    "from": check_from,
    "docs": check_docs,
}
CHECKS = {
    "harm": check_harm,
    **SHARED,
    "enumerate": check_enumerate,
    "watch": check_watch,
}
