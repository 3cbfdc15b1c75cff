#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What is shipped for other programs, given to these programs: rules and dashboard to Prometheus,
the parser to rsyslog, the rights of a container to a tlsfail."""
import json
import re
import shutil
import subprocess

import env
from lab import binaries, drive, procs, prometheus
from lab import boxed as lab_boxed
from lab.case import Case, numbered
from lab.cases import VERIFY, good_server, healthy, named
from tap import require

DIST = env.REPOSITORY / "dist"
RULES = DIST / "prometheus" / "tlsfail.rules.yml"
RULES_TEST = DIST / "prometheus" / "tlsfail.rules.test.yml"

TARGET = "127.0.0.1:9913"
CASES = GOOD, EXPIRED, SNI = numbered((
    healthy("dist-good", good_server()),
    Case("dist-expired", "verify-expired", good_server("expired"), VERIFY),
    *named("sni-unrecognized"),
))
# Of the dashboard, what has nothing to show here: no chain has a CA that ends before its leaf.
EMPTY = "CA certificates that end before the peer's own"
# What Grafana puts in the place of variables.
VARIABLES = {"$job": ".*", "$instance": ".*", "$__rate_interval": "10s"}


def tests(here):
    checks = {
        "rules": check_rules,
        "prometheus": check_prometheus,
        "rsyslog": check_rsyslog,
        "container": check_container,
    }
    yield from here.chosen("dist", checks)


def check_rules(_here):
    """promtool's unit tests of the rules; every alert fires in one of them."""
    for arguments in (("check", "rules", RULES), ("test", "rules", RULES_TEST),
                      ("check", "rules", DIST / "prometheus" / "tlsfail.probe.rules.yml"),
                      ("test", "rules", DIST / "prometheus" / "tlsfail.probe.rules.test.yml"),
                      ("check", "config", DIST / "prometheus" / "scrape.yml"),
                      ("check", "config", DIST / "prometheus" / "fleet.yml")):
        ran = prometheus.promtool(*arguments)
        require(ran.returncode == 0, ran.stdout, ran.stderr)
    alerts = set(re.findall(r"- alert: (\w+)", RULES.read_text(encoding="utf-8")))
    fired = set(re.findall(r"alertname: (\w+)\s+exp_alerts:\s+- ",
                           RULES_TEST.read_text(encoding="utf-8")))
    require(alerts == fired, "no test in which it fires:", *(alerts - fired))


def dashboard_queries():
    """(title of the panel, expression) of each query of the dashboard, its variables replaced."""
    dashboard = json.loads((DIST / "grafana" / "tlsfail.json").read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            require("$" not in expression, panel["title"], expression)
            yield panel["title"], expression


def check_prometheus(here):
    """A Prometheus that asks for OpenMetrics, as all do, gets it: only there are infos. The rules can
    be evaluated, and every query of the dashboard has something to show."""
    with here.lab("dist-prometheus", CASES) as lab:
        with here.trace_json(lab, "--metrics", TARGET, "--metrics-peers", 10,
                             "--probe-stats") as tlsfail:
            tlsfail.wait_armed()
            with prometheus.Prometheus(lab.directory, TARGET, [RULES]) as server:
                server.wait_query("tlsfail_armed == 1")
                for case in CASES:
                    drive.once(lab, case)
                server.wait_query('tlsfail_handshakes_total{result="failure",role="client"} == 2')
                metadata = server.api("targets/metadata", metric="tlsfail_build")
                require(metadata and metadata[0]["type"] == "info", metadata)
                check_rules_evaluated(server)
                for title, expression in dashboard_queries():
                    if title == EMPTY:
                        require(not server.query(expression), title, expression)
                    else:
                        server.wait_query(expression)


def check_rules_evaluated(server):
    """Each rule was evaluated without an error."""
    def evaluated():
        rules = [rule for group in server.api("rules")["groups"] for rule in group["rules"]]
        return rules if all(rule["health"] != "unknown" for rule in rules) else None

    rules = procs.wait_until(evaluated, 20, "the rules")
    require(len(rules) >= 15, *rules)
    bad = [rule for rule in rules if rule["health"] != "ok"]
    require(not bad, *bad)


def check_rsyslog(here):
    """rsyslogd takes the events out of the file and parses their fields."""
    with here.lab("dist-rsyslog", CASES) as lab:
        directory = lab.directory / "events"
        directory.mkdir(mode=0o755)
        config = (DIST / "rsyslog" / "tlsfail.conf").read_text(encoding="utf-8")
        config = (f'global(workDirectory="{directory}" maxMessageSize="64k")\n'
                  + config.replace("/var/log/tlsfail", str(directory)))
        (lab.directory / "rsyslog.conf").write_text(config, encoding="utf-8")
        events = directory / "events.json"
        events.touch()
        with here.trace(lab, "--exe", lab.proxy.exe, "--sink", f"json:{events}") as tlsfail:
            tlsfail.wait_armed()
            with open(lab.directory / "rsyslog.out", "wb") as said:
                rsyslogd = procs.start_owned(
                    [binaries.find("rsyslogd"), "-n", "-f", str(lab.directory / "rsyslog.conf"),
                     "-i", str(lab.directory / "rsyslog.pid")], stdout=said, stderr=said)
            try:
                drive.once(lab, EXPIRED)
                drive.once(lab, SNI)
                lines = procs.wait_until(lambda: lines_of(directory / "causes.log", 2), 10,
                                         "two lines of rsyslogd")
            finally:
                procs.stop(rsyslogd)
        require(not (directory / "unparsed.log").exists(), "unparsed lines")
        written = [json.loads(line) for line in events.read_text().splitlines()]
    keys = ("@timestamp", "host.name", "error.type", "tlsfail.confidence",
            "network.peer.address", "network.peer.port", "message")
    expected = [" ".join(str(event[key]) for key in keys) for event in written]
    require(lines == expected, *lines, "expected:", *expected)


def documented_capabilities():
    """Those of the command line for Docker, which are those of the DaemonSet and of the unit."""
    text = (env.REPOSITORY / "docs" / "containers.md").read_text(encoding="utf-8")
    docker = re.findall(r"--cap-add=(\w+)", text)
    text = (DIST / "kubernetes" / "tlsfail.yaml").read_text(encoding="utf-8")
    kubernetes = re.search(r"add: \[(.*)\]", text)[1].split(", ")
    text = (DIST / "tlsfail.service").read_text(encoding="utf-8")
    unit = re.search(r"^CapabilityBoundingSet=(.*)$", text, re.MULTILINE)[1].split()
    require(docker and set(docker) == set(kubernetes) == {name[len("CAP_"):] for name in unit},
            docker, kubernetes, unit)
    return docker


def make_image(here, root):
    """A root file system with the program, as /tlsfail, and the libraries that it needs."""
    (root / "proc").mkdir(parents=True)
    (root / "sys").mkdir()
    listed = subprocess.run([binaries.find("ldd"), here.tlsfail], check=True, capture_output=True,
                            text=True, timeout=10).stdout
    for path in re.findall(r"(/\S+) \(0x", listed):
        copy = root / path[1:]
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    shutil.copy(here.tlsfail, root / "tlsfail")


def check_container(here):
    """In a root of its own and with the documented rights it finds what it finds outside."""
    with here.lab("dist-container", CASES) as lab:
        root = lab.directory / "root"
        make_image(here, root)
        wrapper = lab.directory / "tlsfail-in-container"
        wrapper.write_text(f"#!/bin/sh\nexec {binaries.find('python3')} {lab_boxed.__file__} {root} "
                           f"{','.join(documented_capabilities())} /tlsfail \"$@\"\n")
        wrapper.chmod(0o755)
        boxed = env.Env(wrapper, here.top)
        ended = boxed.run("trace", "--metrics", "9913", "--comm", "nobody")
        require(ended.returncode == 1 and re.fullmatch(
            r"tlsfail: --metrics: this host has no libmicrohttpd\.so\.12 .*\n", ended.stderr),
                ended.stderr)
        with boxed.trace(lab, "--pid", lab.proxy.pid, "--format", "json") as tlsfail:
            tlsfail.wait_armed()
            for case in (EXPIRED, SNI):
                drive.once(lab, case)
                finding = tlsfail.wait_finding(case)
                require(finding and finding["error.type"] == case.slug, finding, tlsfail.stderr())
                # return probes are used, so the trial of them could be made
                require(finding["tlsfail.confidence"] == "high", finding)
            require(tlsfail.interrupt() == 0, tlsfail.stderr())


def lines_of(path, count):
    """The lines of the file at PATH, once there are COUNT."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return lines if len(lines) >= count else None
