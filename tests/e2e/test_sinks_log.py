#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Findings in the logs of the system: a real rsyslogd and a real systemd-journald, each started for
the test, with sockets and files of its own."""
import contextlib
import json
import subprocess
import time

from lab import binaries, procs
from sinks import FEW, directory, replay, replay_args, replaying
from tap import require

JOURNALD = "/lib/systemd/systemd-journald"
MANY = 3000
UDP_PORT, TCP_PORT = 5514, 5515

# Every message comes out as one JSON object: the header, and the parsed structured data.
RSYSLOG = """
global(workDirectory="{where}" maxMessageSize="16k")
module(load="imuxsock" SysSock.Use="off")
module(load="imudp")
module(load="imtcp")
module(load="mmpstrucdata")
input(type="imuxsock" Socket="{where}/log" UseSpecialParser="off")
input(type="imudp" address="127.0.0.1" port="{udp}")
input(type="imtcp" address="127.0.0.1" port="{tcp}")
action(type="mmpstrucdata")
template(name="all" type="string" string="%jsonmesg%\\n")
action(type="omfile" file="{where}/messages" template="all" asyncWriting="off")
"""

# A journald of its own: in a mount namespace whose /run is empty. Runs the command that is given,
# and prints what journalctl finds by a field of ours.
JOURNAL = """
set -e
mount --make-rprivate /
mount -t tmpfs none /run
mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /run/log/journal
printf '[Journal]\\nStorage=volatile\\nReadKMsg=no\\nAudit=no\\nRateLimitIntervalSec=0\\n' \\
    >/run/systemd/journald.conf.d/test.conf
%s & journald=$!
trap 'kill $journald; wait $journald || true' EXIT
for i in $(seq 200); do [ -S /run/systemd/journal/socket ] && break; sleep 0.05; done
"$@" >&2
journalctl -D /run/log/journal/* --sync 2>/dev/null || sleep 1
journalctl -D /run/log/journal/* -o json --all TLSFAIL_CAUSE=verify-expired
""" % JOURNALD


def tests(here):
    checks = {
        "syslog-unix": lambda here: check_syslog(here, "unix", "syslog:{where}/log"),
        "syslog-udp": lambda here: check_syslog(
            here, "udp", f"syslog+udp://127.0.0.1:{UDP_PORT}"),
        "syslog-tcp": lambda here: check_syslog(
            here, "tcp", f"syslog+tcp://localhost:{TCP_PORT}"),
        "syslog-tcp-restarted": check_syslog_restarted,
        "log-bad-targets": check_bad_targets,
        "journald": check_journald,
    }
    yield from here.chosen("sinks", checks)


@contextlib.contextmanager
def rsyslogd(where):
    """An rsyslogd with its sockets and files in WHERE, ready."""
    configuration = where / "rsyslog.conf"
    configuration.write_text(RSYSLOG.format(where=where, udp=UDP_PORT, tcp=TCP_PORT))
    with open(where / "rsyslog.err", "ab") as err:
        daemon = procs.start_owned([binaries.find("rsyslogd"), "-n", "-f", str(configuration),
                                    "-i", str(where / "rsyslog.pid")], stdout=err, stderr=err)
    try:
        procs.wait_until(lambda: (where / "rsyslog.pid").exists() and (where / "log").exists(), 10,
                         "rsyslogd")
        yield daemon
    finally:
        procs.stop(daemon)
        (where / "rsyslog.pid").unlink(missing_ok=True)


def messages(where):
    """What rsyslogd has made of the messages so far."""
    path = where / "messages"
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]


def fields(message):
    """The structured data of one message."""
    return message["$!"]["rfc5424-sd"]["tlsfail@32473"]


def check_message(message):
    require(message["app-name"] == "tlsfail" and message["msgid"] == "tls.handshake.failure",
            json.dumps(message))
    require(message["pri"] == str(3 * 8 + 4), message["pri"])
    require(message["hostname"] == "lab", message["hostname"])
    require(message["msg"].strip().startswith("verify-expired: Certificate CN="), message["msg"])
    got = fields(message)
    for key, value in (("error.type", "verify-expired"), ("tls.verify.code", "10"),
                       ("network.peer.address", "127.0.1.37"), ("network.peer.port", "8437"),
                       ("tls.client.server_name", "upstream.test")):
        require(got.get(key) == value, f"{key} is {got.get(key)}", json.dumps(got))


def check_syslog(here, name, sink):
    """All arrive, and rsyslogd parses header and structured data."""
    where = directory(here, "syslog-" + name)
    with rsyslogd(where):
        done = replay(here, sink.format(where=where))
        require(done.returncode == 0, f"exit status {done.returncode}", done.stderr)
        procs.wait_until(lambda: len(messages(where)) >= FEW, 10, f"{FEW} messages")
        got = messages(where)
    require(len(got) == FEW, f"{len(got)} messages")
    for message in got:
        check_message(message)
    require(("tls.cipher" in fields(got[0])) == (name != "udp"),
            "what has no room over UDP", json.dumps(fields(got[0])))


def check_syslog_restarted(here):
    """The server comes late and goes away in between: said once each, and what does not fit into
    the queue is told. Only what is in flight when the server ends is lost without a word."""
    where = directory(here, "syslog-restarted")
    err = where / "err"
    with replaying(here, where, f"syslog+tcp://127.0.0.1:{TCP_PORT}", repeat=MANY,
                   rate=MANY // 6) as process:
        procs.wait_until(lambda: "Connection refused" in err.read_text(), 10, "the refusal")
        with rsyslogd(where):
            procs.wait_until(lambda: messages(where), 15, "the first messages")
        with rsyslogd(where):
            status = process.wait(timeout=30)
            said = err.read_text()
            written = int(said.split(" events written, ")[0].split()[-1])
            procs.wait_until(lambda: not _growing(where), 10, "the last message")
            got = messages(where)
    require(status == 0 and written == MANY, f"exit status {status}", said)
    require(said.count("works again") in (1, 2), said)
    pids = {message["procid"] for message in got}
    require(len(pids) == 1, f"from {pids}")
    require(len(got) > MANY // 2, f"{len(got)} of {MANY} arrived", said)
    require({message["msgid"] for message in got} == {"tls.handshake.failure"}, "told of losses")


def _growing(where):
    """Whether rsyslogd is still writing."""
    before = (where / "messages").stat().st_size
    time.sleep(0.3)
    return (where / "messages").stat().st_size != before


def check_bad_targets(here):
    """Who is not there, or cannot be: one line says so, all is counted, and the end comes."""
    for sink, words in (("syslog:/no/such/socket", "No such file"),
                        ("journald:/no/such/socket", "No such file"),
                        (f"syslog+tcp://127.0.0.1:{TCP_PORT}", "Connection refused"),
                        ("syslog+tcp://no-such-host.invalid", "cannot find the address")):
        done = replay(here, sink)
        require(done.returncode == 1, f"{sink}: exit status {done.returncode}", done.stderr)
        require(done.stderr.count(f"tlsfail: {sink}: ") == 2 and words in done.stderr,
                f"{sink}: not one line that says {words!r}:", done.stderr)
        require(f"0 events written, {FEW} lost" in done.stderr, done.stderr)
    # UDP tells of a port that is closed only with the next datagram.
    done = replay(here, f"syslog+udp://127.0.0.1:{UDP_PORT}")
    require(done.stderr.count("Connection refused; retrying") == 1, done.stderr)
    for sink in ("syslog:relative", "syslog+udp:127.0.0.1", "syslog+tcp://host:0", "journald:x"):
        done = replay(here, sink)
        require(done.returncode == 2 and done.stderr.count("\n") == 1, sink, done.stderr)


def check_journald(here):
    """What journalctl finds by our fields, in a journal of the test's own."""
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", JOURNAL, "journal", str(here.tlsfail),
         *map(str, replay_args("journald:"))],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    require(done.returncode == 0, f"exit status {done.returncode}", done.stderr)
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    require(len(entries) == FEW, f"{len(entries)} entries", done.stderr)
    for entry in entries:
        require(entry["MESSAGE"].startswith("verify-expired: Certificate CN="), entry["MESSAGE"])
        for key, value in (("PRIORITY", "4"), ("SYSLOG_IDENTIFIER", "tlsfail"),
                           ("TLSFAIL_NETWORK_PEER_ADDRESS", "127.0.1.37"),
                           ("TLSFAIL_TLS_VERIFY_CODE", "10"),
                           ("TLSFAIL_EVENT_NAME", "tls.handshake.failure"),
                           ("TLSFAIL_HOST_NAME", "lab")):
            require(entry.get(key) == value, f"{key} is {entry.get(key)}")
        require(len(entry["TLSFAIL_EVIDENCE"]) > 5, "a list is not a list", done.stdout)
