#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What tracing costs, in instructions: for guests whose clock goes by them, one each nanosecond (see machine.py).
The kernel then counts CPU time and the time of BPF programs in instructions, and always the same."""
import json
import time
from pathlib import Path

import bpf
import env
from lab import drive
from lab.case import Case, numbered
from lab.cases import TLS12, VERIFY, good_server, named
from tap import require

REQUESTS = 100
# After these tlsfail has let go of what it has no use for; it looks once a second.
WARM_ROUNDS, LOOK_S = 3, 1.2
LEFT = "cost.json"

_MANY = drive.times(REQUESTS)
_ALIVE = 'proxy_http_version 1.1; proxy_set_header Connection "";'

CASES = numbered((
    Case("cost-tls13", None, good_server(), status=200, drive=_MANY),
    Case("cost-tls12", None, good_server(), status=200, drive=_MANY, tls=TLS12),
    Case("cost-verify", None, good_server(), VERIFY, status=200, drive=_MANY),
    Case("cost-kept", None, good_server(), _ALIVE, status=200, drive=_MANY, keepalive=1),
    *named("verify-expired", "protocol-version-rejected"),
))


def tests(here):
    yield from here.chosen("cost", {"requests": check_requests})


def worker_ns(lab):
    pid, = lab.proxy.worker_pids()
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def drive_many(lab, case):
    for _ in range(1 if case.status == 200 else REQUESTS):
        case.drive(lab, case)


def cost_of(lab, case):
    """Of the worker for a request of CASE, in instructions."""
    begun = worker_ns(lab)
    drive_many(lab, case)
    return (worker_ns(lab) - begun) / REQUESTS


def programs_of(lab, case, pid):
    """{BPF program: [runs, instructions]} of a request of CASE, whatever process they ran in."""
    with bpf.RunStatistics():
        before = bpf.programs(pid)
        drive_many(lab, case)
        after = bpf.programs(pid)
    return {name: [(now - then) / REQUESTS for now, then in zip(after[name], before[name])]
            for name in after if name in before and after[name] != before[name]}


def check_requests(here):
    """Left in cost.json: {case: {"worker": instructions without tlsfail, "traced": with it, "programs": see
    programs_of()}}."""
    with here.lab("cost", CASES) as lab:
        for case in CASES:
            drive_many(lab, case)
        costs = {case.name: {"worker": cost_of(lab, case)} for case in CASES}
        with here.trace(lab, "--pid", lab.proxy.pid, *env.JSON, "--no-fold") as tlsfail:
            tlsfail.wait_armed()
            for _ in range(WARM_ROUNDS):
                for case in CASES:
                    if case.status == 200:
                        drive_many(lab, case)
                time.sleep(LOOK_S)
            for case in CASES:
                costs[case.name]["traced"] = cost_of(lab, case)
            for case in CASES:
                costs[case.name]["programs"] = programs_of(lab, case, tlsfail.process.pid)
        (lab.directory / LEFT).write_text(json.dumps(costs))
        for name, cost in costs.items():
            print(f"# {name}: {cost}")
            require(cost["worker"] > 0 and cost["programs"], name, cost)
