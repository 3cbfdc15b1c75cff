#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What is shipped for other programs, given to these programs: rules and dashboard to Prometheus,
the parser to rsyslog, the rights of a container to a tlsfail."""
import json
import math
import re
import shutil
import subprocess
import urllib.request
from pathlib import Path

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
        "quiet": check_quiet,
        "rsyslog": check_rsyslog,
        "fluent-bit": check_fluent_bit,
        "container": check_container,
        "image": check_image,
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


def dashboard_panels():
    """(title of the panel, what Grafana shows when there is nothing, expression) of each query of the dashboard, its variables replaced."""
    dashboard = json.loads((DIST / "grafana" / "tlsfail.json").read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            require("$" not in expression, panel["title"], expression)
            yield panel["title"], panel["fieldConfig"]["defaults"].get("noValue"), expression


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
                check_peer_down(server)
                for title, _, expression in dashboard_panels():
                    if title == EMPTY:
                        require(not server.query(expression), title, expression)
                    else:
                        for case in CASES:
                            drive.once(lab, case)
                        require_numbers(title, server.wait_query(expression))


def require_numbers(title, series):
    """None is NaN, and there are few enough for a graph."""
    require(all(math.isfinite(value) for _, value in series), title, *series)
    require(len(series) <= 20, f"{title}: {len(series)} series", *series[:5])


def check_peer_down(server):
    """The alert, with a time and a number that a test can wait for, names peer and cause."""
    expression = re.search(r"alert: TlsPeerDown\n\s+expr: \|\n((?: {10,}.*\n)+)",
                           RULES.read_text(encoding="utf-8"))[1]
    require(expression.count("> 300") == 1 and ">= 3" in expression, expression)
    found = server.wait_query(expression.replace("> 300", "> 0").replace(">= 3", ">= 1"))
    causes = {(labels["peer"].rpartition(":")[2], labels["cause"]) for labels, _ in found}
    require(causes == {(str(case.port), case.slug) for case in (EXPIRED, SNI)}, *found)


def check_quiet(here):
    """A host on which nothing happens: no query gives NaN, one that gives nothing has words for that,
    none gives a series for each cause; no rule fails or is NaN, no alert fires."""
    with here.lab("dist-quiet", CASES) as lab:
        with here.trace_json(lab, "--metrics", TARGET, "--probe-stats") as tlsfail:
            tlsfail.wait_armed()
            with prometheus.Prometheus(lab.directory, TARGET, [RULES]) as server:
                # rates need two scrapes
                server.wait_query("count_over_time(tlsfail_armed[1m]) >= 3")
                check_rules_evaluated(server)
                for title, no_value, expression in dashboard_panels():
                    series = server.query(expression)
                    require(series or no_value, f"{title} is empty, and does not say so", expression)
                    require_numbers(title, series)
                rules = [rule for group in server.api("rules")["groups"] for rule in group["rules"]]
                for rule in rules:
                    if rule["type"] == "recording":
                        require_numbers(rule["name"], server.query(rule["name"]))
                require(not server.query('ALERTS{alertstate="firing"}'), "alerts",
                        server.query("ALERTS"))


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
    """rsyslogd takes the events out of the file and parses their fields; after a rotation by the real
    logrotate with the shipped configuration both write to new files, and nothing is lost."""
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
                procs.wait_until(lambda: lines_of(directory / "causes.log", 1), 10,
                                 "a line of rsyslogd")
                rotate(lab, directory)
                drive.once(lab, SNI)
                procs.wait_until(lambda: lines_of(directory / "causes.log", 1), 10,
                                 "a line in the new file")
            finally:
                procs.stop(rsyslogd)
        require(not (directory / "unparsed.log").exists(), "unparsed lines")
        lines = [line for name in ("causes.log.1", "causes.log")
                 for line in lines_of(directory / name, 1)]
        written = [json.loads(line) for name in ("events.json.1", "events.json")
                   for line in lines_of(directory / name, 1)]
        require(len(written) == 2, *written)
    keys = ("@timestamp", "host.name", "error.type", "tlsfail.confidence",
            "network.peer.address", "network.peer.port", "message")
    expected = [" ".join(str(event[key]) for key in keys) for event in written]
    require(lines == expected, *lines, "expected:", *expected)


def rotate(lab, directory):
    """What logrotate does once a day, with our configuration; the HUP goes to our own rsyslogd."""
    hup = lab.directory / "rsyslog-rotate"
    hup.write_text(f"#!/bin/sh\nkill -HUP $(cat {lab.directory / 'rsyslog.pid'})\n")
    hup.chmod(0o755)
    configuration = lab.directory / "logrotate.conf"
    configuration.write_text((DIST / "logrotate" / "tlsfail").read_text(encoding="utf-8")
                             .replace("/var/log/tlsfail", str(directory))
                             .replace("/usr/lib/rsyslog/rsyslog-rotate", str(hup)))
    subprocess.run([binaries.find("logrotate"), "--force", "--state", str(lab.directory / "state"),
                    str(configuration)], check=True)
    require(not (directory / "events.json").exists() and (directory / "causes.log.1").exists(),
            "logrotate did not rotate", *directory.iterdir())


def check_fluent_bit(_here):
    """Each output of Fluent Bit writes the time of a record under its own key, so the parser has to take
    @timestamp away; and under that key all write it. (There is no Fluent Bit here to try it with.)"""
    text = {name: (DIST / "fluent-bit" / name).read_text(encoding="utf-8")
            for name in ("tlsfail.conf", "tlsfail-parsers.conf")}
    sections = {name: [dict(line.split(None, 1) for line in body.splitlines()
                            if line.strip() and not line.lstrip().startswith("#"))
                       for body in re.split(r"^\[[A-Z]+\]$", whole, flags=re.M)[1:]]
                for name, whole in text.items()}
    parser, = sections["tlsfail-parsers.conf"]
    require(parser["Time_Key"] == "@timestamp" and parser["Time_Keep"] == "Off", parser)
    keys = {section["Name"]: section.get("Time_Key", section.get("Timestamp_Key"))
            for section in sections["tlsfail.conf"] if "Match" in section}
    require(keys == {"es": "@timestamp", "opentelemetry": None, "kafka": "@timestamp"}, keys)


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


def libraries(path):
    """The shared libraries that the file at PATH needs."""
    listed = subprocess.run([binaries.find("ldd"), path], check=True, capture_output=True, text=True,
                            timeout=10).stdout
    return re.findall(r"(/\S+) \(0x", listed)


def make_image(here, root, loaded=()):
    """A root file system with the program, as /tlsfail, the libraries that it needs, and those in
    LOADED, which it loads if they are there."""
    (root / "proc").mkdir(parents=True)
    (root / "sys").mkdir()
    for path in {*libraries(here.tlsfail), *loaded, *(p for path in loaded for p in libraries(path))}:
        copy = root / path[1:]
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    shutil.copy(here.tlsfail, root / "tlsfail")


def container(here, lab, loaded=()):
    """An environment whose tlsfail runs in a container."""
    root = lab.directory / "root"
    make_image(here, root, loaded)
    wrapper = lab.directory / "tlsfail-in-container"
    wrapper.write_text(f"#!/bin/sh\nexec {binaries.find('python3')} {lab_boxed.__file__} {root} "
                       f"{','.join(documented_capabilities())} /tlsfail \"$@\"\n")
    wrapper.chmod(0o755)
    return env.Env(wrapper, here.top)


def check_image(here):
    """The image of the Dockerfile with the arguments of the DaemonSet: its packages have every library
    that the program needs or loads, and the metrics are served."""
    dockerfile = (DIST / "docker" / "Dockerfile").read_text(encoding="utf-8")
    packages = set(re.findall(r"[a-z][a-z0-9.+-]+", re.search(
        r"--no-install-recommends ((?:.*\\\n)*?.*&&)", dockerfile)[1]))
    loaded = [path for path in ("/usr/lib/x86_64-linux-gnu/libmicrohttpd.so.12",
                                "/usr/lib/x86_64-linux-gnu/libcurl.so.4") if Path(path).exists()]
    require(len(loaded) == 2, "no libmicrohttpd, or no libcurl", loaded)
    for path in {*loaded, *libraries(here.tlsfail)}:
        owner = subprocess.run(["dpkg-query", "-S", f"*/{Path(path).name}"], capture_output=True,
                               text=True, check=True).stdout.split(":")[0]
        require(owner in packages | {"libc6"}, f"{path} is in {owner}", *sorted(packages))
    manifest = (DIST / "kubernetes" / "tlsfail.yaml").read_text(encoding="utf-8")
    args = re.findall(r"^ {12}- (\S+)$", manifest.split("args:")[1].split("env:")[0], re.M)
    require(args[0] == "trace" and "--metrics=$(HOST_IP):9913" in args, args)
    args = [arg.replace("$(HOST_IP)", "127.0.0.1") for arg in args[1:]]
    with here.lab("dist-image", CASES) as lab:
        with container(here, lab, loaded).trace(lab, "--pid", lab.proxy.pid, *args) as tlsfail:
            tlsfail.wait_armed()
            drive.once(lab, SNI)
            wanted = rf'^tlsfail_failures_total{{[^}}]*"{SNI.slug}"[^}}]*}} 1$'
            procs.wait_until(lambda: re.search(wanted, page(), re.M), 10, wanted)
            require(tlsfail.interrupt() == 0, tlsfail.stderr())


def page():
    with urllib.request.urlopen(f"http://{TARGET}/metrics", timeout=5) as response:
        return response.read().decode()


def check_container(here):
    """In a root of its own and with the documented rights it finds what it finds outside."""
    with here.lab("dist-container", CASES) as lab:
        boxed = container(here, lab)
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
