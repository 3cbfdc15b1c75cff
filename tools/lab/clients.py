#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Clients of the upstream nginx, when that is what is looked at: real ones, and bytes of our own.

Each function returns a driver, as drive.py has them: it takes the lab and the case.
"""
import os
import signal
import socket
import ssl
import struct
import subprocess
import threading
import time
from functools import partial


from .pki import SERVER_NAME

_TIMEOUT = 10  # seconds
_FLIGHT_S = 0.1  # in which a client on this machine has sent all of its first flight
_REQUEST = "GET / HTTP/1.0\r\n\r\n"
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close() sends RST


def _url(case, scheme):
    return f"{scheme}://{SERVER_NAME}:{case.port}/"


def openssl(*args, request=_REQUEST, name=SERVER_NAME):
    """`openssl s_client ARGS`, which sends REQUEST and waits for the end, or goes away
    at once without one."""
    def run(lab, case):
        subprocess.run(["openssl", "s_client", "-quiet", *([] if request else ["-no_ign_eof"]),
                        "-connect", case.endpoint, *(["-servername", name] if name else []), *args], cwd=lab.directory, input=request,
                       capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    return run


def _relay_first_flight(listener, case):
    """Passes on what a client sends at once, and after that nothing but what the server says."""
    client, _ = listener.accept()
    with client, socket.create_connection((case.address, case.port), timeout=_TIMEOUT) as server:
        time.sleep(_FLIGHT_S)
        server.sendall(client.recv(1 << 16))
        try:
            for data in iter(partial(server.recv, 1 << 16), b""):
                client.sendall(data)
        except ConnectionError:
            pass


def early_data(lab, case):
    """`openssl s_client`, twice: the second time it resumes the session, sends its request with the
    ClientHello, and the rest does not arrive."""
    (lab.directory / "early").write_text(_REQUEST)
    openssl("-tls1_3", "-sess_out", "session")(lab, case)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_relay_first_flight, args=(listener, case), daemon=True).start()
        client = openssl("-tls1_3", "-sess_in", "session", "-early_data", "early", "-connect",
                         f"127.0.0.1:{listener.getsockname()[1]}", request="")
        client(lab, case)


def curl(*args, scheme="https", times=1, alive=False):
    """`curl ARGS`: TIMES requests, each on a connection and with a handshake of its own; or ALIVE, all
    on one. Returns the HTTP status of the last, 0 when there is none."""
    each = f"?[1-{times}]" if times > 1 else ""
    end = () if alive else ("--header", "Connection: close")

    def run(lab, case):
        done = subprocess.run(
            ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}",
             "--connect-to", f"::{case.endpoint}", *end, "--no-sessionid", *args, _url(case, scheme) + each],
            cwd=lab.directory, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
        return int(done.stdout[-3:] or 0)
    return run


def gnutls(*args):
    """`gnutls-cli ARGS`."""
    def run(lab, case):
        subprocess.run(["gnutls-cli", "--port", str(case.port), "--sni-hostname", SERVER_NAME,
                        *args, case.address], cwd=lab.directory, input=_REQUEST,
                       capture_output=True, text=True, timeout=_TIMEOUT, check=False)
    return run


def python(*, ca, name=SERVER_NAME):
    """Python's ssl, which trusts CA and wants the name NAME."""
    def run(lab, case):
        context = ssl.create_default_context(cafile=lab.directory / "pki" / ca)
        with socket.create_connection((case.address, case.port), timeout=_TIMEOUT) as client:
            try:
                context.wrap_socket(client, server_hostname=name).close()
            except ssl.SSLError:
                pass
    return run


def finish_and_reset(name):
    """A client of TLS 1.3 whose Finished is followed by a reset at once: the server, which stands still
    meanwhile, reads it when the connection is gone."""
    def run(lab, case):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context.wrap_bio(incoming, outgoing, server_hostname=name)
        with socket.create_connection((case.address, case.port), timeout=_TIMEOUT) as s:
            while True:
                try:
                    client.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    s.sendall(outgoing.read())
                    incoming.write(s.recv(1 << 16))
            workers = lab.traced.worker_pids()
            for worker in workers:
                os.kill(worker, signal.SIGSTOP)
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            s.sendall(outgoing.read())
        for worker in workers:
            os.kill(worker, signal.SIGCONT)
    return run


def through_proxy(lab, case):
    """curl, to which the upstream was given as its proxy."""
    proxy = ("--proxy", f"http://{case.endpoint}", "https://elsewhere.test/")
    subprocess.run(["curl", "--silent", *proxy], cwd=lab.directory, capture_output=True,
                   timeout=_TIMEOUT, check=False)


# ---- Bytes of our own ----------------------------------------------------------------------------


def client_hello():
    """A ClientHello in its record, of a client that speaks TLS 1.2."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=SERVER_NAME)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise RuntimeError("a handshake that needs no answer")


def _wait_for_end(client):
    try:
        while client.recv(4096):
            pass
    except ConnectionError:
        pass


def send(data=b"", answer=False, more=b"", reset=False, wait=False):
    """Connects and sends DATA; reads an ANSWER and sends MORE; then closes, with RESET by RST, or
    with WAIT once the server has."""
    def run(_lab, case):
        with socket.create_connection((case.address, case.port), timeout=_TIMEOUT) as client:
            client.sendall(data)
            if answer:
                client.recv(4096)
                client.sendall(more)
            if wait:
                _wait_for_end(client)
            if reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    return run


def after_success(client):
    """CLIENT, where TLS was spoken before."""
    def run(lab, case):
        send_hello = openssl()
        send_hello(lab, case)
        return client(lab, case)
    return run


def after(first, client):
    """CLIENT, once FIRST has been."""
    def run(lab, case):
        first(lab, case)
        return client(lab, case)
    return run
