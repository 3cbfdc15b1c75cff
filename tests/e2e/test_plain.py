#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Plain text said to a server that expects TLS, of every implementation at hand: what only the socket tells. And
servers that expect plain text, too: nothing is said of those."""
import shutil
import time
from contextlib import contextmanager
from functools import partial

import env
import programs
from lab import clients, daemons, procs
from lab.case import Case, numbered
from lab.server_cases import EHLO
from lab.servers import PROGRAMS
from lab.upstreams import listening_ports
from tap import Skip, require

GNUTLS = "gnutls-serv (GnuTLS)"
# By what each answers plain HTTP with: an alert, a status 400, nothing.
SERVERS = (GNUTLS, "deno", "caddy", "tomcat", "lighttpd-gnutls", "lighttpd-mbedtls", "lighttpd-wolfssl", "dovecot")
REQUEST = b"GET / HTTP/1.0\r\n\r\n"
SETTLE_S = 1

# Where a client may begin with TLS, ask for it first as PostgreSQL's do, or speak plain text, which has the way to
# answer it.
MIXED = """\
import socket, ssl, sys
_, address, port = sys.argv
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain("pki/good.crt", "pki/good.key")
ANSWERS = {b"OK": b"HTTP/1.0 200 OK\\r\\n\\r\\n", b"BAD": b"HTTP/1.0 400 Bad Request\\r\\n\\r\\nno such thing"}
def serve(conn):
    data = conn.recv(4096)
    if not data[0]:
        conn.sendall(b"S")
        data = conn.recv(4096)
    if data[0] != 22:
        conn.sendall(ANSWERS.get(data, b""))
        return
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = server.wrap_bio(incoming, outgoing, server_side=True)
    while data:
        incoming.write(data)
        try:
            tls.do_handshake()
            data = b""
        except ssl.SSLWantReadError:
            conn.sendall(outgoing.read())
            data = conn.recv(4096)
    conn.sendall(outgoing.read())
with socket.create_server((address, int(port))) as listener:
    while True:
        with listener.accept()[0] as conn:
            serve(conn)
"""


def tests(here):
    yield from here.chosen("plain", {
        **{server.split()[0]: partial(check_server, server=server) for server in SERVERS},
        "mixed": check_mixed,
        "dialogue": check_dialogue,
    })


@contextmanager
def serving(here, server, asks=False):
    """SERVER, which may ask for client certificates, and a tracer of it. Yields (lab, its case, tracer)."""
    program = {**PROGRAMS, **daemons.DAEMONS}.get(server)
    lacks = program.lacks() if program else not shutil.which("gnutls-serv")
    if lacks:
        raise Skip(f"{lacks} is not installed")
    case, = numbered([Case("plain", None, programs.server_of(server, asks))])
    with here.lab(f"{server.split()[0]}-{time.monotonic_ns()}", [case], start_proxy=False) as lab:
        programs.wake([case])
        targets = [word for pid in programs.listening_pids({case.port}) for word in ("--pid", pid)]
        with here.trace(lab, *targets, "-v", *env.JSON) as tlsfail:
            tlsfail.wait_armed(30)
            yield lab, case, tlsfail


def check_server(here, server):
    """A client that speaks TLS, one that speaks HTTP and one that speaks SMTP: the last two are reported, each for
    what it is."""
    with serving(here, server) as (lab, case, tlsfail):
        # Some start a process for it only now.
        for _ in range(2):
            clients.openssl(request="")(lab, case)
        said = {"plain-http-to-https": REQUEST, "client-not-tls": EHLO}
        for slug, words in said.items():
            seen = len(tlsfail.findings())
            programs.say(case, None, words)
            finding = programs.search(tlsfail, lambda f: f["network.local.port"] == case.port, seen)
            require(finding and finding["error.type"] == slug, f"{words}:", finding, tlsfail.stderr())
            require(words.startswith(bytes.fromhex(finding["tlsfail.first_bytes"])), finding)
            require(finding["tlsfail.confidence"] == "high", finding)
        procs.pause(SETTLE_S)
    require(len(tlsfail.findings()) == len(said), *tlsfail.findings())


def mixed(here, name, meet, expected):
    """A server of MIXED, and of whom is told once MEET has been: EXPECTED, the first bytes of each."""
    case, = numbered([Case("plain", None, None)])
    with here.lab(name, [], start_proxy=False) as lab, procs.Processes() as processes:
        python = lab.directory / "python"
        shutil.copy("/usr/bin/python3", python)
        child = processes.start([str(python), "-c", MIXED, case.address, str(case.port)], cwd=lab.directory)
        procs.wait_until(lambda: case.port in listening_ports(), 10, "the server to listen")
        with here.trace(lab, "--pid", str(child.pid), "-v", *env.JSON) as tlsfail:
            tlsfail.wait_armed()
            meet(lab, case)
            procs.pause(SETTLE_S)
        found = [bytes.fromhex(finding["tlsfail.first_bytes"]) for finding in tlsfail.findings()]
        require(found == expected, found, *tlsfail.findings(), tlsfail.stderr())


def say_all(case, *words):
    for each in words:
        programs.say(case, None, each)


def check_mixed(here):
    """While clients have only begun with TLS, one that does not is told of; and none any more once one was served.
    A bad request by itself is none of ours."""
    def meet(lab, case):
        say_all(case, b"before")
        clients.openssl(request="")(lab, case)
        say_all(case, b"BAD", b"after", b"OK", b"at last")
    mixed(here, "plain-mixed", meet, [b"after"])


def check_dialogue(here):
    """Where TLS comes after other words, those mean nothing."""
    def meet(lab, case):
        clients.openssl("-starttls", "postgres", request="")(lab, case)
        say_all(case, b"after")
    mixed(here, "plain-dialogue", meet, [])
