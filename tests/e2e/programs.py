#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs other than nginx, as the client and as the server: for each and each kind of failure the cause that
tlsfail names, how sure it is, and where that comes from. Needs root.

    programs.py [--tlsfail PROGRAM] [--page FILE]

Prints the tables, and with --page writes them. Fails when a program that is installed shows a cause that is
wrong: another one than the kind's, which is not even among its candidates.
"""
import argparse
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import env
from lab import binaries, clients, lab, netns, procs, server_cases, tracer
from lab.case import Case, numbered
from lab.cases import ANSWER, GOOD_FILES, good_server, named
from lab.pki import SERVER_NAME
from lab.servers import PROGRAMS, Listener
from lab.upstreams import GnutlsServer, OpensslEcho

TIMEOUT_S = 20
OTHER_CA = "pki/client-ca.crt"
CA = "pki/ca.crt"
OTHER_NAME = "other.test"

# ---- As the client -------------------------------------------------------------------------------

# Kind: the case that has its upstream. What is expected and trusted is the client's affair.
CLIENT_KINDS = {
    "expired": "verify-expired", "untrusted": "good-tls13", "another name": "good-tls12",
    "version": "protocol-version-rejected", "cipher": "cipher-mismatch",
    "no TLS": "peer-not-tls-http", "closed": "peer-closed-in-handshake", "refused": "connection-refused",
}
CLIENT_SLUGS = {"untrusted": ("verify-untrusted-issuer", "verify-self-signed-in-chain"),
                "another name": ("verify-hostname-mismatch",)}
NOT_VERIFYING = ("expired", "untrusted", "another name")

PYTHON = """\
import socket, ssl, sys
address, port, name, ca, low, high, ciphers = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.minimum_version, context.maximum_version = ssl.TLSVersion[low], ssl.TLSVersion[high]
if ciphers:
    context.set_ciphers(ciphers)
"""
PYTHON_SSL = PYTHON + """
try:
    with socket.create_connection((address, int(port)), timeout=10) as s:
        context.wrap_socket(s, server_hostname=name).close()
except OSError:
    pass
"""
PYTHON_ASYNCIO = PYTHON + """
import asyncio
async def main():
    try:
        await asyncio.open_connection(address, int(port), ssl=context, server_hostname=name)
    except OSError:
        pass
asyncio.run(main())
"""
NODE = """
const [host, port, servername, ca, low, high, ciphers] = process.argv.slice(1);
const options = {host, port, servername, ca: require("fs").readFileSync(ca),
                 minVersion: low.replace("_", "."), maxVersion: high.replace("_", ".")};
if (ciphers) options.ciphers = ciphers;
require("tls").connect(options, function() { this.end(); }).on("error", () => 0);
"""


class Ask:
    """What a client is to do: the case's address and port, the NAME and the CA it expects."""

    def __init__(self, case, kind):
        self.address, self.port = case.address, case.port
        self.name = OTHER_NAME if kind == "another name" else SERVER_NAME
        self.ca = OTHER_CA if kind == "untrusted" else CA
        self.version = "1.2" if case.tls == "TLSv1.2" else "1.3"
        self.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256" if kind == "cipher" else ""

    def script(self):
        """Arguments of the scripts above."""
        version = "TLSv1_" + self.version[-1]
        return [self.address, str(self.port), self.name, self.ca, version, version, self.ciphers]


def curl(ask):
    return ["curl", "--silent", "--cacert", ask.ca, f"--tlsv{ask.version}", "--tls-max", ask.version,
            *(["--ciphers", ask.ciphers] if ask.ciphers else []),
            "--connect-to", f"::{ask.address}:{ask.port}", f"https://{ask.name}:{ask.port}/"]


def openssl(ask):
    return ["openssl", "s_client", "-connect", f"{ask.address}:{ask.port}", "-servername", ask.name,
            "-verify_hostname", ask.name, "-verify_return_error", "-CAfile", ask.ca,
            "-tls" + ask.version.replace(".", "_"),
            *(["-cipher", ask.ciphers] if ask.ciphers else [])]


def gnutls(ask):
    only = "NORMAL:-VERS-ALL:+VERS-TLS" + ask.version + (
        ":-CIPHER-ALL:+AES-128-GCM" if ask.ciphers else "")
    return ["gnutls-cli", "--port", str(ask.port), "--x509cafile", ask.ca, "--priority", only,
            "--sni-hostname", ask.name, "--verify-hostname", ask.name, ask.address]


def keytool(ask):
    return [str(Path(shutil.which("keytool")).resolve()),
            f"-J-Djdk.tls.client.protocols=TLSv{ask.version}", "-printcert", "-sslserver",
            f"{ask.address}:{ask.port}"]


CLIENTS = {
    "curl": curl, "openssl s_client": openssl,
    "Python ssl": lambda ask: ["/usr/bin/python3", "-c", PYTHON_SSL, *ask.script()],
    "Python asyncio": lambda ask: ["/usr/bin/python3", "-c", PYTHON_ASYNCIO, *ask.script()],
    "Node": lambda ask: ["node", "-e", NODE, *ask.script()],
    "gnutls-cli (GnuTLS)": gnutls, "keytool (Java)": keytool,
}

# ---- As the server -------------------------------------------------------------------------------

SERVER_KINDS = {
    "version": (("client-protocol-too-old",),
                clients.openssl("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")),
    "cipher": (("server-no-shared-cipher",), clients.openssl("-tls1_2", "-cipher", "CAMELLIA256-SHA")),
    "refuses the certificate": (("client-rejects-cert",),
                                clients.openssl("-CAfile", OTHER_CA, "-verify_return_error")),
    "no client certificate": (("client-cert-missing", "client-cert-required"), clients.openssl()),
    "no TLS": (("plain-http-to-https", "client-not-tls"),
               lambda running, case: say(case, b"GET / HTTP/1.0\r\n\r\n")),
    "goes away": (("client-closed-in-handshake",), lambda running, case: say(case, server_cases.HELLO)),
}
ASKS = "no client certificate"


def say(case, data):
    """A client that sends DATA, waits a moment for an answer and goes away."""
    with socket.create_connection((case.address, case.port), timeout=5) as conn:
        conn.sendall(data)
        conn.settimeout(0.5)
        try:
            conn.recv(1)
        except OSError:
            pass


def server_of(program, asks):
    if program == "openssl s_server":
        return OpensslEcho(GOOD_FILES + (("-CAfile", OTHER_CA, "-Verify", "1", "-verify_return_error")
                                         if asks else ()))
    if program == "gnutls-serv (GnuTLS)":
        return GnutlsServer(("--x509certfile", "pki/good.crt", "--x509keyfile", "pki/good.key",
                             *(("--require-client-cert", "--x509cafile", OTHER_CA) if asks else ())))
    return Listener(program, client_ca=asks)


def servers():
    """The servers that are installed, and what the others lack: (names, {name: what})."""
    lacking = {name: program.lacks() for name, program in PROGRAMS.items()}
    return (["openssl s_server", "gnutls-serv (GnuTLS)",
             *(name for name, lacks in lacking.items() if not lacks)],
            {name: lacks for name, lacks in lacking.items() if lacks})


def listening_pids(ports):
    """Who listens on one of the PORTS."""
    shown = subprocess.run(["ss", "-Hltnp"], check=True, capture_output=True, text=True,
                           timeout=10).stdout
    return sorted({pid for line in shown.splitlines()
                   if int(line.split()[3].rsplit(":", 1)[1]) in ports
                   for pid in re.findall(r"pid=(\d+)", line)})


# ---- The tables ----------------------------------------------------------------------------------


def cell(finding, slugs):
    """What is said of a failure, and whether that is wrong."""
    if finding is None:
        return "not reported", False
    source = "library" if {"tls.openssl.reason_code", "tls.verify.code"} & set(finding) else "wire"
    fits = finding["error.type"] in slugs or set(slugs) & set(finding.get("tlsfail.candidates", []))
    text = f"`{finding['error.type']}`, {finding['tlsfail.confidence']}, {source}"
    wrong = not fits and finding["error.type"] != "unknown" and finding["tlsfail.confidence"] == "high"
    return text, wrong


def table(rows, kinds):
    """ROWS: {program: {kind: text}}."""
    lines = ["| | " + " | ".join(kinds) + " |", "| --- |" + " --- |" * len(kinds)]
    for name, cells in rows.items():
        lines.append(f"| {name} | " + " | ".join(cells.get(kind, "") for kind in kinds) + " |")
    return lines


def search(tlsfail, is_it, seen, wait_s=3):
    """The finding of TLSFAIL, after the first SEEN ones, of which IS_IT is true, or None."""
    def found():
        return next((f for f in tlsfail.findings()[seen:] if is_it(f)), None)
    try:
        return procs.wait_until(found, wait_s, "a finding")
    except TimeoutError:
        return None


def run_client(argv, directory):
    """Runs ARGV to its end, and returns its pid."""
    with subprocess.Popen(argv, cwd=directory, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as child:
        try:
            child.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()
        return child.pid


def copy_of(program, directory):
    """A copy of PROGRAM, as what is traced is found by its file, so that nobody else's is. Java finds its
    own files by where it is, and stays there."""
    path = Path(shutil.which(program)).resolve()
    if path.name == "keytool":
        return str(path)
    return str(shutil.copy(path, directory / path.name))


def as_clients(options, top):
    cases = named(*CLIENT_KINDS.values())
    wrong, rows = [], {}
    installed = {name: argv for name, argv in CLIENTS.items()
                 if shutil.which(argv(Ask(cases[0], "expired"))[0])}
    with lab.Lab(top, "clients", cases, start_proxy=False) as running:
        exes = {name: copy_of(argv(Ask(cases[0], "expired"))[0], running.directory)
                for name, argv in installed.items()}
        selected = [word for exe in sorted(set(exes.values())) for word in ("--exe", exe)]
        with tracer.Tracer(options.tlsfail, running.directory, (*selected, *env.JSON)) as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting for", 60)
            for name, argv in installed.items():
                rows[name] = {}
                for (kind, slug), case in zip(CLIENT_KINDS.items(), cases):
                    if argv is keytool and kind in NOT_VERIFYING:
                        rows[name][kind] = "not verified"
                        continue
                    seen = len(tlsfail.findings())
                    _, *arguments = argv(Ask(case, kind))
                    pid = run_client([exes[name], *arguments], running.directory)
                    found = search(tlsfail, lambda f, pid=pid: f.get("process.pid") == pid, seen)
                    slugs = CLIENT_SLUGS.get(kind, (case.slug,))
                    rows[name][kind], bad = cell(found, slugs)
                    wrong += [f"{name}: {kind}: {found}"] if bad else []
                print(f"# {name}", file=sys.stderr, flush=True)
    return rows, wrong


def as_servers(options, top):
    installed, lacking = servers()
    cases = numbered([Case(f"{name.split()[0]}-{'asks' if asks else 'plain'}", None,
                           server_of(name, asks))
                      for name in installed for asks in (False, True)])
    plain, asking = cases[::2], cases[1::2]
    wrong, rows = [], {name: {} for name in installed}
    with lab.Lab(top, "servers", cases, start_proxy=False) as running:
        selected = [word for pid in listening_pids({case.port for case in cases})
                    for word in ("--pid", pid)]
        with tracer.Tracer(options.tlsfail, running.directory,
                           (*selected, "-v", *env.JSON)) as tlsfail:
            tlsfail.wait_armed(60)
            for name, one, other in zip(installed, plain, asking):
                for kind, (slugs, drive) in SERVER_KINDS.items():
                    case = other if kind == ASKS else one
                    seen = len(tlsfail.findings())
                    drive(running, case)
                    found = search(tlsfail, lambda f, port=case.port:
                                   f.get("network.local.port") == port, seen)
                    rows[name][kind], bad = cell(found, slugs)
                    wrong += [f"{name}: {kind}: {found}"] if bad else []
                print(f"# {name}", file=sys.stderr, flush=True)
    return rows, wrong, lacking


def page(client_rows, server_rows, lacking):
    missing = ", ".join(f"{name} ({what})" for name, what in sorted(lacking.items()))
    return "\n".join([
        "# Programs", "",
        "This page shows what tlsfail reports about programs other than nginx. `make accuracy` writes it",
        "(`tests/e2e/programs.py`). Each failure was really caused; each cell has the reported cause, its confidence,",
        "and whether the TLS library said so or only the wire. *not reported*: the program refuses without telling its",
        "peer, and no library that tlsfail knows says so; or it does not fail; or tlsfail misses it.",
        "", "## As the client", "", *table(client_rows, list(CLIENT_KINDS)), "",
        "## As the server", "", *table(server_rows, list(SERVER_KINDS)), "",
        *([f"Not installed on the host of this run: {missing}.", ""] if missing else [])])


def main():
    parser = argparse.ArgumentParser(description="causes that are named of programs other than nginx")
    parser.add_argument("--tlsfail", default=env.REPOSITORY / "build" / "tlsfail", type=Path)
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    lab.exit_on_sigterm()
    netns.enter_network()
    with lab.directory() as top:
        client_rows, wrong = as_clients(options, top)
        server_rows, more, lacking = as_servers(options, top)
    text = page(client_rows, server_rows, lacking)
    print(text)
    if options.page:
        options.page.write_text(text)
    for line in wrong + more:
        print("wrong:", line, file=sys.stderr)
    return 1 if wrong or more else 0


if __name__ == "__main__":
    sys.exit(main())
