#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""boxed.py ROOT CAPABILITIES PROGRAM ARGUMENT...

Runs PROGRAM as a container runtime would: ROOT is its root file system, with /proc of the host's pid
namespace and /sys read-only; of root's rights it has CAPABILITIES ("BPF,PERFMON"), and gets no others.
"""
import ctypes
import os
import sys

# <linux/capability.h>
NUMBERS = {"DAC_READ_SEARCH": 2, "KILL": 5, "SETGID": 6, "SETUID": 7, "SYS_PTRACE": 19, "SYS_ADMIN": 21, "SYS_RESOURCE": 24,
           "PERFMON": 38, "BPF": 39, "CHECKPOINT_RESTORE": 40}
# <linux/prctl.h>, <sched.h>, <sys/mount.h>
PR_CAPBSET_READ = 23
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
MS_RDONLY = 1
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18

libc = ctypes.CDLL(None, use_errno=True)


def call(function, *arguments):
    """FUNCTION of libc, which raises OSError."""
    if function(*arguments) < 0:
        err = ctypes.get_errno()
        raise OSError(err, f"{function.__name__}: {os.strerror(err)}")


def mount(source, target, kind, flags):
    call(libc.mount, source, os.fsencode(target), kind, ctypes.c_ulong(flags), None)


def enter(root):
    """A root file system of its own, and of the host's only what a container runtime gives."""
    call(libc.unshare, CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC)
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    mount(b"proc", os.path.join(root, "proc"), b"proc", 0)
    mount(b"/sys", os.path.join(root, "sys"), None, MS_BIND | MS_REC)
    mount(None, os.path.join(root, "sys"), None, MS_BIND | MS_REMOUNT | MS_RDONLY)
    os.chroot(root)
    os.chdir("/")


def main(root, capabilities, *command):
    enter(root)
    kept = {NUMBERS[name] for name in capabilities.split(",")}
    number = 0
    while libc.prctl(PR_CAPBSET_READ, number, 0, 0, 0) >= 0:
        if number not in kept:
            call(libc.prctl, PR_CAPBSET_DROP, number, 0, 0, 0)
        number += 1
    call(libc.prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(*sys.argv[1:])
