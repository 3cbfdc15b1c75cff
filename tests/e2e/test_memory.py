#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What tlsfail takes of memory, all of its processes: maps in the kernel and what is resident, after failures of
each kind, and with its table full."""
import re
from pathlib import Path

import env
from lab import procs
from lab.cases import CASES
from tap import require
from test_wire import python_of, say, start_script

MIB = 1 << 20
LIMIT_MIB = 24  # at the default size, also with as many handshakes under way as there is room for
MAPPED_MAP = "anon_inode:bpf-map"

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


def maps_of(pid):
    """Bytes of its BPF maps in the kernel."""
    maps = {}
    for info in Path(f"/proc/{pid}/fdinfo").iterdir():
        text = info.read_text()
        found = re.search(r"^map_id:\t(\d+)$", text, re.MULTILINE)
        if found:
            maps[found[1]] = int(re.search(r"^memlock:\t(\d+)$", text, re.MULTILINE)[1])
    return sum(maps.values())


def resident_of(pid):
    """Bytes that are resident because of it: what it shares counts in parts, as the kernel has it (Pss), and
    pages of maps, which are mapped twice, do not."""
    total, name = 0, ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        words = line.split(None, 5)
        if re.match(r"[0-9a-f]+-[0-9a-f]+$", words[0]):
            name = words[5] if len(words) > 5 else ""
        elif words[0] == "Pss:" and name != MAPPED_MAP:
            total += int(words[1]) << 10
    return total


def judge(tlsfail):
    pids = [tlsfail.process.pid, *(pid for pids in tlsfail.parts().values() for pid in pids)]
    taken = {"maps": maps_of(tlsfail.process.pid), "resident": sum(map(resident_of, pids))}
    total = sum(taken.values()) / MIB
    print("# " + ", ".join(f"{name}: {size / MIB:.1f} MiB" for name, size in taken.items())
          + f", in {len(pids)} processes")
    require(len(pids) >= 3 and taken["maps"] > MIB and taken["resident"] > MIB, taken)
    require(total <= LIMIT_MIB, f"{total:.1f} MiB; the limit is {LIMIT_MIB}")


def check_failures(here):
    """A lab with failures of all kinds."""
    with here.lab("memory", CASES) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        for case in lab.cases:
            case.drive(lab, case)
        judge(tlsfail)
        require(len(tlsfail.findings()) > len(lab.cases) / 2, tlsfail.stderr())


def check_full(here):
    with here.lab("memory-full", [], start_proxy=False) as lab, procs.Processes() as processes:
        exe = python_of(lab)
        child = start_script(processes, lab, exe, CROWD)
        require(int(child.stdout.readline()))
        with here.trace(lab, "--exe", exe, *env.JSON) as tlsfail:
            tlsfail.wait_armed()
            require(say(child, "4200") == "done", tlsfail.stderr())
            judge(tlsfail)
