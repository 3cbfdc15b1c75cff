#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""System calls made by another process: it is stopped in one of its own (ptrace(2)), and made to step
over that instruction again with other registers. Nothing is written into its memory."""
import ctypes
import os
import platform
import signal
from contextlib import contextmanager

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.restype = ctypes.c_long
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

PEEKTEXT, SINGLESTEP, GETREGS, SETREGS, ATTACH, DETACH = 1, 9, 12, 13, 16, 17
SYSCALL = 0x050F  # the instruction, as it lies in memory


class Registers(ctypes.Structure):
    """struct user_regs_struct of x86-64."""
    _fields_ = [(name, ctypes.c_uint64) for name in (
        "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx",
        "rsi", "rdi", "orig_rax", "rip", "cs", "eflags", "rsp", "ss", "fs_base", "gs_base", "ds",
        "es", "fs", "gs")]


def possible():
    """Whether this works on this machine."""
    return platform.machine() == "x86_64"


def ptrace(request, pid, address=None, data=None):
    ctypes.set_errno(0)
    result = LIBC.ptrace(request, pid, address, data)
    if ctypes.get_errno():
        raise OSError(ctypes.get_errno(), f"ptrace {request}")
    return result


@contextmanager
def stopped(pid):
    """PID is stopped in a system call. Yields a function (number, *arguments) that has it make another
    one, and returns what that returned."""
    ptrace(ATTACH, pid)
    os.waitpid(pid, 0x40000000)  # __WALL
    before = Registers()
    ptrace(GETREGS, pid, None, ctypes.byref(before))
    try:
        if ptrace(PEEKTEXT, pid, before.rip - 2) & 0xFFFF != SYSCALL:
            raise RuntimeError("it is not in a system call")

        def call(number, *arguments):
            now = Registers.from_buffer_copy(before)
            now.rip, now.rax, now.orig_rax = before.rip - 2, number, 2 ** 64 - 1
            for name, value in zip(("rdi", "rsi", "rdx", "r10", "r8", "r9"), arguments + (0,) * 6):
                setattr(now, name, value)
            ptrace(SETREGS, pid, None, ctypes.byref(now))
            ptrace(SINGLESTEP, pid)
            _, status = os.waitpid(pid, 0x40000000)
            if not os.WIFSTOPPED(status) or os.WSTOPSIG(status) != signal.SIGTRAP:
                raise RuntimeError(f"it stopped with {status:#x}")
            ptrace(GETREGS, pid, None, ctypes.byref(now))
            return ctypes.c_int64(now.rax).value
        yield call
    finally:
        ptrace(SETREGS, pid, None, ctypes.byref(before))
        ptrace(DETACH, pid)
