#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs a program under a seccomp filter like those of services: a system call that the filter does
not know kills. It is of the time before Linux 6.11, so `uretprobe` is one of those.

usage: under_seccomp.py PROGRAM ARGUMENT...
"""
import ctypes
import os
import struct
import sys

PR_SET_SECCOMP = 22
PR_SET_NO_NEW_PRIVS = 38
SECCOMP_MODE_FILTER = 2
SECCOMP_RET_KILL_PROCESS = 0x80000000
SECCOMP_RET_ALLOW = 0x7fff0000

# What to put before a command line.
PREFIX = (sys.executable, os.path.abspath(__file__))

# No architecture has an older system call with a number in here; x86-64 has uretprobe at 335.
FIRST_UNKNOWN, FIRST_KNOWN_AGAIN = 335, 424

LOAD_NUMBER, JUMP_IF_GREATER_OR_EQUAL, GIVE = 0x20, 0x35, 0x06  # classic BPF


def prctl(*args):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(*args) != 0:
        err = ctypes.get_errno()
        raise OSError(err, "prctl: " + os.strerror(err))


def install_filter():
    instructions = (
        (LOAD_NUMBER, 0, 0, 0),
        (JUMP_IF_GREATER_OR_EQUAL, 0, 2, FIRST_UNKNOWN),
        (JUMP_IF_GREATER_OR_EQUAL, 1, 0, FIRST_KNOWN_AGAIN),
        (GIVE, 0, 0, SECCOMP_RET_KILL_PROCESS),
        (GIVE, 0, 0, SECCOMP_RET_ALLOW),
    )
    code = ctypes.create_string_buffer(
        b"".join(struct.pack("HBBI", *instruction) for instruction in instructions))
    program = struct.pack("HP", len(instructions), ctypes.addressof(code))
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0)


if __name__ == "__main__":
    install_filter()
    os.execv(sys.argv[1], sys.argv[1:])
