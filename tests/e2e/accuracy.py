#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""How often is the diagnosis right? Runs every case of the lab on nginx and prints, as Markdown,
what was wrong, what tlsfail said, and a summary. Needs root.

    accuracy.py [--tlsfail PROGRAM] [--only GLOB] [--page FILE]
    accuracy.py --self-test     prove that no wrong diagnosis passes for a right one

A case is ambiguous where what can be observed does not tell its cause from others (`truth` in
lab/cases.py): there the cause has to be named, first or among the candidates. In any other case it
has to be the first. A healthy case must have no finding. The exit status is 0 only when all of that
holds. --page puts the result between the `accuracy` markers of FILE.
"""
import argparse
import re
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional, Tuple

import env
from lab import implementations, lab, netns, server_cases, tracer
from lab.cases import CASES
from lab.servers import PROGRAMS, Listener
from lab.upstreams import GnutlsServer, Nginx, OpensslEcho, OpensslServer
from test_cases import drive_to_failure

NOTHING = "no finding"
# What the traced nginx is, its role, and the cases of that.
SIDES = {
    "nginx as the client, at its defaults": (
        "client", tuple(case for case in CASES if case.defaults)),
    "nginx as the client, tuned": (
        "client", tuple(case for case in CASES if not case.defaults)),
    "nginx as the client of other programs": ("client", implementations.CASES),
    "nginx as the server": ("server", server_cases.CASES),
}
# The TLS library of the peer, by the server's program, or the client's of lab/clients.py.
STACKS = {
    "nginx": "OpenSSL", "openssl": "OpenSSL", "haproxy": "OpenSSL", "apache": "OpenSSL",
    "stunnel": "OpenSSL", "python": "OpenSSL", "curl": "OpenSSL", "node": "OpenSSL (Node.js)",
    "gnutls": "GnuTLS", "lighttpd-gnutls": "GnuTLS", "lighttpd-mbedtls": "Mbed TLS",
    "lighttpd-wolfssl": "wolfSSL", "caddy": "Go", "tomcat": "Java",
}
SCRIPTED = "scripted, or not TLS"
SERVERS = {Nginx: "nginx", OpensslServer: "openssl", OpensslEcho: "openssl",
           GnutlsServer: "gnutls"}
MARKED = re.compile(r"(<!-- accuracy begin -->\n).*?(<!-- accuracy end -->\n)", re.DOTALL)


@dataclass(frozen=True)
class Result:
    """What came of a case. TRUTH: what was wrong with it, None: nothing. GOT: the cause that was
    named first, None: there was no finding."""

    name: str
    truth: Optional[str]
    ambiguous: bool
    got: Optional[str]
    confidence: str = ""
    candidates: Tuple[str, ...] = ()
    trouble: Tuple[str, ...] = ()  # nginx did not do what the case is about
    stack: str = SCRIPTED  # the TLS library of the peer

    @property
    def first(self):
        """Whether the truth was named first."""
        return self.got == self.truth

    @property
    def passed(self):
        """Whether the diagnosis is as right as the case asks for."""
        named = self.first or (self.ambiguous and self.truth in self.candidates)
        return named and not self.trouble


def stack_of(case, role):
    """The TLS library of the peer in CASE, in which nginx is of ROLE."""
    if role == "server":
        program = case.drive.__qualname__.partition(".")[0]  # the function that made the driver
    elif isinstance(case.upstream, Listener):
        program = case.upstream.program
    else:
        program = SERVERS.get(type(case.upstream))
    return STACKS.get(program, SCRIPTED)


def measure(where, tlsfail, case, role):
    """Drives CASE, in which nginx is of ROLE. Returns its Result."""
    truth = case.truth or case.slug
    if truth is None:
        trouble = [] if case.drive(where, case) == case.status else ["it did not go well"]
        finding = None  # looked for at the end, when the late ones have come
    else:
        trouble, finding = drive_to_failure(where, tlsfail, case)
    finding = finding or {}
    return Result(case.name, truth, case.truth is not None, finding.get("error.type"),
                  finding.get("tlsfail.confidence", ""),
                  tuple(finding.get("tlsfail.candidates", ())), tuple(trouble),
                  stack_of(case, role))


def measure_all(here, role, cases):
    """Runs CASES, in which nginx is of ROLE, under one tlsfail. Returns their Results."""
    if not cases:
        return []
    with here.lab("accuracy-" + cases[0].name, cases, role=role) as where, \
            here.trace_json(where, "-v") as tlsfail:
        tlsfail.wait_armed()
        results = [measure(where, tlsfail, case, role) for case in cases]
        tlsfail.interrupt()
        causes = {case.name: finding["error.type"] for finding in tlsfail.findings()
                  for case in cases if "error.type" in finding and tracer.is_about(finding, case)}
    return [result if result.truth else replace(result, got=causes.get(result.name))
            for result in results]


def code(word):
    return f"`{word}`" if word else NOTHING


def verdict(result):
    """What the last column says."""
    if result.trouble:
        return "not measured: " + result.trouble[0]
    if result.first:
        return "right"
    return "among the candidates" if result.passed else "**wrong**"


def table(results):
    """Yields the lines of the table of the cases that fail."""
    yield "| case | what is wrong | cause reported first | confidence | other causes | |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for result in results:
        what = code(result.truth) + (" (ambiguous)" if result.ambiguous else "")
        yield (f"| {result.name} | {what} | {code(result.got)} | {result.confidence} | "
               f"{len(result.candidates) or ''} | {verdict(result)} |")


def share(results, check):
    """N of M of RESULTS for which CHECK is true."""
    return f"{sum(map(check, results))} of {len(results)}"


def summary(results):
    """Yields the lines of the summary."""
    failing = [result for result in results if result.truth]
    healthy = [result for result in results if not result.truth]
    plain = [result for result in failing if not result.ambiguous]
    ambiguous = [result for result in failing if result.ambiguous]
    yield f"- {share(plain, lambda r: r.passed)} unambiguous cases: the right cause is reported first."
    yield (f"- {share(ambiguous, lambda r: r.passed)} ambiguous cases: the right cause is among those "
           f"reported, in {sum(r.first for r in ambiguous)} of them first.")
    yield f"- {share(healthy, lambda r: r.passed)} healthy cases: no finding is reported."
    for confidence in ("high", "medium", "low"):
        said = [result for result in failing if result.confidence == confidence]
        if said:
            yield (f"- With {confidence} confidence: the first cause is right in "
                   f"{share(said, lambda r: r.first)} cases.")
    yield from confusion(results)


def confusion(results):
    """Yields a line for each pair of a cause and what was named first instead of it."""
    pairs = Counter((r.truth, r.got) for r in results if not r.first and not r.trouble)
    for (truth, got), count in sorted(pairs.items(), key=str):
        yield f"- {code(truth)} reported as {code(got)}: {count}"


def by_stack(results_by_side):
    """RESULTS_BY_SIDE anew, by the role of nginx and the TLS library of the peer."""
    found = {}
    for side, results in results_by_side.items():
        role, peer = ("server", "client") if SIDES[side][0] == "server" else ("client", "upstream")
        for result in results:
            found.setdefault(f"nginx as the {role}, {peer} with {result.stack}", []).append(result)
    return dict(sorted(found.items()))


def sides(results_by_side):
    """Yields the lines of a table with a row for each side."""
    yield ("| | cause reported first | ambiguous: cause among those reported | of these first | other "
           "causes reported, on average | healthy: no finding |")
    yield "| --- | --- | --- | --- | --- | --- |"
    for side, results in results_by_side.items():
        failing = [result for result in results if result.truth]
        plain = [result for result in failing if not result.ambiguous]
        ambiguous = [result for result in failing if result.ambiguous]
        healthy = [result for result in results if not result.truth]
        beside = sum(len(result.candidates) for result in failing) / max(len(failing), 1)
        yield (f"| {side} | {share(plain, lambda r: r.passed)} | "
               f"{share(ambiguous, lambda r: r.passed)} | {sum(r.first for r in ambiguous)} | "
               f"{beside:.1f} | {share(healthy, lambda r: r.passed)} |")


def report(results_by_side):
    """The whole of it, as Markdown. The tables are folded: GitHub shows their first lines."""
    lines = [*sides(results_by_side), "", "By the TLS library of the peer:", "",
             *sides(by_stack(results_by_side)), "", *summary(sum(results_by_side.values(), []))]
    for side, results in results_by_side.items():
        failing = [result for result in results if result.truth]
        lines += ["", "<details>",
                  f"<summary>{side}: the {len(failing)} cases that fail</summary>", "",
                  *table(failing), "", "</details>"]
    return "\n".join([*lines, ""])


def page_update(path, text):
    """Puts TEXT between the markers of the file PATH. Returns whether it has them."""
    old = path.read_text()
    new, count = MARKED.subn(lambda found: found[1] + text + found[2], old)
    if count == 1 and new != old:
        path.write_text(new)
    return count == 1


def self_test():
    """Returns what is wrong with the judgement: a list of lines."""
    made = {
        "right": Result("a", "x", False, "x", "high"),
        "wrong": Result("a", "x", False, "y", "high"),
        "candidate of an unambiguous case": Result("a", "x", False, "y", "medium", ("x",)),
        "ambiguous, first": Result("a", "x", True, "x", "medium"),
        "ambiguous, candidate": Result("a", "x", True, "y", "medium", ("z", "x")),
        "ambiguous, not named": Result("a", "x", True, "y", "medium", ("z",)),
        "missed": Result("a", "x", False, None),
        "ambiguous, missed": Result("a", "x", True, None),
        "healthy": Result("a", None, False, None),
        "healthy, finding": Result("a", None, False, "x", "high"),
        "right, but not measured": Result("a", "x", False, "x", "high", trouble=("status",)),
    }
    passing = {"right", "ambiguous, first", "ambiguous, candidate", "healthy"}
    problems = [f"self-test: {name}: passed is {result.passed}"
                for name, result in made.items() if result.passed != (name in passing)]
    lines = list(confusion(made.values()))
    expected = ["- no finding reported as `x`: 1", "- `x` reported as no finding: 2",
                "- `x` reported as `y`: 4"]
    if sorted(lines) != sorted(expected):
        problems.append(f"self-test: confusion: {lines}")
    problems += [f"self-test: no TLS library is known of {program}" for program in PROGRAMS
                 if program not in STACKS]
    unused = set(STACKS.values()) - {stack_of(case, role) for role, cases in SIDES.values()
                                     for case in cases}
    if unused:
        problems.append(f"self-test: no case has {unused}")
    return problems


def parse_options():
    parser = argparse.ArgumentParser(description="how often the diagnosis is right")
    parser.add_argument("--tlsfail", default=env.REPOSITORY / "build" / "tlsfail",
                        help="the program that is judged")
    parser.add_argument("--only", default="*", metavar="GLOB",
                        help="only the cases whose names match")
    parser.add_argument("--page", type=Path, metavar="FILE",
                        help="put the result between the markers of FILE")
    parser.add_argument("--self-test", action="store_true", help="test the judgement itself")
    return parser.parse_args()


def main():
    options = parse_options()
    problems = self_test()
    if problems or options.self_test:
        print(*problems, sep="\n", end="\n" * bool(problems))
        return 1 if problems else 0
    lab.exit_on_sigterm()
    netns.enter_network()
    with lab.directory() as top:
        here = env.Env(options.tlsfail, top, "case/" + options.only)
        by_side = {side: measure_all(here, role, here.chosen_cases(cases))
                   for side, (role, cases) in SIDES.items()}
    results = sum(by_side.values(), [])
    text = report({side: results for side, results in by_side.items() if results})
    print(text, end="")
    if options.page and not page_update(options.page, text):
        print(f"accuracy: {options.page} has no markers", file=sys.stderr)
        return 1
    return 0 if results and all(result.passed for result in results) else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
