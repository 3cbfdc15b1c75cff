#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Whose a fact is: an error of a handshake that is not over TCP, and bytes of an earlier connection on
the same socket. And bytes in several buffers of one call, or in more than are looked at."""
import resource
import shutil
import socket
import ssl
import subprocess
import time
from contextlib import ExitStack, suppress

import env
from lab import procs
from lab.cases import named
from lab.upstreams import listening_ports
from tap import require

LOOK_S = 1.1  # tlsfail looks once a second at what it has use for

CASES = BROKEN, RETRIED, GOOD12, GOOD13 = named("verify-expired", "verify-expired-retry",
                                                "good-tls12", "good-tls13")

# A server whose thread fails a handshake over a unix socket, and then is asked by a TCP client that
# says nothing. Each step is begun by a line, and ends with one.
INNOCENT = """\
import socket, ssl, sys, threading
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain("pki/good.crt", "pki/good.key")
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
def refuse(end):
    try:
        ssl.create_default_context().wrap_socket(end, server_hostname="upstream.test")
    except ssl.SSLError:
        pass
def healthy():
    server.wrap_socket(listener.accept()[0], server_side=True).close()
def unix():
    ours, theirs = socket.socketpair()
    client = threading.Thread(target=refuse, args=(theirs,))
    client.start()
    try:
        server.wrap_socket(ours, server_side=True)
    except ssl.SSLError:
        ours.close()
    client.join()
def silent():
    connection = listener.accept()[0]
    connection.recv(1, socket.MSG_PEEK)
    connection.close()
for step in (healthy, unix, silent):
    sys.stdin.readline()
    step()
    print("done", flush=True)
"""

# A long dialogue with oneself; a handshake that is not answered; more of that dialogue, and an error that is
# about no connection; and a handshake that is answered with no TLS.
QUIET = """\
import socket, ssl, sys
sys.stdin.readline()
listener = socket.create_server(("127.0.0.1", 0))
def pair():
    near = socket.create_connection(listener.getsockname())
    return near, listener.accept()[0]
def talk(near, far):
    for end, other in (near, far), (far, near):
        end.sendall(bytes(64))
        other.recv(64)
def refuse():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(b"HTTP/1.1 400 Bad Request")
    try:
        ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="x.test").do_handshake()
    except ssl.SSLError:
        pass
long = pair()
for _ in range(200):
    talk(*long)
outgoing = ssl.MemoryBIO()
tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="first.test")
try:
    tls.do_handshake()
except ssl.SSLWantReadError:
    pass
near, far = pair()
near.sendall(outgoing.read())
talk(*long)
refuse()
far.close()
near.close()
talk(*long)
near, far = pair()
far.sendall(b"HTTP/1.1 400 Bad Request")
try:
    ssl.create_default_context().wrap_socket(near, server_hostname="second.test")
except ssl.SSLError:
    pass
print("done", flush=True)
"""

# Half a handshake, and on the same socket another, with a peer that shows an expired certificate.
AGAIN = """\
import socket, ssl, ctypes
def hello(name):
    context = ssl.create_default_context()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name)
    return tls, incoming, outgoing
def step(tls):
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return True
    except ssl.SSLError:
        return False
peer = ("{address}", {port})
s = socket.socket()
s.connect(peer)
tls, incoming, outgoing = hello("first.test")
step(tls)
s.sendall(outgoing.read())
unspecified = (ctypes.c_char * 16)()
if ctypes.CDLL(None).connect(s.fileno(), unspecified, 16):
    raise SystemExit("connect")
s.connect(peer)
tls, incoming, outgoing = hello("second.test")
while step(tls):
    s.sendall(outgoing.read())
    incoming.write(s.recv(16384))
s.sendall(outgoing.read())
s.close()
"""


# Handshakes and requests whose bytes go and come in several buffers of a call: the first of FIRST bytes,
# the next of one more and so on, the rest in the last of N; where FIRST is 0, what goes has an empty one in front
# that is nowhere, as Erlang does it. No more than SIZE bytes come in a call. A line of input for each transfer.
VECTORS = """\
import ctypes, socket, ssl, sys
class Buffer(ctypes.Structure):
    _fields_ = (("base", ctypes.c_char_p), ("length", ctypes.c_size_t))
libc = ctypes.CDLL(None)
def send_behind_nothing(s, data):
    return libc.writev(s.fileno(), (Buffer * 2)((None, 0), (data, len(data))), 2)
def cut(data, first, n):
    parts = []
    for size in range(first, first + n - 1):
        parts.append(data[:size])
        data = memoryview(data)[size:]
    return parts + [data]
def transfer(address, port, version, first, n, size):
    context = ssl.create_default_context(cafile="pki/ca.crt")
    context.check_hostname = False
    context.maximum_version = ssl.TLSVersion[version]
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="upstream.test")
    with socket.create_connection((address, int(port))) as s:
        def send():
            data = outgoing.read()
            if data:
                sent = s.sendmsg(cut(data, first, n)) if first else send_behind_nothing(s, data)
                assert sent == len(data)
        def finish(call):
            while True:
                try:
                    return call()
                except ssl.SSLWantReadError:
                    send()
                    whole = bytearray(size)
                    got = s.recvmsg_into(cut(memoryview(whole), first, n))[0]
                    assert got
                    incoming.write(whole[:got])
        try:
            finish(tls.do_handshake)
        except ssl.SSLError:
            send()
            return
        tls.write(b"GET / HTTP/1.0\\r\\n\\r\\n")
        send()
        assert finish(lambda: tls.read(16384))
for line in sys.stdin:
    address, port, version, *numbers = line.split()
    transfer(address, port, version, *map(int, numbers))
    print("done", flush=True)
"""


# Handshakes that begin, one by one, with a server that does not end its flight: by a library that reads the header
# of each record by itself, or whatever is there.
HEADERS = """\
import socket, ssl, sys
context = ssl.create_default_context(cafile="pki/ca.crt")
for line in sys.stdin:
    port, how = line.split()
    with socket.create_connection(("127.0.0.1", int(port))) as s:
        try:
            if how == "apart":
                context.wrap_socket(s, server_hostname="upstream.test")
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = context.wrap_bio(incoming, outgoing, server_hostname="upstream.test")
            while True:
                try:
                    tls.do_handshake()
                except ssl.SSLWantReadError:
                    if outgoing.pending:
                        s.sendall(outgoing.read())
                    data = s.recv(16384)
                    if not data:
                        break
                    incoming.write(data)
        except (OSError, ssl.SSLError):
            pass
    print("done", flush=True)
"""


# A server that waits for something before it chooses its certificate, turns to another socket meanwhile,
# and then fails: no I/O stands between what it did last and the error. A line of input a client.
SUSPENDED = """\
import ctypes, socket, sys
ssl = ctypes.CDLL("libssl.so.3")
for name in "SSL_CTX_new", "TLS_server_method", "SSL_new":
    getattr(ssl, name).restype = ctypes.c_void_p
asked = 0
@ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
def choose(tls, argument):
    global asked
    asked += 1
    return 0 if asked % 2 == 0 else -1
context = ctypes.c_void_p(ssl.SSL_CTX_new(ctypes.c_void_p(ssl.TLS_server_method())))
ssl.SSL_CTX_set_cert_cb(context, choose, None)
listener = socket.create_server(("127.0.0.1", 0))
elsewhere = socket.create_connection(listener.getsockname())
other = listener.accept()[0]
other.setblocking(False)
print(listener.getsockname()[1], flush=True)
for line in sys.stdin:
    connection = listener.accept()[0]
    tls = ctypes.c_void_p(ssl.SSL_new(context))
    ssl.SSL_set_fd(tls, connection.fileno())
    for expected in 1, 2:
        assert ssl.SSL_accept(tls) == -1 and asked % 2 == expected % 2
        try:
            other.recv(1)
        except BlockingIOError:
            pass
    ssl.SSL_free(tls)
    connection.close()
    print("done", flush=True)
"""
CERT_CB_ERROR = 377  # include/openssl/sslerr.h


# A server that reads until nothing is left, and gives it all to a memory BIO. When the handshake fails it
# closes, without sending the alert. A line of input a client.
DRAINED = """\
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("pki/good.crt", "pki/good.key")
context.minimum_version = ssl.TLSVersion.TLSv1_3
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
for line in sys.stdin:
    connection = listener.accept()[0]
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(connection.recv(4096))
    connection.setblocking(False)
    try:
        connection.recv(4096)
    except BlockingIOError:
        pass
    try:
        tls.do_handshake()
    except ssl.SSLError:
        pass
    connection.close()
    print("done", flush=True)
"""
UNSUPPORTED_PROTOCOL = 258  # include/openssl/sslerr.h
WRONG_VERSION_NUMBER = 267  # the same


# A server to which a number of clients say the beginning of a ClientHello, and which then is a client.
CROWD = """\
import resource, socket, ssl, sys
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
print(listener.getsockname()[1], flush=True)
crowd = []
for _ in range(int(sys.stdin.readline())):
    crowd.append(listener.accept()[0])
    assert crowd[-1].recv(16)
print("done", flush=True)
address, port = sys.stdin.readline().split()
with socket.create_connection((address, int(port))) as s:
    try:
        ssl.create_default_context(cafile="pki/ca.crt").wrap_socket(s, server_hostname="upstream.test")
    except ssl.SSLError:
        pass
print("done", flush=True)
sys.stdin.readline()
"""

# A server that hangs up: of as many as a line of input says it reads, and keeps them; then of one more.
WALLS = """\
import socket, ssl, sys
listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
print(listener.getsockname()[1], flush=True)
kept = []
for line in sys.stdin:
    for _ in range(int(line)):
        kept.append(listener.accept()[0])
        kept[-1].recv(4096)
    kept.pop().close()
    print("done", flush=True)
"""


def tests(here):
    yield from here.chosen("wire", {"innocent-peer": check_innocent, "socket-again": check_again,
                                    "vectors": check_vectors, "records-apart": check_records_apart,
                                    "headers": check_headers, "quiet": check_quiet, "suspended": check_suspended,
                                    "drained": check_drained,
                                    "crowd": check_crowd, "walls": check_walls})


def python_of(lab):
    exe = lab.directory / "python3"
    shutil.copy("/usr/bin/python3", exe)
    return exe


def start_script(processes, lab, exe, script):
    """A SCRIPT of Python, run by EXE in the lab's directory, to be given lines and asked for some."""
    return processes.start([str(exe), "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           text=True, cwd=lab.directory)


def say(child, line=""):
    """Gives CHILD a LINE and returns the one that it answers."""
    child.stdin.write(line + "\n")
    child.stdin.flush()
    return child.stdout.readline().strip()


def check_innocent(here):
    with here.lab("innocent", CASES, start_proxy=False) as lab, procs.Processes() as processes:
        exe = python_of(lab)
        with here.trace(lab, "--exe", exe, *env.JSON, "-v") as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting for")
            child = start_script(processes, lab, exe, INNOCENT)
            address = "127.0.0.1", int(child.stdout.readline())
            client = subprocess.Popen(["openssl", "s_client", "-connect", "%s:%d" % address],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            require(say(child) == "done", tlsfail.stderr())
            client.wait(10)
            require(say(child) == "done", tlsfail.stderr())
            with socket.create_connection(address):
                pass
            require(say(child) == "done", tlsfail.stderr())
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
        blamed = [finding for finding in tlsfail.findings() if finding.get("tlsfail.errors")
                  or finding["error.type"] == "client-rejects-cert"]
        require(not blamed, *blamed)


def check_quiet(here):
    """I/O on a connection that is not looked at any more ends what the thread was about, and nothing else."""
    with here.lab("quiet", CASES, start_proxy=False) as lab, procs.Processes() as processes:
        exe = python_of(lab)
        with here.trace(lab, "--exe", exe, *env.JSON) as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting for")
            child = start_script(processes, lab, exe, QUIET)
            tlsfail.wait_armed()
            require(say(child) == "done", tlsfail.stderr())
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
        told = {finding["tls.client.server_name"]: finding for finding in tlsfail.findings()
                if "tls.client.server_name" in finding}
        require(set(told) == {"first.test", "second.test"}, *tlsfail.findings(), tlsfail.stderr())
        require(not told["first.test"].get("tls.openssl.reason_code"), told["first.test"])
        require(told["second.test"].get("tls.openssl.reason_code") == WRONG_VERSION_NUMBER, told["second.test"])


def check_again(here):
    with here.lab("again", CASES, start_proxy=False) as lab:
        exe = python_of(lab)
        with here.trace(lab, "--exe", exe, *env.JSON) as tlsfail:
            tlsfail.wait_stderr("tlsfail: waiting for")
            script = AGAIN.format(address=BROKEN.address, port=BROKEN.port)
            ran = subprocess.run([str(exe), "-c", script], timeout=10, check=False,
                                 capture_output=True, text=True)
            require(ran.returncode == 0, ran.stderr)
            finding = tlsfail.wait_finding(BROKEN)
        require(finding and finding["tls.client.server_name"] == "second.test", finding,
                tlsfail.stderr())


def check_suspended(here):
    """An error whose owner the wire does not tell is nobody's, and told of. The next one is somebody's,
    as by then SSL_do_handshake is attached to; unless that is forbidden."""
    check_owners(here, "suspended", SUSPENDED, CERT_CB_ERROR,
                 (("auto", [False, True, True], 1), ("wire", [False, False, False], 3),
                  ("uprobe", [True, True, True], 0)))


def check_drained(here):
    """Nothing was left to be read when the error came, and what was read from is closed then."""
    check_owners(here, "drained", DRAINED, UNSUPPORTED_PROTOCOL,
                 (("auto", [True, True], 0), ("wire", [True, True], 0)))


def check_owners(here, name, script, reason, choices):
    """A server that fails, with an error of that REASON: of CHOICES of handshake= each time whether it is in the
    finding, and how many are not."""
    with here.lab(name, CASES, start_proxy=False) as lab, procs.Processes() as processes:
        exe = python_of(lab)
        child = start_script(processes, lab, exe, script)
        address = "127.0.0.1:%d" % int(child.stdout.readline())
        for choice, owned, lost in choices:
            with here.trace(lab, "--exe", exe, "--hook", f"handshake={choice}", *env.JSON,
                            name=choice) as tlsfail:
                tlsfail.wait_armed()
                for _ in owned:
                    child.stdin.write("\n")
                    child.stdin.flush()
                    subprocess.run(["openssl", "s_client", "-tls1_2", "-connect", address], timeout=10,
                                   check=False, stdin=subprocess.DEVNULL, capture_output=True)
                    require(child.stdout.readline().strip() == "done", tlsfail.stderr())
                    time.sleep(LOOK_S)
                require(tlsfail.interrupt() == 0, tlsfail.stderr())
            found = tlsfail.findings()
            codes = [finding.get("tls.openssl.reason_code") for finding in found]
            require([code == reason for code in codes] == owned, choice, *found, tlsfail.stderr())
            said = tlsfail.stderr_lines(f"tlsfail: {lost} TLS error")
            require(bool(said) == bool(lost), choice, tlsfail.stderr())


def check_vectors(here):
    with here.lab("vectors", CASES, start_proxy=False) as lab, procs.Processes() as processes:
        exe = python_of(lab)
        child = start_script(processes, lab, exe, VECTORS)

        def transfer(case, version, first, buffers, size=16384):
            line = f"{case.address} {case.port} {version} {first} {buffers} {size}"
            require(say(child, line) == "done", tlsfail.stderr())

        with here.trace(lab, "--exe", exe, *env.JSON) as tlsfail:
            tlsfail.wait_armed()
            for first, buffers in ((5, 1), (5, 2), (5, 4), (5, 8), (3, 4), (40, 8), (0, 4), (5, 20)):
                transfer(GOOD12, "TLSv1_2", first, buffers)
                transfer(GOOD13, "TLSv1_3", first, buffers)
            for first, buffers in ((5, 1), (5, 4), (5, 8), (0, 4), (5, 20)):
                transfer(BROKEN, "TLSv1_3", first, buffers)
            transfer(RETRIED, "TLSv1_3", 5, 1, size=64)
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
        findings = tlsfail.findings()
        require(len(findings) == 6, *findings, tlsfail.stderr())
        for finding in findings:
            require(finding["error.type"] == BROKEN.slug, finding)


def flight_of(lab, hello):
    """What a server answers to that ClientHello, as a list of records."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(lab.directory / "pki/good.crt", lab.directory / "pki/good.key")
    incoming.write(hello)
    with suppress(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_side=True).do_handshake()
    flight, records = outgoing.read(), []
    while flight:
        length = 5 + int.from_bytes(flight[3:5], "big")
        records.append(flight[:length])
        flight = flight[length:]
    return records


def check_headers(here):
    """The header of a record that is read by itself is a part of the handshake as everything else is: the same is told
    of connections that end within a record, or before it, however the client reads."""
    with here.lab("headers", CASES, start_proxy=False) as lab, procs.Processes() as processes, \
            socket.create_server(("127.0.0.1", 0)) as listener:
        exe = python_of(lab)
        child = start_script(processes, lab, exe, HEADERS)

        def fail(whole, more, how):
            child.stdin.write(f"{listener.getsockname()[1]} {how}\n")
            child.stdin.flush()
            with listener.accept()[0] as server:
                records = flight_of(lab, server.recv(16384))
                server.sendall(b"".join(records[:whole]) + records[whole][:more])
                server.shutdown(socket.SHUT_WR)
                require(child.stdout.readline().strip() == "done", tlsfail.stderr())

        with here.trace(lab, "--exe", exe, *env.JSON, "-v", "--no-fold") as tlsfail:
            tlsfail.wait_armed()
            ends = [(1, 0), (1, 5), *((whole, more) for whole in (2, 3, 4) for more in (0, 5, 7))]
            for how in ("apart", "together"):
                for end in ends:
                    fail(*end, how)
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
        told = [(finding["tlsfail.bytes_received"], finding["tlsfail.first_bytes"][:10],
                 [step["what"] for step in finding["tlsfail.timeline"] if "bytes" in step["what"]])
                for finding in tlsfail.findings()]
        require(len(told) == 2 * len(ends), *told, tlsfail.stderr())
        require(told[:len(ends)] == told[len(ends):], *told)
        require(len({str(each) for each in told}) == len(ends), *told)


def check_records_apart(here):
    """GnuTLS hands over each record of a flight in a buffer of its own: five, of a server that asks for a
    certificate."""
    with here.lab("apart", CASES, start_proxy=False) as lab, procs.Processes() as processes:
        exe = lab.directory / "gnutls-serv"
        shutil.copy(shutil.which(exe.name), exe)
        port = 8400
        processes.start([exe, "--quiet", "--port", str(port), "--x509certfile", "pki/good.crt",
                         "--x509keyfile", "pki/good.key"], cwd=lab.directory, stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL)
        procs.wait_until(lambda: port in listening_ports(), 10, "gnutls-serv to listen")
        with here.trace(lab, "--exe", exe, "--role", "server", *env.JSON) as tlsfail:
            tlsfail.wait_armed()
            for version in ("-tls1_2", "-tls1_3"):
                subprocess.run(["openssl", "s_client", version, "-connect", f"127.0.0.1:{port}",
                                "-verify_return_error"], timeout=10, check=False,
                               stdin=subprocess.DEVNULL, capture_output=True)
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
        told = [finding["error.type"] for finding in tlsfail.findings()]
        require(told == ["client-rejects-cert"] * 2, *told, tlsfail.stderr())


def check_crowd(here):
    """Half a ClientHello of more clients than there is room for leaves room for an upstream."""
    count = 4200
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with here.lab("crowd", CASES, start_proxy=False) as lab, procs.Processes() as processes, \
            ExitStack() as clients:
        clients.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, most))
        exe = python_of(lab)
        child = start_script(processes, lab, exe, CROWD)
        address = "127.0.0.1", int(child.stdout.readline())
        with here.trace(lab, "--exe", exe, *env.JSON) as tlsfail:
            tlsfail.wait_armed()
            child.stdin.write(f"{count}\n")
            child.stdin.flush()
            for _ in range(count):
                client = clients.enter_context(socket.create_connection(address))
                client.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc")
            require(child.stdout.readline().strip() == "done", tlsfail.stderr())
            require(say(child, f"{BROKEN.address} {BROKEN.port}") == "done", tlsfail.stderr())
            require(tlsfail.wait_finding(BROKEN), tlsfail.stderr())


def client_hello(name):
    """The bytes of a ClientHello for that name."""
    client = ssl.MemoryBIO(), ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        ssl.create_default_context().wrap_bio(*client, server_hostname=name).do_handshake()
    return client[1].read()


def check_walls(here):
    """More half handshakes than there is room for bytes of clients: who came last has kept theirs, and, when all
    the others are gone, room is left for who comes next."""
    with here.lab("walls", CASES, start_proxy=False) as lab, procs.Processes() as processes:
        exe = python_of(lab)
        child = start_script(processes, lab, exe, WALLS)
        address = "127.0.0.1", int(child.stdout.readline())
        with here.trace(lab, "--exe", exe, *env.JSON) as tlsfail:
            tlsfail.wait_armed()
            for number, count in enumerate((900, 1)):
                with ExitStack() as clients:
                    for i in range(count):
                        client = clients.enter_context(socket.create_connection(address))
                        client.sendall(client_hello(f"n{number}-{i}.test"))
                    require(say(child, str(count)) == "done", tlsfail.stderr())
                last = f"n{number}-{count - 1}.test"
                procs.wait_until(lambda last=last: any(
                    finding.get("tls.client.server_name") == last for finding in tlsfail.findings()),
                    20, f"a finding of {last}")
