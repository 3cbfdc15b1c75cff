#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A soak, as long as `run.py --soak` says: traffic that fails and succeeds without end while its host
lives: nginx reloads, workers end, logs rotate, tlsfail reloads, libraries are upgraded, the clock is set.
Every failure is found once, with its cause, and nothing that tlsfail takes of the host grows. And a week's
failures, replayed."""
import collections
import itertools
import json
import os
import random
import re
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import soak
from lab import procs
from lab.cases import named
from tap import Skip, require
from test_host import SETTLE_S, own_libssl, replace_file

CASES = named("good-tls12", "good-tls13", "good-verified", "verify-expired", "sni-missing",
              "peer-closed-in-handshake", "connection-refused", "protocol-version-rejected")
# The upstream nginx, which is traced too, has these failures from the other side. nginx looks at a
# certificate when the handshake is done: of an expired one the upstream hears nothing.
SEEN_BY_SERVER = ("sni-missing", "protocol-version-rejected")

SAMPLES = 60  # at least, over the length of the soak
STEP_S = 3600  # of the clock, forth and back
BETWEEN_S = (1, 4)  # from one event in the life of the host to the next
DRAIN_S = 3

# What each may grow while a soak lasts, in its unit and as a share of its mean: what the allocator and a
# table that is in use vary by themselves. A leak grows with the length, these do not.
# The probes of a library that nothing maps any more are held for some seconds.
GROWTH_MAX = {"allocated_kib": (512, 0.05), "descriptors": (12, 0), "entries": (16, 0.1)}

RELOADED = "tlsfail: reloaded: findings now go to the new outputs"

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")

WEEK_S = 7 * 24 * 3600
REPLAYED = ("verify-expired", "sni-missing", "client-rejects-cert", "peer-closed-in-handshake")


def tests(here):
    checks = {"live": check_live, "week": check_week}
    yield from here.chosen("soak", checks)


# ---- The life of a host --------------------------------------------------------------------------

class Clock:
    """The clock that tlsfail sees: the machine's own where HERE is a guest's, else one that is moved for
    it alone."""

    def __init__(self, here, directory):
        self._own = here.owns_clock
        self._file = directory / "clock"
        self._ahead = False
        if not self._own:
            self._set_file(0)

    def environment(self):
        if self._own:
            return {}
        return {"LD_PRELOAD": str(FAKETIME), "FAKETIME_TIMESTAMP_FILE": str(self._file),
                "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def _set_file(self, ahead_s):
        new = self._file.with_suffix(".new")
        new.write_text(f"+{ahead_s}\n")
        new.replace(self._file)

    def step(self):
        """An hour forth, and the next time back."""
        self._ahead = not self._ahead
        if self._own:
            step = STEP_S if self._ahead else -STEP_S
            time.clock_settime(time.CLOCK_REALTIME, time.time() + step)
        else:
            self._set_file(STEP_S if self._ahead else 0)


class Findings:
    """What tlsfail writes to a file in DIRECTORY, which is rotated, and to another one after a reload of its
    configuration: counted by role and cause, with what it says that it lost."""

    def __init__(self, directory):
        self.config = directory / "tlsfail.conf"
        self.path, self._other = directory / "findings.json", directory / "others.json"
        self.failures = collections.Counter()
        self.lost = 0
        self._configure()

    def _configure(self):
        self.config.write_text(f'sink = [ "json:{self.path}" ]\n')

    def rotate(self, tlsfail):
        """Moves the file away as logrotate does, and reads it once tlsfail has let go of it."""
        old = self.path.with_suffix(".1")
        self.path.rename(old)
        tlsfail.process.send_signal(signal.SIGHUP)
        procs.wait_until(self.path.exists, 5, "tlsfail to open its file anew")
        self._read(old)

    def move(self, tlsfail):
        """Has tlsfail write to the other file, and reads the one before."""
        said = len(tlsfail.stderr_lines(RELOADED))
        self.path, self._other = self._other, self.path
        self._configure()
        tlsfail.process.send_signal(signal.SIGHUP)
        procs.wait_until(lambda: len(tlsfail.stderr_lines(RELOADED)) > said, 5, "tlsfail to reload")
        self._read(self._other)
        self._other.unlink()

    def finish(self):
        self._read(self.path)

    def _read(self, path):
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                event = json.loads(line)
                if event["event.name"] == "tls.handshake.failure":
                    self.failures[event["tlsfail.role"], event["error.type"]] += 1
                self.lost += sum(value for key, value in event.items()
                                 if key.startswith("tlsfail.lost."))


def end_a_worker(lab):
    """One worker ends when its requests have, and the master starts another."""
    worker = lab.proxy.worker_pids()[0]
    os.kill(worker, signal.SIGQUIT)
    procs.wait_until(lambda: worker not in lab.proxy.worker_pids()
                     and len(lab.proxy.worker_pids()) == 2, 5, "a new worker")


def rotate_nginx_log(lab):
    lab.proxy.log.rename(lab.proxy.log.with_suffix(".1"))
    os.kill(lab.proxy.pid, signal.SIGUSR1)
    procs.wait_until(lab.proxy.log.exists, 5, "nginx to open error.log anew")


def upgrade_library(lab, gate):
    """nginx is restarted on another libssl; meanwhile nobody asks it anything."""
    replace_file(own_libssl(lab))
    gate.close()
    lab.proxy.stop()
    lab.proxy.start()
    procs.pause(SETTLE_S)
    gate.open()


def live(lab, tlsfail, traffic, clock, findings, length_s):
    """Lets the host live for LENGTH_S. Returns the samples of what tlsfail took, and how many events
    there were."""
    events = itertools.cycle((
        partial(lab.proxy.reload), partial(findings.rotate, tlsfail), partial(end_a_worker, lab),
        partial(rotate_nginx_log, lab), clock.step, partial(findings.move, tlsfail), lab.upstreams.reload,
        partial(upgrade_library, lab, traffic.gate)))
    chance = random.Random(1)
    end = time.monotonic() + length_s
    next_event = time.monotonic()
    samples, count = [], 0
    while time.monotonic() < end:
        samples.append(soak.taken_by(tlsfail.process.pid))
        if time.monotonic() > next_event:
            next(events)()
            count += 1
            next_event = time.monotonic() + chance.uniform(*BETWEEN_S) * procs.PATIENCE
        time.sleep(min(length_s / SAMPLES, 1))
    return samples, count


def require_flat(samples, about=""):
    """Nothing grows. Prints how it went, after ABOUT what: that is what a soak is read for."""
    for name, (some, share) in GROWTH_MAX.items():
        grown, mean = soak.growth(samples, name)
        print(f"# {about}{name}: {mean:.0f} on average, {grown:+.1f} by the end", flush=True)
        require(grown <= some + share * mean, f"{name} grew by {grown:.1f} from {mean:.0f}")


def check_live(here):
    """Traffic, the life of its host, and a tlsfail that watches both."""
    if not here.owns_clock and not FAKETIME.exists():
        raise Skip(f"{FAKETIME} is missing, so that the clock cannot be set for tlsfail alone")
    with here.lab("soak", CASES, workers=2, private_libraries=True) as lab:
        clock = Clock(here, lab.directory)
        findings = Findings(lab.directory)
        with here.trace_json(lab, "--exe", lab.upstreams.exe, "--certs", "--metrics-file",
                             lab.directory / "soak.prom", "--error-log", lab.proxy.log, "--config",
                             findings.config, stdout=subprocess.DEVNULL,
                             env=clock.environment()) as tlsfail:
            tlsfail.wait_armed()
            procs.pause(SETTLE_S)
            with soak.Traffic(lab) as traffic:
                samples, count = live(lab, tlsfail, traffic, clock, findings, here.soak_s)
            procs.pause(DRAIN_S)
            require(tlsfail.process.poll() is None, "it has ended", tlsfail.stderr())
            status = tlsfail.interrupt()
            findings.finish()
        stderr = tlsfail.stderr()
        metrics = (lab.directory / "soak.prom").read_text()
    skipped = metric(metrics, "tlsfail_probe_misses_total")
    print(f"# runs of BPF programs that the kernel skipped: {skipped}; undecided: "
          f"{metric(metrics, 'tlsfail_undecided_total')}")
    print(f"# {count} events of the host, {sum(traffic.requests.values())} requests, "
          f"{sum(findings.failures.values())} findings, {findings.lost} lost", flush=True)
    require(status == 0, f"exit status {status}", stderr)
    require(not traffic.surprises, dict(traffic.surprises), stderr)
    require_found(traffic.requests, findings, skipped, stderr)
    require_flat(samples)


def metric(text, name):
    """The sum of all samples of the metric NAME."""
    return sum(int(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\d+)$", text, re.MULTILINE))


def require_found(requests, findings, skipped, stderr):
    """Each failure that the clients met is one finding, with its cause, on either side. Where the kernel
    SKIPPED runs of BPF programs some may be missing, but none may be wrong."""
    wanted = collections.Counter({("client", case.slug): requests[case.name]
                                  for case in CASES if case.slug})
    client = collections.Counter({key: count for key, count in findings.failures.items()
                                  if key[0] == "client"})
    served = sum(count for (role, _), count in findings.failures.items() if role == "server")
    wanted_served = sum(requests[name] for name in SEEN_BY_SERVER)
    told = (f"wanted {dict(wanted)}, {wanted_served} as the server",
            f"found {dict(findings.failures)}, {findings.lost} lost, {skipped} skipped", stderr)
    require(client <= wanted and served <= wanted_served, *told)
    missing = sum((wanted - client).values()) + wanted_served - served
    require(missing <= skipped and (skipped or not findings.lost), *told)


# ---- A week ----------------------------------------------------------------------------------------

def check_week(here):
    """A week of one failure a second, of several kinds and to several sinks, within the soak."""
    golden = Path(__file__).resolve().parents[1] / "golden"
    with ThreadPoolExecutor(len(REPLAYED)) as pool:
        list(pool.map(lambda name: replay_week(here, golden / f"{name}.rec", here.soak_s / len(REPLAYED)),
                      REPLAYED))


def replay_week(here, recording, length_s):
    directory = here.top / ("week-" + recording.stem)
    directory.mkdir()
    total = WEEK_S // len(REPLAYED)
    if length_s < 60:  # the short form: as many as it stands
        total = int(2000 * length_s)
    out, err = directory / "out", directory / "err"
    with open(out, "wb") as stdout, open(err, "wb") as stderr:
        process = procs.start_owned(
            [str(here.tlsfail), "replay", "--rate", str(max(1, int(total / length_s))),
             "--repeat", str(total), "--summary", "1s", "--metrics-file", str(directory / "prom"),
             "--sink", f"json:{directory / 'json'}", str(recording)], stdout=stdout, stderr=stderr)
        samples = []
        while process.poll() is None:
            try:
                samples.append(soak.taken_by(process.pid))
            except OSError:  # it has just ended
                break
            time.sleep(min(length_s / SAMPLES, 1))
        status = process.wait()
    require(status == 0, f"exit status {status}", err.read_text())
    figure = f" {total}\n"
    counted = [line for line in (directory / "prom").read_text().splitlines(keepends=True)
               if line.startswith("tlsfail_failures_total{") and line.endswith(figure)]
    require(counted, f"{total} failures are not in the metrics")
    print(f"# {recording.stem}: {total} failures replayed", flush=True)
    require_flat(samples, recording.stem + ": ")
