#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What tlsfail does with what it cannot use: options, processes, files, recordings, privileges."""
import subprocess
from functools import partial

from env import NOBODY
from lab import binaries, drive, procs, tracer
from lab.cases import CASES, named
from tap import require
from test_replay import readable_copy

USAGE = 2  # exit statuses
CANNOT = 1

USAGE_ERRORS = {
    "unknown-option": ("trace", "--no-such-option"),
    "unknown-command": ("no-such-command",),
    "unknown-format": ("trace", "--format", "xml"),
    "missing-argument": ("trace", "--exe"),
    "duration-not-a-number": ("trace", "--duration", "soon"),
    "count-zero": ("trace", "--count", "0"),
    "pid-not-a-number": ("trace", "--pid", "nginx"),
    "unknown-hook": ("trace", "--hook", "nothing=kprobe"),
    "replay-without-file": ("replay",),
    "replay-two-files": ("replay", "a.rec", "b.rec"),
}

# Where a recording's header holds what its reader has to know: two bytes each.
VERSIONS_AT = {"byte order": 8, "format": 10, "records": 12}

# Nothing in it says what it does: static, and without symbols.
STATIC_PROGRAM = "#include <unistd.h>\nint main(void) { return pause(); }\n"


def tests(here):
    checks = {name: partial(check_usage, arguments=arguments)
              for name, arguments in USAGE_ERRORS.items()}
    checks.update({
        "pid-gone": check_pid_gone,
        "exe-not-elf": check_not_elf,
        "exe-without-symbols": check_no_symbols,
        "causes": check_causes,
        "causes-unknown": check_unknown_cause,
        "no-privilege": check_no_privilege,
        "replay-missing": check_replay_missing,
        "replay-empty": check_replay_empty,
        "replay-not-a-recording": check_not_a_recording,
    })
    checks.update({
        name: partial(with_recording, check=check) for name, check in (
            ("replay-version", check_other_version),
            ("replay-cut", check_cut),
            ("replay-lengths", check_lengths))})
    yield from here.chosen("input", checks)


def require_refusal(done, status, *mentions):
    """DONE has to have ended with STATUS, and with one line on stderr that MENTIONS these, beside
    the summary of what it did before."""
    said = tracer.complaints(done.stderr)
    require(done.returncode == status, f"exit status {done.returncode}, not {status}", *said)
    require(len(said) == 1, f"{len(said)} complaints on stderr, not 1:", *said)
    require(said[0].startswith("tlsfail: "), "not as 'tlsfail: ...':", *said)
    for mention in mentions:
        require(mention in said[0], f"does not mention {mention!r}:", *said)


def check_usage(here, arguments):
    done = here.run(*arguments)
    require_refusal(done, USAGE)
    require(not done.stdout, "something on stdout:", done.stdout)


def check_pid_gone(here):
    gone = subprocess.Popen(["true"])
    gone.wait()
    require_refusal(here.run("trace", "--pid", gone.pid), CANNOT, str(gone.pid))


def check_not_elf(here):
    path = here.top / "not-elf"
    path.write_text("#!/bin/sh\n")
    require_refusal(here.run("trace", "--exe", path), CANNOT, str(path))


def check_no_symbols(here):
    """It may have TLS of a kind that is not known: it is waited for, and not said to be traced."""
    source, program = here.top / "static.c", here.top / "static"
    source.write_text(STATIC_PROGRAM)
    subprocess.run([binaries.find("gcc"), "-static", "-s", "-o", program, source], check=True,
                   timeout=30)
    with procs.Processes() as processes:
        processes.start([str(program)])
        done = here.run("trace", "--exe", program, "--duration", "2s")
    require(done.returncode == 0, f"exit status {done.returncode}", done.stderr)
    said = tracer.complaints(done.stderr)
    require(any(f"{program} (pid" in line and "has not loaded a TLS library" in line for line in said),
            "does not say what is missing:", done.stderr)
    require("armed" not in done.stderr, "is said to be traced:", done.stderr)
    require("nothing was traced" in done.stderr, "is not said at the end:", done.stderr)


def check_causes(here):
    """Every cause that the lab shows can be looked up."""
    for slug in sorted({case.slug for case in CASES if case.slug}):
        done = here.run("causes", slug)
        require(done.returncode == 0 and slug in done.stdout and not done.stderr,
                f"causes {slug}: exit status {done.returncode}", done.stdout, done.stderr)


def check_unknown_cause(here):
    require_refusal(here.run("causes", "no-such-cause"), USAGE, "no-such-cause")


def check_no_privilege(here):
    program = readable_copy(here.tlsfail, here.top)
    require_refusal(here.run("trace", program=program, prefix=NOBODY), CANNOT)


def check_replay_missing(here):
    path = here.top / "missing.rec"
    require_refusal(here.run("replay", path), CANNOT, str(path))


def check_replay_empty(here):
    path = here.top / "empty.rec"
    path.touch()
    require_refusal(here.run("replay", path), CANNOT, str(path))


def check_not_a_recording(here):
    path = here.top / "text.rec"
    path.write_text("not a recording\n" * 100)
    require_refusal(here.run("replay", path), CANNOT, str(path))


def with_recording(here, check):
    """Calls CHECK(here, path, bytes) with a recording of two failures."""
    path = here.top / "two.rec"
    if not path.exists():
        record_two(here, path)
    whole = here.run("replay", "--format", "json", path)
    require(whole.returncode == 0 and whole.stdout.count("\n") == 2,
            f"the whole recording: exit status {whole.returncode}", whole.stdout, whole.stderr)
    check(here, here.top / "damaged.rec", path.read_bytes(), whole.stdout)


def record_two(here, path):
    expired, closed = cases = named("verify-expired", "peer-not-tls-http")
    with here.lab("recorded", cases) as lab, here.trace_json(lab, "--record", path) as tlsfail:
        tlsfail.wait_armed()
        for case in (expired, closed):
            drive.once(lab, case)
            require(tlsfail.wait_finding(case), "no finding", tlsfail.stderr())
        tlsfail.interrupt()


def replay_bytes(here, path, data):
    path.write_bytes(data)
    return here.run("replay", "--format", "json", path)


def check_other_version(here, path, recording, _whole):
    """Every version but this one is refused, before anything is printed."""
    for what, offset in VERSIONS_AT.items():
        data = bytearray(recording)
        data[offset], data[offset + 1] = data[offset + 1], data[offset]
        done = replay_bytes(here, path, data)
        require_refusal(done, CANNOT, str(path))
        require(not done.stdout, f"other {what}: printed", done.stdout)


def check_cut(here, path, recording, whole):
    """What was whole before the cut is printed; then comes the error."""
    first = whole.splitlines(keepends=True)[0]
    printed = set()
    for cut in range(1, len(recording), max(1, len(recording) // 40)):
        done = replay_bytes(here, path, recording[:cut])
        printed.add(done.stdout)
        require(done.stdout in ("", first, whole), f"cut at {cut}: printed", done.stdout)
        require(done.returncode in (0, CANNOT), f"cut at {cut}: exit status {done.returncode}")
        if done.returncode == CANNOT:
            require_refusal(done, CANNOT, str(path))
    require(first in printed, "nothing was printed before the error of any cut")
    require_refusal(replay_bytes(here, path, recording[:-1]), CANNOT, str(path))


def check_lengths(here, path, recording, _whole):
    """No byte of a recording, made 0xff, brings down the reader or keeps it from ending."""
    for offset in range(0, len(recording), max(1, len(recording) // 200)):
        data = bytearray(recording)
        data[offset] = 0xff
        done = replay_bytes(here, path, data)
        require(done.returncode in (0, CANNOT), f"byte {offset}: exit status {done.returncode}",
                done.stderr)
