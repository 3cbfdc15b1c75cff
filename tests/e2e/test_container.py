#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""nginx in a container: in a mount namespace whose root is another one than the host's, so that
paths mean something else there, plain or on overlayfs."""
import os
import re
import shutil
import subprocess
from functools import partial
from pathlib import Path

from env import JSON
from lab import binaries, procs
from tap import Skip, require
from test_host import CASES, SETTLE_S, require_traced, second_proxy

# nginx in the container. Other runs of these tests may go on beside this one, and --comm is about
# the whole machine.
BOXED = f"usr/sbin/boxed-{os.getpid()}"

# $1: the container's root, $2: a directory that it shares with the host, $3: the host's nginx,
# in whose place it runs its own; the rest: nginx's arguments. (An initramfs is a root that
# pivot_root cannot replace.)
ENTER = """
set -e
root=$1 shared=$2
shift 3
mkdir -p "$root$shared"
mount --bind "$shared" "$root$shared"
cd "$root"
mount --move . /
exec chroot . /%s "$@"
""" % BOXED
BIND = 'mount --bind "$1" "$1"'
OVERLAY = 'mount -t overlay overlay -o "lowerdir=$1.lower,upperdir=$1.upper,workdir=$1.work" "$1"'


def tests(here):
    checks = {
        f"{name}-{selection}": partial(check_container, mount=mount, selection=selection)
        for name, mount in (("container", BIND), ("container-overlay", OVERLAY))
        for selection in ("pid", "comm", "exe")}
    checks["container-overlay-late"] = check_late
    checks["containers-of-one-image"] = check_one_image
    yield from here.chosen("host", checks)


def copy_tree(root, program):
    """Makes ROOT a file system that has PROGRAM, as BOXED, and what it needs to run."""
    listed = subprocess.run([binaries.find("ldd"), program], check=True, capture_output=True,
                            text=True, timeout=10).stdout
    libraries = re.findall(r"(/\S+) \(0x", listed)
    # Before glibc 2.34, the names of users are looked up by a library that ldd does not know of.
    libraries += {path for library in libraries if "/libc.so" in library
                  for path in map(str, Path(library).parent.glob("libnss_files.so*"))}
    copies = {path: path[1:] for path in libraries}
    copies.update({program: BOXED, "/etc/passwd": "etc/passwd", "/etc/group": "etc/group"})
    for path, inside in copies.items():
        copy = root / inside
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)


def make_root(where, mount, image=None):
    """Makes what the container of the nginx WHERE needs for MOUNT; on overlayfs from IMAGE if there
    is one. Returns its root. Skips where the kernel has no such MOUNT."""
    root = where.directory / "root"
    lower, upper, work = (root.with_suffix(end) for end in (".lower", ".upper", ".work"))
    for directory in (root, upper, work):
        directory.mkdir()
    if image:
        lower.symlink_to(image)
    else:
        copy_tree(root if mount == BIND else lower, where.proxy.exe)
    tried = subprocess.run(["unshare", "--mount", "sh", "-c", mount, "sh", root],
                           capture_output=True, text=True, timeout=10, check=False)
    if tried.returncode:
        raise Skip(tried.stderr.strip())
    return root


def change_libssl(root):
    """Gives the container at ROOT, which is on overlayfs, a libssl of its own."""
    lower, upper = root.with_suffix(".lower"), root.with_suffix(".upper")
    libssl, = lower.glob("**/libssl.so*")
    copy = upper / libssl.relative_to(lower)
    copy.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(libssl, copy)


def start_container(here, where, mount, root):
    """Starts the nginx of WHERE in a mount namespace whose root is ROOT, by way of MOUNT."""
    where.proxy.start(("unshare", "--mount", "sh", "-c", mount + ENTER, "sh", str(root),
                       str(here.top)))


def check_container(here, mount, selection):
    """In each way that selects it; a reload in it is followed, too, and its restart unless it was
    selected as a process."""
    name = f"box-{'bind' if mount == BIND else 'overlay'}-{selection}"
    with here.lab(name, CASES, start_proxy=False) as lab:
        root = make_root(lab, mount)
        if mount == OVERLAY:
            change_libssl(root)
        start_container(here, lab, mount, root)
        value = {"pid": lab.proxy.pid, "comm": Path(BOXED).name,
                 "exe": f"/proc/{lab.proxy.pid}/root/{BOXED}"}[selection]
        with here.trace(lab, "--" + selection, value, *JSON) as tlsfail:
            tlsfail.wait_armed()
            require_traced(lab, tlsfail)
            path = tlsfail.findings()[-1]["process.executable.path"]
            require(path == "/" + BOXED, path)
            lab.proxy.reload()
            require_traced(lab, tlsfail)
            if selection != "pid":
                lab.proxy.stop()
                start_container(here, lab, mount, root)
                procs.pause(SETTLE_S)
                require_traced(lab, tlsfail)


def check_late(here):
    """The container starts later than tlsfail, and once more."""
    with here.lab("box-late", CASES, start_proxy=False) as lab:
        root = make_root(lab, OVERLAY)
        with here.trace(lab, "--comm", Path(BOXED).name, *JSON) as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting")
            for _ in range(2):
                start_container(here, lab, OVERLAY, root)
                tlsfail.wait_armed()
                procs.pause(SETTLE_S)
                require_traced(lab, tlsfail)
                lab.proxy.stop()
                change_libssl(root)


def check_one_image(here):
    """Two containers share the files of their image, and so one probe: one finding for each
    failure."""
    with here.lab("one-image", CASES, start_proxy=False) as lab:
        with second_proxy(lab, start=False) as second:
            root = make_root(lab, OVERLAY)
            start_container(here, lab, OVERLAY, root)
            image = root.with_suffix(".lower")
            start_container(here, second, OVERLAY, make_root(second, OVERLAY, image))
            with here.trace(lab, "--comm", Path(BOXED).name, *JSON) as tlsfail:
                tlsfail.wait_armed()
                for where in (lab, second):
                    require_traced(where, tlsfail)
