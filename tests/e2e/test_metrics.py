#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Metrics: the right figures, in formats that Prometheus takes; and what a client, a network or a
disk can do to them, which is nothing to the tracing."""
import http.client
import os
import re
import resource
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import env
from lab import drive, procs, prometheus
from lab.case import Case, numbered
from lab.cases import VERIFY, good_server, healthy, named
from lab.server_cases import CASES as SERVER_CASES
from tap import require

PORT = 9913
TARGET = f"127.0.0.1:{PORT}"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
GOOD, ENDED, EXPIRED, REFUSED, SNI = CASES = numbered((
    healthy("metrics-good", good_server()),
    healthy("metrics-ended", good_server("expired")),
    Case("metrics-expired", "verify-expired", good_server("expired"), VERIFY),
    *named("connection-refused", "sni-unrecognized"),
))
GOOD_ENDS, ENDED_ENDS = 2524607999, 1609459200  # of the lab's certificates, 2049 and 2021

# Cases of the server, and how many of their handshakes are a success, a failure, noise.
SERVER_CHOSEN = {"served-tls13": (1, 0, 0), "served-client-cert": (3, 0, 0),
                 "served-without-cert": (2, 0, 0), "served-no-request": (1, 0, 0),
                 "client-cert-missing": (0, 1, 0), "client-protocol-too-old": (0, 1, 0),
                 "client-rejects-cert": (0, 1, 0), "port-scan": (1, 0, 1)}

FRESH_S = 5  # a figure is at most a second old; a busy machine may take longer
IDLE_CONNECTIONS = 10000
GROWTH_MAX = 8 << 20  # bytes of memory that they may cost


def tests(here):
    checks = {
        "figures": check_figures,
        "figures-server": check_figures_server,
        "file": check_file,
        "file-disk-full": check_file_disk_full,
        "unix-socket": check_unix_socket,
        "requests": check_requests,
        "idle-connections": check_idle_connections,
        "port-taken": check_port_taken,
        "file-unwritable": check_file_unwritable,
    }
    yield from here.chosen("metrics", checks)


def fetch(path="/metrics", method="GET", accept=None):
    """One request to tlsfail. Returns (status, headers, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
    try:
        connection.request(method, path, headers={"Accept": accept} if accept else {})
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


def samples(page):
    """The samples of a page as {"name{labels}": value}."""
    found = re.findall(r"^([a-z_]+(?:\{.*\})?) (\S+)$", page, re.MULTILINE)
    require(found, "no samples:", page)
    return {name: float(value) for name, value in found}


def wait_samples(expected):
    """Waits until tlsfail shows the samples EXPECTED, and returns all."""
    seen = {}

    def shown():
        seen.update(samples(fetch()[2]))
        return all(seen.get(name) == value for name, value in expected.items())

    try:
        procs.wait_until(shown, FRESH_S, "figures")
    except TimeoutError:
        wrong = [f"{name} is {seen.get(name)}, not {value}" for name, value in expected.items()
                 if seen.get(name) != value]
        require(not wrong, *wrong)
    return seen


def check_lint(page):
    """promtool has nothing to say about the PAGE."""
    linted = prometheus.promtool("check", "metrics", text=page)
    require(linted.returncode == 0 and not linted.stderr, linted.stdout, linted.stderr)


def check_documented(page):
    """docs/metrics.md has each metric of the PAGE, and no other."""
    table = (env.REPOSITORY / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    documented = set(re.findall(r"`(\w+)`", "".join(rows)))
    shown = set(re.findall(r"^# TYPE (\w+)", page, re.MULTILINE))
    require(documented == shown, "not documented:", *(shown - documented), "not shown:",
            *(documented - shown))


def check_figures(here):
    with here.lab("figures", CASES) as lab:
        with here.trace_json(lab, "--metrics", PORT, "--metrics-peers", 2,
                             "--probe-stats") as tlsfail:
            tlsfail.wait_armed()
            require(drive.times(3)(lab, GOOD) == 200, "a request failed")
            for case in (ENDED, EXPIRED, EXPIRED, REFUSED, SNI):
                drive.once(lab, case)
            seen = wait_samples({
                'tlsfail_armed': 1,
                'tlsfail_handshakes_total{role="client",result="success"}': 4,
                'tlsfail_handshakes_total{role="client",result="failure"}': 3,
                'tlsfail_handshakes_total{role="client",result="aborted"}': 0,
                f'tlsfail_failures_total{{cause="verify-expired",role="client",'
                f'peer="{EXPIRED.endpoint}"}}': 2,
                f'tlsfail_failures_total{{cause="connection-refused",role="client",'
                f'peer="{REFUSED.endpoint}"}}': 1,
                'tlsfail_failures_total{cause="sni-unrecognized",role="client",peer="other"}': 1,
                'tlsfail_alerts_total{direction="received",code="112",'
                'name="unrecognized_name"}': 1,
                'tlsfail_failing_peers': 3,
                f'tlsfail_peer_failures_in_row{{peer="{EXPIRED.endpoint}"}}': 2,
                f'tlsfail_peer_failures_in_row{{peer="{REFUSED.endpoint}"}}': 1,
                'tlsfail_retries_total': 0,
                # two of the failures came after the handshake
                'tlsfail_handshake_duration_seconds_count': 6,
                f'tlsfail_certificate_not_after_timestamp_seconds{{peer="{GOOD.endpoint}"}}':
                    GOOD_ENDS,
                f'tlsfail_certificate_not_after_timestamp_seconds{{peer="{ENDED.endpoint}"}}':
                    ENDED_ENDS,
                'tlsfail_records_lost_total{stage="kernel",record="failure"}': 0,
                'tlsfail_sink_events_dropped_total{sink="json:-"}': 0,
            })
            require(seen['tlsfail_handshake_duration_seconds_bucket{le="67.108864"}'] == 6, seen)
            require(0 < seen["tlsfail_handshake_duration_seconds_sum"] < 60, seen)
            require(seen['tlsfail_probe_hits_total{probe="uprobe_certificate"}'] >= 3
                    and seen['tlsfail_probe_run_seconds_total{probe="uprobe_certificate"}'] > 0,
                    seen)
            since = seen["tlsfail_peer_failing_since_timestamp_seconds"
                         f'{{peer="{EXPIRED.endpoint}"}}']
            require(abs(since - time.time()) < 60, since)
            memory = resident(tlsfail)
            require(abs(seen["process_resident_memory_bytes"] - memory) < 4 << 20, memory, seen)
            require(abs(seen["process_start_time_seconds"] - time.time()) < 600, seen)
            for accept, media in ((None, "text/plain; version=0.0.4; charset=utf-8"),
                                  (OPENMETRICS, OPENMETRICS + "; charset=utf-8")):
                _, headers, page = fetch(accept=accept)
                require(headers["Content-Type"] == media, headers)
                if accept:
                    require(page.endswith("\n# EOF\n"), page)
                else:
                    check_lint(page)
                    check_documented(page)
            require(tlsfail.interrupt() == 0, tlsfail.stderr())


def check_figures_server(here):
    """Each handshake of a client is counted once, though a client certificate is refused after it."""
    chosen = [case for case in SERVER_CASES if case.name in SERVER_CHOSEN]
    require(len(chosen) == len(SERVER_CHOSEN), *chosen)
    with here.lab("figures-server", chosen, start_proxy=False) as lab:
        with here.trace(lab, "--exe", lab.upstreams.exe, *env.JSON, "--metrics", PORT) as tlsfail:
            tlsfail.wait_armed()
            for case in chosen:
                case.drive(lab, case)
            expected = {f'tlsfail_handshakes_total{{role="server",result="{result}"}}': sum(counts)
                        for result, *counts in zip(("success", "failure", "noise"),
                                                   *SERVER_CHOSEN.values())}
            for case in chosen:
                if case.slug:
                    expected[f'tlsfail_failures_total{{cause="{case.slug}",role="server"}}'] = 1
            wait_samples(expected)
            require(tlsfail.interrupt() == 0, tlsfail.stderr())


def check_file(here):
    """What node_exporter would read is whole, and tells at the end that nothing is traced."""
    with here.lab("metrics-file", (EXPIRED,)) as lab:
        path = lab.directory / "tlsfail.prom"
        with here.trace_json(lab, "--metrics-file", path) as tlsfail:
            tlsfail.wait_armed()
            require(path.exists(), "no file")
            drive.once(lab, EXPIRED)
            require(tlsfail.wait_finding(EXPIRED), tlsfail.stderr())
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
        page = path.read_text()
        left = [p.name for p in lab.directory.glob("tlsfail.prom*")]
    check_lint(page)
    seen = samples(page)
    require(seen["tlsfail_armed"] == 0, page)
    require(seen['tlsfail_failures_total{cause="verify-expired",role="client"}'] == 1, page)
    require(left == ["tlsfail.prom"], *left)


def check_file_disk_full(here):
    """The last whole file stays, one line tells, and tlsfail traces on."""
    disk = here.top / "metrics-disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tlsfail", disk], check=True)
    try:
        with here.lab("metrics-disk-full", (EXPIRED,)) as lab:
            path = disk / "tlsfail.prom"
            with here.trace_json(lab, "--metrics-file", path) as tlsfail:
                tlsfail.wait_armed()
                page = path.read_text()
                fill(disk / "rest")
                drive.once(lab, EXPIRED)
                require(tlsfail.wait_finding(EXPIRED), tlsfail.stderr())
                require(tlsfail.interrupt() == 0, tlsfail.stderr())
            said = tlsfail.stderr_lines("tlsfail: cannot write metrics")
        require(len(said) == 1 and "No space left" in said[0], tlsfail.stderr())
        require(path.read_text() == page, "the file has changed")
        require(sorted(p.name for p in disk.iterdir()) == ["rest", "tlsfail.prom"], disk)
    finally:
        subprocess.run(["umount", disk], check=True)


def fill(path):
    """Fills the disk of PATH with it."""
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass


def check_unix_socket(here):
    with here.lab("metrics-unix", (GOOD,)) as lab:
        path = lab.directory / "metrics.sock"
        with here.trace_json(lab, "--metrics", f"unix:{path}") as tlsfail:
            tlsfail.wait_armed()
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(10)
                client.connect(str(path))
                client.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
                with client.makefile("rb") as answer:
                    page = answer.read().decode()
            require(page.startswith("HTTP/1.") and "\ntlsfail_armed " in page, page)
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
        require(not path.exists(), "the socket's file has stayed")


MALFORMED = (
    b"\r\n\r\n", b"GET\r\n\r\n", b"GET /metrics\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # the beginning of a ClientHello
    b"GET /metrics HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 10000 + b"\r\n",
    b"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\n\r\n",  # no Host
    b"GET /../../etc/passwd HTTP/1.0\r\n\r\n",
    b"GET http://x/metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"\0" * 5000, b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\nx",
)


def check_requests(here):
    """Other paths, other methods, and what is no request at all; each time tlsfail lives on."""
    with here.lab("requests", (EXPIRED,)) as lab:
        with here.trace_json(lab, "--metrics", PORT) as tlsfail:
            tlsfail.wait_armed()
            for method, path, status in (("GET", "/", 404), ("GET", "/metrics/", 404),
                                         ("GET", "/metrics?a=b", 200), ("HEAD", "/metrics", 200),
                                         ("POST", "/metrics", 405), ("DELETE", "/metrics", 405),
                                         ("BREW", "/", 405)):
                got, headers, body = fetch(path, method)
                require(got == status, f"{method} {path}: {got}, not {status}")
                require(status != 405 or headers["Allow"] == "GET, HEAD", headers)
                require(method != "HEAD" or not body, body)
            for request in MALFORMED:
                send_malformed(request)
                require(fetch()[0] == 200, f"after {request[:60]!r}")
            drive.once(lab, EXPIRED)
            require(tlsfail.wait_finding(EXPIRED), tlsfail.stderr())
            require(tlsfail.interrupt() == 0, tlsfail.stderr())


def send_malformed(request):
    """Sends REQUEST; the answer is an error, if there is one."""
    with socket.create_connection(("127.0.0.1", PORT), timeout=10) as client:
        try:
            client.sendall(request)
            client.shutdown(socket.SHUT_WR)
            answer = client.recv(4096)
        except OSError:  # it has hung up
            return
    require(b" 200 " not in answer.split(b"\r\n")[0], f"{request[:60]!r}:", answer)


def check_idle_connections(here):
    """Ten thousand that say nothing: they wait, a failure does not, and a little later neither does
    a scrape."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (IDLE_CONNECTIONS + 1000,) * 2)
    with here.lab("idle", (EXPIRED,)) as lab, ExitStack() as idle:
        with here.trace_json(lab, "--metrics", PORT) as tlsfail:
            tlsfail.wait_armed()
            before = resident(tlsfail)
            for _ in range(IDLE_CONNECTIONS):
                client = idle.enter_context(socket.socket())
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", PORT))
            drive.once(lab, EXPIRED)
            require(tlsfail.wait_finding(EXPIRED), tlsfail.stderr())
            grown = resident(tlsfail) - before
            require(grown < GROWTH_MAX, f"{grown} bytes more")
            idle.close()
            require(fetch()[0] == 200, "no metrics")
            require(tlsfail.interrupt() == 0, tlsfail.stderr())


def resident(tlsfail):
    """Bytes of memory that collector and analyst have."""
    pages = [int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
             for pid in (tlsfail.process.pid, tlsfail.analyst())]
    return sum(pages) * os.sysconf("SC_PAGESIZE")


def check_one_line(ended, words):
    """tlsfail ENDED at once, saying one line that has WORDS."""
    lines = ended.stderr.splitlines()
    require(ended.returncode == 1, f"exit status {ended.returncode}", ended.stderr)
    require(len(lines) == 1 and words in lines[0], ended.stderr)


def check_port_taken(here):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", PORT))
        other.listen()
        check_one_line(here.run("trace", "--metrics", PORT, "--comm", "nobody"),
                       f"cannot serve metrics at {PORT}: Address already in use")


def check_file_unwritable(here):
    check_one_line(here.run("trace", "--metrics-file", here.top / "absent" / "x.prom",
                            "--comm", "nobody"), "No such file or directory")
