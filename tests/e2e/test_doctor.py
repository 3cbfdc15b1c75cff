#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`tlsfail doctor`: what it says agrees with what trace does, with its exit status, and with
itself in both formats."""
import hashlib
import json
import os
import re
import subprocess
from contextlib import contextmanager

from env import NOBODY
from lab import binaries, procs, under_seccomp
from lab.cases import named
from tap import Skip, require
from test_container import BIND, BOXED, make_root, start_container
from test_host import CASES
from test_replay import readable_copy

COLUMNS = 80
EXIT_STATUS = {"ok": 0, "degraded": 3, "missing": 1}
FACTS = ["handshake", "wire", "state", "close", "reset", "exec"]

# Nobody else's, whoever runs beside us.
CONTAINER_ID = hashlib.sha256(b"%d" % os.getpid()).hexdigest()

NOBODYS_NAME = "tlsfail-nobody"  # no process is called so
STATIC_PROGRAM = "#include <unistd.h>\nint main(void) { return pause(); }\n"


def tests(here):
    yield from here.chosen("doctor", {
        "nothing-to-trace": check_nothing,
        "nginx": check_nginx,
        "agrees-with-trace": check_agreement,
        "no-library": check_no_library,
        "no-privilege": check_no_privilege,
        "seccomp": check_seccomp,
        "container": check_container,
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
    # A label with one word behind it, such as a path, cannot be broken.
    long = [line for line in text.stdout.splitlines()
            if len(line) > COLUMNS and len(line.split()) > 2]
    require(not long, f"more than {COLUMNS} columns:", *long)
    for requirement in report["requirements"]:
        require(re.search(rf"^\w+ +{requirement['name']} ", text.stdout, re.MULTILINE),
                f"not in the text: {requirement['name']}", text.stdout)
    return report, text.stdout


def require_ok(here, report):
    """All has to be well, but for what is known of this kernel."""
    wrong = [part for part in report["requirements"] + report["facts"]
             if part["status"] != ("degraded" if part["name"] in here.degraded else "ok")]
    require(not wrong, *wrong)
    require(report["status"] == ("degraded" if here.degraded else "ok"), report)


def check_nothing(here):
    """That no process runs is no fault."""
    report, text = examine(here, "--comm", NOBODYS_NAME)
    require_ok(here, report)
    require(report["processes"] == [], report)
    require("nothing to trace right now" in text or here.degraded, text)


def check_nginx(here):
    with here.lab("doctor", named("good-tls13")) as lab:
        report, text = examine(here, "--exe", lab.proxy.exe)
        expected = {lab.proxy.pid, *lab.proxy.worker_pids()}
    require_ok(here, report)
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


def require_missing(here, prefix, name, remedy, **options):
    """Run by PREFIX, the report has to say that the requirement NAME is missing, and REMEDY. Returns
    that requirement."""
    report, text = examine(here, prefix=prefix, **options)
    requirement, = [part for part in report["requirements"] if part["name"] == name]
    require(requirement["status"] == report["status"] == "missing", report)
    require(remedy in requirement["fix"], requirement)
    require(re.search(rf"^MISSING +{name} ", text, re.MULTILINE), text)
    return requirement


def check_no_privilege(here):
    privileges = require_missing(here, NOBODY, "privileges", "run it as root",
                                 program=readable_copy(here.tlsfail, here.top))
    require("CAP_BPF" in privileges["found"], privileges)


def check_seccomp(here):
    """What runs under a filter is said to."""
    with here.lab("doctor-seccomp", named("good-tls13"), start_proxy=False) as lab:
        lab.proxy.start(under_seccomp.PREFIX)
        report, text = examine(here, "--exe", lab.proxy.exe)
    require(all(process["seccomp"] for process in report["processes"]), report["processes"])
    require(re.search(r"^ +seccomp +runs under a filter$", text, re.MULTILINE), text)


def check_container(here):
    """A process in a mount namespace and a control group of its own, as container engines make
    them."""
    with here.lab("doctor-box", CASES, start_proxy=False) as lab:
        start_container(here, lab, BIND, make_root(lab, BIND))
        with control_group(here, f"docker-{CONTAINER_ID}.scope", lab.proxy.pid):
            report, text = examine(here, "--pid", lab.proxy.pid)
    master, = [process for process in report["processes"] if process["pid"] == lab.proxy.pid]
    require(master["own_mount_namespace"] and master["container_id"] == CONTAINER_ID, master)
    require(master["status"] == "ok" and master["executable"] == "/" + BOXED, master)
    require("in its own mount namespace" in text and CONTAINER_ID in text, text)


@contextmanager
def control_group(here, name, pid):
    """A control group of that NAME, with the process PID in it."""
    mount = here.top / "cgroup"
    mount.mkdir()
    tried = subprocess.run(["mount", "-t", "cgroup2", "none", mount], capture_output=True, text=True,
                           timeout=10, check=False)
    if tried.returncode:
        raise Skip(tried.stderr.strip())
    try:
        group = mount / name
        group.mkdir()
        (group / "cgroup.procs").write_text(str(pid))
        yield
        (mount / "cgroup.procs").write_text(str(pid))
        group.rmdir()
    finally:
        subprocess.run(["umount", mount], timeout=10, check=True)
