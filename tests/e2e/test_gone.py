#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What is gone: a process whose number another one has got, and a container whose file system is to be
unmounted."""
import ctypes
import os
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

from env import JSON
from lab import procs
from lab.cases import named
from tap import Skip, require
from test_wire import say

BROKEN, = named("verify-expired")
LIBC = ctypes.CDLL(None, use_errno=True)
SWEEP_S = 30  # so often tlsfail looks for what is not used any more

# Handshakes with a peer whose certificate is expired. For a line with a number it does so in a child
# that gets this number, executes nothing, and ends at once; for any other line by itself.
CLIENT = """\
import ctypes, os, ssl, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def fail():
    import socket
    with socket.create_connection(("{address}", {port})) as s:
        try:
            ssl.create_default_context(cafile="pki/ca.crt").wrap_socket(s, server_hostname="upstream.test")
        except ssl.SSLError:
            pass
def fork_as(pid):
    tid = (ctypes.c_int32 * 1)(pid)
    args = struct.pack("11Q", 0, 0, 0, 0, 17, 0, 0, 0, ctypes.addressof(tid), 1, 0)
    child = libc.syscall(435, ctypes.create_string_buffer(args, 88), 88)
    if child < 0:
        return os.strerror(ctypes.get_errno())
    if not child:
        fail()
        os._exit(0)
    os.waitpid(child, 0)
    return "done"
print("ready", flush=True)
for line in sys.stdin:
    said = fork_as(int(line)) if line.strip() else fail() or "done"
    print(said, flush=True)
"""

# Maps the TLS library in the directory that it is given.
MAPS = """\
import ctypes, sys
for name in "libcrypto.so.3", "libssl.so.3":
    ctypes.CDLL(sys.argv[1] + "/" + name)
print("ready", flush=True)
sys.stdin.readline()
"""


def tests(here):
    yield from here.chosen("gone", {
        "number-reused": check_number_reused,
        "selected-number-reused": check_selected_number_reused,
        "file-system": check_file_system,
    })


def start(processes, lab, exe, script, *args):
    child = processes.start([str(exe), "-c", script, *map(str, args)], cwd=lab.directory, text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    require(child.stdout.readline().strip() == "ready", "it has not started")
    return child


@contextmanager
def clients(here, name):
    """(lab, first, second): two programs that fail handshakes when they are asked to."""
    script = CLIENT.format(address=BROKEN.address, port=BROKEN.port)
    with here.lab(name, [BROKEN], start_proxy=False) as lab, procs.Processes() as processes:
        programs = [lab.directory / "first", lab.directory / "second"]
        for program in programs:
            shutil.copy("/usr/bin/python3", program)
        yield lab, *(start(processes, lab, program, script) for program in programs)


def end_and_reuse(first, second):
    """FIRST ends; a child of SECOND with its number fails, and is gone as well."""
    first.kill()
    first.wait()
    said = say(second, str(first.pid))
    if said != "done":
        raise Skip(f"a process cannot be given a number here: {said}")


def check_number_reused(here):
    """What was known of the one is not said of the other."""
    with clients(here, "number") as (lab, first, second):
        exes = [word for child in (first, second)
                for word in ("--exe", os.readlink(f"/proc/{child.pid}/exe"))]
        with here.trace(lab, *exes, *JSON) as tlsfail:
            tlsfail.wait_armed()
            say(first)
            finding = tlsfail.wait_finding(BROKEN)
            require(finding and finding["process.executable.path"].endswith("/first"), finding)
            end_and_reuse(first, second)
            finding = tlsfail.wait_finding(BROKEN, 1)
            require(finding and finding["process.pid"] == first.pid, finding, tlsfail.stderr())
            path = finding.get("process.executable.path", "")
            require(not path.endswith("/first"), path)
            say(second)
            finding = tlsfail.wait_finding(BROKEN, 2)
            require(finding and finding["process.executable.path"].endswith("/second"), finding)


def check_selected_number_reused(here):
    """--pid is about a process, not about its number."""
    with clients(here, "selected") as (lab, first, second):
        with here.trace(lab, "--pid", first.pid, *JSON) as tlsfail:
            tlsfail.wait_armed()
            say(first)
            require(tlsfail.wait_finding(BROKEN), tlsfail.stderr())
            end_and_reuse(first, second)
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
        require(len(tlsfail.findings()) == 1, *tlsfail.findings())


@contextmanager
def mounted(directory):
    """A file system of its own at DIRECTORY, for which there is a function that unmounts it: is it gone?"""
    path = os.fsencode(directory)
    require(LIBC.mount(b"tlsfail", path, b"tmpfs", 0, b"") == 0, os.strerror(ctypes.get_errno()))
    try:
        yield lambda: not LIBC.umount2(path, 0)
    finally:
        if os.path.ismount(directory):
            LIBC.umount2(path, 2)  # MNT_DETACH


def library(name):
    """The path of that library of this host."""
    listed = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, timeout=10, check=True)
    paths = [line.split()[-1] for line in listed.stdout.splitlines() if line.split()[:1] == [name]]
    if not paths:
        raise Skip(f"no {name} here")
    return paths[0]


def check_file_system(here):
    """A library that nobody maps any more is let go, and with it the file system that it is on."""
    with here.lab("unmount", [BROKEN], start_proxy=False) as lab, procs.Processes() as processes:
        exe, box = lab.directory / "python3", lab.directory / "box"
        shutil.copy("/usr/bin/python3", exe)
        box.mkdir()
        with mounted(box) as unmount:
            for name in "libcrypto.so.3", "libssl.so.3":
                shutil.copy(library(name), box)
            child = start(processes, lab, exe, MAPS, box)
            with here.trace(lab, "--exe", exe, *JSON) as tlsfail:
                tlsfail.wait_armed()
                require(any(str(box) in maps for maps in maps_of(child.pid)), "not mapped")
                child.kill()
                child.wait()
                require(not unmount(), "nothing kept the file system: was the library traced?")
                procs.wait_until(unmount, 2 * SWEEP_S, "the file system to be let go")
                require(tlsfail.process.poll() is None, tlsfail.stderr())


def maps_of(pid):
    return Path(f"/proc/{pid}/maps").read_text().splitlines()
