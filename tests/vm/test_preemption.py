#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A guest that was booted with preempt=full really has a kernel that can be preempted: else what is
tried there shows nothing."""
import subprocess
from pathlib import Path

from tap import require

DEBUGFS = Path("/sys/kernel/debug")


def tests(here):
    yield from here.chosen("preemption", {"full": check_full})


def check_full(_here):
    mode = DEBUGFS / "sched" / "preempt"
    if not mode.exists():
        subprocess.run(["mount", "-t", "debugfs", "debugfs", DEBUGFS], check=True)
    text = mode.read_text().strip()
    require("(full)" in text, text)
