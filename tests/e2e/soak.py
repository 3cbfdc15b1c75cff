#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The parts of a soak: traffic that goes on and is counted, and what a tracer takes of its host
meanwhile, whose growth is what a leak looks like."""
import collections
import re
import threading
import time
from pathlib import Path

import bpf
from lab import drive, procs

# <linux/bpf.h>: BPF_MAP_TYPE_HASH. These refuse when they are full; the others have a fixed number of
# entries, or give up the oldest.
HASH = 1

WARM_UP = 1 / 2  # of the samples: tables, caches and allocators fill
LAST_MEASURED = -1


class Gate:
    """Traffic passes while it is open. `with gate.closed():` waits until nothing is under way."""

    def __init__(self):
        self._condition = threading.Condition()
        self._inside = 0
        self._is_closed = False

    def __enter__(self):
        with self._condition:
            self._condition.wait_for(lambda: not self._is_closed)
            self._inside += 1

    def __exit__(self, *_):
        with self._condition:
            self._inside -= 1
            self._condition.notify_all()

    def close(self):
        with self._condition:
            self._is_closed = True
            if not self._condition.wait_for(lambda: not self._inside, 30 * procs.PATIENCE):
                raise TimeoutError("requests that do not end")

    def open(self):
        with self._condition:
            self._is_closed = False
            self._condition.notify_all()


class Traffic:
    """Requests through the proxy of LAB, each of its cases in turn, from THREADS clients with PAUSE_S
    between the requests of one. `requests` counts them by the name of the case, `surprises` those that
    were not answered as the case has it. Leaving the `with` block ends it."""

    def __init__(self, lab, threads=4, pause_s=0.02):
        self.gate = Gate()
        self.requests = collections.Counter()
        self.surprises = collections.Counter()
        self._lab = lab
        self._pause_s = pause_s
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(at,)) for at in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self.gate.open()
        for thread in self._threads:
            thread.join()

    def _run(self, at):
        while not self._end.is_set():
            case = self._lab.cases[at % len(self._lab.cases)]
            at += 1
            with self.gate:
                try:
                    status = drive.once(self._lab, case)
                except OSError as error:
                    status = type(error).__name__
            with self._lock:
                self.requests[case.name] += 1
                if status != case.status:
                    self.surprises[f"{case.name}: {status}"] += 1
            self._end.wait(self._pause_s)


# ---- What it takes -------------------------------------------------------------------------------

# Of memory, what a process allocated itself and has not shared with others: the pages of the ring are the
# kernel's and never grow, but count as resident from when the first record lies in them; and those of a
# process that was just forked would count twice.
Taken = collections.namedtuple("Taken", "at_s allocated_kib descriptors entries")


def family(pid):
    """PID, the processes that it started, and those that they did."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:  # ended meanwhile
        children = []
    return [pid, *(member for child in children for member in family(int(child)))]


def _map_ids(pid):
    """The numbers of the hash tables that PID holds."""
    for info in Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            text = info.read_text()
        except FileNotFoundError:  # closed meanwhile
            continue
        kind = re.search(r"^map_type:\t(\d+)$", text, re.MULTILINE)
        if kind and int(kind[1]) == HASH:
            yield int(re.search(r"^map_id:\t(\d+)$", text, re.MULTILINE)[1])


def taken_by(pid):
    """What PID and its children have now: a Taken. Raises OSError when it has ended."""
    allocated = descriptors = 0
    maps = set()
    for process in family(pid):
        try:
            memory = Path(f"/proc/{process}/smaps_rollup").read_text()
            descriptors += len(list(Path(f"/proc/{process}/fd").iterdir()))
            maps |= set(_map_ids(process))
        except (FileNotFoundError, ProcessLookupError):
            if process == pid:
                raise
            continue  # one that it needs now and then
        allocated += int(re.search(r"^Pss_Anon:\s+(\d+) kB$", memory, re.MULTILINE)[1])
    return Taken(time.monotonic(), allocated, descriptors, sum(map(bpf.entries, maps)))


def growth(samples, name):
    """How much the member NAME of SAMPLES grew after the warm-up: by the straight line that fits it
    best, so that one sample more or less does not matter. Also returns its mean."""
    after = samples[int(len(samples) * WARM_UP):]
    times = [sample.at_s for sample in after]
    values = [getattr(sample, name) for sample in after]
    mean_time, mean = sum(times) / len(times), sum(values) / len(values)
    spread = sum((t - mean_time) ** 2 for t in times)
    slope = sum((t - mean_time) * (v - mean) for t, v in zip(times, values)) / spread
    return slope * (times[LAST_MEASURED] - times[0]), mean
