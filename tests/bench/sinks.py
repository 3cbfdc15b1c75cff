#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the sinks stand: so many failures a second into a file, which is rotated every second, and into
a FIFO that is read slowly, while metrics are served and scraped every second. Prints figures, and fails
when an event is neither written nor told as lost, or not counted, and when a scrape fails, with the
reason. With --text the second one is a file of text. Needs no root.

    sinks.py [--tlsfail PROGRAM] [--rate N] [--seconds N] [--recording FILE] [--text]
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parents[2]
SLOW_BYTES_PER_S = 1 << 20
METRICS = "127.0.0.1:9914"
# Between the last scrape that is answered and the end.
ENDING_S = 1


def parse_options():
    parser = argparse.ArgumentParser(description="failures a second into a file and a slow sink")
    parser.add_argument("--tlsfail", default=HERE / "build" / "tlsfail", type=pathlib.Path)
    parser.add_argument("--rate", default=20000, type=int, help="failures a second")
    parser.add_argument("--seconds", default=60, type=int)
    parser.add_argument("--recording", type=pathlib.Path, help="of one failure",
                        default=HERE / "tests" / "golden" / "verify-expired.rec")
    parser.add_argument("--text", action="store_true", help="a file of text instead of a slow reader")
    return parser.parse_args()


class Count:
    """Whole events in what is read, and the losses that they tell."""

    def __init__(self):
        self.failures = self.lost = 0
        self._rest = b""

    def add(self, data):
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if b'"tlsfail.lost.output"' in line:
                self.lost += json.loads(line)["tlsfail.lost.output"]
            else:
                self.failures += 1

    def whole(self):
        return not self._rest


class SlowReader:
    """A FIFO in DIRECTORY that is read slowly, until the program has ended."""

    name = "slow sink"

    def __init__(self, directory):
        path = directory / "fifo"
        os.mkfifo(path)
        self.sink = f"json:{path}"
        self.count, self._fast = Count(), threading.Event()
        self._reader = threading.Thread(target=self._read, args=(path,))
        self._reader.start()
        # So that it has a reader, and no end, until the program has ended.
        self._keep = os.open(path, os.O_RDWR)

    def _read(self, path):
        with open(path, "rb", buffering=0) as fifo:
            while data := fifo.read(1 << 16):
                self.count.add(data)
                if not self._fast.is_set():
                    time.sleep(len(data) / SLOW_BYTES_PER_S)

    def end(self, _):
        os.close(self._keep)
        self._fast.set()
        self._reader.join()


class TextFile:
    """A file in DIRECTORY; of what is in it the program's own summary tells."""

    name = "text"

    def __init__(self, directory):
        self.sink = f"text:{directory}/events.txt"
        self.count = Count()

    def end(self, said):
        found = re.search(rf"{re.escape(self.sink)}: (\d+) events written, (\d+) lost", said)
        if found:
            # what tells of losses is an event, too
            self.count.failures, self.count.lost = int(found[1]), int(found[2])


def resident_kib(pid):
    """(now, at most)"""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    values = dict(line.split(":", 1) for line in lines)
    return tuple(int(values[key].split()[0]) for key in ("VmRSS", "VmHWM"))


def take_rotated(log, old, count):
    """Moves the file LOG away as logrotate does, and counts what is in it once it is complete."""
    if old.exists():
        count.add(old.read_bytes())
        old.unlink()
    if log.exists():
        log.rename(old)


def scrape():
    with urllib.request.urlopen(f"http://{METRICS}/metrics", timeout=5) as answer:
        answer.read()


class Watch:
    """What is seen of the PROCESS while it runs. That metrics are refused before it serves them, or while
    it ends, is no failure of a scrape."""

    def __init__(self, process):
        self._process, self._begun = process, time.monotonic()
        self.most_kib = self.scrapes = 0
        self.failures = []
        self.slowest_scrape = self.served_after = 0.0

    def until_served(self):
        """Returns at once when the process ends."""
        while self._process.poll() is None:
            try:
                scrape()
                break
            except OSError:
                time.sleep(0.001)
        self.served_after = time.monotonic() - self._begun

    def _scrape(self):
        begun = time.monotonic()
        try:
            scrape()
            self.scrapes += 1
        except OSError as error:
            if not self._ends():
                self.failures.append(f"{begun - self._begun:.3f} s after the start, for "
                                     f"{time.monotonic() - begun:.3f} s: {error!r}")
        self.slowest_scrape = max(self.slowest_scrape, time.monotonic() - begun)

    def _ends(self):
        try:
            self._process.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            return False
        return True

    def until_end(self, log, file_count):
        """Rotates, scrapes and looks until the process ends."""
        old = log.with_suffix(".1")
        while self._process.poll() is None:
            take_rotated(log, old, file_count)
            try:
                self.most_kib = max(self.most_kib, *resident_kib(self._process.pid))
            except (OSError, KeyError):  # it is gone
                break
            self._scrape()
            time.sleep(1)


def run(options, directory):
    """Returns the exit status."""
    log, err = directory / "events.json", directory / "err"
    file_count = Count()
    second = (TextFile if options.text else SlowReader)(directory)
    total = options.rate * options.seconds
    begun = time.monotonic()
    with open(err, "wb") as errors:
        process = subprocess.Popen(
            [str(options.tlsfail), "replay", str(options.recording), "--no-fold", "--rate",
             str(options.rate), "--repeat", str(total), "--sink", f"json:{log}", "--sink",
             second.sink, "--metrics", METRICS, "--metrics-file", str(directory / "prom")],
            stdin=subprocess.DEVNULL, stderr=errors)
    seen = Watch(process)
    seen.until_served()
    seen.until_end(log, file_count)
    process.wait()
    lasted = time.monotonic() - begun
    second.end(err.read_text())
    for path in (log.with_suffix(".1"), log):
        if path.exists():
            file_count.add(path.read_bytes())
    used = os.times()
    report(options, lasted, used.children_user + used.children_system, seen, file_count, second)
    print(err.read_text(), end="")
    last = f'tlsfail_failures_total{{cause="{cause(options)}",role="client"}} {total}'
    good = process.returncode == 0 and all(
        count.whole() and count.failures + count.lost == total
        for count in (file_count, second.count))
    good &= last in (directory / "prom").read_text().splitlines()
    print("every event was written or told as lost, and counted" if good
          else "NOT every event is accounted for")
    return 0 if good and not seen.failures else 1


def cause(options):
    """Of the failure in the recording."""
    told = subprocess.run([str(options.tlsfail), "replay", "--format", "json",
                           str(options.recording)], capture_output=True, check=True)
    return json.loads(told.stdout)["error.type"]


def report(options, lasted, cpu, seen, file_count, second):
    total = options.rate * options.seconds
    print(f"{total} failures in {lasted:.1f} s ({total / lasted:.0f} a second), "
          f"{cpu / total * 1e6:.1f} us of CPU each, {seen.most_kib / 1024:.1f} MiB resident at most")
    print(f"metrics: served after {seen.served_after * 1000:.0f} ms; {seen.scrapes} scrapes, "
          f"{len(seen.failures)} failed, the slowest took {seen.slowest_scrape * 1000:.0f} ms")
    for failure in seen.failures:
        print(f"    failed {failure}")
    for name, count in (("file", file_count), (second.name, second.count)):
        print(f"{name}: {count.failures} written, {count.lost} told as lost")


def main():
    options = parse_options()
    with tempfile.TemporaryDirectory(prefix="tlsfail-bench.") as directory:
        return run(options, pathlib.Path(directory))


if __name__ == "__main__":
    sys.exit(main())
