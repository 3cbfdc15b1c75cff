#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A receiver of OTLP/HTTP logs for the tests: strict where a collector is lenient, and as faulty as
it is told to be.

What it takes is what opentelemetry/proto/logs/v1 and .../common/v1 define, as JSON by Protobuf's
mapping: field names in lowerCamelCase, 64-bit integers as strings, no field that is not defined, one
value in each AnyValue, each attribute once."""
import gzip
import http.server
import json
import re
import socket
import struct
import threading


class Malformed(Exception):
    """What was received is no ExportLogsServiceRequest."""


def _text(value):
    if not isinstance(value, str):
        raise Malformed(f"no string: {value!r}")
    return value


def _boolean(value):
    if not isinstance(value, bool):
        raise Malformed(f"no boolean: {value!r}")
    return value


def _int64(value):
    if not isinstance(value, str) or not re.fullmatch(r"-?(0|[1-9][0-9]*)", value):
        raise Malformed(f"no 64-bit integer, which is a string: {value!r}")
    if not -2**63 <= int(value) < 2**63:
        raise Malformed(f"out of range: {value}")
    return int(value)


def _severity(value):
    if type(value) is not int or not 1 <= value <= 24:
        raise Malformed(f"no SeverityNumber: {value!r}")
    return value


def _message(value, fields, required=()):
    """The members of the object VALUE, each read by FIELDS[its name]."""
    if not isinstance(value, dict):
        raise Malformed(f"no message: {value!r}")
    for name in value:
        if name not in fields:
            raise Malformed(f"no such field: {name}")
    for name in required:
        if name not in value:
            raise Malformed(f"{name} is missing in {value!r}")
    return {name: fields[name](member) for name, member in value.items()}


def _list(read):
    def read_list(value):
        if not isinstance(value, list):
            raise Malformed(f"no list: {value!r}")
        return [read(item) for item in value]
    return read_list


def _attributes(value):
    pairs = _list(lambda pair: _message(pair, {"key": _text, "value": _any}, ("key", "value")))(
        value)
    keys = [pair["key"] for pair in pairs]
    if len(set(keys)) != len(keys) or "" in keys:
        raise Malformed(f"attributes that are not unique: {keys}")
    return {pair["key"]: pair["value"] for pair in pairs}


def _any(value):
    read = _message(value, {
        "stringValue": _text, "boolValue": _boolean, "intValue": _int64,
        "arrayValue": lambda array: _message(array, {"values": _list(_any)}).get("values", []),
        "kvlistValue": lambda array: _message(array, {"values": _attributes}).get("values", {}),
    })
    if len(read) != 1:
        raise Malformed(f"not one value: {value!r}")
    return next(iter(read.values()))


def _scope(value):
    return _message(value, {"name": _text, "version": _text, "attributes": _attributes})


def _record(value):
    return _message(value, {
        "timeUnixNano": _int64, "observedTimeUnixNano": _int64, "severityNumber": _severity,
        "severityText": _text, "body": _any, "attributes": _attributes, "eventName": _text,
    }, ("timeUnixNano", "body", "attributes"))


def read_request(data):
    """[(resource's attributes, scope, log records)] of the request with the bytes DATA."""
    request = _message(json.loads(data), {"resourceLogs": _list(lambda logs: _message(logs, {
        "resource": lambda r: _message(r, {"attributes": _attributes})["attributes"],
        "scopeLogs": _list(lambda scoped: _message(
            scoped, {"scope": _scope, "logRecords": _list(_record)}, ("scope", "logRecords"))),
    }, ("resource", "scopeLogs")))}, ("resourceLogs",))
    return [(logs["resource"], scoped["scope"], scoped["logRecords"])
            for logs in request["resourceLogs"] for scoped in logs["scopeLogs"]]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fault = receiver.next_fault()
        if fault == "reset":
            # What is sent to a socket closed like this is answered with RST.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        if fault == "hang":
            receiver.released.wait()
            self.close_connection = True
            return
        status, headers, answer = fault or (200, {}, b"{}")
        if status == 200 and answer.startswith(b"{"):
            receiver.take(self.path, self.headers, body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        for header in headers.items():
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class Receiver:
    """A receiver on 127.0.0.1. FAULTS are what it does to the first requests: "reset", "hang", or
    (status, headers, body); None is to take it. `records` are the log records taken."""

    def __init__(self, faults=()):
        self._faults = list(faults)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.receiver = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,),
                                        daemon=True)
        self.released = threading.Event()
        self.requests, self.records, self.complaints = [], [], []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def sink(self):
        """The sink that leads here."""
        return f"otlp:http://127.0.0.1:{self._server.server_address[1]}"

    def next_fault(self):
        return self._faults.pop(0) if self._faults else None

    def take(self, path, headers, body):
        """Reads a request, or keeps a complaint."""
        try:
            if path != "/v1/logs" or headers["Content-Type"] != "application/json":
                raise Malformed(f"{path}, {headers['Content-Type']}")
            if headers["Content-Encoding"] != "gzip":
                raise Malformed(f"Content-Encoding {headers['Content-Encoding']}")
            for resource, scope, records in read_request(gzip.decompress(body)):
                self.requests.append((headers, resource, scope, len(records)))
                self.records += records
        except (Malformed, ValueError, OSError) as error:
            self.complaints.append(str(error))
