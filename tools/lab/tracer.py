#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""tlsfail as a running process: when it is armed, what it found, how it ended."""
import json
import os
import re
import signal
from pathlib import Path

from . import procs

_ARMED = "tlsfail: armed"

# What no test sends.
_CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE)

# By the process that reads what peers send, which is then started again.
_CRASHED = "tlsfail: the process that reads what peers send has crashed"

# Seconds, times procs.PATIENCE, in which a finding has to come.
FINDING_LIMIT_S = 4


class Tracer:
    """`TLSFAIL trace ARGS`. Its stderr, and its stdout unless given, go to files in DIRECTORY,
    which are named after NAME. ENV is added to its environment; PREEXEC is called in the process before
    it becomes tlsfail. Leaving the `with` block ends it."""

    def __init__(self, tlsfail, directory, args, name="tlsfail", stdout=None, env=None, preexec=None):
        self._preexec = preexec
        self._env = {**os.environ, **(env or {})}
        self._argv = [str(tlsfail), "trace", *map(str, args)]
        self._stdout = stdout
        self.stdout_path = directory / (name + ".out")
        self.stderr_path = directory / (name + ".err")
        self.process = None
        self.crashes = False  # the test brings some about

    def __enter__(self):
        with open(self.stdout_path, "wb") as out, open(self.stderr_path, "wb") as err:
            self.process = procs.start_owned(
                self._argv, stdout=out if self._stdout is None else self._stdout, stderr=err,
                env=self._env,
                before=self._preexec)
        return self

    def __exit__(self, *_):
        procs.stop(self.process)

    def stderr(self):
        """What it has written to stderr so far."""
        return self.stderr_path.read_text(encoding="utf-8", errors="replace")

    def stderr_lines(self, start):
        """The lines of stderr that begin with START."""
        return [line for line in self.stderr().splitlines() if line.startswith(start)]

    def parts(self):
        """{name: [pid, ...]} of the processes that the collector, which is the one that was started,
        has below it."""
        found, waiting = {}, procs.children(self.process.pid)
        while waiting:
            pid = waiting.pop()
            try:
                found.setdefault(Path(f"/proc/{pid}/comm").read_text().strip(), []).append(pid)
                waiting += procs.children(pid)
            except OSError:
                continue  # it has ended meanwhile
        return found

    def analyst(self):
        """The pid of the process that reads what peers send; None while there is none."""
        return next(iter(self.parts().get("tlsfail-analyst", ())), None)

    def wait_stderr(self, start, timeout=10):
        """Waits TIMEOUT seconds at most for a line of stderr that begins with START. It raises
        RuntimeError when tlsfail ends first."""
        def seen():
            ended = self.process.poll() is not None  # before the look at what it said last
            if self.stderr_lines(start):
                return True
            if ended:
                raise RuntimeError(f"tlsfail ended with {self.process.returncode}:\n"
                                   + self.stderr())
            return False

        procs.wait_until(seen, timeout, f"{start!r} on tlsfail's stderr")

    def wait_armed(self, timeout=10):
        """Waits TIMEOUT seconds at most until tlsfail is live."""
        self.wait_stderr(_ARMED, timeout)

    def findings(self):
        """The findings on stdout so far, as decoded JSON. A line that is not yet whole waits. It raises
        RuntimeError when tlsfail has crashed."""
        status = self.process.poll()
        if status is not None and -status in _CRASHES:
            raise RuntimeError(f"tlsfail crashed ({signal.Signals(-status).name}):\n"
                               + self.stderr())
        if self.stderr_lines(_CRASHED) and not self.crashes:
            raise RuntimeError(f"tlsfail crashed:\n{self.stderr()}")
        lines = self.stdout_path.read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in lines]

    def failures(self):
        """Those of the findings that are about a failure."""
        return [finding for finding in self.findings() if "error.type" in finding]

    def wait_finding(self, case, seen=0, timeout=FINDING_LIMIT_S):
        """Waits TIMEOUT seconds at most for a finding about the upstream of CASE, after the first
        SEEN ones, and returns it, or None."""
        def search():
            return next(iter([f for f in self.findings() if is_about(f, case)][seen:]), None)

        try:
            return procs.wait_until(search, timeout, "a finding")
        except TimeoutError:
            return None

    def interrupt(self, sig=signal.SIGINT, timeout=5):
        """Ends tlsfail with SIG and returns its exit status. When it has not ended TIMEOUT seconds,
        times procs.PATIENCE, later, subprocess.TimeoutExpired is raised."""
        self.process.send_signal(sig)
        return self.process.wait(timeout * procs.PATIENCE)


def complaints(stderr):
    """The lines of STDERR but for the notice of being armed and the summary's figures."""
    return [line for line in stderr.splitlines()
            if not re.match(r"tlsfail:( armed| +\d+ )", line)]


def endpoint_of(finding):
    """The address and port of the upstream that FINDING is about: it is the peer, or itself the
    traced server."""
    side = "local" if finding.get("tlsfail.role") == "server" else "peer"
    return finding.get(f"network.{side}.address"), finding.get(f"network.{side}.port")


def is_about(finding, case):
    """Whether FINDING is about the upstream of CASE."""
    return endpoint_of(finding) == (case.address, case.port)
