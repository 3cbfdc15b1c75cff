#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What others on the host do: programs that only look like nginx, very many of them, files that are
made to cost, file systems that do not answer. None of it keeps a failure from being found."""
import ctypes
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from pathlib import Path

from env import JSON, NOBODY
from lab import drive, procs
from lab.cases import named
from tap import Skip, require
from test_nginxconf import BAD, location_block, server_block, write_config

NAME = f"crowd-{os.getpid()}"  # not longer than a comm, and nobody else's
LIBC = ctypes.CDLL(None, use_errno=True)
MNT_DETACH = 2
NOBODY_ID = 65534
ELF = "tlsfail-elf"

BROKEN, = named("verify-expired")


def tests(here):
    yield from here.chosen("strangers", {
        "hung-configuration": check_hung_configuration,
        "many-executables": check_many_executables,
        "many-loading": check_many_loading,
        "costly-libraries": check_costly_libraries,
        "denied-file": check_denied_file,
        "reads-elf": check_reads_elf,
        "of-nobody": check_of_nobody,
        "privileges": check_privileges,
    })


@contextmanager
def unanswered(directory):
    """A file system at DIRECTORY of which every question waits for ever: FUSE, and nobody serves it."""
    try:
        fuse = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise Skip("no FUSE here") from error
    try:
        options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0,allow_other"
        if LIBC.mount(b"hung", os.fsencode(directory), b"fuse", 0, options.encode()):
            raise Skip(f"FUSE cannot be mounted: {os.strerror(ctypes.get_errno())}")
        try:
            yield
        finally:
            LIBC.umount2(os.fsencode(directory), MNT_DETACH)
    finally:
        os.close(fuse)  # what waits gets an error


def require_found(lab, tlsfail, case, seen=0):
    drive.once(lab, case)
    finding = tlsfail.wait_finding(case, seen)
    require(finding, f"no finding for {case.endpoint}", tlsfail.stderr())
    require(finding["error.type"] == case.slug, finding)
    return finding


def check_hung_configuration(here):
    """The finding goes out without its place, the reason is said once, and tlsfail can be ended."""
    case, = BAD
    with here.lab("hung-conf", BAD, start_proxy=False) as lab:
        base = lab.directory / "etc"
        write_config(lab, base / "main.conf", server_block(location_block(
            case, f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {lab.directory}/pki/ca.crt;")))
        lab.proxy.start(argv=[str(lab.proxy.exe), "-c", str(base / "main.conf")])
        with here.trace_json(lab) as tlsfail, unanswered(base):
            tlsfail.wait_armed()
            for seen in range(3):
                finding = require_found(lab, tlsfail, case, seen)
                require("nginx.config.file" not in finding, finding)
            status = tlsfail.interrupt()
            require(status == 0, f"exit status {status}", tlsfail.stderr())
            words = tlsfail.stderr().count("takes long; until it is done")
            require(words == 1, f"said {words} times", tlsfail.stderr())


@contextmanager
def sleeping(programs, prefix=()):
    """PROGRAMS, copies of sleep, run."""
    with procs.Processes() as processes:
        yield [processes.start([*prefix, str(program), "100"]) for program in programs]


def copies(directory, count):
    """COUNT executables called NAME in directories below DIRECTORY."""
    for number in range(count):
        program = directory / str(number) / NAME
        program.parent.mkdir(parents=True)
        shutil.copy("/bin/sleep", program)
        yield program


def check_many_executables(here):
    """More of them than the table of executables holds: that is said, and when they have ended there
    is room again."""
    with here.lab("many", [BROKEN], binary_name=NAME, start_proxy=False) as lab:
        with sleeping(copies(lab.directory / "many", 260)) as others:
            with here.trace(lab, "--comm", NAME, *JSON) as tlsfail:
                procs.wait_until(lambda: "more than 256 executables" in tlsfail.stderr(), 10,
                                 "it does not say that there are too many")
                lab.proxy.start()
                for process in others:
                    process.kill()
                    process.wait()
                tlsfail.wait_armed(30)
                require_found(lab, tlsfail, BROKEN)


# Starts so many programs, each of which stays where the kernel has just executed it: its libraries are
# not mapped, and never will be.
LOADING = """\
import ctypes, os, signal, sys
libc = ctypes.CDLL(None)
for _ in range(int(sys.argv[1])):
    if not os.fork():
        libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        libc.ptrace(0, 0, 0, 0)  # PTRACE_TRACEME
        os.execv(sys.argv[2], sys.argv[2:])
print("ready", flush=True)
sys.stdin.readline()
"""
LOADING_MAX = 1024  # that tlsfail looks at again by itself


def check_many_loading(here):
    """More programs that never come to load their libraries than are looked at again and again: a new
    nginx is found all the same."""
    with here.lab("loading", [BROKEN], binary_name=NAME, start_proxy=False) as lab, \
            procs.Processes() as processes:
        program, = copies(lab.directory / "loading", 1)
        crowd = processes.start([sys.executable, "-c", LOADING, str(LOADING_MAX + 50), str(program), "100"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        require(crowd.stdout.readline() == "ready\n", "they have not started")
        with here.trace(lab, "--comm", NAME, *JSON) as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting", 30)
            lab.proxy.start()
            tlsfail.wait_armed(30)
            require_found(lab, tlsfail, BROKEN)


# ---- Libraries that are made to cost -------------------------------------------------------------

PT_LOAD, PT_DYNAMIC, DT_NEEDED, DT_STRTAB, DT_SYMTAB, DT_STRSZ, SHT_STRTAB, SHT_DYNSYM = 1, 2, 1, 5, 6, 10, 3, 11
ET_DYN, EM_X86_64 = 3, 62
EHDR, PHDR, SHDR, DYN = map(struct.Struct, ("<16sHHIQQQIHHHHHH", "<IIQQQQQQ", "<IIQQQQIIQQ", "<qQ"))
NEEDED, LIBRARIES = 256, 400
SPARSE = 4 << 30  # bytes of a table of symbols
RESIDENT_MAX_KIB = 128 << 10

# Maps the files that it is given, and stays.
MAPPING = """\
import mmap, sys, time
held = []
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        held.append(mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC, flags=mmap.MAP_PRIVATE))
print("ready", flush=True)
time.sleep(600)
"""


def library(number):
    """A library that needs NEEDED others, none of which there are, with a table of symbols as long as SPARSE,
    of which all is a hole: (its bytes, its length)."""
    names = b"\0" + b"".join(f"absent-{number}-{at}.so\0".encode() for at in range(NEEDED))
    dynamic = [(DT_NEEDED, names.index(f"absent-{number}-{at}.so\0".encode())) for at in range(NEEDED)]
    table_at = EHDR.size + 2 * PHDR.size + 3 * SHDR.size
    names_at = table_at + (NEEDED + 4) * DYN.size
    length = names_at + len(names)
    dynamic += [(DT_STRTAB, names_at), (DT_STRSZ, len(names)), (DT_SYMTAB, length), (0, 0)]
    ident = b"\x7fELF\2\1\1" + bytes(9)
    return b"".join((
        EHDR.pack(ident, ET_DYN, EM_X86_64, 1, 0, EHDR.size, EHDR.size + 2 * PHDR.size, 0, EHDR.size,
                  PHDR.size, 2, SHDR.size, 3, 0),
        PHDR.pack(PT_LOAD, 5, 0, 0, 0, length, length, 4096),
        PHDR.pack(PT_DYNAMIC, 4, table_at, table_at, table_at, len(dynamic) * DYN.size, len(dynamic) * DYN.size, 8),
        SHDR.pack(0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        SHDR.pack(0, SHT_STRTAB, 2, names_at, names_at, len(names), 0, 0, 1, 0),
        SHDR.pack(0, SHT_DYNSYM, 2, length, length, SPARSE, 1, 0, 8, 24),
        *(DYN.pack(*entry) for entry in dynamic), names)), length + SPARSE


def resident_most(tlsfail):
    """KiB, of that one of its processes that took most."""
    pids = (tlsfail.process.pid, *(pid for pids in tlsfail.parts().values() for pid in pids))
    return max(int(status_of(Path(f"/proc/{pid}"))["VmHWM"].split()[0]) for pid in pids)


def check_costly_libraries(here):
    """A program that maps very many libraries, each of which needs very many others and has a table of 4 GiB:
    it keeps nobody from being traced, and takes neither much memory nor the end of tlsfail."""
    with here.lab("costly", [BROKEN], binary_name=NAME) as lab, procs.Processes() as processes:
        program = lab.directory / "costly" / NAME
        program.parent.mkdir()
        shutil.copy(sys.executable, program)
        paths = [program.parent / f"lib{number}.so" for number in range(LIBRARIES)]
        for number, path in enumerate(paths):
            data, length = library(number)
            path.write_bytes(data)
            os.truncate(path, length)
        stranger = processes.start([str(program), "-c", MAPPING, *map(str, paths)], stdout=subprocess.PIPE, text=True)
        require(stranger.stdout.readline() == "ready\n", "they are not mapped")
        with here.trace(lab, "--comm", NAME, *JSON) as tlsfail:
            tlsfail.wait_armed(30)
            require_found(lab, tlsfail, BROKEN)
            most = resident_most(tlsfail)
            require(most < RESIDENT_MAX_KIB, f"{most} KiB resident")
            require(tlsfail.interrupt() == 0, tlsfail.stderr())


# ---- A file system that only its owner may look into ---------------------------------------------

# linux/fuse.h
FUSE_LOOKUP, FUSE_FORGET, FUSE_GETATTR, FUSE_OPEN, FUSE_READ = 1, 2, 3, 14, 15
FUSE_STATFS, FUSE_FLUSH, FUSE_RELEASE, FUSE_INIT, FUSE_BATCH_FORGET = 17, 25, 18, 26, 42
PAGE = bytes(4096)
ENOSYS = 38
FOREVER = 1 << 20  # seconds that what it says holds
HELD_S = 8  # less than tlsfail waits for a file system


def fuse_attributes(node):
    directory = node == 1
    return struct.pack("<6Q10I", node, 0 if directory else len(PAGE), 8, 0, 0, 0, 0, 0, 0,
                       0o040755 if directory else 0o100755, 1, NOBODY_ID, NOBODY_ID, 0, 4096, 0)


def fuse_answer(opcode, node):
    """(error, what follows): the root directory holds one file of zeros, by any name."""
    if opcode == FUSE_INIT:
        return 0, struct.pack("<4I2H2I2H8I", 7, 31, 4096, 0, 0, 0, 4096, 1, 0, 0, *[0] * 8)
    if opcode == FUSE_LOOKUP:
        return 0, struct.pack("<4Q2I", 2, 0, FOREVER, FOREVER, 0, 0) + fuse_attributes(2)
    if opcode == FUSE_GETATTR:
        return 0, struct.pack("<Q2I", FOREVER, 0, 0) + fuse_attributes(node)
    if opcode == FUSE_OPEN:
        return 0, struct.pack("<Q2I", 1, 0, 0)
    if opcode == FUSE_STATFS:
        return 0, bytes(80)
    if opcode == FUSE_READ:
        return 0, PAGE
    return (0 if opcode in (FUSE_FLUSH, FUSE_RELEASE) else -ENOSYS), b""


def fuse_serve(fuse, may_read):
    """Answers until the file system is unmounted; who reads waits for MAY_READ, an event, some seconds."""
    while True:
        try:
            request = os.read(fuse, 1 << 17)
        except OSError:
            return
        _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
        if opcode in (FUSE_FORGET, FUSE_BATCH_FORGET):
            continue
        if opcode == FUSE_READ:
            may_read.wait(HELD_S)
        error, data = fuse_answer(opcode, node)
        try:
            os.write(fuse, struct.pack("<IiQ", 16 + len(data), error, unique) + data)
        except OSError:
            continue  # whoever asked is gone


@contextmanager
def served(directory, may_read, *more):
    """A file system at DIRECTORY of nobody's, with MORE options: without allow_other root may not look
    into it."""
    try:
        fuse = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise Skip("no FUSE here") from error
    options = ",".join((f"fd={fuse},rootmode=40000,user_id={NOBODY_ID},group_id={NOBODY_ID}", *more))
    if LIBC.mount(b"served", os.fsencode(directory), b"fuse", 0, options.encode()):
        os.close(fuse)
        raise Skip(f"FUSE cannot be mounted: {os.strerror(ctypes.get_errno())}")
    server = threading.Thread(target=fuse_serve, args=(fuse, may_read), daemon=True)
    server.start()
    try:
        yield
    finally:
        may_read.set()
        LIBC.umount2(os.fsencode(directory), MNT_DETACH)
        server.join(5)
        os.close(fuse)


# Maps the file that it is given as code, which it does not read.
MAPS = """\
import mmap, os, sys
file = os.open(sys.argv[1], os.O_RDONLY)
code = mmap.mmap(file, 4096, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_EXEC)
print("mapped", flush=True)
sys.stdin.readline()
"""


@contextmanager
def mapping(lab, name, *options, prefix=()):
    """(program, its process, event): a program that has mapped a file called NAME, of which nobody gets a
    byte before the event."""
    may_read = threading.Event()
    stranger, mount = lab.directory / "stranger", lab.directory / "mount"
    for directory in (lab.directory, lab.directory.parent):
        directory.chmod(0o755)
    shutil.copy("/usr/bin/python3", stranger)
    mount.mkdir()
    with served(mount, may_read, *options), procs.Processes() as processes:
        child = processes.start([*prefix, str(stranger), "-c", MAPS, str(mount / name)],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        require(child.stdout.readline() == "mapped\n", "it is not mapped")
        yield stranger, child, may_read


def check_denied_file(here):
    """A program has mapped a file that root may not open: it is named and left out, and the others are
    traced."""
    with here.lab("denied", [BROKEN]) as lab, mapping(lab, "code", prefix=NOBODY) as (exe, child, _):
        with here.trace_json(lab, "--exe", exe) as tlsfail:
            tlsfail.wait_armed()
            said = tlsfail.stderr_lines(f"tlsfail: {exe} (pid {child.pid})")
            require(said and "Permission denied" in said[0], tlsfail.stderr())
            require_found(lab, tlsfail, BROKEN)


def opened(pid):
    """What the descriptors of PID lead to."""
    return [os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()]


def who_reads(tlsfail, directory):
    """The pid of the process of TLSFAIL that has a file in DIRECTORY open to read it as ELF, or None."""
    for pid in tlsfail.parts().get(ELF, ()):
        with suppress(OSError):
            if any(path.startswith(directory) for path in opened(pid)):
                return pid
    return None


def check_reads_elf(here):
    """Who reads a library of somebody's can do nothing else; when it is taken over or crashes, that is said,
    and the others are traced."""
    with here.lab("elf", [BROKEN]) as lab, \
            mapping(lab, "libssl.so.3", "allow_other") as (exe, child, may_read):
        mount = str(lab.directory / "mount")
        with here.trace_json(lab, "--exe", exe) as tlsfail:
            reader = procs.wait_until(lambda: who_reads(tlsfail, mount), 10, "the process that reads it")
            require_powerless(status_of(Path(f"/proc/{reader}")))
            for path in opened(reader):
                require("bpf" not in path and "perf_event" not in path and not os.path.isdir(path), path)
            os.kill(reader, signal.SIGSEGV)
            may_read.set()
            tlsfail.wait_armed()
            require(tlsfail.stderr_lines("tlsfail: a process that opens or reads files of traced programs has "
                                         "crashed (signal 11)"), tlsfail.stderr())
            require(f"{exe} (pid {child.pid})" in tlsfail.stderr(), tlsfail.stderr())
            require_found(lab, tlsfail, BROKEN)
            require(ELF not in tlsfail.parts(), "it has stayed")


def check_of_nobody(here):
    """A program of nobody that is called nginx is named and left out, unless it is asked for."""
    with here.lab("of-nobody", [BROKEN], start_proxy=False) as lab:
        program = lab.directory / "stranger" / "nginx"
        for directory in (lab.directory, lab.directory.parent):
            directory.chmod(0o755)
        program.parent.mkdir()
        shutil.copy("/bin/sleep", program)
        shutil.chown(program, NOBODY_ID, NOBODY_ID)
        with sleeping([program], prefix=NOBODY):
            procs.pause(0.3)
            with here.trace(lab, *JSON) as tlsfail:
                procs.wait_until(lambda: f"{program} (pid" in tlsfail.stderr(), 10, "not named")
                require("--all-users includes it" in tlsfail.stderr(), tlsfail.stderr())
            with here.trace(lab, "--all-users", *JSON) as tlsfail:
                procs.wait_until(lambda: f"{program} (pid" in tlsfail.stderr(), 10, "not looked at")
                require("has not loaded a TLS library" in tlsfail.stderr(), tlsfail.stderr())


# linux/capability.h
DAC_OVERRIDE, DAC_READ_SEARCH, SYS_PTRACE, SYS_ADMIN = 1, 2, 19, 21
PERFMON, BPF, CHECKPOINT_RESTORE = 38, 39, 40
READING = {DAC_READ_SEARCH, SYS_PTRACE, CHECKPOINT_RESTORE}
WRITING = {DAC_OVERRIDE, DAC_READ_SEARCH}
TRACING = READING | {DAC_OVERRIDE, PERFMON, BPF, SYS_ADMIN}


def status_of(task):
    """/proc/PID/task/TID/status as a dict."""
    lines = (task / "status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def capabilities(status, name):
    return {n for n in range(64) if int(status[name], 16) >> n & 1}


def require_powerless(status):
    for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        require(not capabilities(status, name), f"{name} of who reads", status)
    require("0" not in status["Uid"].split() and "0" not in status["Gid"].split(), status)
    require(not status["Groups"], status["Groups"])
    require(status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status)


def check_privileges(here):
    """Once armed, tlsfail has but what tracing takes, and its other threads but what reading or writing
    takes; none can get more, and none can run a program. It goes on finding failures, also of a
    program that starts later."""
    with here.lab("privileges", [BROKEN], start_proxy=False) as lab:
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting")
            main = Path(f"/proc/{tlsfail.process.pid}")
            for task in (main / "task").iterdir():
                status = status_of(task)
                held = {n for n in range(64) if int(status["CapPrm"], 16) >> n & 1}
                allowed = TRACING if task.name == main.name else READING
                require(held <= allowed | WRITING, f"thread {task.name}: {held - allowed}")
                require(int(status["CapEff"], 16) == int(status["CapPrm"], 16), status["CapEff"])
                require(status["NoNewPrivs"] == "1", "NoNewPrivs")
                require(status["Seccomp"] == "2", "Seccomp")
            lab.proxy.start()
            tlsfail.wait_armed()
            require_found(lab, tlsfail, BROKEN)
