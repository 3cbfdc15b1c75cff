#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs other than nginx, as the client and as the server: for each and each kind of failure the cause that
tlsfail names, how sure it is, and where that comes from. Needs root.

    programs.py [--tlsfail PROGRAM] [--page FILE]

Prints the tables, and with --page writes them. Fails when a program that is installed shows a cause that is
wrong: another one than the kind's, which is not even among its candidates.
"""
import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import env
from lab import clients, dialogue, lab, netns, procs, relays, server_cases, tls_clients, tracer, unpacked
from lab.case import Case, numbered
from lab.cases import GOOD_FILES, named
from lab.daemons import DAEMONS
from lab.pki import SERVER_NAME
from lab.servers import PROGRAMS, Listener
from lab.tls_clients import CA, CLIENTS, DIALOGUES, OTHER_CA, OTHER_NAME, Ask
from lab.upstreams import GnutlsServer, OpensslEcho, listening_ports

TIMEOUT_S = 20
HEALTHY = "healthy"
ATTACH_S = 2  # in which tlsfail attaches to the libraries of a program that has run for the first time
NOT_REPORTED = "not reported"

# ---- As the client -------------------------------------------------------------------------------

# Kind: the case that has its upstream. What is expected and trusted is the client's affair.
CLIENT_KINDS = {
    HEALTHY: "good-verified",
    "expired": "verify-expired", "untrusted": "good-tls13", "another name": "good-tls12",
    "version": "protocol-version-rejected", "cipher": "cipher-mismatch",
    "no TLS": "peer-not-tls-http", "closed": "peer-closed-in-handshake", "refused": "connection-refused",
}
CLIENT_SLUGS = {"untrusted": ("verify-untrusted-issuer", "verify-self-signed-in-chain"),
                "another name": ("verify-hostname-mismatch",)}
DIALOGUE_PORTS = 3000  # a dialogue in front of a case listens so far above it

OPENSSL_CONFIG = """\
openssl_conf = init
nodejs_conf = init
[init]
ssl_conf = ssl
[ssl]
system_default = default
[default]
MinProtocol = TLSv{version}
MaxProtocol = TLSv{version}
CipherString = {ciphers}
"""


def client_environment(ask, directory):
    """Variables of a client: a configuration of OpenSSL with what ASK wants."""
    config = directory / "openssl.cnf"
    config.write_text(OPENSSL_CONFIG.format(version=ask.version, ciphers=ask.ciphers or "DEFAULT"))
    # What it reads there must not be the program itself: mosquitto_pub looks for a file of that name.
    home = {name: str(directory / "upstream") for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    return {**os.environ, **unpacked.environment(), **home, "OPENSSL_CONF": str(config)}


def with_hosts(ask, directory):
    """What a command line begins with that is to find the name of ASK."""
    hosts = directory / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{ask.address} {SERVER_NAME} {OTHER_NAME}\n")
    return (*netns.WITH_HOSTS, str(hosts))


def ask_relay(running, processes, name, argv, env, home):
    """Starts the relay NAME, of ARGV, asks it for a page or gives it a mail, and ends it."""
    page = f"GET / HTTP/1.1\r\nHost: {SERVER_NAME}\r\nConnection: close\r\n\r\n".encode()
    with open(running.directory / "relay.log", "ab") as log:
        relay = processes.start(argv, cwd=running.directory, env=env, stdout=log, stderr=log)
        procs.wait_until(lambda: relays.PORT in listening_ports(), 10, f"{argv} to listen")
        try:
            with socket.create_connection((relays.ADDRESS, relays.PORT), timeout=5) as conn:
                conn.sendall(relays.REQUESTS.get(name, page))
                while conn.recv(4096):
                    pass
        except OSError:
            pass
        if name in relays.DELIVERED:
            procs.wait_until(lambda: relays.DELIVERED[name] in (home / "log").read_text(), 10, "a delivery")
        procs.stop(relay)
        procs.wait_until(lambda: relays.PORT not in listening_ports(), 10, "the relay to end")


def attempt(running, processes, name, exe, kind, case):
    """The program NAME, of the file EXE, meets KIND. Returns the port that it connected to."""
    ask = Ask(case, kind)
    directory = running.directory
    before, env = with_hosts(ask, directory), client_environment(ask, directory)
    if name in relays.RELAYS:
        home = directory / "-".join(("relay", *name.split(), *kind.split())).lower().replace(".", "-")
        home.mkdir(exist_ok=True)
        _, *arguments = relays.RELAYS[name](ask, home)
        program = [exe] if name not in relays.STARTERS else []
        ask_relay(running, processes, name, [*before, *program, *arguments], env, home)
        return ask.port
    protocol = DIALOGUES.get(name)
    if protocol:
        ask.port += DIALOGUE_PORTS
        if kind != "refused":
            between = processes.start([sys.executable, dialogue.__file__, protocol, ask.address, str(ask.port),
                                       str(case.port)])
            procs.wait_until(lambda: ask.port in listening_ports(), 10, "the dialogue to listen")
    _, *arguments = CLIENTS[name](ask)
    run_client([*before, exe, *arguments], directory, env)
    if protocol and kind != "refused":
        procs.stop(between)
    return ask.port

# ---- As the server -------------------------------------------------------------------------------

SERVER_KINDS = {
    HEALTHY: ((), ("-CAfile", CA, "-verify_return_error")),
    "version": (("client-protocol-too-old",), ("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")),
    "cipher": (("server-no-shared-cipher",), ("-tls1_2", "-cipher", "CAMELLIA256-SHA")),
    "refuses the certificate": (("client-rejects-cert",), ("-CAfile", OTHER_CA, "-verify_return_error")),
    "no client certificate": (("client-cert-missing", "client-cert-required"), ()),
    "no TLS": (("plain-http-to-https", "client-not-tls"), b"GET / HTTP/1.0\r\n\r\n"),
    "goes away": (("client-closed-in-handshake",), server_cases.HELLO),
}
ASKS = "no client certificate"


def meet(running, case, daemon, what):
    """A client that meets the server of CASE, which may be a DAEMON: `openssl s_client` with the options WHAT, or
    the bytes WHAT."""
    protocol, more = daemon and daemon.protocol, {"request": daemon.request} if daemon else {}
    if isinstance(case.upstream, OpensslEcho):
        more = {"request": ""}  # it does not close by itself
    if isinstance(what, bytes):
        say(case, protocol, what)
    else:
        drive = clients.openssl(*(("-starttls", protocol) if protocol else ()), *what, **more)
        drive(running, case)


def say(case, protocol, data):
    """A client that sends DATA, waits a moment for an answer and goes away."""
    with socket.create_connection((case.address, case.port), timeout=5) as conn:
        dialogue.ask(protocol, conn)
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
                             "--priority", "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2",
                             *(("--require-client-cert", "--x509cafile", OTHER_CA) if asks else ())))
    return Listener(program, client_ca=asks)


def servers():
    """The servers that are installed, and what the others lack: (names, {name: what})."""
    lacking = {name: program.lacks() for name, program in {**PROGRAMS, **DAEMONS}.items()}
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


def cell(finding, kind, slugs):
    """What is said of a failure, and whether that is wrong."""
    if kind == HEALTHY:
        return ("silent", False) if finding is None else (f"`{finding['error.type']}`", True)
    if finding is None:
        return NOT_REPORTED, False
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


def run_client(argv, directory, env):
    """Runs ARGV to its end."""
    with open(directory / "clients.log", "ab") as log, subprocess.Popen(
            argv, cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env) as child:
        try:
            child.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            child.kill()


def copy_of(program, directory):
    """A copy of PROGRAM, as what is traced is found by its file, so that nobody else's is. Java finds its
    own files by where it is, so that it has a directory for itself."""
    if program not in ("java", "keytool"):
        return unpacked.copy(program, directory)
    java = directory / "java"
    if not java.exists():
        (java / "bin").mkdir(parents=True)
        home = unpacked.find("java").resolve().parents[1]
        for entry in home.iterdir():
            if entry.name != "bin":
                (java / entry.name).symlink_to(entry)
    path = java / "bin" / program
    if not path.exists():
        shutil.copy(unpacked.find(program).resolve(), path)
    return str(path)


def client_programs(directory):
    """{name: the file that it runs from} of the clients that are installed, and what the others lack."""
    example = Ask(named(CLIENT_KINDS["expired"])[0], "expired")
    commands = {name: argv(example)[0] for name, argv in CLIENTS.items()}
    commands.update((name, relays.COMMANDS[name]) for name in relays.RELAYS)
    lacking = {name: command for name, command in commands.items() if not unpacked.find(command)}
    return {name: copy_of(command, directory) for name, command in commands.items()
            if name not in lacking}, lacking


def client_cell(running, processes, tlsfail, name, exe, kind, case):
    """What is said of NAME and KIND, and whether that is wrong."""
    refusal = tls_clients.CANNOT.get((name, kind)) or relays.CANNOT.get((name, kind))
    if refusal:
        return refusal, False
    seen = len(tlsfail.findings())
    port = attempt(running, processes, name, exe, kind, case)
    found = search(tlsfail, lambda f: f.get("network.peer.port") == port
                   and f.get("process.executable.name") == Path(exe).name, seen,
                   1 if kind == HEALTHY else 3)
    return cell(found, kind, CLIENT_SLUGS.get(kind, (case.slug,)))


def as_clients(options, top):
    cases = named(*CLIENT_KINDS.values())
    wrong, rows = [], {}
    with lab.Lab(top, "clients", cases, start_proxy=False) as running, procs.Processes() as processes:
        programs, lacking = client_programs(running.directory)
        if options.only:
            programs = {name: exe for name, exe in programs.items() if re.search(options.only, name)}
        if not programs:
            return rows, wrong, lacking
        selected = [word for exe in sorted(set(programs.values())) for word in ("--exe", exe)]
        with tracer.Tracer(options.tlsfail, running.directory, (*selected, *env.JSON)) as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting for", 60)
            for name, exe in programs.items():
                rows[name] = {}
                for kind, case in zip(CLIENT_KINDS, cases):
                    rows[name][kind], bad = client_cell(running, processes, tlsfail, name, exe, kind, case)
                    wrong += [f"{name}: {kind}: {rows[name][kind]}"] if bad else []
                    if kind == HEALTHY:
                        procs.pause(ATTACH_S)
                # Every program fails then, if it has run at all.
                wrong += [f"{name} did not run"] if rows[name]["refused"] == NOT_REPORTED else []
                print(f"# {name}", file=sys.stderr, flush=True)
        if options.keep:
            shutil.copy(running.directory / "tlsfail.out", options.keep / "clients.json")
    return rows, wrong, lacking


def server_cell(running, tlsfail, program, kind, case):
    """What is said of the server PROGRAM, of CASE, and KIND, and whether that is wrong."""
    known = DAEMONS.get(program)
    if known and kind in known.cannot:
        return known.cannot[kind], False
    slugs, what = SERVER_KINDS[kind]
    seen = len(tlsfail.findings())
    meet(running, case, known, what)
    found = search(tlsfail, lambda f: f.get("network.local.port") == case.port, seen,
                   1 if kind == HEALTHY else 3)
    return cell(found, kind, slugs)


def wake(cases):
    """Some have a process for connections only once there was one."""
    for case in cases:
        with socket.create_connection((case.address, case.port), timeout=TIMEOUT_S) as conn:
            conn.settimeout(0.2)
            with suppress(OSError):
                conn.recv(1)


# tlsfail takes 32 targets, and a program may have several processes.
SERVERS_AT_ONCE = 10


def as_servers(options, top):
    installed, lacking = servers()
    if options.only:
        installed = [name for name in installed if re.search(options.only, name)]
    rows, wrong = {}, []
    for first in range(0, len(installed), SERVERS_AT_ONCE):
        some, bad = serve(options, top, f"servers-{first}", installed[first:first + SERVERS_AT_ONCE])
        rows.update(some)
        wrong += bad
    return rows, wrong, lacking


def serve(options, top, where, names):
    """The rows of the servers of those NAMES, in the lab WHERE, and what is wrong in them."""
    cases = numbered([Case(f"{name.split()[0]}-{'asks' if asks else 'plain'}", None,
                           server_of(name, asks))
                      for name in names for asks in (False, True)])
    plain, asking = cases[::2], cases[1::2]
    wrong, rows = [], {name: {} for name in names}
    with lab.Lab(top, where, cases, start_proxy=False) as running:
        wake(cases)
        selected = [word for pid in listening_pids({case.port for case in cases})
                    for word in ("--pid", pid)]
        with tracer.Tracer(options.tlsfail, running.directory,
                           (*selected, "-v", *env.JSON)) as tlsfail:
            tlsfail.wait_armed(60)
            for name, one, other in zip(names, plain, asking):
                for kind in SERVER_KINDS:
                    rows[name][kind], bad = server_cell(running, tlsfail, name, kind,
                                                        other if kind == ASKS else one)
                    wrong += [f"{name}: {kind}: {rows[name][kind]}"] if bad else []
                print(f"# {name}", file=sys.stderr, flush=True)
        if options.keep:
            shutil.copy(running.directory / "tlsfail.out", options.keep / f"{where}.json")
    return rows, wrong


# What a program does that leaves a cell without a report.
SILENT = {
    "lftp": "it has sent its request when it looks at the certificate",
    "wget, msmtp": "it looks at the certificate after the handshake, and closes without a word; in TLS 1.3, which is what it "
            "meets but for another name, the certificate is encrypted. The lines at the end of a run say how many such "
            "connections there were at least",
    "squid cache_peer, untrusted": "it lets the handshake be done, and looks for the issuer that is missing by itself",
}

# What else could be here, and why it is not.
LEFT_OUT = {
    "lighttpd as the client": "its mod_proxy speaks no TLS to a backend",
}


def page(client_rows, server_rows, lacking):
    missing = ", ".join(f"{name} ({what})" for name, what in sorted(lacking.items()))
    return "\n".join([
        "# Programs", "",
        "This page shows what tlsfail reports about programs other than nginx. `make accuracy` writes it",
        "(`tests/e2e/programs.py`). Each failure was really caused; each cell has the reported cause, its confidence,",
        "and whether the TLS library said so or only the wire. *not reported*: the program refuses without telling its",
        "peer, and no library that tlsfail knows says so; or it does not fail; or tlsfail misses it. *silent*: a",
        "connection that works, of which nothing is reported, as it must be.",
        "", "## As the client", "", *table(client_rows, list(CLIENT_KINDS)), "",
        "## As the server", "", *table(server_rows, list(SERVER_KINDS)), "",
        *([f"Not installed on the host of this run: {missing}.", ""] if missing else []),
        "## Why a refusal is not reported", "", *[f"- {name}: {why}." for name, why in SILENT.items()], "",
        "## Not in the tables", "", *[f"- {name}: {why}." for name, why in LEFT_OUT.items()], ""])


def main():
    parser = argparse.ArgumentParser(description="causes that are named of programs other than nginx")
    parser.add_argument("--tlsfail", default=env.REPOSITORY / "build" / "tlsfail", type=Path)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--only", metavar="REGEX", help="programs whose name has it")
    parser.add_argument("--keep", type=Path, help="a directory for the findings")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    lab.exit_on_sigterm()
    netns.enter_network()
    with lab.directory() as top:
        client_rows, wrong, missing = as_clients(options, top)
        server_rows, more, lacking = as_servers(options, top)
    text = page(client_rows, server_rows, {**missing, **lacking})
    print(text)
    if options.page:
        options.page.write_text(text)
    for line in wrong + more:
        print("wrong:", line, file=sys.stderr)
    return 1 if wrong or more else 0


if __name__ == "__main__":
    sys.exit(main())
