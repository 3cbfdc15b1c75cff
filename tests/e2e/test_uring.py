#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Bytes that go by io_uring, which tlsfail cannot read: what the limits say of that, and nothing false."""

from env import JSON
from lab import procs
from lab.cases import named
from tap import Skip, require
from test_wire import python_of, say, start_script

BROKEN, GOOD = named("verify-expired", "good-tls13")

# Handshakes, of which what follows the first so many sends goes, and comes, by io_uring; and a request.
URING = """\
import ctypes, mmap, socket, ssl, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
class Ring:
    def __init__(self):
        params = ctypes.create_string_buffer(120)
        self.fd = libc.syscall(425, 4, params)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "io_uring_setup")
        n = struct.unpack("30I", params)
        sq, cq = n[10:20], n[20:30]
        shared = mmap.MAP_SHARED
        self.sq = mmap.mmap(self.fd, sq[6] + 4 * n[0], shared, offset=0)
        self.cq = mmap.mmap(self.fd, cq[5] + 16 * n[1], shared, offset=0x8000000)
        self.sqes = mmap.mmap(self.fd, 64 * n[0], shared, offset=0x10000000)
        self.sq_tail, self.sq_mask, self.array = sq[1], sq[2], sq[6]
        self.cq_head, self.cq_mask, self.cqes = cq[0], cq[2], cq[5]
    def call(self, op, fd, buf, size):
        tail, = struct.unpack_from("I", self.sq, self.sq_tail)
        mask, = struct.unpack_from("I", self.sq, self.sq_mask)
        i = tail & mask
        struct.pack_into("BBHiQQIIQ24x", self.sqes, 64 * i, op, 0, 0, fd, 0, ctypes.addressof(buf), size, 0, 1)
        struct.pack_into("I", self.sq, self.array + 4 * i, i)
        struct.pack_into("I", self.sq, self.sq_tail, tail + 1)
        if libc.syscall(426, self.fd, 1, 1, 1, None, 0) < 0:
            raise OSError(ctypes.get_errno(), "io_uring_enter")
        head, = struct.unpack_from("I", self.cq, self.cq_head)
        mask, = struct.unpack_from("I", self.cq, self.cq_mask)
        _, res, _ = struct.unpack_from("QiI", self.cq, self.cqes + 16 * (head & mask))
        struct.pack_into("I", self.cq, self.cq_head, head + 1)
        return res
try:
    ring = Ring()
    print("ready", flush=True)
except OSError as error:
    print(error, flush=True)
def transfer(address, port, uring_from):
    context = ssl.create_default_context(cafile="pki/ca.crt")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="upstream.test")
    with socket.create_connection((address, int(port))) as s:
        count = [0]
        def send():
            data = outgoing.read()
            if not data: return
            if count[0] >= uring_from:
                buf = ctypes.create_string_buffer(data, len(data))
                assert ring.call(26, s.fileno(), buf, len(data)) == len(data)
            else:
                s.sendall(data)
            count[0] += 1
        def receive():
            buf = ctypes.create_string_buffer(16384)
            if count[0] > uring_from:
                n = ring.call(27, s.fileno(), buf, 16384)
                incoming.write(buf.raw[:n])
            else:
                incoming.write(s.recv(16384))
        def go(step):
            while True:
                try:
                    r = step(); send(); return r
                except ssl.SSLWantReadError:
                    send(); receive()
        try:
            go(tls.do_handshake)
            tls.write(b"GET / HTTP/1.0\\r\\n\\r\\n"); send()
            return go(lambda: tls.read(100))[:8]
        except ssl.SSLError as e:
            send(); return e.reason
for line in sys.stdin:
    print(transfer(*line.split()[:2], int(line.split()[2])), flush=True)
"""


def tests(here):
    yield from here.chosen("uring", {"first-bytes": check_first_bytes, "later-bytes": check_later_bytes})


def transfers(here, name, sends):
    """The output of a tracer for one handshake that fails and one that does not: (its failures, what it said
    on stderr)."""
    with here.lab(name, [BROKEN, GOOD], start_proxy=False) as lab, procs.Processes() as processes:
        exe = python_of(lab)
        child = start_script(processes, lab, exe, URING)
        said = child.stdout.readline().strip()
        if said != "ready":
            raise Skip(f"no io_uring here: {said}")
        with here.trace(lab, "--exe", exe, *JSON) as tlsfail:
            tlsfail.wait_armed()
            for case, result in (BROKEN, "CERTIFICATE_VERIFY_FAILED"), (GOOD, "b'HTTP/1.1'"):
                said = say(child, f"{case.address} {case.port} {sends}")
                require(said == result, said)
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
        return tlsfail.failures(), tlsfail.stderr()


def check_first_bytes(here):
    """Then it is no handshake for tlsfail: nothing is reported, and nothing counted."""
    failures, said = transfers(here, "uring-first", 0)
    require(not failures and "tlsfail: 0 handshakes seen, 0 failed" in said, *failures, said)


def check_later_bytes(here):
    """The library tells of the failure; of the other one it is not known how it ended, and that is said."""
    failures, said = transfers(here, "uring-later", 1)
    require([finding["error.type"] for finding in failures] == [BROKEN.slug], *failures, said)
    require("tlsfail: 1 handshake is not reported: part of what passed could not be read" in said, said)
