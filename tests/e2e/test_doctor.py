#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`tlsfail doctor`: what it says agrees with what trace does, with its exit status, and with
itself in both formats."""
import json
import re
import subprocess

from env import NOBODY
from lab import binaries, procs
from lab.cases import named
from tap import require
from test_replay import readable_copy

COLUMNS = 80
EXIT_STATUS = {"ok": 0, "degraded": 3, "missing": 1}
FACTS = ["wire", "state", "close", "reset", "exec"]

NOBODYS_NAME = "tlsfail-nobody"  # no process is called so
STATIC_PROGRAM = "#include <unistd.h>\nint main(void) { return pause(); }\n"


def tests(here):
    yield from here.chosen("doctor", {
        "nothing-to-trace": check_nothing,
        "nginx": check_nginx,
        "agrees-with-trace": check_agreement,
        "no-library": check_no_library,
        "no-privilege": check_no_privilege,
    })


def examine(here, *selection, **options):
    """The JSON report on SELECTION, checked against its own exit status and the text report.
    Returns (report, text)."""
    done = here.run("doctor", "--format", "json", *selection, **options)
    require(done.stdout.count("\n") == 1, "not one line of JSON:", done.stdout, done.stderr)
    report = json.loads(done.stdout)
    require(done.returncode == EXIT_STATUS[report["status"]],
            f"exit status {done.returncode} for {report['status']}")
    require([fact["name"] for fact in report["facts"]] == FACTS, report["facts"])
    for requirement in report["requirements"]:
        failed = requirement["status"] in ("degraded", "missing")
        require(failed == ("effect" in requirement) == ("fix" in requirement), requirement)

    text = here.run("doctor", *selection, **options)
    require(text.returncode == done.returncode, f"exit status {text.returncode} as text")
    long = [line for line in text.stdout.splitlines()
            if len(line) > COLUMNS and " " in line.strip()]
    require(not long, f"more than {COLUMNS} columns:", *long)
    for requirement in report["requirements"]:
        require(re.search(rf"^\w+ +{requirement['name']} ", text.stdout, re.MULTILINE),
                f"not in the text: {requirement['name']}", text.stdout)
    return report, text.stdout


def require_kernel_ok(report):
    wrong = [part for part in report["requirements"] + report["facts"] if part["status"] != "ok"]
    require(not wrong, *wrong)


def check_nothing(here):
    """That no process runs is no fault."""
    report, text = examine(here, "--comm", NOBODYS_NAME)
    require_kernel_ok(report)
    require(report["status"] == "ok" and report["processes"] == [], report)
    require("nothing to trace now" in text, text)


def check_nginx(here):
    with here.lab("doctor", named("good-tls13")) as lab:
        report, text = examine(here, "--exe", lab.proxy.exe)
        expected = {lab.proxy.pid, *lab.proxy.worker_pids()}
    require_kernel_ok(report)
    require({process["pid"] for process in report["processes"]} == expected,
            f"expected {expected}", report["processes"])
    for process in report["processes"]:
        require(process["status"] == "ok" and process["not_seen"] == [], process)
        require(process["executable"] == str(lab.proxy.exe), process)
        require("libssl" in process["library"] and process["version"], process)
        symbols = {hook["symbol"] for hook in process["hooks"]}
        require({"SSL_do_handshake", "X509_check_host"} <= symbols, process)
        require(process["library"] in text and str(process["pid"]) in text, text)


def check_agreement(here):
    """trace uses the hooks that doctor says it would."""
    with here.lab("doctor-trace", named("good-tls13")) as lab:
        report, _ = examine(here, "--exe", lab.proxy.exe)
        with here.trace_json(lab, "--verbose") as tlsfail:
            tlsfail.wait_stderr("tlsfail: hooks:")
            said, = tlsfail.stderr_lines("tlsfail: hooks:")
    used = dict(word.split("=") for word in said.split()[2:])
    require(used == {fact["name"]: fact["used"] for fact in report["facts"]}, said,
            *report["facts"])


def check_no_library(here):
    """A program in which there is no TLS library, at least none that can be seen."""
    source, program = here.top / "doctor.c", here.top / "tlsfail-static"
    source.write_text(STATIC_PROGRAM)
    subprocess.run([binaries.find("gcc"), "-static", "-s", "-o", program, source], check=True,
                   timeout=30)
    with procs.Processes() as processes:
        processes.start([str(program)])
        report, text = examine(here, "--exe", program)
    process, = report["processes"]
    require(report["status"] == process["status"] == "missing", report)
    require(process["problem"] and not process["hooks"] and "library" not in process, process)
    require("MISSING" in text, text)


def check_no_privilege(here):
    report, text = examine(here, program=readable_copy(here.tlsfail, here.top), prefix=NOBODY)
    privileges, = [part for part in report["requirements"] if part["name"] == "privileges"]
    require(privileges["status"] == report["status"] == "missing", report)
    require("run it as root" in privileges["fix"] and "CAP_BPF" in privileges["found"], privileges)
    require("MISSING" in text, text)
