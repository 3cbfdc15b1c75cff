#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""tlsfail probe: each case of the lab, asked as its location would; what is named, and what is found to
work. It runs as nobody, without a running nginx."""
import json
from functools import partial

import env
from lab import implementations
from lab.cases import CASES
from lab.servers import PROGRAMS
from lab.upstreams import OwnProcess
from tap import Failure, require

WORKS, FAILS, USAGE, UNTRIED = 0, 1, 2, 3
RACE_ATTEMPTS = 20

# What is not in the handshake: another request of the same location, or what nginx does.
NOT_PROBED = {
    "connection-refused-after-tls",  # the upstream is stopped by its driver
    "large-hello-ticket",  # what is large is a session of the worker's
    "session-refused", "session-mismatch",  # so is what is refused, or answered in another way
    "peer-moved",  # the driver moves it, and a probe looks it up anew
    "local-ports-exhausted",  # the driver takes them
    "connect-unreachable-port",  # connect() says no more than that it was refused
    "local-abort", "local-process-exited",
    "close-after-asking",  # so is what it closes on: a request
    "client-cert-unloadable",  # nor is what a variable leads to in a request
    "prematurely-closed-after-handshake",  # and its relatives: the request is what it closes on
}


# What a probe finds out where the failure alone says something else.
PROVEN = {"large-hello-silence": "large-hello-intolerant"}


def is_probed(case):
    """Whether CASE is about something that a handshake without a request shows."""
    return (case.slug not in NOT_PROBED or case.truth) and case.name not in NOT_PROBED \
        and not case.sibling and case.scheme == "https"


def tests(here):
    """Yields (name, test)."""
    lacks = {program: server.lacks() for program, server in PROGRAMS.items()}
    present = [case for case in implementations.CASES if not lacks[case.upstream.program]]
    for name, cases in (("probe", CASES), ("probe-implementation", present)):
        chosen = [here.adapted(case) for case in cases
                  if here.wants(f"{name}/{case.name}") and is_probed(case)]
        if chosen:
            with here.lab(name, chosen, start_proxy=False) as lab:
                lab.proxy.configure()
                (lab.directory / "pki").resolve().chmod(0o755)
                for case in chosen:
                    yield f"{name}/{case.name}", partial(check, here, lab, case)


def probe(here, lab, *args, prefix=env.NOBODY):
    """Runs `tlsfail probe ARGS` with the configuration of LAB. Returns it, and what it found."""
    done = here.run("probe", "--format", "json", "--timeout", "2s", "-c",
                    lab.directory / "proxy.conf", *args, prefix=prefix)
    return done, [json.loads(line) for line in done.stdout.splitlines()]


def check(here, lab, case):
    """A case that is a race is asked until it went the way that the case is about."""
    for _ in range(RACE_ATTEMPTS if case.race else 1):
        done, results = probe(here, lab, "/" + case.name, prefix=lab.proxy.prefix())
        require(len(results) == 1, done)
        result = results[0]
        named = [result.get("error.type"), *result.get("tlsfail.candidates", ())]
        wanted = PROVEN.get(case.name, case.truth or case.slug)
        if wanted in named:
            break
    check_schema(result)
    require(done.returncode == (WORKS if case.slug is None else FAILS), done)
    require(result["probe.result"] == ("works" if case.slug is None else "fails"), result)
    require(wanted in named, f"{named}: not {wanted}",
            json.dumps(result))


def check_schema(result):
    """RESULT is as docs/probe.schema.json says."""
    try:
        import jsonschema
    except ImportError as missing:
        raise Failure("install python3-jsonschema") from missing
    schema = json.loads((env.REPOSITORY / "docs" / "probe.schema.json").read_text())
    problems = [error.message for error in
                jsonschema.Draft202012Validator(schema).iter_errors(result)]
    require(not problems, *problems)
