# SPDX-License-Identifier: BSD-2-Clause
"""Which part of a process's CPU time its tracers take, by samples of where it is.

Sampled is by the kernel's own clock, which needs no counters of the CPU. Counted as a tracer's is what the
kernel does when it calls a BPF program, or takes the trap of a uprobe; but not how the CPU gets into a trap
and out of it, where it takes no interrupts, and so no samples.
"""
import math
import os
import re
import signal
import subprocess
from collections import namedtuple
from pathlib import Path

from lab import binaries, procs

FREQUENCY_HZ = 10000

# The kernel's functions through which all of it goes: of tracepoints and of fentry; of uprobes by a breakpoint,
# by a single step, and by the system call that replaces them since 6.11 and 6.18.
TRACERS = re.compile(r"(bpf_trace_run\d+|bpf_trampoline_\w+|asm_exc_int3|asm_exc_debug|uprobe_notify_resume"
                     r"|__x64_sys_uprobe|__x64_sys_uretprobe)\b")

Share = namedtuple("Share", "part error")  # error: to either side, with 95 % confidence


def perf_events(pid):
    """How many perf events the process PID holds."""
    held = [os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink()]
    return sum("perf_event" in name for name in held)


def stacks(path):
    """The functions of each sample in the file at PATH, as one text."""
    with subprocess.Popen([binaries.find("perf"), "script", "-i", path, "-F", "ip,sym"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          errors="replace") as script:
        lines = []
        for line in script.stdout:
            if line.strip():
                lines.append(line)
            elif lines:
                yield "".join(lines)
                lines = []
        if lines:
            yield "".join(lines)


def of_tracers(pid, path, run):
    """The Share of tracers in the CPU time of PID while RUN, a function, lasts. PATH: a file for the samples."""
    child = subprocess.Popen([binaries.find("perf"), "record", "-q", "-o", path, "-e", "cpu-clock", "-g",
                              "-F", str(FREQUENCY_HZ), "-p", str(pid)], stderr=subprocess.DEVNULL)
    try:
        procs.wait_until(lambda: perf_events(child.pid), 20, "perf")
        run()
    finally:
        child.send_signal(signal.SIGINT)
        child.wait()
    every = list(map(bool, map(TRACERS.search, stacks(path))))
    if not every:
        raise RuntimeError("perf has no samples")
    part = sum(every) / len(every)
    return Share(part, 1.96 * math.sqrt(part * (1 - part) / len(every)))
