#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What tracing costs, beside other tracers. Needs root and perf; bpftrace, if it is to be compared.

    overhead.py [--tlsfail PROGRAM] [--previous PROGRAM] [--rounds N] [--seconds N] [--page FILE]

Measured is the CPU time that the kernel has counted for a process (/proc/PID/schedstat): of an nginx worker
for each request that it passes to an upstream, with a handshake of its own or on a connection that is kept
alive, and of a process that nobody traces. In each round every tracer has its turn, in another order, and is
compared with no tracer in the same round: the mean of those ratios, and the interval in which it is with
95 % confidence (Student's t of their logarithms). A turn is cut into slices, of which the quickest count: what
else happens on a machine only ever adds. What a ratio cannot show, samples of the worker do: see samples.py.
After --seconds no further round begins. --page FILE: the tables replace what stands between its two marks.
"""
import argparse
import contextlib
import math
import os
import platform
import random
import re
import shutil
import socket
import subprocess
import sys
import time
from collections import namedtuple
from functools import partial
from pathlib import Path
from types import SimpleNamespace

REPOSITORY = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(REPOSITORY / "tools"), str(REPOSITORY / "tests" / "e2e")]

import bpf
import samples
from lab import binaries, lab, netns, procs, tracer
from lab.case import Case, numbered
from lab.cases import VERIFY, good_server, named

HANDSHAKES = 400  # requests with a handshake each, in a turn
KEPT_ALIVE = 2000
SENDS = 40000
CONNECTIONS = 3000
WARM = 100  # handshakes in which certificates are still read
LOOK_S = 1.2  # tlsfail looks once a second at what it has use for
OPEN = 10000
TARGETS = 1000
COUNTED = 200  # handshakes in which the time of BPF programs is counted
SLICES, QUICKEST = 16, 4  # of a turn
SAMPLED, SAMPLED_KEPT = 4000, 60000  # requests while samples are taken; on kept connections, which take little time
SETTLE_S = 0.5

BEGIN, END = "<!-- overhead.py -->\n", "<!-- end -->\n"

HEALTHY, ALIVE, VERIFIED = numbered((
    Case("bench-handshake", None, good_server(), status=200),
    Case("bench-keepalive", None, good_server(), status=200, keepalive=1,
         location='proxy_http_version 1.1; proxy_set_header Connection "";'),
    Case("bench-verify", None, good_server(), VERIFY, status=200),
))

# Sends and receives, or connects and closes, with itself; prints the CPU time of one in ns.
STRANGER = """\
import socket, sys, time
listener = socket.create_server(("127.0.0.1", 0))
ours = socket.create_connection(listener.getsockname())
theirs = listener.accept()[0]
def pass_bytes():
    ours.send(b"x" * 64)
    theirs.recv(64)
def connect():
    one = socket.create_connection(listener.getsockname())
    other = listener.accept()[0]
    one.close()
    other.close()
for line in sys.stdin:
    what, count = line.split()
    call = {"bytes": pass_bytes, "connect": connect}[what]
    begun = time.process_time_ns()
    for _ in range(int(count)):
        call()
    print((time.process_time_ns() - begun) / int(count), flush=True)
"""

# As many connections as a line of input says, left open, between two processes: a process may have no more
# descriptors than that.
CROWD = """\
import os, resource, socket, ssl, sys, time
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
ends = []
for line in sys.stdin:
    count, parent = int(line), os.getpid()
    if os.fork() == 0:
        ends += [socket.create_connection(listener.getsockname()) for _ in range(count)]
        while os.getppid() == parent:
            time.sleep(0.1)
        os._exit(0)
    ends += [listener.accept()[0] for _ in range(count)]
    print("done", flush=True)
"""

_LATENCY = ("uprobe:{lib}:{call} {{ @begun[tid] = nsecs; }} uretprobe:{lib}:{call} /@begun[tid]/ "
            "{{ @us_{call} = hist((nsecs - @begun[tid]) / 1000); delete(@begun[tid]); }} ")

# Two-sided, 95 %, by degrees of freedom; beyond that the normal distribution is near enough.
T95 = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.20, 2.18, 2.16, 2.14, 2.13, 2.12,
       2.11, 2.10, 2.09, 2.09, 2.08, 2.07, 2.07, 2.06, 2.06, 2.06, 2.05, 2.05, 2.05)


def parse_options():
    parser = argparse.ArgumentParser(description="what tracing costs, beside other tracers")
    parser.add_argument("--tlsfail", default=REPOSITORY / "build" / "tlsfail", type=Path)
    parser.add_argument("--previous", type=Path, help="an older tlsfail to compare with")
    parser.add_argument("--rounds", default=10, type=int)
    parser.add_argument("--seconds", default=600, type=int,
                        help="no round begins after that (default: %(default)s)")
    parser.add_argument("--page", type=Path, help="a page with the marks, to be rewritten")
    return parser.parse_args()


# ---- What is measured ----------------------------------------------------------------------------


def cpu_ns(pid):
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


class Client:
    """Requests to the proxy one after the other, on as few connections as it allows."""

    def __init__(self, here):
        self._here = here

    def ask(self, case, count):
        answers = 0
        while answers < count:
            with socket.create_connection((self._here.proxy.address, 8080), timeout=10) as conn:
                answers += self._ask_on(conn, case, min(count - answers, 500))

    def _ask_on(self, conn, case, count):
        request = f"GET /{case.name} HTTP/1.1\r\nHost: lab\r\n\r\n".encode()
        with conn.makefile("rb") as answer:
            for _ in range(count):
                conn.sendall(request)
                status = answer.readline()
                if b" %d " % case.status not in status:
                    raise RuntimeError(f"{case.name}: {status!r}\n"
                                       + self._here.proxy.log_since(0)[-2000:])
                length = 0
                while (line := answer.readline()) not in (b"\r\n", b""):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                answer.read(length)
        return count


class Bench:
    """The lab of a run, what is measured in it, and the processes that live as long."""

    def __init__(self, here, processes):
        self.lab = here
        self.client = Client(here)
        self.worker = here.proxy.worker_pids()[0]
        self._stranger = processes.start([sys.executable, "-c", STRANGER], text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def worker_ns(self, case, count):
        begun = cpu_ns(self.worker)
        self.client.ask(case, count)
        return (cpu_ns(self.worker) - begun) / count

    def stranger_ns(self, what, count):
        self._stranger.stdin.write(f"{what} {count}\n")
        self._stranger.stdin.flush()
        return float(self._stranger.stdout.readline())

    def turn(self, what):
        """Measures each of WHAT, and returns {name: ns}."""
        self.client.ask(HEALTHY, WARM)
        self.client.ask(ALIVE, WARM)
        time.sleep(LOOK_S)
        return {name: quickest(MEASURES[name], self) for name in what}


Measure = namedtuple("Measure", "once count")  # a method of Bench, and how often in a turn

MEASURES = {
    "handshake": Measure(lambda bench, count: bench.worker_ns(HEALTHY, count), HANDSHAKES),
    "verify": Measure(lambda bench, count: bench.worker_ns(VERIFIED, count), HANDSHAKES),
    "keepalive": Measure(lambda bench, count: bench.worker_ns(ALIVE, count), KEPT_ALIVE),
    "sends": Measure(lambda bench, count: bench.stranger_ns("bytes", count), SENDS),
    "connections": Measure(lambda bench, count: bench.stranger_ns("connect", count), CONNECTIONS),
}


def quickest(measure, bench):
    """The mean of the QUICKEST of so many SLICES of a MEASURE, in ns."""
    slices = sorted(measure.once(bench, measure.count // SLICES) for _ in range(SLICES))
    return sum(slices[:QUICKEST]) / QUICKEST



# ---- What it is measured under -------------------------------------------------------------------


@contextlib.contextmanager
def no_tracer(_bench):
    yield


def tlsfail(program, *options):
    @contextlib.contextmanager
    def run(bench):
        own = [option.format(dir=bench.lab.directory) for option in options]
        with tracer.Tracer(program, bench.lab.directory,
                           ("--pid", bench.lab.proxy.pid, "--format", "json", *own),
                           name="bench") as running:
            running.wait_armed()
            yield running
    return run


def bpftrace(*calls):
    @contextlib.contextmanager
    def run(bench):
        library = next(iter(sorted(bench.lab.proxy.exe.parent.rglob("libssl.so*"))))
        script = "".join(_LATENCY.format(lib=library, call=call) for call in calls)
        with procs.Processes() as processes:
            child = processes.start(["bpftrace", "-e", script], stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL, text=True)
            if "Attaching" not in child.stdout.readline():
                raise RuntimeError("bpftrace does not attach")
            wait_for_probes(child.pid, 2 * len(calls))
            yield
    return run


def wait_for_probes(pid, count):
    """Waits until the process PID holds as many perf events."""
    procs.wait_until(lambda: samples.perf_events(pid) >= count, 20, "bpftrace's probes")
    time.sleep(SETTLE_S)


def tracers(options):
    """{name: context manager of a Bench}; the first one is what the others are compared with."""
    all_on = ("--certs", "--cert-warn", "30d", "--metrics-file", "{dir}/metrics.prom",
              "--record", "{dir}/bench.rec")
    chosen = {"no tracer": no_tracer, "tlsfail": tlsfail(options.tlsfail),
              "tlsfail, certificates, metrics, recording": tlsfail(options.tlsfail, *all_on)}
    if options.previous:
        chosen["tlsfail before (uprobes on each handshake)"] = tlsfail(options.previous)
    try:
        binaries.find("bpftrace")
    except FileNotFoundError:
        print("overhead.py: bpftrace is not installed, and not compared", file=sys.stderr)
        return chosen
    chosen["bpftrace, entry and return of SSL_do_handshake"] = bpftrace("SSL_do_handshake")
    chosen["bpftrace, those of SSL_read and SSL_write as well"] = bpftrace(
        "SSL_do_handshake", "SSL_read", "SSL_write")
    return chosen


def rounds(bench, chosen, what, options, end):
    """{tracer: [{measure: ns}, ...]}, a turn of each in a round."""
    turns = {name: [] for name in chosen}
    for number in range(options.rounds):
        if time.monotonic() > end and number > 1:
            print(f"# {number} rounds, then the time was over", file=sys.stderr)
            break
        order = list(chosen)
        random.Random(number).shuffle(order)
        for name in order:
            with chosen[name](bench):
                turns[name].append(bench.turn(what))
        print(f"# round {number + 1}", file=sys.stderr, flush=True)
    return turns


# ---- The figures ---------------------------------------------------------------------------------


def ratio(turns, base, measure):
    """The mean ratio of TURNS to those of BASE, and the ends of its confidence interval."""
    logs = [math.log(turn[measure] / other[measure]) for turn, other in zip(turns, base)]
    mean = sum(logs) / len(logs)
    deviation = math.sqrt(sum((x - mean) ** 2 for x in logs) / (len(logs) - 1))
    t = T95[len(logs) - 2] if len(logs) - 2 < len(T95) else 1.96
    half = t * deviation / math.sqrt(len(logs))
    return math.exp(mean), math.exp(mean - half), math.exp(mean + half)


def mean_us(turns, measure):
    return sum(turn[measure] for turn in turns) / len(turns) / 1000


def table(turns, what):
    base = next(iter(turns))
    rows = ["| | " + " | ".join(TITLES[measure] for measure in what) + " |",
            "| --- |" + " --- |" * len(what)]
    for name, own in turns.items():
        cells = []
        for measure in what:
            if name == base:
                cells.append(f"{mean_us(own, measure):.1f} us")
            else:
                cells.append("{:.3f} ({:.3f} to {:.3f})".format(*ratio(own, turns[base], measure)))
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return rows


TITLES = {"handshake": "request with a handshake", "verify": "the same, with `proxy_ssl_verify on`",
          "keepalive": "request on a kept connection", "sends": "a stranger's send and receive",
          "connections": "a stranger's connect, accept and close"}


# ---- Samples -------------------------------------------------------------------------------------


def shares(bench, chosen):
    """A table: which part of the worker's time each of CHOSEN takes."""
    cases = {"handshake": HEALTHY, "verify": VERIFIED, "keepalive": ALIVE}
    rows = ["| | " + " | ".join(TITLES[name] for name in cases) + " |",
            "| --- |" + " --- |" * len(cases)]
    for name, attached in chosen.items():
        cells = []
        with attached(bench):
            for case in cases.values():
                bench.client.ask(case, WARM)
                time.sleep(LOOK_S)
                count = SAMPLED_KEPT if case is ALIVE else SAMPLED
                part, error = samples.of_tracers(bench.worker, str(bench.lab.directory / "perf.data"),
                                                 partial(bench.client.ask, case, count))
                cells.append(f"{100 * part:.2f} % (± {100 * error:.2f})")
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return rows


# ---- BPF time ------------------------------------------------------------------------------------


def bpf_cost(bench, case, options):
    """BPF programs in one handshake of CASE: (us of uprobes, us of the others, uprobe hits)."""
    with tlsfail(options.tlsfail, "--no-fold")(bench) as running:
        if case.status == 200:
            bench.client.ask(case, WARM)
        time.sleep(LOOK_S)
        with bpf.RunStatistics():
            before = bpf.programs(running.process.pid)
            bench.client.ask(case, COUNTED)
            after = bpf.programs(running.process.pid)
    spent = {name: [x - y for x, y in zip(after[name], before.get(name, (0, 0)))] for name in after}
    probes = [each for name, each in spent.items() if name.startswith(("uprobe", "uretprobe"))]
    others = [each for name, each in spent.items() if not name.startswith(("uprobe", "uretprobe"))]
    return (sum(ns for _, ns in probes) / COUNTED / 1000, sum(ns for _, ns in others) / COUNTED / 1000,
            sum(runs for runs, _ in probes) / COUNTED)


def bpf_table(bench, cases, options):
    rows = ["| handshake | us of BPF at uprobes | uprobe hits | us of BPF elsewhere |",
            "| --- | --- | --- | --- |"]
    for title, case in cases:
        probes, others, hits = bpf_cost(bench, case, options)
        rows.append(f"| {title} | {probes:.1f} | {hits:.1f} | {others:.1f} |")
    return rows


# ---- Many connections, many targets --------------------------------------------------------------


@contextlib.contextmanager
def crowd(bench, processes, program):
    """tlsfail also traces another process, which has OPEN connections open."""
    # one of its own each time: what is left of the one before may still be running
    exe = bench.lab.directory / f"crowd-{time.monotonic_ns()}"
    shutil.copy("/usr/bin/python3", exe)
    child = processes.start([str(exe), "-c", CROWD], text=True, stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE)
    with tlsfail_of_both(bench, program, exe):
        child.stdin.write(f"{OPEN}\n")
        child.stdin.flush()
        if child.stdout.readline() != "done\n":
            raise RuntimeError(f"not {OPEN} connections could be opened")
        yield
    procs.stop(child)


@contextlib.contextmanager
def many(bench, processes, program):
    """tlsfail also traces TARGETS other processes."""
    exe = bench.lab.directory / "many"
    shutil.copy(binaries.find("sleep"), exe)
    children = [processes.start([str(exe), "3600"]) for _ in range(TARGETS)]
    with tlsfail_of_both(bench, program, exe):
        yield
    for child in children:
        child.kill()
    for child in children:
        child.wait()


@contextlib.contextmanager
def tlsfail_of_both(bench, program, exe):
    with tracer.Tracer(program, bench.lab.directory,
                       ("--exe", bench.lab.proxy.exe, "--exe", exe, "--format", "json"),
                       name="bench") as running:
        running.wait_armed(60)
        yield running


# ---- The page ------------------------------------------------------------------------------------


def where():
    """The machine, in words."""
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return (f"Linux {platform.release()}, {os.cpu_count()} CPUs"
            f"{' (' + model[1] + ')' if model else ''}, load average "
            f"{os.getloadavg()[2]:.1f} over the last 15 minutes")


def page(count, tables):
    return "\n".join([
        f"Measured by `make bench` (`tests/bench/overhead.py`), {count} rounds, on {where()}.",
        "A load that is not the benchmark's own makes the intervals wide. The first row is CPU time;",
        "the others are ratios to it, with the interval in which they are with 95 % confidence.",
        "", "CPU time of an nginx worker, OpenSSL's default cipher and groups, TLS 1.3, and of a",
        "process that is not traced:", "", *tables["tracers"],
        "", "Which part of the worker's CPU time goes into BPF programs and the traps of uprobes, by",
        f"{samples.FREQUENCY_HZ:,} samples a second (`perf record -e cpu-clock`) of {SAMPLED:,} requests, or {SAMPLED_KEPT:,}",
        "on kept connections:", "",
        *tables["shares"],
        "", "The worker's request with a handshake while tlsfail also traces:", "", *tables["scale"],
        "", f"Time in BPF programs for one handshake, mean of {COUNTED}, without the traps of uprobes",
        "(`kernel.bpf_stats_enabled`; both sides of a connection run on this host, the server is not",
        "traced):", "", *tables["bpf"], ""])


def page_write(path, text):
    old = path.read_text()
    begin, end = old.index(BEGIN) + len(BEGIN), old.index(END)
    path.write_text(old[:begin] + text + old[end:])


def measure(options, top):
    cases = numbered((HEALTHY, ALIVE, VERIFIED, *named("verify-expired", "protocol-version-rejected")))
    what = list(MEASURES)
    end = time.monotonic() + options.seconds
    with lab.Lab(top, "bench", cases, private_libraries=True) as here, procs.Processes() as own:
        bench = Bench(here, own)
        # the time for what comes after the rounds
        turns = rounds(bench, tracers(options), what, options, end - options.seconds / 4)
        base = {"no tracer": no_tracer, "nothing else": tlsfail(options.tlsfail),
                f"a process with {OPEN:,} connections open":
                    lambda bench: crowd(bench, own, options.tlsfail),
                f"{TARGETS:,} idle processes": lambda bench: many(bench, own, options.tlsfail)}
        scale = rounds(bench, base, ["handshake"], SimpleNamespace(rounds=options.rounds), end)
        titles = ("healthy", None, "healthy, `proxy_ssl_verify on`",
                  "failing: the certificate has expired", "failing: the version is refused")
        part = shares(bench, tracers(options))
        programs = bpf_table(bench, [(title, case) for title, case in zip(titles, cases) if title],
                        options)
    count = len(next(iter(turns.values())))
    return page(count, {"tracers": table(turns, what), "scale": table(scale, ["handshake"]),
                        "shares": part, "bpf": programs})


def main():
    options = parse_options()
    if os.geteuid() != 0:
        print("overhead.py: needs root", file=sys.stderr)
        return 1
    lab.exit_on_sigterm()
    netns.enter_network()
    with lab.directory() as top:
        text = measure(options, top)
    print(text)
    if options.page:
        page_write(options.page, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
