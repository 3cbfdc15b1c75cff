#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A TCP connection that is not established: of every one that failed it is told, however fast the program is; of
one that the program gave up by itself it is not. The program has no TLS library, which takes nothing from that.
And a connection that is not of TCP alone."""
import re
import socket
import subprocess

import env
from lab.case import Case, numbered
from lab.default_cases import server
from lab.upstreams import Misbehave, Nothing
from programs import copy_of
from tap import Skip, require
from test_hooks import alternatives_offered

CASES = UNREACHABLE, UNANSWERED, REFUSED, BROKEN = numbered([
    Case("unreachable", "connect-unreachable", Misbehave("unreachable")),
    Case("unanswered", "connect-timeout", Misbehave("unanswered")),
    Case("refused", "connection-refused", Nothing()),
    Case("broken", "verify-expired", server("expired")),
])

# Asks for the error all the time, and so may have taken it before tlsfail sees that there is one.
CONNECTIONS = 500
TAKES = f"""
import socket
for _ in range({CONNECTIONS}):
    with socket.socket() as s:
        s.setblocking(False)
        s.connect_ex(("{UNREACHABLE.address}", {UNREACHABLE.port}))
        while not s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            pass
"""

# By close(2), shutdown(2), and connect(2) with no address (AF_UNSPEC); and one that is refused.
GIVES_UP = f"""
import ctypes, socket
libc = ctypes.CDLL(None)
def close(s):
    pass
def shut_down(s):
    s.shutdown(socket.SHUT_RDWR)
def disconnect(s):
    libc.connect(s.fileno(), bytes(16), 16)
for give_up in close, shut_down, disconnect:
    with socket.socket() as s:
        s.setblocking(False)
        s.connect_ex(("{UNANSWERED.address}", {UNANSWERED.port}))
        give_up(s)
with socket.socket() as s:
    s.connect_ex(("{REFUSED.address}", {REFUSED.port}))
"""


# Over MPTCP: two handshakes with a server whose certificate is refused, a connect() that is; and one handshake more,
# over TCP.
IPPROTO_MPTCP = 262
OF_MANY = f"""
import socket, ssl
context = ssl.create_default_context()
def connect(protocol, address, port):
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol) as s:
            s.connect((address, port))
            context.wrap_socket(s, server_hostname=address)
    except OSError:
        pass
for protocol in {IPPROTO_MPTCP}, {IPPROTO_MPTCP}, socket.IPPROTO_TCP:
    connect(protocol, "{BROKEN.address}", {BROKEN.port})
connect({IPPROTO_MPTCP}, "{REFUSED.address}", {REFUSED.port})
"""


def tests(here):
    yield from here.chosen("connect", {
        "error-taken": check_error_taken,
        "given-up": check_given_up,
        "mptcp": check_mptcp,
    })


def run_traced(here, name, script):
    """Findings about what SCRIPT does, and what was said."""
    with here.lab(name, CASES, start_proxy=False) as lab:
        exe = copy_of("/usr/bin/python3", lab.directory)
        with here.trace(lab, "--exe", exe, *env.JSON) as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting for")
            subprocess.run([str(exe), "-c", script], check=True, timeout=60)
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
        require(not tlsfail.stderr_lines("tlsfail: nothing was traced"), tlsfail.stderr())
        return tlsfail.findings(), tlsfail.stderr()


def check_error_taken(here):
    findings, said = run_traced(here, "error-taken", TAKES)
    told = {finding["error.type"] for finding in findings}
    require(told == {UNREACHABLE.slug}, told, said)
    offered = alternatives_offered(here)
    # A hook on tcp_close() is called before the socket is locked: there a program that has taken the error may close
    # before the kernel, on another CPU, has said what becomes of the connection.
    hooked = offered["close=fentry"] or offered["close=kprobe"]
    count = int(re.search(rf"(\d+) {UNREACHABLE.slug}", said)[1])
    require(CONNECTIONS * (0.9 if hooked else 1) <= count <= CONNECTIONS, said)


def check_given_up(here):
    findings, said = run_traced(here, "given-up", GIVES_UP)
    told = [(finding["error.type"], finding["network.peer.port"]) for finding in findings]
    require(told == [(REFUSED.slug, REFUSED.port)], told, said)


def check_mptcp(here):
    """It is not followed, and said so where its sends are seen (Linux 6.3); and nothing of it is lost, or stays
    behind."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP).close()
    except OSError as error:
        raise Skip(f"this kernel has no MPTCP: {error.strerror}") from error
    findings, said = run_traced(here, "mptcp", OF_MANY)
    told = [(finding["error.type"], finding["network.peer.port"]) for finding in findings
            if finding["event.name"] == "tls.handshake.failure"]
    require(len(told) == 1 and told[0][1] == BROKEN.port, told, said)
    counted = "2 handshakes were not over TCP" in said
    require(counted == alternatives_offered(here)["wire=tp_btf"] and " 0 records lost" in said, said)
