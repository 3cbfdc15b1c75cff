#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `tlsfail probe --enumerate` finds, beside sslscan, nmap and testssl.sh: do they find the same
versions and cipher suites, in how many connections and how much time? Needs root, for a network
namespace; what is not installed is left out.

    enumerate.py [--tlsfail PROGRAM] [SERVER...]

Prints a table as Markdown. Every program goes through a relay that counts its connections.
"""
import argparse
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "e2e"))

import env
from lab import lab, netns
from lab.case import Case, numbered
from lab.cases import ANSWER, GNUTLS_FILES, cert
from lab.pki import SERVER_NAME
from lab.servers import PROGRAMS, Listener
from lab.upstreams import GnutlsServer, Nginx, OpensslServer

LIMIT_S = 600
SERVERS = numbered((
    Case("nginx", None, Nginx(cert("good") + " ssl_protocols TLSv1.2 TLSv1.3;" + ANSWER)),
    Case("openssl", None, OpensslServer(("-cert", "pki/rsa.crt", "-key", "pki/rsa.key",
                                         "-cipher", "ALL:@SECLEVEL=0"))),
    Case("gnutls", None, GnutlsServer(GNUTLS_FILES + (
        "--disable-client-cert", "--priority", "NORMAL:+VERS-TLS1.0:+VERS-TLS1.1"))),
    Case("caddy", None, Listener("caddy")),
    Case("haproxy", None, Listener("haproxy")),
    Case("tomcat", None, Listener("tomcat")),
))
# (version, suite) pairs, by IANA's number of the suite
NAMES = {name: int(number, 16) for number, name in re.findall(
    r'\{ (0x[0-9a-f]+), "(TLS_\w+)" \}', (env.REPOSITORY / "src/tls/names.c").read_text())}


class Relay:
    """Passes connections on to (ADDRESS, PORT), and counts them."""

    def __init__(self, address, port):
        self.count = 0
        self._to = (address, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            conn, _ = self._listener.accept()
            self.count += 1
            try:
                to = socket.create_connection(self._to)
            except OSError:
                conn.close()
                continue
            for pair in ((conn, to), (to, conn)):
                threading.Thread(target=self._pass, args=pair, daemon=True).start()

    @staticmethod
    def _pass(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


def run(*argv):
    return subprocess.run([str(word) for word in argv], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors="replace", timeout=LIMIT_S,
                          check=False).stdout


def by_tlsfail(tlsfail, port):
    out = run(tlsfail, "probe", "--format", "json", "--enumerate", "--rate", "1000",
              "--sni", SERVER_NAME, f"127.0.0.1:{port}")
    accepts = json.loads(out)["probe.accepts"]
    by_tlsfail.suite_connections = accepts["connections_for_suites"]
    return {(version["version"], NAMES[name]) for version in accepts["versions"]
            for name in version.get("ciphers", ())}


def by_sslscan(_tlsfail, port):
    out = run("sslscan", "--no-colour", f"--sni-name={SERVER_NAME}", "--xml=-",
              f"127.0.0.1:{port}")
    return {(version, int(number, 16)) for version, number in re.findall(
        r'<cipher [^>]*sslversion="TLSv([\d.]+)"[^>]* id="(0x[0-9A-Fa-f]+)"', out)}


def by_nmap(_tlsfail, port):
    out = run("nmap", "-Pn", "-p", port, "--script", "+ssl-enum-ciphers", "--script-args",
              f"tls.servername={SERVER_NAME}", "127.0.0.1")
    found, version = set(), None
    for line in out.splitlines():
        begun = re.search(r"TLSv([\d.]+):", line)
        version = begun[1] if begun else version
        suite = re.search(r"(TLS_\w+)", line)
        name = suite and suite[1].replace("TLS_AKE_WITH_", "TLS_")
        if name in NAMES:
            found.add((version, NAMES[name]))
    return found


def by_testssl(_tlsfail, port):
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        Path(file.name).unlink()
        run("testssl", "--quiet", "--color", "0", "-E", "--sneaky", "--ip", "one", "--jsonfile",
            file.name, f"127.0.0.1:{port}")
        out = Path(file.name).read_text()
        Path(file.name).touch()
    return {(f"1.{version}", int(number, 16)) for version, number in re.findall(
        r'"id"\s*:\s*"cipher-tls1_(\d)_x([0-9a-f]+)"', out)}


TOOLS = {"tlsfail": by_tlsfail, "sslscan": by_sslscan, "nmap": by_nmap, "testssl": by_testssl}


def words(number):
    return next((name for name, value in NAMES.items() if value == number), hex(number))


def measure(tool, tlsfail, case):
    """(pairs, connections, seconds) of TOOL at the server of CASE."""
    relay = Relay(case.address, case.port)
    begun = time.monotonic()
    found = TOOLS[tool](tlsfail, relay.port)
    return found, relay.count, time.monotonic() - begun


def difference(ours, theirs):
    lines = [f"{'more' if pair in ours else 'less'}: {pair[0]} {words(pair[1])}"
             for pair in sorted(ours ^ theirs)]
    return "the same" if not lines else f"{len(lines)} differ: " + "; ".join(lines[:4])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tlsfail", default=env.REPOSITORY / "build" / "tlsfail")
    parser.add_argument("--without", action="append", default=[], help="a tool")
    parser.add_argument("servers", nargs="*")
    options = parser.parse_args()
    tools = [tool for tool in TOOLS if tool not in options.without
             and (tool == "tlsfail" or shutil.which(tool))]
    cases = [case for case in SERVERS if not options.servers or case.name in options.servers]
    cases = [case for case in cases if not isinstance(case.upstream, Listener)
             or not PROGRAMS[case.upstream.program].lacks()]
    netns.enter_network()
    print("| server | program | suites | connections | seconds | beside tlsfail |")
    print("| --- | --- | --- | --- | --- | --- |")
    with lab.directory() as top:
        here = env.Env(options.tlsfail, top)
        with here.lab("enumerate", cases, start_proxy=False):
            for case in cases:
                ours = set()
                for tool in tools:
                    found, connections, seconds = measure(tool, here.tlsfail, case)
                    ours = found if tool == "tlsfail" else ours
                    verdict = (f"{by_tlsfail.suite_connections} connections for these"
                               if tool == "tlsfail" else difference(ours, found))
                    print(f"| {case.name} | {tool} | {len(found)} | {connections} | "
                          f"{seconds:.1f} | {verdict} |", flush=True)


if __name__ == "__main__":
    main()
