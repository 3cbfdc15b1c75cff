#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""tlsfail as a service: its configuration file, a reload, what the service manager is told, and the
rights that the unit leaves it."""
import json
import os
import re
import signal
import socket
from contextlib import contextmanager

import env
from lab import drive, procs
from lab.cases import named
from tap import require

UNIT = env.REPOSITORY / "dist" / "tlsfail.service"


def tests(here):
    checks = {
        "reload": check_reload,
        "reload-of-a-mistake": check_reload_of_a_mistake,
        "reload-what-cannot-be": check_reload_what_cannot_be,
        "hangup-without-file": check_hangup_without_file,
        "check": check_check,
        "notify": check_notify,
        "rights": check_rights,
    }
    yield from here.chosen("service", checks)


def write_config(lab, *settings, output="one.json"):
    """A configuration for the proxy of LAB that has its findings written to OUTPUT."""
    path = lab.directory / "tlsfail.conf"
    path.write_text("\n".join((f'exe = [ "{lab.proxy.exe}" ]',
                               f'sink = [ "json:{lab.directory / output}" ]',
                               "no-fold = true", *settings, "")))
    return path


@contextmanager
def service(here, name):
    """A lab with one case, and tlsfail with a configuration file. Yields (lab, case, tlsfail)."""
    case, = named("verify-expired")
    with here.lab(name, [case]) as lab:
        with here.trace(lab, "--config", write_config(lab)) as tlsfail:
            tlsfail.wait_armed()
            yield lab, case, tlsfail


def lines_of(lab, output):
    path = lab.directory / output
    return path.read_text().splitlines() if path.exists() else []


def fail_into(lab, case, output, count):
    """Drives CASE, and waits until OUTPUT has COUNT findings."""
    drive.once(lab, case)
    procs.wait_until(lambda: len(lines_of(lab, output)) == count, 5, f"{count} lines in {output}")
    for line in lines_of(lab, output):
        require(json.loads(line)["error.type"] == case.slug, line)


def hang_up(tlsfail, start):
    """SIGHUP, and waits for a line that begins with START."""
    tlsfail.process.send_signal(signal.SIGHUP)
    tlsfail.wait_stderr(start)


def check_reload(here):
    """A reload takes other outputs, and nothing that was counted is forgotten."""
    with service(here, "service-reload") as (lab, case, tlsfail):
        fail_into(lab, case, "one.json", 1)
        write_config(lab, output="two.json")
        hang_up(tlsfail, "tlsfail: reloaded: findings now go to the new outputs")
        fail_into(lab, case, "two.json", 1)
        hang_up(tlsfail, "tlsfail: reloaded: the outputs are the same")
        fail_into(lab, case, "two.json", 2)
        require(len(lines_of(lab, "one.json")) == 1, *lines_of(lab, "one.json"))
        require(tlsfail.interrupt() == 0, tlsfail.stderr())
        require(re.search(r"^tlsfail:\s+3 verify-expired$", tlsfail.stderr(), re.MULTILINE),
                tlsfail.stderr())


def check_reload_of_a_mistake(here):
    """A configuration with a mistake is refused with its place, and everything stays."""
    with service(here, "service-mistake") as (lab, case, tlsfail):
        path = write_config(lab, "colour = true", output="two.json")
        hang_up(tlsfail, "tlsfail: keeping the current configuration")
        require(tlsfail.stderr_lines(f"tlsfail: {path}:4: unknown setting 'colour'"),
                tlsfail.stderr())
        fail_into(lab, case, "one.json", 1)
        write_config(lab, output="nonexistent/two.json")
        tlsfail.process.send_signal(signal.SIGHUP)
        procs.wait_until(lambda: "keeping the current outputs" in tlsfail.stderr(), 5, "refusal")
        fail_into(lab, case, "one.json", 2)


def check_reload_what_cannot_be(here):
    """What takes a restart is named."""
    with service(here, "service-fixed") as (lab, case, tlsfail):
        write_config(lab, "certs = true")
        hang_up(tlsfail, "tlsfail: certs takes effect when tlsfail is restarted")
        fail_into(lab, case, "one.json", 1)


def check_hangup_without_file(here):
    """Without a file to begin anew, SIGHUP ends tlsfail with its summary: the terminal is gone."""
    case, = named("verify-expired")
    with here.lab("service-hangup", [case]) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        require(tlsfail.interrupt(signal.SIGHUP) == 0, tlsfail.stderr())
        require("handshakes seen" in tlsfail.stderr(), tlsfail.stderr())


def check_check(here):
    """--check says whether a configuration is valid, by its exit status too."""
    case, = named("verify-expired")
    with here.lab("service-check", [case]) as lab:
        done = here.run("trace", "--check", "--config", write_config(lab))
        require(done.returncode == 0 and done.stderr.endswith("tlsfail.conf: valid\n"), done)
        done = here.run("trace", "--check", "--config", write_config(lab, "duration = 0"))
        require(done.returncode == 2 and "tlsfail.conf:4: --duration" in done.stderr, done)
    done = here.run("trace", "--check", "--config", env.REPOSITORY / "dist" / "tlsfail.conf")
    require(done.returncode == 0, "the configuration that is shipped:", done)


def check_notify(here):
    """The service manager hears of the start, of life, of a reload and of the end."""
    case, = named("verify-expired")
    with here.lab("service-notify", [case]) as lab, socket.socket(
            socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(lab.directory / "notify"))
        manager.settimeout(5)
        told = []

        def wait_for(word):
            while not any(word in message for message in told):
                told.append(manager.recv(4096).decode())

        os.environ.update(NOTIFY_SOCKET=str(lab.directory / "notify"), WATCHDOG_USEC="10000000")
        try:
            with here.trace(lab, "--config", write_config(lab)) as tlsfail:
                wait_for("READY=1")
                wait_for("WATCHDOG=1")
                tlsfail.process.send_signal(signal.SIGHUP)
                wait_for("RELOADING=1\nMONOTONIC_USEC=")
                told.clear()
                wait_for("READY=1")
                tlsfail.interrupt(signal.SIGTERM)
                wait_for("STOPPING=1")
        finally:
            del os.environ["NOTIFY_SOCKET"], os.environ["WATCHDOG_USEC"]


def check_rights(here):
    """With the capabilities that the unit leaves, and no others, a failure is found."""
    names = re.search(r"^CapabilityBoundingSet=(.*)$", UNIT.read_text(), re.MULTILINE)[1].split()
    kept = ",".join("+" + name[len("CAP_"):].lower() for name in names)
    case, = named("verify-hostname-mismatch")
    with here.lab("service-rights", [case]) as lab:
        wrapper = lab.directory / "tlsfail-with-few-rights"
        wrapper.write_text("#!/bin/sh\nexec setpriv --no-new-privs --bounding-set=-all,"
                           f"{kept} {here.tlsfail} \"$@\"\n")
        wrapper.chmod(0o755)
        few = env.Env(wrapper, here.top)
        with few.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            drive.once(lab, case)
            finding = tlsfail.wait_finding(case)
            require(finding and finding["error.type"] == case.slug, finding, tlsfail.stderr())
            # High: return probes are used, so the trial of them could be made.
            require(finding["tlsfail.confidence"] == "high", finding, tlsfail.stderr())
            tlsfail.interrupt()
