#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""HTTPS servers of Python's standard library.

usage: tls_server.py FILE    FILE has the listeners, in JSON
"""
import http.server
import json
import ssl
import sys
import threading

VERSIONS = {"TLSv1.2": ssl.TLSVersion.TLSv1_2, "TLSv1.3": ssl.TLSVersion.TLSv1_3}


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")


def refuse_other_names(wanted):
    def check(_socket, name, _context):
        return None if name == wanted else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    return check


def context_of(listener):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(listener["certificate"], listener["key"])
    context.minimum_version, context.maximum_version = map(VERSIONS.get, listener["versions"])
    if listener["client_ca"]:
        context.load_verify_locations("pki/client-ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
    if listener["cipher"]:
        context.set_ciphers(listener["cipher"])
    if listener["name"]:
        context.sni_callback = refuse_other_names(listener["name"])
    return context


def serve(listener):
    server = http.server.ThreadingHTTPServer((listener["address"], listener["port"]), Answer)
    # The handshake is for the thread of the connection.
    server.socket = context_of(listener).wrap_socket(server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
    server.serve_forever()


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        threads = [threading.Thread(target=serve, args=(listener,)) for listener in json.load(file)]
    for thread in threads:
        thread.start()


if __name__ == "__main__":
    main()
