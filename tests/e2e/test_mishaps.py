#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""tlsfail or a worker of nginx is killed or stopped, two tlsfail run at once, and nobody says what
to trace."""
import os
import re
import resource
import signal
import time
from functools import partial
from pathlib import Path

import bpf
from lab import drive, procs, upstreams
from lab.cases import named
from tap import Skip, require
from test_host import BROKEN, CASES, require_traced

# What a tlsfail leaves has to be gone so long after its end: the kernel frees it in the background.
GONE_S = 1

# What bpf.ids() calls them, and the kernel in fdinfo.
BPF_OBJECTS = {"prog": "prog_id", "link": "link_id", "map": "map_id"}

# Below the last of these it refuses to start.
FEW_DESCRIPTORS = (8, 32, 127, 128)

FAILURES = 30  # while tlsfail is stopped
STOPPED_S = 1
HANG, = named("handshake-timeout")  # the upstream accepts and says nothing
HANG_S = 0.3  # after TCP's part: enough for the ClientHello; less than nginx waits

# Neither of their upstreams is an nginx.
CASES_WITHOUT_NGINX = named("client-cert-required", "ticketless")


def tests(here):
    checks = {
        "tlsfail-killed": check_tlsfail_killed,
        "tlsfail-stopped": check_tlsfail_stopped,
        "two-tlsfail": check_two_tlsfail,
        "few-descriptors": check_few_descriptors,
        "worker-killed-in-handshake": partial(check_worker_killed, sig=signal.SIGKILL),
        "worker-crashed-in-handshake": partial(check_worker_killed, sig=signal.SIGSEGV),
        "default-selection": check_default,
    }
    yield from here.chosen("host", checks)


# ---- tlsfail -------------------------------------------------------------------------------------

def held_by(pid):
    """The BPF objects that the process PID holds, as {(kind, id)}."""
    held = set()
    for info in Path(f"/proc/{pid}/fdinfo").iterdir():
        text = info.read_text()
        for kind, key in BPF_OBJECTS.items():
            found = re.search(rf"^{key}:\t(\d+)$", text, re.MULTILINE)
            if found:
                held.add((kind, int(found[1])))
    return held


def present():
    """The BPF objects that the kernel has, as {(kind, id)}."""
    return {(kind, number) for kind in BPF_OBJECTS for number in bpf.ids(kind)}


def code_of(pid, library):
    """The code of LIBRARY as it is in the memory of PID, uprobes included."""
    maps = Path(f"/proc/{pid}/maps").read_text()
    start, end = (int(n, 16) for n in
                  re.search(rf"^(\w+)-(\w+) r-xp .*/{library}", maps, re.MULTILINE).groups())
    with open(f"/proc/{pid}/mem", "rb") as memory:
        memory.seek(start)
        return memory.read(end - start)


def check_tlsfail_killed(here):
    """It cannot clean up, and need not: nothing stays in the kernel or in nginx's code."""
    with here.lab("killed", CASES, private_libraries=True) as lab:
        worker, = lab.proxy.worker_pids()
        clean = code_of(worker, "libssl")
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            require_traced(lab, tlsfail)
            held = held_by(tlsfail.process.pid)
            kinds = {kind for kind, _ in held & present()}
            require(kinds == set(BPF_OBJECTS), f"of tlsfail's BPF objects only {kinds} are found")
            require(code_of(worker, "libssl") != clean, "no probe in libssl")
            tlsfail.process.kill()
            tlsfail.process.wait(5 * procs.PATIENCE)
            procs.wait_until(lambda: not held & present(), GONE_S, "the BPF objects to go")
        require(code_of(worker, "libssl") == clean, "a probe has stayed in libssl")
        require([worker] == lab.proxy.worker_pids(), "the worker has ended")
        with here.trace_json(lab, name="next") as tlsfail:
            tlsfail.wait_armed()
            require_traced(lab, tlsfail)


def check_tlsfail_stopped(here):
    """What happens while it is stopped is told once it goes on."""
    with here.lab("stopped", CASES) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        tlsfail.process.send_signal(signal.SIGSTOP)
        try:
            started = time.monotonic()
            drive.times(FAILURES)(lab, BROKEN)
            time.sleep(max(0, STOPPED_S - (time.monotonic() - started)))
            require(not tlsfail.findings(), "it was not stopped")
        finally:
            tlsfail.process.send_signal(signal.SIGCONT)
        require(tlsfail.wait_finding(BROKEN, FAILURES - 1),
                f"{len(tlsfail.findings())} of {FAILURES} failures are told", tlsfail.stderr())
        require_traced(lab, tlsfail)


def check_two_tlsfail(here):
    """Each tells of every failure, and neither needs the other."""
    with here.lab("both", CASES) as lab, here.trace_json(lab) as first:
        first.wait_armed()
        with here.trace_json(lab, name="second") as second:
            second.wait_armed()
            require_traced(lab, first)
            finding = second.wait_finding(BROKEN)
            require(finding and finding["error.type"] == BROKEN.slug, finding, second.stderr())
            require(len(second.findings()) == 1, *second.findings())
            first.interrupt()
            require_traced(lab, second)


def check_few_descriptors(here):
    """With fewer descriptors than it needs it says so and ends, or it traces as ever."""
    failed = 0
    with here.lab("few", CASES) as lab:
        for limit in FEW_DESCRIPTORS:
            bounded = partial(resource.setrlimit, resource.RLIMIT_NOFILE, (limit, limit))
            with here.trace_json(lab, name=f"few-{limit}", preexec=bounded) as tlsfail:
                procs.wait_until(lambda: tlsfail.process.poll() is not None
                                 or tlsfail.stderr_lines("tlsfail: armed"), 10, "its start or its end")
                if tlsfail.process.poll() is None:
                    require_traced(lab, tlsfail)
                    continue
            lines = tlsfail.stderr().splitlines()
            require(tlsfail.process.returncode == 1, f"{limit}: {tlsfail.process.returncode}", *lines)
            require(lines and all(line.startswith("tlsfail: ") for line in lines), f"{limit}:", *lines)
            require(any("open files" in line for line in lines), f"{limit}:", *lines)
            failed += 1
    require(failed == len(FEW_DESCRIPTORS) - 1, f"{failed} of {len(FEW_DESCRIPTORS)} did not start")


# ---- nginx ---------------------------------------------------------------------------------------

def check_worker_killed(here, sig):
    """The kernel closes the sockets of a worker that dies in a handshake: the end was here."""
    with here.lab("worker-" + sig.name, [*CASES, HANG]) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        worker, = lab.proxy.worker_pids()
        with drive.start(lab, HANG):
            procs.wait_until(lambda: HANG.port in upstreams.connected_ports(), 5, "nginx to connect")
            time.sleep(HANG_S)
            os.kill(worker, sig)
            finding = tlsfail.wait_finding(HANG)
        require(finding, "no finding", tlsfail.stderr())
        require(finding["process.pid"] == worker, finding)
        require(finding["error.type"] == "local-process-exited", finding)
        procs.wait_until(lambda: lab.proxy.worker_pids() not in ([], [worker]), 5, "a new worker")
        require_traced(lab, tlsfail)
        require(not tlsfail.stderr_lines("tlsfail: the kernel side"), tlsfail.stderr())


def other_nginx(lab):
    """An nginx on this machine that is not the one of LAB, or None."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            exe = os.readlink(process / "exe")
        except OSError:  # gone, or not to be looked at
            continue
        if re.fullmatch(r"nginx( \(deleted\))?", os.path.basename(exe)) and exe != str(
                lab.proxy.exe):
            return f"{exe}, process {process.name}"
    return None


def check_default(here):
    """With no option it traces what is called nginx."""
    broken, healthy = CASES_WITHOUT_NGINX
    with here.lab("default", CASES_WITHOUT_NGINX) as lab:
        other = other_nginx(lab)
        if other:
            raise Skip(f"another nginx runs here: {other}")
        with here.trace(lab, "--format", "json") as tlsfail:
            tlsfail.wait_armed()
            for case in (healthy, broken):
                drive.once(lab, case)
            finding = tlsfail.wait_finding(broken)
        require(finding and finding["error.type"] == broken.slug, finding, tlsfail.stderr())
        require(finding["process.pid"] in lab.proxy.worker_pids(), finding)
        require(len(tlsfail.findings()) == 1, *tlsfail.findings())
