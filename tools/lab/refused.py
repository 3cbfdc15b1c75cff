#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""refused.py PORT

A program that has a TLS library, and connects to a PORT of 127.0.0.1 where nobody listens as often as
it can, until it is ended.
"""
import signal
import socket
import ssl  # so that the library is mapped
import sys
import threading

THREADS = 3


def storm(port):
    while True:
        with socket.socket() as client:
            client.connect_ex(("127.0.0.1", port))


def main(port):
    print(ssl.OPENSSL_VERSION, flush=True)
    for _ in range(THREADS):
        threading.Thread(target=storm, args=[int(port)], daemon=True).start()
    signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
