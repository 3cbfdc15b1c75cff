#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What tlsfail takes of memory: maps in the kernel and what is resident, after failures of each kind, and with
its table full."""
import re
import subprocess
from pathlib import Path

import env
from lab import procs
from lab.cases import CASES
from tap import require
from test_wire import python_of, say

MIB = 1 << 20
LIMIT_MIB = 24  # at the default size
FULL_LIMIT_MIB = 29  # with as many handshakes under way as there is room for

# A server of half handshakes, which then begins as many as a client, with itself.
CROWD = """\
import resource, socket, ssl, sys
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
hello = b"\\x16\\x03\\x01\\x10\\x00\\x01\\x00\\x0f\\xfc" + bytes(4090)
listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
print(listener.getsockname()[1], flush=True)
ends = []
for line in sys.stdin:
    for _ in range(int(line)):
        ends.append(socket.create_connection(listener.getsockname()))
        ends.append(listener.accept()[0])
        ends[-2].sendall(hello)
        assert ends[-1].recv(8192)
    print("done", flush=True)
"""


def tests(here):
    yield from here.chosen("memory", {"failures": check_failures, "full": check_full})


def memory(pid):
    """What the process takes: {"maps": bytes of its BPF maps in the kernel, "resident": ...}."""
    maps = {}
    for info in Path(f"/proc/{pid}/fdinfo").iterdir():
        text = info.read_text()
        found = re.search(r"^map_id:\t(\d+)$", text, re.MULTILINE)
        if found:
            maps[found[1]] = int(re.search(r"^memlock:\t(\d+)$", text, re.MULTILINE)[1])
    resident = re.search(r"^VmRSS:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(),
                         re.MULTILINE)
    return {"maps": sum(maps.values()), "resident": int(resident[1]) << 10}


def judge(pid, limit):
    taken = memory(pid)
    total = sum(taken.values()) / MIB
    print("# " + ", ".join(f"{name}: {size / MIB:.1f} MiB" for name, size in taken.items()))
    require(total <= limit, f"{total:.1f} MiB; the limit is {limit}")


def check_failures(here):
    """A lab with failures of all kinds."""
    with here.lab("memory", CASES) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        for case in lab.cases:
            case.drive(lab, case)
        judge(tlsfail.process.pid, LIMIT_MIB)
        require(len(tlsfail.findings()) > len(lab.cases) / 2, tlsfail.stderr())


def check_full(here):
    with here.lab("memory-full", [], start_proxy=False) as lab, procs.Processes() as processes:
        exe = python_of(lab)
        child = processes.start([str(exe), "-c", CROWD], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True, cwd=lab.directory)
        require(int(child.stdout.readline()))
        with here.trace(lab, "--exe", exe, *env.JSON) as tlsfail:
            tlsfail.wait_armed()
            require(say(child, "4200") == "done", tlsfail.stderr())
            judge(tlsfail.process.pid, FULL_LIMIT_MIB)
