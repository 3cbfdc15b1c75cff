#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The life of nginx on a host: restarts, upgrades of the binary and of libssl, several nginx at
once, odd paths. After each, failures are diagnosed and successes are not."""
import os
import re
import shutil
import signal
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from lab import drive, procs, proxy, tracer
from lab.cases import named
from tap import require

CASES = BROKEN, HEALTHY = named("verify-expired", "good-tls13")  # libssl's probes find the first

# How long tlsfail may take to look at a program that has just started.
SETTLE_S = 0.5

# nginx takes USR2 only once the process that started it is gone. A PID namespace holds what then
# has no parent of ours.
OWN_PIDS = ("setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child",
            "sh", "-c", '"$@" && exec sleep 60', "sh")


def tests(here):
    checks = {
        "restart": check_restart,
        "restart-new-binary": check_restart_new_binary,
        "binary-replaced-before": check_binary_before,
        "upgrade-on-the-fly": check_upgrade,
        "libssl-replaced-before": check_libssl_before,
        "libssl-replaced-while-tracing": check_libssl_while,
        "two-builds": check_two_builds,
        "two-versions": check_two_versions,
        "two-builds-new-binary": check_two_builds_new_binary,
        "started-by-link": check_link,
        "path-with-space": partial(check_path, name="a space", binary_name="ng inx"),
        "path-long": partial(check_path, name="long-" + 230 * "x"),
    }
    yield from here.chosen("host", checks)


def require_traced(where, tlsfail, pids=None):
    """HEALTHY and BROKEN go through the nginx WHERE; there has to be one finding, the right one,
    from one of PIDS, which by default are those of its workers."""
    before = tlsfail.findings()
    for case in (HEALTHY, BROKEN):
        status = drive.once(where, case)
        require(status == case.status, f"{case.name}: HTTP {status}")
    finding = tlsfail.wait_finding(BROKEN, sum(tracer.is_about(f, BROKEN) for f in before))
    require(finding, "no finding", tlsfail.stderr())
    require(finding["error.type"] == BROKEN.slug, finding)
    pids = where.proxy.worker_pids() if pids is None else pids
    require(finding["process.pid"] in pids, f"not from one of {pids}", finding)
    procs.pause(0.1)
    more = tlsfail.findings()[len(before) + 1:]
    require(not more, "one failure, and further findings:", *more)


def replace_file(path):
    """Replaces PATH by a copy of it, as packages are upgraded: a new inode takes the name."""
    new = path.with_name("new")
    shutil.copy(path, new)
    new.replace(path)


# ---- Restarts and upgrades -----------------------------------------------------------------------

def check_restart(here):
    with here.lab("restart", CASES) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        require_traced(lab, tlsfail)
        lab.proxy.stop()
        lab.proxy.start()
        require_traced(lab, tlsfail)


def check_restart_new_binary(here):
    with here.lab("restart-new", CASES) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        restart_on_new_binary(lab, tlsfail)


def restart_on_new_binary(where, tlsfail):
    """The binary is replaced, nginx restarted; it has to be traced on."""
    where.proxy.stop()
    replace_file(where.proxy.exe)
    where.proxy.start()
    procs.pause(SETTLE_S)
    require_traced(where, tlsfail)


def check_binary_before(here):
    """What runs when tlsfail starts is no longer the file at that path."""
    with here.lab("binary-before", CASES) as lab:
        replace_file(lab.proxy.exe)
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            require_traced(lab, tlsfail)
            lab.proxy.stop()
            lab.proxy.start()
            procs.pause(SETTLE_S)
            require_traced(lab, tlsfail)


def nginx_pids(exe, kind):
    """The pids of the masters or workers, as KIND says, that run the file called EXE."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(process / "exe") != str(exe):
                continue
            title = (process / "cmdline").read_bytes()
        except OSError:  # gone, or not to be looked at
            continue
        if re.match(rb"nginx: %b process[\0 ]" % kind.encode(), title):
            found.append(int(process.name))
    return found


def wait_nginx(exe, masters=1, workers=1):
    """Waits until so many MASTERS and WORKERS run EXE. Returns the pids of the workers."""
    wanted = (masters, workers)

    def as_wanted():
        return wanted == (len(nginx_pids(exe, "master")), len(nginx_pids(exe, "worker")))

    procs.wait_until(as_wanted, 5, f"{masters} masters and {workers} workers of {exe}")
    return nginx_pids(exe, "worker")


@contextmanager
def daemon(lab):
    """The nginx of LAB as a daemon."""
    process = procs.start_owned([*OWN_PIDS, *lab.proxy.configure(daemon=True)], cwd=lab.directory)
    try:
        wait_nginx(lab.proxy.exe)
        yield
    finally:
        procs.stop(process, signal.SIGKILL)


def check_upgrade(here):
    """The binary is replaced, the new master started by the old one, which then ends."""
    with here.lab("upgrade", CASES, start_proxy=False) as lab, daemon(lab):
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            exe, old_exe = lab.proxy.exe, f"{lab.proxy.exe} (deleted)"
            replace_file(exe)
            old_master, = nginx_pids(old_exe, "master")
            old_workers = nginx_pids(old_exe, "worker")
            os.kill(old_master, signal.SIGUSR2)
            new_workers = wait_nginx(exe)
            procs.pause(SETTLE_S)
            with procs.stopped(*new_workers):
                require_traced(lab, tlsfail, old_workers)
            with procs.stopped(*old_workers):
                require_traced(lab, tlsfail, new_workers)
            os.kill(old_master, signal.SIGWINCH)
            wait_nginx(old_exe, workers=0)
            require_traced(lab, tlsfail, new_workers)
            os.kill(old_master, signal.SIGQUIT)
            wait_nginx(old_exe, masters=0, workers=0)
            require_traced(lab, tlsfail, new_workers)


# ---- Libraries -----------------------------------------------------------------------------------

def own_libssl(lab):
    """The path of the libssl that only the nginx of LAB uses."""
    path, = (lab.proxy.exe.parent / "lib").glob("libssl.so*")
    return path


def maps_deleted(pid, path):
    """Whether PID has mapped what PATH was the name of before."""
    return f"{path} (deleted)\n" in Path(f"/proc/{pid}/maps").read_text()


def restart_on_new_libssl(lab, tlsfail):
    """Restarts the nginx of LAB, which finds another libssl, and waits until TLSFAIL knows that."""
    before = len(tlsfail.stderr_lines("tlsfail: now tracing"))
    lab.proxy.stop()
    lab.proxy.start()
    require(not maps_deleted(lab.proxy.pid, own_libssl(lab)), "nginx runs on the old libssl")
    procs.wait_until(lambda: len(tlsfail.stderr_lines("tlsfail: now tracing")) > before, 5,
                     "tlsfail to say that it traces the new libssl")


def check_libssl_before(here):
    """What nginx runs on when tlsfail starts has lost its name; what it runs on later has not."""
    with here.lab("libssl-before", CASES, private_libraries=True) as lab:
        replace_file(own_libssl(lab))
        require(maps_deleted(lab.proxy.pid, own_libssl(lab)), "nginx maps no deleted libssl")
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            require_traced(lab, tlsfail)
            lab.proxy.reload()
            require_traced(lab, tlsfail)
            restart_on_new_libssl(lab, tlsfail)
            require_traced(lab, tlsfail)


def check_libssl_while(here):
    """Upgrades of libssl under a tlsfail that traces: the old one till the restart, then the new
    one."""
    with here.lab("libssl-while", CASES, private_libraries=True) as lab:
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            for _ in range(2):
                replace_file(own_libssl(lab))
                require_traced(lab, tlsfail)
                restart_on_new_libssl(lab, tlsfail)
                require_traced(lab, tlsfail)


# ---- Several nginx, odd names --------------------------------------------------------------------

@contextmanager
def second_proxy(lab, start=True, **options):
    """Another nginx in front of the upstreams of LAB. Yields what stands for LAB in
    require_traced()."""
    directory = lab.directory / "second"
    directory.mkdir()
    (directory / "pki").symlink_to(lab.directory / "pki")
    with procs.Processes() as processes:
        second = proxy.Proxy(directory, processes, CASES, address="127.0.0.2", **options)
        if start:
            second.start()
        yield SimpleNamespace(proxy=second, directory=directory)


def check_two_builds(here):
    """Two binaries, each with a libssl of its own, one tlsfail."""
    with here.lab("two", CASES) as lab, second_proxy(lab, private_libraries=True) as second:
        with here.trace_json(lab, "--exe", second.proxy.exe) as tlsfail:
            tlsfail.wait_armed()
            for where in (lab, second, lab):
                require_traced(where, tlsfail)


def patch_version(libraries):
    """Makes the copies in the directory LIBRARIES say that they are another OpenSSL. Returns the two
    versions: that of the machine, and the new one."""
    library, = libraries.glob("libcrypto.so*")
    version = re.search(rb"OpenSSL (\d+\.\d+\.\d+\w?) ", library.read_bytes())[1]
    other = version[:-1] + (b"8" if version.endswith(b"7") else b"7")
    for copy in libraries.iterdir():
        copy.write_bytes(copy.read_bytes().replace(b"OpenSSL " + version, b"OpenSSL " + other))
    return version.decode(), other.decode()


def check_two_versions(here):
    """Each finding names the version that its own program runs with, whichever was found first."""
    with here.lab("versions", CASES) as lab:
        with second_proxy(lab, start=False, private_libraries=True) as second:
            expected = patch_version(second.directory / "proxy" / "lib")
            second.proxy.start()
            with here.trace_json(lab, "--exe", second.proxy.exe) as tlsfail:
                tlsfail.wait_armed()
                for where in (lab, second, lab, second):
                    require_traced(where, tlsfail)
                found = tlsfail.findings()
    versions = tuple(finding.get("tls.openssl.version") for finding in found)
    require(versions == expected * 2, versions, expected)


def check_two_builds_new_binary(here):
    """With two to choose from, either may be upgraded."""
    with here.lab("two-new", CASES) as lab:
        with second_proxy(lab, private_libraries=True, binary_name="nginx-2") as second:
            with here.trace_json(lab, "--exe", second.proxy.exe) as tlsfail:
                tlsfail.wait_armed()
                for where in (second, lab):
                    restart_on_new_binary(where, tlsfail)


def check_link(here):
    """nginx is selected and started by a symbolic link of another name, as alternatives are."""
    with here.lab("link", CASES, start_proxy=False) as lab:
        exe = lab.proxy.exe
        lab.proxy.exe = exe.with_name("link")
        lab.proxy.exe.symlink_to(exe)
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting")
            lab.proxy.start()
            tlsfail.wait_armed()
            procs.pause(SETTLE_S)
            require_traced(lab, tlsfail)
            lab.proxy.stop()
            replace_file(exe)
            lab.proxy.start()
            procs.pause(SETTLE_S)
            require_traced(lab, tlsfail)


def check_path(here, name, **options):
    """The executable's path is in the finding as it is, and found again after an upgrade."""
    with here.lab(name, CASES, **options) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        require_traced(lab, tlsfail)
        path = tlsfail.findings()[-1]["process.executable.path"]
        require(path == str(lab.proxy.exe), path)
        restart_on_new_binary(lab, tlsfail)
