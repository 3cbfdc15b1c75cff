#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What asks files and nobody else: explain, and what a hand at the keyboard reaches for. No kernel
is needed, and no root."""
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
from functools import partial

from env import REPOSITORY
from lab import procs
from tap import Skip, require
from terminal import Terminal

LOG = (
    '2026/11/21 18:00:%02d [error] 7#7: *%d SSL_do_handshake() failed (SSL: error:0A000410:SSL '
    'routines::sslv3 alert handshake failure:SSL alert number 40) while SSL handshaking to '
    'upstream, client: 10.1.2.3, server: a, request: "GET / HTTP/1.1", upstream: '
    '"https://10.0.0.%d:443/", host: "a"\n',
    '2026/11/21 18:00:%02d [error] 7#7: *%d open() "/x/%d" failed (2: No such file or directory), '
    'client: 10.1.2.3, server: a, request: "POST /SS HTTP/1.1", host: "a"\n')


def tests(here):
    checks = {
        "explain-statuses": check_statuses,
        "explain-schema": check_explain_schema,
        "explain-log": check_log,
        "explain-log-text": check_log_text,
        "explain-logs": check_logs,
        "explain-stdin": check_stdin,
        "explain-place": check_place,
        "explain-interrupted": check_interrupted,
        "explain-terminal": check_terminal,
        "explain-sides": check_sides,
        "help": check_help,
        "bash": check_bash,
        "fish": check_fish,
        "zsh": check_zsh,
        "filters": check_filters,
        "color": check_color,
    }
    checks.update({f"docs-{page}": partial(check_page, page=page) for page in ("explain", "lint", "report")})
    yield from here.chosen("ask", checks)


def ask(here, *arguments, text=""):
    return subprocess.run([str(here.tlsfail), *map(str, arguments)], input=text, text=True,
                          capture_output=True, timeout=60 * procs.PATIENCE, check=False)


def check_schema(verb, told):
    """TOLD is as docs/VERB.schema.json says."""
    import jsonschema  # only this needs more than the standard library
    schema = json.loads((REPOSITORY / "docs" / f"{verb}.schema.json").read_text())
    errors = [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(told)]
    require(not errors, verb, *errors[:5], told)


def check_explain_schema(here):
    """Of lines of every form, known and not, of a log, and of nothing."""
    conf = here.top / "schema.conf"
    conf.write_text("events {}\nhttp { server { location / { proxy_pass https://10.0.0.1; } } }\n")
    for text in (LOG[0] % (1, 1, 1), LOG[1] % (1, 1, 1), "0A000410", "error:14094410", "hello", "",
                 "upstream SSL certificate verify error: (10:certificate has expired)",
                 "peer closed connection in SSL handshake",
                 "".join(LOG[n % 2] % (n % 60, n, n % 4) for n in range(100)) + "SSL is something else\n"):
        check_schema("explain", json.loads(
            ask(here, "explain", "-f", "json", "-c", conf, "-", text=text).stdout))
    check_schema("explain", json.loads(ask(here, "explain", "-f", "json", "0A000410").stdout))
    check_schema("explain", json.loads(ask(here, "explain", "-f", "json", "hello").stdout))


def check_statuses(here):
    for arguments, status in ((("0A000410",), 0), (("hello",), 3), (("/no/such/file",), 1),
                              (("--no-such-option",), 2), (("-f", "sarif", "0A000410"), 2)):
        done = ask(here, "explain", *arguments)
        require(done.returncode == status, f"{arguments}: exit status {done.returncode}", done)
        require(bool(done.stdout) == (status == 0), f"{arguments}: standard output", done.stdout)


def write_log(here, name, lines):
    path = here.top / name
    path.write_text("".join(lines))
    return path


def check_log(here):
    lines = [LOG[n % 2] % (n % 60, n, n % 4) for n in range(4000)]
    path = write_log(here, "explain.log", lines + ["cut", "short"])
    told = json.loads(ask(here, "explain", "-f", "json", path).stdout)
    require(told["lines"] == 2000 and told["bytes"] == path.stat().st_size, "counts", told)
    kind, = told["kinds"]
    require(kind["count"] == 2000 and sum(kind["histogram"]["counts"]) == 2000, "its count", kind)
    require(kind["first"] == "2026-11-21 18:00:00" and kind["last"] == "2026-11-21 18:00:58",
            "its times", kind)
    require({(p["peer"], p["count"]) for p in kind["peers"]} ==
            {("10.0.0.0:443", 1000), ("10.0.0.2:443", 1000)}, "its peers", kind)
    require(kind["meanings"][0]["causes"][0]["cause"] == "sni-missing", "its causes", kind)


def check_logs(here):
    """Several are summed up as one; what cannot be read is said, and the rest is."""
    paths = [write_log(here, f"many-{n}.log", [LOG[0] % (n, n, 1)] * (n + 1)) for n in range(3)]
    done = ask(here, "explain", "-f", "json", *paths)
    told = json.loads(done.stdout)
    require(done.returncode == 0 and told["lines"] == 6, done)
    require(told["bytes"] == sum(path.stat().st_size for path in paths), told)
    kind, = told["kinds"]
    require((kind["first"], kind["last"]) == ("2026-11-21 18:00:00", "2026-11-21 18:00:02"), kind)
    text = ask(here, "explain", *paths).stdout
    require(text.startswith("3 files: 6 lines about TLS in "), text)
    done = ask(here, "explain", "-f", "json", paths[0], here.top / "absent.log", paths[1])
    require(done.returncode == 1 and "absent.log" in done.stderr, done)
    require(json.loads(done.stdout)["lines"] == 3, done)
    done = ask(here, "explain", here.top / "absent.log", here.top / "absent-too.log")
    require(done.returncode == 1 and not done.stdout and len(done.stderr.splitlines()) == 2, done)


def check_log_text(here):
    """The report for people says of each kind how often, when and of whom, over a minute and over weeks."""
    for stamps, column in (([(21, 18, n) for n in range(60)], " s"),
                           ([(21, n // 10, n) for n in range(60)], " min"),
                           ([(1 + n // 4, 6 * (n % 4), 0) for n in range(12)], " h"),
                           ([(1 + n, 0, 0) for n in range(28)], " days")):
        lines = [LOG[0].replace("11/21 18:00:%02d", "11/%02d %02d:00:%02d") % (*stamp, n, n % 3)
                 for n, stamp in enumerate(stamps)]
        path = write_log(here, "kinds.log", lines)
        text = ask(here, "explain", path).stdout
        require(f"{len(lines)} lines about TLS" in text, text)
        require(f"\n{len(lines)} times: SSL_do_handshake() failed" in text, text)
        when, = re.findall(r"^  when +(.*)", text, re.M)
        for day, hour, second in (min(stamps), max(stamps)):
            require(f"2026-11-{day:02d} {hour:02d}:00:{second:02d}" in when, when)
        require(re.search(r"\|[^|]+\|.*" + column + "$", when), when)
        for peer in range(3):
            require(f"10.0.0.{peer}:443 ({len(lines[peer::3])})" in text, text)


def check_stdin(here):
    for name in ((), ("-",)):
        done = ask(here, "explain", *name, text=LOG[0] % (1, 1, 1))
        require(done.returncode == 0 and "means" in done.stdout, "one line on stdin", done)
        require("10.0.0.1:443" in done.stdout, "its peer", done.stdout)


def check_place(here):
    conf = here.top / "explain.conf"
    conf.write_text("events {}\nhttp {\n server {\n  location /v1/ {\n"
                    "   proxy_pass https://10.0.0.1;\n  }\n }\n}\n")
    done = ask(here, "explain", "-c", conf, LOG[0] % (1, 1, 1))
    require(f"{conf}:5: location /v1/" in re.sub(r"\n +", " ", done.stdout), "the place", done)


def check_interrupted(here):
    """What was read until then is shown."""
    with subprocess.Popen([str(here.tlsfail), "explain", "-f", "json", "-"], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as tlsfail:
        tlsfail.stdin.write((LOG[0] % (1, 1, 1)) * 100)
        tlsfail.stdin.flush()
        deadline = time.monotonic() + 20 * procs.PATIENCE
        while procs_waits_in_read(tlsfail.pid) is False and time.monotonic() < deadline:
            time.sleep(0.05)
        tlsfail.send_signal(signal.SIGINT)
        told = json.loads(tlsfail.stdout.read())
        require(told["interrupted"] and told["lines"] == 100, "the partial result", told)


def check_terminal(here):
    """Of a pipe that takes its time, how far it is; and after Ctrl-C what is known."""
    path = here.top / "explain.fifo"
    os.mkfifo(path)
    with Terminal(here.tlsfail, "explain", "-f", "json", path) as terminal:
        with open(path, "w", encoding="ascii", buffering=1) as fifo:
            terminal.wait("MiB read, [0-9]+ lines about TLS", lambda: fifo.write(LOG[0] % (1, 1, 1)))
            terminal.interrupt()
            status, told = terminal.finish()
    told = json.loads(told)
    require(status == 0 and told["interrupted"] and told["lines"], status, told)
    require("MiB" not in terminal.shown(), "it is taken away", repr(terminal.seen))


# Whose address is in a line is one thing, whose doing it is about another.
SIDES = (
    ("upstreams", 'ignoring stale global SSL error (SSL: error:0A000126:SSL routines::unexpected eof while '
     'reading) while sending request to upstream'),
    ("upstreams", 'SSL_frobnicate() failed (SSL: error:0A000410:SSL routines::sslv3 alert handshake failure:'
     'SSL alert number 40) while SSL handshaking to upstream'),
    ("upstreams", 'SSL_frobnicate() failed (SSL: error:0A000F42:SSL routines::no such reason) while SSL '
     'handshaking to upstream'),
    ("clients", 'SSL_do_handshake() failed (SSL: error:0A000412:SSL routines::sslv3 alert bad certificate:SSL '
     'alert number 42) while SSL handshaking'),
)


def check_sides(here):
    """Addresses of upstreams are called that, whatever the line is about, and those of clients not."""
    line = ('2026/11/21 18:00:%02d [error] 7#7: *1 {}, client: 10.1.2.3, server: a, request: "GET / '
            'HTTP/1.1", upstream: "https://10.0.0.1:443/", host: "a"\n')
    for word, message in SIDES:
        path = write_log(here, "sides.log", [line.format(message) % second for second in (1, 2)])
        text = ask(here, "explain", path).stdout
        address = {"upstreams": "10.0.0.1:443", "clients": "10.1.2.3"}[word]
        require(re.search(rf"^  {word} +{re.escape(address)} \(2\)$", text, re.M), message, text)


def procs_waits_in_read(pid):
    """Has it read all of its pipe, and waits for more?"""
    try:
        with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
            number = file.read().split()[0]
        with open(f"/proc/{pid}/io", encoding="ascii") as file:
            read = int(file.readline().split()[1])
    except OSError:
        return False
    return number == "0" and read > 20000


def check_help(here):
    overview = here.run("--help").stdout
    commands = re.findall(r"^  ([a-z]+)(?: |$)", overview.split("Commands:")[1], re.M)
    require({"trace", "explain", "probe", "help"} <= set(commands), "the commands", overview)
    for command in commands:
        done = here.run(command, "--help")
        same = here.run("help", command)
        require(done.returncode == 0 and done.stdout == same.stdout, f"help {command}", done)
        require(done.stdout.startswith(f"usage: tlsfail {command}"), "its usage", done.stdout)
        require("--hook" not in done.stdout or command == "trace", "options of others", done.stdout)
    done = here.run("expalin", "x")
    require(done.returncode == 2 and "did you mean explain?" in done.stderr, "did you mean", done)


COMPLETE = """
source <("$1" completion bash)
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_tlsfail
printf '%s\\n' "${COMPREPLY[@]}"
"""


def check_bash(here):
    """What a press of the tab key offers."""
    for words, offered in ((("tlsfail", "exp"), {"explain"}),
                           (("tlsfail", "trace", "--rec"), {"--record"}),
                           (("tlsfail", "--rol"), {"--role"}),
                           (("tlsfail", "trace", "--role", ""), {"client", "server", "both"}),
                           (("tlsfail", "replay", "-f", "j"), {"json"}),
                           (("tlsfail", "help", "doc"), {"doctor"}),
                           (("tlsfail", "causes", "sni-mis"), {"sni-missing"}),
                           (("tlsfail", "causes", "--rec"), {""})):
        done = subprocess.run(["bash", "-c", COMPLETE, "-", here.tlsfail, *words], text=True,
                              capture_output=True, check=False)
        require(set(done.stdout.removesuffix("\n").split("\n")) == offered, f"{words}", done)


# (what is typed before the tab, what stands there after it)
COMPLETED = (("tlsfail expl", "tlsfail explain "), ("tlsfail trace --rec", "tlsfail trace --record "),
             ("tlsfail causes sni-mis", "tlsfail causes sni-missing "),
             ("tlsfail trace --role cl", "tlsfail trace --role client "),
             ("tlsfail help doct", "tlsfail help doctor "))


def completion_of(here, shell):
    """A directory with the completion for the SHELL as `make install` names it, and with tlsfail."""
    directory = here.top / f"completion-{shell}"
    directory.mkdir()
    name = {"zsh": "_tlsfail", "fish": "tlsfail.fish"}[shell]
    (directory / name).write_text(here.run("completion", shell).stdout)
    (directory / "tlsfail").symlink_to(here.tlsfail)
    return directory


def check_fish(here):
    """A real fish, asked what it would offer."""
    if not shutil.which("fish"):
        raise Skip("no fish: sudo tools/install-deps")
    directory = completion_of(here, "fish")
    for typed, wanted in COMPLETED:
        done = subprocess.run(["fish", "--no-config", "-c", f"set -p PATH {directory}; source {directory}/"
                               f"tlsfail.fish; complete -C '{typed}'"], text=True, check=False,
                              capture_output=True, env={**os.environ, "HOME": str(directory)})
        offered = [line.split("\t")[0] for line in done.stdout.splitlines()]
        require(offered == [wanted.split()[-1]], typed, offered, done.stderr)


class Zsh:
    """A zsh at a terminal of its own, with the completion loaded from fpath."""

    def __init__(self, directory):
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.environ.update(HOME=str(directory), TERM="dumb", PATH=f"{directory}:{os.environ['PATH']}")
            os.execvp("zsh", ["zsh", "-f", "-i"])
        self.run(f"PS1=; unsetopt zle_bracketed_paste; fpath=({directory} $fpath); autoload -U compinit; "
                 "compinit -u -D")

    def run(self, command):
        """What stands between two marks that zsh prints."""
        os.write(self._fd, f"{command}\n".encode())
        os.write(self._fd, b"print -r -- E''ND\n")
        seen, deadline = "", time.monotonic() + 20 * procs.PATIENCE
        while "\nEND" not in seen.replace("\r", ""):
            ready, _, _ = select.select([self._fd], [], [], max(0, deadline - time.monotonic()))
            require(ready, "zsh says nothing more", repr(seen))
            seen += os.read(self._fd, 4096).decode(errors="replace")
        return seen.replace("\r", "")

    def tab(self, typed):
        """The line after a tab behind TYPED: from its begin (^A) on it becomes the words of a print."""
        return re.search(r"\nGOT\{(.*)\}", self.run(f"{typed}\t\x01print -r -- 'GOT{{\x05}}'"))[1]

    def close(self):
        os.close(self._fd)
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


def check_zsh(here):
    """A real zsh, with a press of the tab key."""
    if not shutil.which("zsh"):
        raise Skip("no zsh: sudo tools/install-deps")
    zsh = Zsh(completion_of(here, "zsh"))
    try:
        for typed, wanted in COMPLETED:
            line = zsh.tab(typed)
            require(line.rstrip() == wanted.rstrip(), typed, repr(line))
    finally:
        zsh.close()


RECORDING = REPOSITORY / "tests" / "golden" / "verify-expired.rec"


def check_filters(here):
    """What is not asked for is not told, and counted all the same."""
    for options, told in (((), True), (("--cause", "verify-expired"), True),
                          (("--cause", "verify-*"), True), (("--cause", "client-*"), False),
                          (("--peer", "127.0.1.37"), True), (("--peer", "127.0.1.37:8437"), True),
                          (("--peer", "127.0.1.37:1"), False), (("--peer", "127.0.1.3"), False),
                          (("--name", "UPSTREAM.test"), True), (("--name", "*.test"), True),
                          (("--name", "example.com"), False),
                          (("--name", "*.test", "--cause", "sni-missing"), False)):
        done = here.run("replay", "-f", "line", *options, RECORDING)
        require(done.returncode == 0, options, done)
        require(bool(done.stdout) == told, options, done.stdout)
        require("tlsfail: 1 handshake seen, 1 failed" in done.stderr, "its count", done.stderr)
        require(not told or re.fullmatch(
            r"2026-11-21T\d\d:\d\d:\d\dZ client 127\.0\.1\.37:8437 upstream\.test verify-expired "
            r"high: .*\n", done.stdout), "one line", done.stdout)


def check_color(here):
    for options, colored in (((), False), (("--color", "always"), True),
                             (("--color", "never"), False), (("--color", "auto"), False)):
        done = here.run("replay", *options, RECORDING)
        require(("\033[" in done.stdout) == colored, options, done.stdout)


def check_page(here, page):
    """Every `$ tlsfail` of the page runs; what stands below it is what it prints."""
    text = (REPOSITORY / "docs" / f"{page}.md").read_text()
    examples = re.findall(r"^\$ (tlsfail .*)\n((?:(?!\$ |```).*\n)*)", text, re.M)
    require(examples, "the examples")
    ran = 0
    for command, expected in examples:
        if "/etc/" in command or "/var/" in command or "error.log" in command:
            continue
        done = subprocess.run(["bash", "-c", command.replace("tlsfail", str(here.tlsfail), 1)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              cwd=REPOSITORY, check=False)
        require(done.returncode in (0, 1), command, done)
        require(not expected or done.stdout == expected, command, done.stdout)
        ran += 1
    require(ran, "none of the examples was run")

