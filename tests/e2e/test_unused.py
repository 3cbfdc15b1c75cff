#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs that complete a handshake and then end the connection themselves, without a request: however they
do it, their peer has not failed."""
import subprocess
from functools import partial

import env
from lab import drive, procs
from lab.case import Case, numbered
from lab.cases import GOOD_FILES, VERIFY, cert
from lab.pki import SERVER_NAME
from lab.upstreams import Nginx, OpensslServer
from programs import copy_of
from tap import require

# No tickets: of what comes after the handshake nothing may be taken for an answer.
CASES = UNUSED, BROKEN = numbered([
    Case("unused", None, OpensslServer((*GOOD_FILES, "-num_tickets", "0"))),
    Case("broken", "verify-expired", Nginx(cert("expired")), VERIFY),
])

# Its TLS is in memory BIOs. What ends it goes out with its last flight, and it waits for the answer; or it
# shuts its side down without a word, and reads what the peer says to that.
ENDS = f"""
import socket, ssl, sys
context = ssl.create_default_context(cafile="pki/ca.crt")
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(incoming, outgoing, server_hostname="{SERVER_NAME}")
with socket.create_connection(("{UNUSED.address}", {UNUSED.port}), timeout=5) as s:
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            s.sendall(outgoing.read())
            incoming.write(s.recv(4096))
    if sys.argv[1] == "notify":
        try:
            tls.unwrap()
        except ssl.SSLWantReadError:
            pass
    s.sendall(outgoing.read())
    if sys.argv[1] == "shutdown":
        s.shutdown(socket.SHUT_WR)
    while s.recv(4096):
        pass
"""
LIMIT_S = 60


def tests(here):
    yield from here.chosen("unused", {
        "notify-with-finished": partial(check_python, way="notify"),
        "shutdown": partial(check_python, way="shutdown"),
    })


def check_none(here, name, command, argv, connections=1):
    """COMMAND, which is traced, does what ARGV say with so many CONNECTIONS, and nothing is reported; of an nginx
    that fails after it, something is."""
    with here.lab("unused-" + name, CASES) as lab:
        exe = copy_of(command, lab.directory)
        with here.trace(lab, "--exe", exe, "--exe", lab.proxy.exe, *env.JSON) as tlsfail:
            tlsfail.wait_armed()
            procs.pause(0.5)
            subprocess.run([exe, *argv], cwd=lab.directory, check=True, timeout=LIMIT_S,
                           stdin=subprocess.DEVNULL, capture_output=True)
            drive.once(lab, BROKEN)
            require(tlsfail.wait_finding(BROKEN), "no finding", tlsfail.stderr())
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
            require(len(tlsfail.failures()) == 1, *tlsfail.failures())
            require(f"tlsfail: {connections + 1} handshakes seen, 1 failed" in tlsfail.stderr(), tlsfail.stderr())


def check_python(here, way):
    check_none(here, way, "/usr/bin/python3", ["-c", ENDS, way])
