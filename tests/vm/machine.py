#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs a guest in QEMU, for a limited time."""
import subprocess
import tarfile

from lab import procs

class GuestFailed(Exception):
    """The guest did not come to its end: why, and the end of its console."""


def _command(guest, vmlinuz, initrd, tests, where):
    # Without KVM, so that it runs on every machine, virtual ones included. The first serial port is
    # the console; on the second come the results.
    parameters = (f"console=ttyS0 quiet panic=-1 rdinit=/tests/vm/init GUEST={guest.name} "
                  f"TESTS={tests}")
    return ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "2048",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-serial", f"file:{where / 'console'}", "-serial", f"file:{where / 'results.tar.gz'}",
            "-kernel", str(vmlinuz), "-initrd", str(initrd), "-append", parameters]


def _console_end(where, lines=60):
    console = where / "console"
    if not console.exists():
        return ""
    return "\n".join(console.read_text(errors="backslashreplace").splitlines()[-lines:])


def boot(guest, vmlinuz, initrd, tests, where, limit_s):
    """Runs GUEST, and in it those of the tests that the glob TESTS matches, from power on to power off, and unpacks what it sent into the directory WHERE /
    "results". GuestFailed is raised when that takes longer than LIMIT_S seconds, or nothing whole
    came."""
    process = procs.start_owned(_command(guest, vmlinuz, initrd, tests, where),
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                errors="backslashreplace")
    try:
        _, said = process.communicate(timeout=limit_s)
    except subprocess.TimeoutExpired:
        raise GuestFailed(f"it ran longer than {limit_s} s; its console:\n"
                          + _console_end(where)) from None
    finally:
        procs.stop(process)
    try:
        with tarfile.open(where / "results.tar.gz") as archive:
            archive.extractall(where / "results")
    except (OSError, EOFError, tarfile.TarError) as error:
        raise GuestFailed(f"it ended without results ({error}); QEMU said:\n{said}\nits console:\n"
                          + _console_end(where)) from None
