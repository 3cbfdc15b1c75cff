#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A kernel that is locked down. It stays so until it ends: these tests are for virtual machines, and
come last."""
from pathlib import Path

from tap import require
from test_doctor import examine, require_missing, require_ok
from test_host import CASES, require_traced
from test_obstacles import require_refused

LOCKDOWN = Path("/sys/kernel/security/lockdown")


def tests(here):
    yield from here.chosen("lockdown", {
        "integrity": check_integrity,
        "confidentiality": check_confidentiality,
    })


def lock_down(level):
    LOCKDOWN.write_text(level)
    require(f"[{level}]" in LOCKDOWN.read_text(), LOCKDOWN.read_text())


def requirement(report):
    found, = [part for part in report["requirements"] if part["name"] == "lockdown"]
    return found


def check_integrity(here):
    """As with Secure Boot: everything works."""
    lock_down("integrity")
    with here.lab("integrity", CASES) as lab:
        report, _ = examine(here, "--exe", lab.proxy.exe)
        require(requirement(report)["found"].startswith("integrity"), report)
        require_ok(here, report)
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            require_traced(lab, tlsfail)


def check_confidentiality(here):
    lock_down("confidentiality")
    require_refused(here, (), r".*lockdown=confidentiality; boot with lockdown=integrity or none")
    found = require_missing(here, (), "lockdown", "boot with lockdown=integrity or none")
    require(found["found"].startswith("confidentiality"), found)
