#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs a guest in QEMU, for a limited time."""
import subprocess
import tarfile

from lab import procs

# Protection that costs an emulated CPU a third of its time, and that nothing here is about. And without the
# instruction CMPXCHG16B, after which the flags of QEMU 7.2 are at times a mere address: bookworm's 6.12 then
# runs into a double fault (kmem_cache_alloc_noprof()).
_AMD64_CPU = "max,la57=off,smap=off,smep=off,cx16=off"

# When this machine is busy the guest's timer is late; without the last one the kernel then takes it
# for broken at the start.
_KERNEL_PARAMETERS = "quiet panic=-1 mitigations=off no_timer_check"

# Its time goes by what it does: an instruction takes a nanosecond.
_COUNTED = ("-icount", "shift=0,sleep=off")

# For an architecture: the emulator, the name of its console, and the serial port that the results
# come on with its name. The arm64 machine has one serial port, so its other one is a PCI card. It
# is so much slower that no time limit of the cases would hold when this machine has other work to do:
# -icount makes its time go by with what it does.
_MACHINES = {
    "amd64": (("qemu-system-x86_64", "-cpu", _AMD64_CPU), "ttyS0",
              ("-serial", "chardev:results"), "ttyS1"),
    "arm64": (("qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a72", *_COUNTED), "ttyAMA0",
              ("-device", "pci-serial,chardev=results"), "ttyS0"),
}


class GuestFailed(Exception):
    """The guest did not come to its end: why, and the end of its console."""


def _command(guest, vmlinuz, initrd, parameters, where, counted):
    emulator, console, port, results = _MACHINES[guest.arch]
    told = " ".join(f"{name}={value}" for name, value in parameters.items())
    command_line = " ".join((f"console={console}", _KERNEL_PARAMETERS, *guest.boot,
                             f"rdinit=/tests/vm/init {told} RESULTS={results}"))
    if counted and _COUNTED[0] not in emulator:
        emulator = (*emulator, *_COUNTED)
    # Without KVM, so that it runs on every machine, virtual ones included.
    return [*emulator, "-accel", "tcg", "-smp", "1" if counted else str(guest.cpus), "-m", "2048",
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-serial", f"file:{where / 'console'}",
            "-chardev", f"file,id=results,path={where / 'results.tar.gz'}", *port,
            "-kernel", str(vmlinuz), "-initrd", str(initrd), "-append", command_line]


def _console_end(where, lines=60):
    console = where / "console"
    if not console.exists():
        return ""
    return "\n".join(console.read_text(errors="backslashreplace").splitlines()[-lines:])


def boot(guest, vmlinuz, initrd, parameters, where, limit_s, counted=False):
    """Runs GUEST from power on to power off, its init told PARAMETERS, {name: value}, and unpacks
    what it sent into the directory WHERE / "results". GuestFailed is raised when that takes longer
    than LIMIT_S seconds, or nothing whole came. COUNTED: on one CPU, whose clock goes by its instructions."""
    process = procs.start_owned(_command(guest, vmlinuz, initrd, parameters, where, counted),
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
