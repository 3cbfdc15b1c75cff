#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Where tlsfail cannot work it says so at once, in one clear line that names what to do, and doctor
says the same."""
import json
import re

from tap import require
from test_doctor import require_missing

# <linux/capability.h>
CAPABILITIES = {"sys_admin": 21, "perfmon": 38, "bpf": 39}

# Hides the kernel's types from what it runs.
WITHOUT_BTF = ("unshare", "--mount", "sh", "-c",
               'mount -t tmpfs none /sys/kernel/btf && exec "$@"', "sh")


def without_capabilities(*names):
    """What runs a program as a root that lacks the capabilities of those NAMES."""
    # setpriv knows only those names that were there when it was made.
    dropped = ",".join(f"-cap_{CAPABILITIES[name]}" for name in names)
    return ("setpriv", "--bounding-set", dropped, "--inh-caps", dropped)


def tests(here):
    yield from here.chosen("obstacle", {
        "no-btf": check_no_btf,
        "no-capabilities": check_no_capabilities,
        "no-cap-perfmon": check_no_perfmon,
    })


def require_refused(here, prefix, pattern):
    """`tlsfail trace` has to end at once with one line that PATTERN matches."""
    done = here.run("trace", prefix=prefix)
    said = done.stderr.splitlines()
    require(done.returncode == 1 and not done.stdout and len(said) == 1,
            f"exit status {done.returncode}", done.stdout, *said)
    require(re.fullmatch("tlsfail: " + pattern, said[0]), f"not {pattern}:", said[0])


def check_no_btf(here):
    require_refused(here, WITHOUT_BTF, r"this kernel has no BTF .*CONFIG_DEBUG_INFO_BTF=y is needed")
    require_missing(here, WITHOUT_BTF, "BTF", "CONFIG_DEBUG_INFO_BTF=y")


def check_no_capabilities(here):
    prefix = without_capabilities("sys_admin", "bpf", "perfmon")
    require_refused(here, prefix, r"not permitted to load BPF programs, lacking CAP_BPF, CAP_PERFMON"
                                  r".*; give root these capabilities: .*privileged container")
    require_missing(here, prefix, "privileges", "give root these capabilities")


def check_no_perfmon(here):
    """CAP_BPF alone is not enough."""
    prefix = without_capabilities("sys_admin", "perfmon")
    require_refused(here, prefix, r"not permitted to load BPF programs, lacking CAP_PERFMON.*")
    require_missing(here, prefix, "privileges", "give root these capabilities")
