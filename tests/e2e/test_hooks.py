#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every alternative by which a fact can be had, forced with --hook, finds the same causes. What
this kernel does not offer is skipped."""
from functools import partial

from lab.cases import named
from tap import Failure, Skip, require

ALTERNATIVES = (
    "wire=tp_btf", "wire=fentry", "wire=kprobe",
    "state=tp_btf", "state=raw_tp",
    "close=fentry", "close=kprobe", "close=tp_btf", "close=raw_tp",
    "reset=tp_btf", "reset=raw_tp", "reset=kprobe",
    "exec=tp_btf", "exec=raw_tp",
)

# Between them they need every fact.
CASES = named("connection-refused-after-tls", "peer-closed-in-handshake",
              "peer-closed-in-handshake-ipv6", "peer-reset-in-handshake", "local-abort",
              "protocol-version-rejected", "verify-expired", "good-tls13")


def tests(here):
    yield from here.chosen("hook", {alternative: partial(check_hook, alternative=alternative)
                                    for alternative in ALTERNATIVES})


def wait_armed(tlsfail):
    """Waits until tlsfail is live; one clean refusal is a reason to skip."""
    try:
        tlsfail.wait_armed()
    except RuntimeError as ended:
        said = tlsfail.stderr().splitlines()
        if tlsfail.process.returncode == 1 and len(said) == 1:
            raise Skip(said[0]) from ended
        raise Failure(str(ended)) from ended


def check_hook(here, alternative):
    name = "hook-" + alternative.replace("=", "-")
    with here.lab(name, CASES) as lab, here.trace_json(lab, "--hook", alternative) as tlsfail:
        wait_armed(tlsfail)
        for case in CASES:
            case.drive(lab, case)
            if case.slug:
                finding = tlsfail.wait_finding(case)
                require(finding, f"no finding for {case.name}", tlsfail.stderr())
                require(finding["error.type"] == case.slug, f"{case.name}:", finding)
        tlsfail.interrupt()
    require(len(tlsfail.findings()) == sum(case.slug is not None for case in CASES),
            *tlsfail.findings())
