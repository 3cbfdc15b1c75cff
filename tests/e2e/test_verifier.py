#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the kernel's verifier says of the BPF programs: frames of those that uprobes run, and how
complex each is, against tests/verifier/figures.txt.

    test_verifier.py --update [RESULT.json...]    the figures of this kernel are right: expect them; or those of
                                                  the guests whose results these are
"""
import functools
import json
import platform
import re
import subprocess
import sys
from pathlib import Path

import env
from tap import Skip, require

# Left by the test in the run's directory.
LEFT = "figures.json"
PROGRAM = env.REPOSITORY / "build" / ("static-arm64/verifier" if platform.machine() == "aarch64" else "verifier")
FIGURES = env.REPOSITORY / "tests" / "verifier" / "figures.txt"
CHOICES = {"default": (), "entry-only": ("entry-only",), "uprobe": ("handshake=uprobe",),
           "uprobe-entry-only": ("handshake=uprobe", "entry-only")}

# bpf_enable_priv_stack() in the kernel's kernel/bpf/verifier.c, since 6.13: a frame of 64 bytes or
# more, rounded up to 16, comes from a stack of the CPU's own, which a preempted program does not keep.
FRAME_MAX = 48
FRAME_STEP = 16
UPROBES = re.compile(r"u(ret)?probe_")
GROWTH_MAX = 1.1


def tests(here):
    checks = {"frames-" + name: (lambda here, c=c: check_frames(verify(*c)))
              for name, c in CHOICES.items()}
    checks["choices"] = check_choices
    checks["complexity"] = check_complexity
    checks["judges"] = check_judges
    yield from here.chosen("verifier", checks)


@functools.cache
def verify(*choices):
    """{program: (instructions processed, frames)} of those that this kernel takes."""
    if not PROGRAM.exists():
        raise Skip("make build/verifier")
    ran = subprocess.run([PROGRAM, *choices], capture_output=True, text=True, timeout=300,
                         check=False)
    require(ran.returncode == 0, f"exit status {ran.returncode}", ran.stdout, ran.stderr)
    return parse(ran.stdout)


def parse(text):
    found = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) == 3:
            found[words[0]] = (int(words[1]), [int(frame) for frame in words[2].split("+")])
    return found


def too_large(programs):
    """The uprobe programs with a frame that would be taken from a stack of the CPU's own."""
    return [f"{name}: {frames}" for name, (_, frames) in programs.items()
            if UPROBES.match(name) and -(-max(frames) // FRAME_STEP) * FRAME_STEP > FRAME_MAX]


def check_frames(programs):
    require(any(map(UPROBES.match, programs)), "no program of a uprobe")
    require(not too_large(programs), f"frames of more than {FRAME_MAX} bytes:", *too_large(programs))


def check_choices(_here):
    """What the kernel takes with the default choices, it takes with each, as a program can be too long to follow."""
    for name, choices in CHOICES.items():
        refused = set(verify()) - set(verify(*choices))
        require(not refused, f"with {name}:", *sorted(refused))


def release():
    """The kernel's, without what its distribution adds, and for which machine, unless that is x86-64."""
    return re.match(r"\d+\.\d+", platform.release())[0] + "-arm64" * (platform.machine() == "aarch64")


def read_figures():
    """{(kernel, program): (instructions, stack)}"""
    figures = {}
    for line in FIGURES.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            kernel, program, instructions, stack = line.split()
            figures[kernel, program] = (int(instructions), int(stack))
    return figures


def measured():
    return {(release(), name): (instructions, sum(frames))
            for name, (instructions, frames) in verify().items()}


def grown(figures, now):
    """What has no figure, or more than a tenth more of something."""
    problems = []
    for key, values in now.items():
        if key not in figures:
            problems.append(f"{key[1]} has no figures")
        elif any(value > old * GROWTH_MAX for value, old in zip(values, figures[key])):
            problems.append(f"{key[1]}: {values} (instructions, stack), expected {figures[key]}")
    return problems


def check_complexity(here):
    figures, now = read_figures(), measured()
    kept = here.top / "verifier"
    kept.mkdir()
    (kept / LEFT).write_text(json.dumps([(*key, *values) for key, values in now.items()]))
    if not any(kernel == release() for kernel, _ in figures):
        raise Skip(f"no figures for Linux {release()}")
    problems = grown(figures, now)
    require(not problems, *problems, "if that is meant: tests/e2e/test_verifier.py --update")


def check_judges(_here):
    """These tests can fail."""
    key, program = ("6.1", "uprobe_x"), {"uprobe_x": (100, [0, 8, 48])}
    require(not too_large(program), "48 is allowed")
    require(too_large({"uprobe_x": (100, [0, 49])}), "49 is too much")
    require(not grown({key: (100, 56)}, {key: (110, 56)}), "a tenth is allowed")
    require(grown({key: (100, 56)}, {key: (111, 56)}), "more is not")
    require(grown({}, {key: (1, 1)}), "a new program is to be recorded")


def of_guests(paths):
    """The figures that guests left, whose results are in the files at PATHS."""
    rows = [row for path in paths for row in json.loads(Path(path).read_text()).get("figures", [])]
    return {(kernel, program): tuple(values) for kernel, program, *values in rows}


def update(paths):
    now = of_guests(paths) if paths else measured()
    again = {kernel for kernel, _ in now}
    figures = {key: value for key, value in read_figures().items() if key[0] not in again}
    figures.update(now)
    lines = [" ".join(map(str, (*key, *value))) for key, value in sorted(figures.items())]
    FIGURES.write_text(HEAD + "".join(line + "\n" for line in lines), encoding="utf-8")


HEAD = """\
# What the verifier of a kernel says of each BPF program: instructions processed, bytes of stack in all.
# Written by tests/e2e/test_verifier.py --update.
"""

if __name__ == "__main__":
    if sys.argv[1:2] != ["--update"]:
        sys.exit(__doc__)
    update(sys.argv[2:])
