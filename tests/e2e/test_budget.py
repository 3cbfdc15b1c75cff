#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a handshake that succeeds costs: uprobe hits, entry and return counted apart, and ring
records. Healthy traffic first goes on until tlsfail has detached from what it has no use for.

The hits are the kernel's own count of how often each BPF program ran. Probes sit on the library's
file, so the proxy runs on a copy of its own: only its hits are counted.
"""
import re
import struct
import time
from functools import partial
from pathlib import Path

import bpf
import env
from lab import clients, drive
from lab.case import Case, numbered
from lab.cases import TLS12, VERIFY, good_server
from lab.server_cases import CLIENT_CA
from tap import require

HANDSHAKES = 100
# Rounds of HANDSHAKES handshakes after which tlsfail has let go of what is hit in vain.
SETTLING_ROUNDS = range(3, 10)
LOOK_S = 1.1  # tlsfail looks once a second at what it has use for
SETTLES = ("uprobe_certific", "uprobe_verify", "uretprobe_verif")  # as the kernel cuts them
# What comes through the ring of a peer whose certificate was not known: its chain, and what passed in the
# handshake, which tells whether a certificate of ours was asked for.
NEWS_RECORDS = 4

# The layout of a recording, as far as counting its records needs it.
FILE_HEADER_LEN_AT = 14
FILE_HEADER_LEN = struct.Struct("=H")
RECORD_HEADER = struct.Struct("=HHI")  # kind, version, length with this header
CONNECTION_KINDS = (1, 2)  # of records that come through the ring about a connection

# At most, the mean. A handshake that is known from the wire hits no probe. With verification nginx
# calls SSL_get_verify_result and X509_check_host, whose returns tell the results.
NOTHING = 0
VERIFY_HITS = 4
VERIFY_ENTRY_HITS = 1

# From the library: nginx calls SSL_do_handshake twice in TLS 1.3 and three times in TLS 1.2, or four
# times when epoll tells of reading and writing at once, as it does when the upstream runs on another
# CPU. With return probes each call is two hits. SSL_get_verify_result and its return come to those.
UPROBE = ("--hook", "handshake=uprobe")
TLS13_HITS = 4.5
TLS12_HITS = 6.5
TLS12_RETURN_HITS = 8.5
UPROBE_VERIFY_HITS = 4
UPROBE_VERIFY_ENTRY_HITS = 2

ENTRY_ONLY = ("--no-return-probes",)
REQUESTS = drive.times(HANDSHAKES)
TLS13_CASE, TLS12_CASE, TLS13_VERIFY, TLS12_VERIFY = numbered((
    Case("tls13", None, good_server(), status=200, drive=REQUESTS),
    Case("tls12", None, good_server(), status=200, drive=REQUESTS, tls=TLS12),
    Case("tls13-verify", None, good_server(), VERIFY, status=200, drive=REQUESTS),
    Case("tls12-verify", None, good_server(), VERIFY, status=200, drive=REQUESTS, tls=TLS12),
))
CLIENT = (
    (TLS13_CASE, (), NOTHING), (TLS12_CASE, (), NOTHING),
    (TLS13_VERIFY, (), VERIFY_HITS), (TLS12_VERIFY, (), VERIFY_HITS),
    (TLS13_CASE, ENTRY_ONLY, NOTHING), (TLS12_CASE, ENTRY_ONLY, NOTHING),
    (TLS13_VERIFY, ENTRY_ONLY, VERIFY_ENTRY_HITS), (TLS12_VERIFY, ENTRY_ONLY, VERIFY_ENTRY_HITS),
    (TLS13_CASE, UPROBE, TLS13_HITS), (TLS12_CASE, UPROBE, TLS12_RETURN_HITS),
    (TLS13_VERIFY, UPROBE, TLS13_HITS + UPROBE_VERIFY_HITS),
    (TLS12_VERIFY, UPROBE + ENTRY_ONLY, TLS12_HITS + UPROBE_VERIFY_ENTRY_HITS),
)

# As the server nginx asks for the verify result of a client that has to show a certificate, once a
# request. Of a connection that is kept alive nobody has to know it again: what is left is the certificate
# of its one handshake.
SERVER_VERIFY_HITS = 2
SERVER_ALIVE_HITS = 1 / HANDSHAKES
SHOWN = ("--cert", "pki/client.crt", "--key", "pki/client.key")
SERVER_TLS13, SERVER_TLS12, SERVER_CERT, SERVER_ALIVE = numbered((
    Case("server-tls13", None, good_server(), status=200,
         drive=clients.curl("--insecure", times=HANDSHAKES)),
    Case("server-tls12", None, good_server(), status=200,
         drive=clients.curl("--insecure", "--tls-max", "1.2", times=HANDSHAKES)),
    Case("server-client-cert", None, good_server(more=CLIENT_CA), status=200,
         drive=clients.curl("--insecure", *SHOWN, times=HANDSHAKES)),
    Case("server-client-cert-keepalive", None, good_server(more=CLIENT_CA), status=200,
         drive=clients.curl("--insecure", *SHOWN, times=HANDSHAKES, alive=True)),
))
SERVER = (
    (SERVER_TLS13, (), NOTHING), (SERVER_TLS12, (), NOTHING), (SERVER_CERT, (), SERVER_VERIFY_HITS),
    (SERVER_TLS13, UPROBE, TLS13_HITS), (SERVER_TLS12, UPROBE, TLS12_HITS),
    (SERVER_CERT, UPROBE, TLS13_HITS + 2), (SERVER_ALIVE, (), SERVER_ALIVE_HITS),
)


def tests(here):
    """What handshakes cost that are known from the wire, which is the same on a busy machine."""
    yield from here.chosen("budget", checks(False))


def tests_of_library(here):
    """What the others cost. On a busy machine nginx calls the library less often in one handshake, as the upstream
    has answered before nginx looks: a lower figure is no better one."""
    yield from here.chosen("budget", checks(True))


def checks(of_library):
    return {name_of(case, options): partial(check_budget, case=case, limit=limit, options=options, role=role)
            for role, rows in (("client", CLIENT), ("server", SERVER))
            for case, options, limit in rows if (UPROBE[1] in options) == of_library}


def name_of(case, options):
    return "-".join([case.name, *(["uprobe"] if UPROBE[1] in options else []),
                     *(["entry-only"] if ENTRY_ONLY[0] in options else [])])


def count_runs(pid):
    """How often each of PID's uprobe programs has run: {name: runs}."""
    return {name: runs.count for name, runs in bpf.programs(pid).items()
            if name.startswith(("uprobe", "uretprobe"))}


def ring_records(recording):
    """How many records of RECORDING (its bytes) came through the ring about a connection."""
    offset = FILE_HEADER_LEN.unpack_from(recording, FILE_HEADER_LEN_AT)[0]
    count = 0
    while offset < len(recording):
        kind, _version, length = RECORD_HEADER.unpack_from(recording, offset)
        count += kind in CONNECTION_KINDS
        offset += length
    return count


def master_pid(lab):
    """By its number, so that only the libraries that it has mapped are attached to."""
    return re.search(r"^PPid:\t(\d+)$", Path(f"/proc/{lab.traced.worker_pids()[0]}/status").read_text(),
                     re.MULTILINE)[1]


def drive_round(lab, case, pid):
    """Has the case driven, and returns {program: runs} of that."""
    before = count_runs(pid)
    require(case.drive(lab, case) == 200, "a request failed", lab.traced.log_since(0)[-2000:])
    after = count_runs(pid)
    return {name: after[name] - before[name] for name in after}


def settles(rounds):
    """Whether ROUNDS, {program: runs} each, go on alike, so that nothing is hit in vain any more."""
    if len(rounds) < SETTLING_ROUNDS.start:
        return False
    before, last = rounds[-2:]
    return all(before.get(name, 0) == last.get(name, 0) for name in SETTLES)


def measure(here, lab, options):
    """Has HANDSHAKES handshakes made with the lab's only case, again and again until that costs the
    same twice, and returns {program: runs} of those two."""
    case, = lab.cases
    recording = lab.directory / "budget.rec"
    rounds = []
    with here.trace(lab, "--pid", master_pid(lab), *env.JSON, "--record", recording,
                    *options) as tlsfail:
        tlsfail.wait_armed()
        with bpf.RunStatistics():
            while not settles(rounds) and len(rounds) < SETTLING_ROUNDS.stop:
                rounds.append(drive_round(lab, case, tlsfail.process.pid))
                time.sleep(LOOK_S)
        status = tlsfail.interrupt()
    require(status == 0, f"exit status {status}", tlsfail.stderr())
    require(re.search(r"^tlsfail: \d+ handshakes seen.*, 0 failed", tlsfail.stderr(), re.MULTILINE),
            "not 0 failed", tlsfail.stderr())
    records = ring_records(recording.read_bytes())
    require(records <= NEWS_RECORDS, f"{records} ring records for successes")
    return rounds[-2:]


def check_budget(here, case, limit, options=(), role="client"):
    """The worse of two rounds counts."""
    name = name_of(case, options)
    with here.lab("budget-" + name, [case], private_libraries=True, role=role) as lab:
        rounds = measure(here, lab, options)
    worst = max(rounds, key=lambda runs: sum(runs.values()))
    mean = sum(worst.values()) / HANDSHAKES
    table = [f"{count:6} {name}" for name, count in sorted(worst.items()) if count]
    print(f"# {name}: {mean} hits a handshake, the budget is {limit}")
    # Fewer than one at the beginning and one at the end of a handshake: then this counts wrong.
    least = 1 if UPROBE[1] in options else limit
    require(least <= mean <= limit, f"{mean} hits a handshake; the budget is {limit}", *table)
