#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""`tlsfail top`, driven in tmux as somebody would: what it shows of this host, of a service and of a
file, by keys; and that the terminal is left as it was, however it ends."""
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
from contextlib import contextmanager
from pathlib import Path

import env
from lab import drive, procs
from lab.case import Case, numbered
from lab.cases import VERIFY, good_server, healthy
from lab.upstreams import Nothing
from tap import Skip, require

SMALL, LARGE = (80, 24), (200, 60)
SHOWN_S = 10  # what is to be seen is seen
TRACED_S = 30  # and until BPF is loaded, too
BLOCKS = set("▁▂▃▄▅▆▇█·")
STOPPED_FAILURES = 1500  # more than is kept for a view that does not read
LARGE_EVENTS = 15000  # 50 MB
DROPPED = "tlsfail: a live view was sent away: it does not read"

GOOD, EXPIRED, REFUSED = CASES = numbered((
    healthy("top-good", good_server()),
    Case("top-expired", "verify-expired", good_server("expired"), VERIFY),
    Case("top-refused", "connection-refused", Nothing()),
))


FILES = ("file", "large", "terminals", "recording", "restores")  # about files alone: no root is needed


def tests(here):
    yield from here.chosen("top", checks())


def tests_of_files(here):
    chosen = {name: check for name, check in checks().items() if name in FILES}
    yield from here.chosen("top", chosen if shutil.which("tmux") else dict.fromkeys(chosen, no_tmux))


def checks():
    return {"file": check_file, "large": check_large, "terminals": check_terminals, "recording": check_recording,
            "live": check_live, "writes": check_writes, "stopped": check_stopped, "service": check_service, "refused": check_refused,
            "group": check_group, "status-line": check_status_line, "restores": check_restores, "errors": check_errors}


def no_tmux(_here):
    raise Skip("tmux is not installed")


class Screen:
    """A tmux of its own with one window of SIZE in which ARGV runs, and what it shows."""

    count = 0

    def __init__(self, here, argv, size=SMALL, term="screen-256color", **variables):
        Screen.count += 1
        self._socket = here.top / f"tmux{Screen.count}"
        self._argv = [str(word) for word in argv]
        self._size = size
        # The leak sanitizer stops all threads to look, and never ends when the terminal's hangup comes
        # just then.
        self._env = {"TERM": term, "LC_ALL": "C.UTF-8", "ASAN_OPTIONS": "detect_leaks=0", **variables}

    def __enter__(self):
        set_env = [f"{name}={value}" for name, value in self._env.items()]
        command = shlex.join(["env", *set_env, *self._argv])
        columns, rows = map(str, self._size)
        # What comes after it says how it ended, and what the terminal is like.
        self._tmux("-f", "/dev/null", "-u", "new-session", "-d", "-x", columns, "-y", rows,
                   f"stty -a >{self._socket}.before; {command}; echo ended with $?; "
                   f"stty -a >{self._socket}.after; echo that was all; sleep 600")
        return self

    def __exit__(self, *_):
        self._tmux("kill-server")

    def _tmux(self, *args):
        clean = {name: value for name, value in os.environ.items() if name != "TMUX"}
        done = subprocess.run(["tmux", "-S", str(self._socket), *args], capture_output=True,
                              text=True, timeout=20, check=False,
                              env={**clean, "LC_ALL": "C.UTF-8"})
        require(not done.returncode, args, done.stderr)
        return done.stdout

    def text(self, *options):
        """All that is shown."""
        return self._tmux("capture-pane", "-pJ", *options)

    def lines(self):
        return self.text().splitlines()

    def keys(self, *keys):
        """Presses KEYS, by tmux's names for them."""
        for key in keys:
            self._tmux("send-keys", key)

    def resize(self, columns, rows):
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def wait(self, pattern, timeout=SHOWN_S):
        """Waits until what is shown has PATTERN, and returns the match."""
        def shown():
            return re.search(pattern, self.text(), re.MULTILINE)

        try:
            return procs.wait_until(shown, timeout, repr(pattern))
        except TimeoutError as error:
            raise AssertionError(f"{error}; shown is:\n{self.text()}") from error

    def wait_not(self, pattern):
        procs.wait_until(lambda: not re.search(pattern, self.text(), re.MULTILINE), SHOWN_S,
                         f"{pattern!r} to go away")

    def pid(self):
        """Of the program, the first child of tmux's shell."""
        shell = self._tmux("display-message", "-p", "#{pane_pid}").strip()
        children = subprocess.run(["ps", "-o", "pid=,comm=", "--ppid", shell],
                                  capture_output=True, text=True, check=True).stdout
        return next(int(line.split()[0]) for line in children.splitlines() if "tlsfail" in line)

    def require_restored(self, status):
        """It has ended with STATUS, and the terminal is as it was."""
        self.wait(rf"^ended with {status}$")
        self.wait("^that was all$")
        before, after = (Path(f"{self._socket}.{when}").read_text().splitlines()[1:]
                         for when in ("before", "after"))  # the first line has its size
        require(before == after, *before, *after)
        require("[Peers]" not in self.text(), self.text())
        shown = self._tmux("display-message", "-p", "#{alternate_on} #{cursor_flag}")
        require(shown.split() == ["0", "1"], shown)


def event(name, second, **facts):
    keys = {key.replace("__", "."): value for key, value in facts.items()}
    return {"@timestamp": f"2026-11-26T12:00:{second:02d}.000000000Z", "event.name": name, **keys}


def failure(second, number, cause, name):
    return {**event("tls.handshake.failure", second), "error.type": cause,
            "message": f"It failed with {cause}.", "tlsfail.hint": f"mend {cause}",
            "tlsfail.role": "client", "tlsfail.phase": "hello", "tlsfail.confidence": "high",
            "network.peer.address": f"10.0.0.{number}", "network.peer.port": 443,
            "tls.client.server_name": name,
            "tlsfail.timeline": [{"t": 0, "dir": "sent", "what": "ClientHello"}],
            "nginx.config.file": "/etc/nginx/nginx.conf", "nginx.config.line": 7,
            "nginx.config.location": "location /x", "nginx.config.upstream": f"pool{number}",
            "nginx.config.certainty": "certain"}


def write_file(here):
    path = here.top / "top.ndjson"
    events = [failure(1, 1, "verify-expired", "a.example"),
              failure(20, 1, "verify-expired", "a.example"),
              failure(30, 2, "sni-missing", "evil\x1b[31m\u202e.example"),
              failure(40, 3, "peer-closed-in-handshake", "c.example")]
    path.write_text("".join(json.dumps(e) + "\n" for e in events))
    return path


def check_file(here):
    """A file of JSON, by keys: tables, order, filter, one row, what is alike, help; and it grows."""
    path = write_file(here)
    with Screen(here, [here.tlsfail, "top", path]) as screen:
        screen.wait(r"^ -\s+10\.0\.0\.1:443 .*verify-expired")
        require(all(len(line) <= SMALL[0] for line in screen.lines()), screen.text())
        screen.wait(r"10\.0\.0\.1:443 .* 2x")
        screen.keys("f")
        screen.wait_not(r"10\.0\.0\.1:443 .* 2x")
        screen.keys("3")
        screen.wait(r"^ sni-missing +\S+ +1 ")
        screen.keys("Tab", "BTab", "BTab")
        screen.wait(r"^ UPSTREAM|^ STATE.* UPSTREAM")
        screen.wait(r"^ -\s+pool2 ")
        screen.keys("1", ">", "r")
        order = re.findall(r"^ -\s+(10\.0\.0\.\d)", screen.text(), re.MULTILINE)
        require(order == ["10.0.0.3", "10.0.0.2", "10.0.0.1"], screen.text())
        screen.keys("/", "cause:sni", "Enter")
        screen.wait(r"filter: cause:sni")
        screen.wait_not(r"10\.0\.0\.1:443")
        require(r"evil\x1b[31m" in screen.text() or "10.0.0.2" in screen.text(), screen.text())
        screen.keys("Escape")
        screen.wait(r"^ -\s+10\.0\.0\.1:443")
        screen.keys("End", "Enter")
        screen.wait(r"It failed with verify-expired")
        screen.wait(r"in: /etc/nginx/nginx.conf:7, location /x, upstream pool1")
        screen.wait(r"fix: mend verify-expired")
        screen.keys("q", "?")
        screen.wait(r"sort by another column")
        screen.keys("x")
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(failure(50, 9, "alpn-mismatch", "d.example")) + "\n")
        screen.wait(r"^ -\s+10\.0\.0\.9:443 .*alpn-mismatch")
        screen.keys("q")
        screen.require_restored(0)


def check_large(here):
    """A large file is read as fast as it can be, while keys are answered; of more peers than it keeps, it
    says how many it has forgotten."""
    path = here.top / "large.ndjson"
    padding = "x" * 3000
    with open(path, "w", encoding="utf-8") as file:
        for number in range(LARGE_EVENTS):
            event = {**failure(0, 1, "verify-expired", "a.example"), "tlsfail.note": padding,
                     "network.peer.address": f"10.1.{number // 250 % 250}.{number % 250}"}
            file.write(json.dumps(event) + "\n")
        file.write(json.dumps(failure(59, 7, "sni-missing", "last.example")) + "\n")
    with Screen(here, [here.tlsfail, "top", path]) as screen:
        screen.keys("?")
        screen.wait("any key: back")
        screen.keys("x", "3")
        screen.wait(rf"^ verify-expired +\S+ +{LARGE_EVENTS} ", TRACED_S)
        screen.wait(r"^ sni-missing +\S+ +1 ")
        screen.keys("?")
        screen.wait(r"\d+ rows were dropped because there are more than 1024")
        screen.keys("x", "q")
        screen.require_restored(0)


def check_terminals(here):
    """Any size, any terminal, with and without colours and UTF-8; and it follows a change of size."""
    path = write_file(here)
    terminals = [("screen-256color", SMALL, {}), ("xterm-256color", LARGE, {}),
                 ("screen", LARGE, {"NO_COLOR": "1"}), ("vt100", SMALL, {"LC_ALL": "C"}),
                 ("dumb", SMALL, {}), ("tmux", (40, 10), {}), ("linux", (300, 80), {})]
    for term, size, variables in terminals:
        with Screen(here, [here.tlsfail, "top", path], size, term, **variables) as screen:
            if term == "dumb":
                screen.wait(r"the terminal 'dumb' cannot put text where it belongs")
                screen.wait(r"ended with 1")
                continue
            screen.wait(r"10\.0\.0\.1")
            text, colored = screen.text(), screen.text("-e")
            require(all(len(line) <= size[0] for line in text.splitlines()), text)
            plain = "NO_COLOR" in variables or term == "vt100"
            require(plain != bool(re.search(r"\x1b\[[0-9;]*3[1-3]m", colored)), repr(colored))
            graph = "LC_ALL" not in variables and size[0] >= SMALL[0]
            require(bool(BLOCKS & set(text)) == graph, text)
            if size == LARGE:
                require(re.search(r"FAILED +LAST", text), text)
            # keys that terminfo does not have for it, too: they are no letters
            screen.keys("Home", "PPage", "End", "?")
            screen.wait("any key: back")
            screen.keys("x")
            screen.wait(r"\[Peers\]")
            screen.resize(120, 40)
            screen.wait(r"^.{100,} q quit|\? help  q quit")
            procs.wait_until(lambda: len(screen.lines()) > 30, SHOWN_S, "the new size")
            screen.keys("q")
            screen.require_restored(0)


def check_recording(here):
    """A recording, and what w writes of it, which can be looked at in turn."""
    recording = env.REPOSITORY / "tests" / "golden" / "verify-expired.rec"
    written = here.top / "written.ndjson"
    with Screen(here, [here.tlsfail, "top", recording]) as screen:
        screen.wait(r"127\.0\.1\.37:8437 .*verify-expired")
        screen.keys("w")
        screen.wait("^write JSON lines to:")
        screen.keys(str(written), "Enter")
        screen.wait(r"WRITING")
        screen.wait("writing JSON lines, w stops it: /")
        screen.keys("w")
        screen.wait("complete; tlsfail top and report read it: /")
        screen.keys("Enter")
        screen.wait(r"expired on 2021-01-01")
        screen.keys("q", "q")
        screen.require_restored(0)
    require(len(written.read_text().splitlines()) == 1, written.read_text())
    with Screen(here, [here.tlsfail, "top", written]) as screen:
        screen.wait(r"127\.0\.1\.37:8437 .*verify-expired")


def exes(lab):
    return [word for exe in lab.traced.exes for word in ("--exe", exe)]


def check_live(here):
    """This host, traced by itself: a peer that works has a rate, one that fails a cause; pause."""
    with here.lab("top", CASES) as lab, Screen(
            here, [here.tlsfail, "top", *exes(lab)], LARGE) as screen:
        screen.wait(r"armed: \d+ process", TRACED_S)

        def traffic():
            return [drive.times(3)(lab, GOOD), drive.once(lab, EXPIRED), drive.once(lab, REFUSED)]

        def shown(pattern):
            traffic()
            return re.search(pattern, screen.text(), re.MULTILINE)

        good = rf"^ ok +{re.escape(GOOD.endpoint)} +[1-9][0-9.]* +0% +\S*· .* \d+(ms|us)"
        procs.wait_until(lambda: shown(good), SHOWN_S, good)
        for case in EXPIRED, REFUSED:
            screen.wait(rf"^ failing +{re.escape(case.endpoint)} +\S+ +100% .*{case.slug[:14]}")
        screen.keys("p")
        screen.wait("PAUSED")
        before = re.search(rf"{re.escape(GOOD.endpoint)} .*", screen.text())[0]
        traffic()
        procs.pause(1.5)
        require(re.search(rf"{re.escape(GOOD.endpoint)} .*", screen.text())[0] == before, before)
        screen.keys("p")
        screen.wait_not("PAUSED")
        screen.keys("/", f"peer:{EXPIRED.endpoint}", "Enter")
        screen.wait_not(rf"^ ok +{re.escape(GOOD.endpoint)}")
        screen.keys("Enter")
        screen.wait(rf"^ {re.escape(EXPIRED.endpoint)}  failing")
        screen.wait(r"fix: renew it on the upstream")
        screen.wait(r"in: .*:\d+, location =\s+/top-expired")
        screen.wait(r"│─* ?ClientHello|ClientHello")
        child = screen.pid()
        screen.keys("q", "q")
        screen.require_restored(0)
        require(not os.path.exists(f"/proc/{child}"), child)


def check_writes(here):
    """w writes a recording: what was before it and what follows, as --record would have; replay and
    report read it, nobody else may. With another name, lines of JSON. Nothing is overwritten."""
    recording, lines = here.top / "late.rec", here.top / "late.json"
    with here.lab("writes", CASES) as lab, Screen(
            here, [here.tlsfail, "top", *exes(lab)], LARGE) as screen:
        screen.wait(r"armed: \d+ process", TRACED_S)
        drive.once(lab, EXPIRED)
        screen.wait(rf"^ failing +{re.escape(EXPIRED.endpoint)} ")
        screen.keys("w")
        screen.wait(r"^write a recording \(NAME.json: JSON lines\) to:")
        screen.keys(str(recording), "Enter")
        screen.wait("writing a recording, w stops it: .*late.rec")
        drive.once(lab, REFUSED)
        screen.wait(rf"^ failing +{re.escape(REFUSED.endpoint)} ")
        screen.keys("w")
        screen.wait("complete; tlsfail replay and report read it: .*late.rec")
        screen.keys("w", str(recording), "Enter")
        screen.wait("File exists")
        drive.once(lab, EXPIRED)
        screen.keys("w", str(lines), "Enter")
        screen.wait("writing JSON lines, w stops it: .*late.json")
        screen.keys("q")
        screen.require_restored(0)
    require(os.stat(recording).st_mode & 0o777 == 0o600, oct(os.stat(recording).st_mode))
    replayed = here.run("replay", "-f", "json", recording)
    require(replayed.returncode == 0, replayed.stderr)
    found = [json.loads(line) for line in replayed.stdout.splitlines()]
    require([f["error.type"] for f in found] == [EXPIRED.slug, REFUSED.slug], replayed.stdout)
    for key in "process.executable.path", "host.name", "nginx.config.line":
        require(found[0].get(key), key, found[0])
    require(here.run("report", recording, "-o", here.top / "late.html").returncode == 0, "report")
    first = json.loads(lines.read_text().splitlines()[0])
    require(first["error.type"] == EXPIRED.slug and first["message"] == found[0]["message"], first)


def check_stopped(here):
    """Whoever stops top (^Z) does not stop the trace: what does not fit ends the recording, and that is
    said; what was found is shown."""
    recording = here.top / "stopped.rec"
    with here.lab("top-stopped", CASES) as lab, Screen(
            here, [here.tlsfail, "top", *exes(lab)], LARGE) as screen:
        screen.wait(r"armed: \d+ process", TRACED_S)
        screen.keys("w", str(recording), "Enter")
        screen.wait("WRITING")
        pid = screen.pid()
        os.kill(pid, signal.SIGSTOP)
        sent = drive.times(STOPPED_FAILURES)(lab, EXPIRED)
        require(sent, "nothing was sent")
        os.kill(pid, signal.SIGCONT)
        screen.wait("the recording ends here: this view did not read for too long", TRACED_S)
        screen.wait_not("WRITING")
        screen.keys("w")
        screen.wait("^write JSON lines to:")
        screen.keys("Escape", "q")
        screen.require_restored(0)
    replayed = here.run("replay", "-f", "json", recording)
    require(replayed.returncode == 0 and EXPIRED.slug in replayed.stdout, replayed.stderr)


@contextmanager
def service(here, lab):
    """`trace --socket`. Yields it and the path."""
    path = here.top / "top.sock"
    with here.trace_json(lab, "--socket", path) as tlsfail:
        tlsfail.wait_armed()
        yield tlsfail, path


def attach(path):
    """A view that is no top. Returns its socket and its first line."""
    view = socket.socket(socket.AF_UNIX)
    view.settimeout(10)
    view.connect(str(path))
    file = view.makefile("rb")
    return view, file, json.loads(file.readline())


def check_service(here):
    """Two look at one trace; the one that has stopped is sent away and told why, while the other goes
    on, and the trace misses nothing. A later one is told what was before it."""
    with here.lab("service", CASES) as lab, service(here, lab) as (tlsfail, path):
        mode = os.stat(path)
        require(mode.st_mode & 0o777 == 0o660 and mode.st_uid == 0, oct(mode.st_mode))
        drive.once(lab, EXPIRED)
        view, file, hello = attach(path)
        require(hello["event.name"] == "tlsfail.hello", hello)
        with Screen(here, [here.tlsfail, "top", "--socket", path]) as screen:
            screen.wait(rf"{re.escape(EXPIRED.endpoint)} .*verify-expired")
            stopped = subprocess.Popen(
                ["python3", "-c", "import socket, sys, time\ns = socket.socket(socket.AF_UNIX)\n"
                 f"s.connect({str(path)!r})\ns.recv(10)\nprint('attached', flush=True)\n"
                 "d = b''\nwhile True:\n n = s.recv(65536)\n if not n: break\n d += n\n"
                 "print(d.decode().splitlines()[-1])"], stdout=subprocess.PIPE, text=True)
            require(stopped.stdout.readline() == "attached\n", "no view")
            stopped.send_signal(signal.SIGSTOP)
            lines = [json.loads(file.readline())]
            sent = 0
            while DROPPED not in tlsfail.stderr() and sent < 3000:
                for case in EXPIRED, REFUSED:
                    drive.once(lab, case)
                    sent += 1
                while len(lines) < sent:
                    lines.append(json.loads(file.readline()))
            require(DROPPED in tlsfail.stderr(), sent, tlsfail.stderr())
            stopped.send_signal(signal.SIGCONT)
            last = json.loads(stopped.communicate(timeout=20)[0].splitlines()[-1])
            require(last["event.name"] == "tlsfail.goodbye" and "did not read" in last["message"],
                    last)
            screen.wait(rf"failing +{re.escape(EXPIRED.endpoint)} ")
            failed = sum(1 for f in tlsfail.findings() if "failure" in f["event.name"])
            require(failed == sent + 1, failed, sent)
            tlsfail.interrupt()
            screen.wait("tlsfail trace has ended|waiting for it to come back")
            screen.keys("q")
            screen.require_restored(0)
        view.close()
    require(not path.exists(), "the socket is left")
    standing = [line for line in lines if line["event.name"] == "tlsfail.standing"]
    require(standing and any(peer["port"] == EXPIRED.port for peer in standing[-1]["peers"]),
            standing[-1:])


def check_refused(here):
    """Another user may not look; nor does a socket that is served count as left over."""
    with here.lab("refused", [GOOD]) as lab, service(here, lab) as (tlsfail, path):
        os.chmod(here.top, 0o755)
        with Screen(here, [*env.NOBODY, here.tlsfail, "top", "--socket", path]) as screen:
            screen.wait(r"is only for root and the group tlsfail|Permission denied")
            screen.wait(r"^ended with 1$")
        os.chmod(path, 0o666)  # the second lock, behind the first
        with Screen(here, [*env.NOBODY, here.tlsfail, "top", "--socket", path]) as screen:
            screen.wait(r"only root and the group tlsfail may look")
        second = here.run("trace", "--socket", path, *exes(lab))
        require(second.returncode == 1 and "is served by another tlsfail" in second.stderr,
                second.stderr)
        tlsfail.interrupt()


def check_group(here):
    """The members of the group tlsfail may look, and its other names are of no use."""
    groups = here.top / "etc-group"
    groups.write_text(Path("/etc/group").read_text() + "tlsfail:x:4242:\n")
    wrapper = here.top / "with-group"
    wrapper.write_text("#!/bin/sh\nexec unshare --mount sh -c 'mount --bind "
                       f"{groups} /etc/group && exec {here.tlsfail} \"$@\"' sh \"$@\"\n")
    wrapper.chmod(0o755)
    with here.lab("group", [EXPIRED]) as lab, service(
            env.Env(wrapper, here.top), lab) as (tlsfail, path):
        os.chmod(here.top, 0o755)
        require(os.stat(path).st_gid == 4242, os.stat(path))
        drive.once(lab, EXPIRED)
        for number, seen in ((4242, r"verify-expired"), (4243, r"is only for root and the group tlsfail")):
            member = ("setpriv", "--reuid=65534", "--regid=65534", f"--groups={number}")
            with Screen(here, [*member, here.tlsfail, "top", "--socket", path]) as screen:
                screen.wait(seen)
        tlsfail.interrupt()


def check_status_line(here):
    """Below the findings of a trace on a terminal stands how it goes; nothing of it stays."""
    for size in SMALL, (45, 24):
        with here.lab(f"status-{size[0]}", [GOOD, EXPIRED]) as lab, Screen(
                here, [here.tlsfail, "trace", *exes(lab)], size) as screen:
            screen.wait(r"armed: \d+ process", TRACED_S)
            screen.wait(r"handshakes/s, 0 failed")

            def busy():
                drive.times(3)(lab, GOOD)
                return re.search(r"^\S+ [1-9]\d*\.\d handshakes/s, 0 failed$", screen.text(), re.M)

            procs.wait_until(busy, SHOWN_S, "a rate")
            drive.once(lab, EXPIRED)
            screen.wait(r"handshakes/s, 1 failed")
            lines = [line.rstrip() for line in screen.lines() if line.strip()]
            require("handshakes/s" in lines[-1] and len(lines[-1]) < size[0], screen.text())
            require(sum("handshakes/s" in line for line in lines) == 1, screen.text())
            os.kill(screen.pid(), signal.SIGINT)
            screen.wait(r"^ended with 0$")
            require("handshakes/s" not in screen.text() and "verify-expired" in screen.text(),
                    screen.text())


def check_restores(here):
    """The terminal is given back, whatever signal comes; and the process that traces ends as well."""
    path = write_file(here)
    for sig, status in ((signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGHUP, 0),
                        (signal.SIGQUIT, 0), (signal.SIGABRT, 134), (signal.SIGSEGV, 139)):
        with Screen(here, [here.tlsfail, "top", path]) as screen:
            screen.wait(r"10\.0\.0\.1")
            os.kill(screen.pid(), sig)
            screen.require_restored(status)


def check_errors(here):
    """What it cannot do, it says on a terminal that is as it was."""
    rubbish = here.top / "rubbish.json"
    rubbish.write_text('{"a": 1}\n')
    bad = here.top / "bad.rec"
    bad.write_bytes(b"no recording\n" * 10)
    for argv, words in ((["top", rubbish], "not one line is a tlsfail event"),
                        (["top", here.top / "nowhere"], "No such file"),
                        (["top", bad], "not a tlsfail recording"),
                        (["top", "--socket", here.top / "nowhere"], "No such file")):
        with Screen(here, [here.tlsfail, *argv]) as screen:
            screen.wait(words)
            screen.require_restored(1)
    with Screen(here, [*env.NOBODY, here.tlsfail, "top", "--comm", "nothing"]) as screen:
        screen.wait("ended with 1", TRACED_S)
        require("tlsfail: " in screen.text(), screen.text())
    with Screen(here, [here.tlsfail, "top", rubbish], term="no-such-terminal") as screen:
        screen.wait("the terminal 'no-such-terminal' is not known")
    piped = here.run("top", rubbish, prefix=("setsid",))
    require(piped.returncode == 1 and "needs a terminal" in piped.stderr, piped.stderr)
