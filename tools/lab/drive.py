#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""How a case is driven: the HTTP client in front of the proxy.

Each driver takes the lab and the case, and returns the HTTP status of its last request, or None
when it did not wait for one.
"""
import http.client
import os
import socket
import time
from functools import partial

from . import proxy

_TIMEOUT = 10  # seconds; the proxy's own timeouts are shorter


def _port(case):
    return proxy.DEFAULTS_PORT if case.defaults else proxy.PORT


def _get(lab, case, path=""):
    connection = http.client.HTTPConnection(lab.proxy.address, _port(case), timeout=_TIMEOUT)
    try:
        connection.request("GET", "/" + case.name + path)
        response = connection.getresponse()
        response.read()
        return response.status
    finally:
        connection.close()


def once(lab, case):
    """One request."""
    return _get(lab, case)


def tunnel(data=b"", count=1):
    """COUNT connections through the stream module, which send DATA, and wait for the end."""
    def drive(lab, case):
        for _ in range(count):
            with socket.create_connection((lab.proxy.address, case.stream_port),
                                          timeout=_TIMEOUT) as client:
                try:
                    client.sendall(data)
                    while client.recv(4096):
                        pass
                except ConnectionError:
                    pass
    return drive


def times(count):
    """COUNT requests, each of which has to get the case's status."""
    def drive(lab, case):
        for _ in range(count):
            status = _get(lab, case)
            if status != case.status:
                break
        return status
    return drive


def storm(count, depth=50):
    """COUNT requests, DEPTH of them down the same connection at once. Returns how many were answered
    with the case's status."""
    def drive(lab, case):
        request = f"GET /{case.name} HTTP/1.1\r\nHost: lab\r\n\r\n".encode()
        answer = b"HTTP/1.1 %d " % case.status
        answered = 0
        for begun in range(0, count, depth):
            batch = min(depth, count - begun)
            last = b"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n"
            with socket.create_connection((lab.proxy.address, _port(case)),
                                          timeout=_TIMEOUT) as client:
                client.sendall(request * batch + last)
                answered += b"".join(iter(partial(client.recv, 1 << 16), b"")).count(answer)
        return answered
    return drive


def start(lab, case):
    """Sends one request and does not wait. Returns the client's connection, the caller's to close.
    """
    client = socket.create_connection((lab.proxy.address, _port(case)), timeout=_TIMEOUT)
    client.sendall(f"GET /{case.name} HTTP/1.0\r\n\r\n".encode())
    return client


def abort_after(seconds):
    """One request, by a client that goes away after SECONDS."""
    def drive(lab, case):
        with start(lab, case):
            time.sleep(seconds)
    return drive


def _get_well(lab, case, path=""):
    status = _get(lab, case, path)
    if status != 200:
        raise RuntimeError(f"the request that should have gone well got {status}")


def again(lab, case):
    """One request that has to succeed, and one more."""
    _get_well(lab, case)
    return _get(lab, case)


def after_sibling(lab, case):
    """One request to the sibling, which has to succeed, and one to the case's own location."""
    _get_well(lab, case, "/sibling")
    return _get(lab, case)


def forget_after_sibling(lab, case):
    """The same, and the second request has to succeed too, by the session of the first. Then the
    upstream is started anew, which forgets its sessions; one more request."""
    _get_well(lab, case, "/sibling")
    _get_well(lab, case)
    lab.upstreams.replace(case, case.upstream)
    return _get(lab, case)


def stop_upstream_between(lab, case):
    """One request that has to succeed; the upstream is stopped; one more request."""
    _get_well(lab, case)
    lab.upstreams.stop(case)
    return _get(lab, case)


def let_upstream_win(lab, case):
    """One request, with nginx and the upstream on one CPU and the upstream ahead: whatever nginx
    sends, the upstream has dealt with it before nginx goes on."""
    workers = lab.proxy.worker_pids()
    allowed = os.sched_getaffinity(workers[0])
    one = {min(allowed)}
    os.sched_setaffinity(lab.upstreams.pid(case), one)
    os.sched_setscheduler(lab.upstreams.pid(case), os.SCHED_FIFO, os.sched_param(1))
    for worker in workers:
        os.sched_setaffinity(worker, one)
    try:
        return _get(lab, case)
    finally:
        for worker in workers:
            os.sched_setaffinity(worker, allowed)
