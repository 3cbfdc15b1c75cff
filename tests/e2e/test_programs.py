#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs other than nginx: a library that is loaded long after the start, the first run of one that
ends at once, one that has no such library, and what is said of each."""
import os
import shutil
import subprocess
from functools import partial

import env
import test_unused
from lab import procs
from lab.cases import named
from tap import Skip, require

CASES = BROKEN, NAMED = named("verify-expired", "good-verified")

# Waits for a line, loads the TLS library, and fails with it each time it is given another line.
LATE = """\
import sys
sys.stdin.readline()
import socket, ssl
context = ssl.create_default_context()
print("loaded", flush=True)
for _ in sys.stdin:
    try:
        with socket.create_connection(("{address}", {port}), timeout=5) as s:
            context.wrap_socket(s, server_hostname="{address}").close()
    except ssl.SSLError:
        print("failed", flush=True)
"""


def tests(here):
    yield from here.chosen("programs", {
        "library-loaded-late": check_late,
        "first-run": check_first_run,
        "no-library": check_none,
        "implicit-handshake": partial(check_wire, program="openssl", argv=IMPLICIT),
        "memory-bio": partial(check_wire, program="/usr/bin/python3", argv=MEMORY_BIO),
        "padded-notify": check_padded,
        "refuses-expired": partial(check_refused, program="/usr/bin/wget", argv=wget("--ciphers=" + TLS12), case=BROKEN),
        "refuses-name-and-ends": partial(check_refused, program="/usr/bin/python3", argv=COMPARES, case=NAMED),
        "refuses-unseen": check_unseen,
        "gnutls": partial(check_wire, program="gnutls-cli", argv=GNUTLS, armed="from the wire"),
    })


# As a client that does not trust it: its handshake is done in SSL_read, by way of a memory BIO, or with
# another library.
IMPLICIT = ("s_client", "-quiet", "-connect", BROKEN.endpoint, "-CAfile", "pki/client-ca.crt",
            "-verify_return_error")
MEMORY_BIO = ("-c", f"""
import asyncio, ssl
async def main():
    context = ssl.create_default_context()
    try:
        await asyncio.open_connection("{BROKEN.address}", {BROKEN.port}, ssl=context)
    except ssl.SSLError:
        pass
asyncio.run(main())
""")
GNUTLS = ("--port", str(BROKEN.port), BROKEN.address)


TLS12 = "NORMAL:-VERS-ALL:+VERS-TLS1.2"


def wget(*options):
    """It trusts the CA, and looks at the certificate when the handshake is done: without a word to the server."""
    return ("--quiet", "--tries=1", "--timeout=5", "--output-document=/dev/null", "--ca-certificate=pki/ca.crt",
            *options, f"https://{BROKEN.endpoint}/")


# Compares the name by itself, and ends when it does not like it.
COMPARES = ("-c", f"""
import os, socket, ssl
context = ssl.create_default_context(cafile="pki/ca.crt")
context.check_hostname = False
context.maximum_version = ssl.TLSVersion.TLSv1_2
tls = context.wrap_socket(socket.create_connection(("{NAMED.address}", {NAMED.port}), timeout=5),
                          server_hostname="another.test")
os._exit(("DNS", "another.test") not in tls.getpeercert()["subjectAltName"])
""")


def check_refused(here, program, argv, case):
    """PROGRAM refuses the certificate of CASE, of TLS 1.2, after the handshake: what is wrong with it is told."""
    if not os.path.exists(program):
        raise Skip(f"{program} is not installed")
    with here.lab("refused-" + program.rsplit("/", 1)[-1], CASES, start_proxy=False) as lab:
        exe = copy_of(lab, program)
        with here.trace(lab, "--exe", exe, *env.JSON) as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting for")
            done = subprocess.run([str(exe), *argv], cwd=lab.directory, check=False, timeout=10)
            require(done.returncode, "it was not refused")
            finding = tlsfail.wait_finding(case)
            expected = case.slug or "verify-hostname-mismatch"
            require(finding and finding["error.type"] == expected and finding["tlsfail.confidence"] == "medium",
                    finding, tlsfail.stderr())


def check_unseen(here):
    """In TLS 1.3 nobody sees what GnuTLS refuses: no finding, but no all-clear either."""
    program = "/usr/bin/wget"
    if not os.path.exists(program):
        raise Skip(f"{program} is not installed")
    with here.lab("unseen", CASES, start_proxy=False) as lab:
        exe = copy_of(lab, program)
        with here.trace(lab, "--exe", exe, *env.JSON) as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting for")
            done = subprocess.run([str(exe), *wget()], cwd=lab.directory, check=False, timeout=10)
            require(done.returncode, "it was not refused")
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
        require(not tlsfail.findings(), *tlsfail.findings())
        require("at least 1 handshake was done and the connection closed here at once" in tlsfail.stderr(),
                tlsfail.stderr())


def check_wire(here, program, argv, armed=""):
    """A program whose handshake is not in SSL_do_handshake of OpenSSL, or not with a call of it around
    its I/O."""
    path = shutil.which(program)
    if not path:
        raise Skip(f"{program} is not installed")
    with here.lab("wire-" + path.rsplit("/", 1)[-1], CASES, start_proxy=False) as lab:
        exe = copy_of(lab, path)
        with here.trace(lab, "--exe", exe, *env.JSON) as tlsfail, procs.Processes() as processes:
            # What it uses is known by what runs.
            if armed:
                processes.start([str(exe), "--starttls", *argv], stdin=subprocess.PIPE)
                tlsfail.wait_armed()
                require(armed in tlsfail.stderr_lines("tlsfail: armed")[0], tlsfail.stderr())
            else:
                tlsfail.wait_stderr("tlsfail: waiting for")
            subprocess.run([str(exe), *argv], cwd=lab.directory, check=False, timeout=10,
                           input="GET / HTTP/1.0\r\n\r\n", text=True, capture_output=True)
            finding = tlsfail.wait_finding(BROKEN)
            require(finding and finding["process.executable.name"] == exe.name, finding,
                    tlsfail.stderr())
            require(finding["error.type"] not in UNTRUE, finding)


# A client that ends the connection because of a certificate has not been let down by its peer.
UNTRUE = ("peer-closed-in-handshake", "prematurely-closed-after-handshake", "unknown")


def copy_of(lab, program):
    """A private copy of PROGRAM."""
    path = lab.directory / program.rsplit("/", 1)[-1]
    shutil.copy(program, path)
    return path


def check_padded(here):
    """Java pads its close_notify, so that it is as long as something else; with it Java ends handshakes that
    were fine."""
    if not shutil.which("java"):
        raise Skip("java is not installed")
    test_unused.check_none(here, "java", "java", [
        "-XX:TieredStopAtLevel=1", "-Djdk.tls.client.protocols=TLSv1.3",
        str(env.REPOSITORY / "tools" / "lab" / "HttpsClient.java"), f"https://{test_unused.UNUSED.endpoint}/",
        "pki/ca.crt", "5"], connections=5)


def check_late(here):
    """A process that runs already and has no TLS library: it is waited for, and found by what it maps."""
    with here.lab("programs-late", CASES, start_proxy=False) as lab, procs.Processes() as processes:
        exe = copy_of(lab, "/usr/bin/python3")
        script = LATE.format(address=BROKEN.address, port=BROKEN.port)
        child = processes.start([str(exe), "-c", script], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
        with here.trace(lab, "--exe", exe, *env.JSON) as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting for a TLS library to be loaded")
            said = tlsfail.stderr_lines(f"tlsfail: {exe} (pid {child.pid}) has not loaded a TLS library")
            require(len(said) == 1, tlsfail.stderr())
            require(say(child) == "loaded", tlsfail.stderr())
            tlsfail.wait_armed()
            require(say(child) == "failed", tlsfail.stderr())
            finding = tlsfail.wait_finding(BROKEN)
            require(finding and finding["process.pid"] == child.pid, finding, tlsfail.stderr())


def say(child):
    """Gives CHILD a line and returns the one that it answers."""
    child.stdin.write("\n")
    child.stdin.flush()
    return child.stdout.readline().strip()


def check_first_run(here):
    """Nobody has run it yet, and its first run is over in no time."""
    with here.lab("first-run", CASES, start_proxy=False) as lab:
        exe = copy_of(lab, "/usr/bin/curl")
        with here.trace(lab, "--exe", exe, *env.JSON) as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting for")
            subprocess.run([str(exe), "--silent", "--cacert", "pki/ca.crt",
                            f"https://{BROKEN.endpoint}/"], cwd=lab.directory, check=False,
                           timeout=10)
            finding = tlsfail.wait_finding(BROKEN)
            require(finding and finding["process.executable.name"] == "curl", finding,
                    tlsfail.stderr())


def check_none(here):
    """However many processes there are of a kind, one line is said of it; and at the end, what was."""
    with here.lab("no-library", CASES, start_proxy=False) as lab, procs.Processes() as processes:
        exe = copy_of(lab, shutil.which("sleep"))
        for _ in range(3):
            processes.start([str(exe), "60"])
        with here.trace(lab, "--exe", exe) as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting for a TLS library to be loaded")
            for _ in range(3):
                processes.start([str(exe), "60"])
            procs.pause(1)
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
        require(len(tlsfail.stderr_lines(f"tlsfail: {exe}")) == 1, tlsfail.stderr())
        require("loaded no TLS library that tlsfail knows" in tlsfail.stderr_lines(
            "tlsfail: nothing was traced")[0], tlsfail.stderr())
