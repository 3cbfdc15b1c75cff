#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a server of TLS 1.2 says that no library would say: its messages, put together by hand (RFC 5246, RFC
8422). Used by misbehave.py.
"""
import os
import ssl
import struct
from pathlib import Path

_RECORD = struct.Struct("!BHH")
_HANDSHAKE = 22
_TLS12 = 0x0303
_SERVER_HELLO, _CERTIFICATE, _SERVER_KEY_EXCHANGE, _SERVER_HELLO_DONE = 2, 11, 12, 14
_NAMED_CURVE, _P256 = 3, 23
_RENEGOTIATION_INFO = b"\xff\x01\x00\x01\x00"  # empty: OpenSSL 3 insists on it
_POINT = b"\x03\x42\x00\x04"  # what stands before the rest of a point of P-256 in a certificate

ECDHE_ECDSA_AES128_GCM_SHA256, ECDHE_ECDSA_AES256_GCM_SHA384 = 0xC02B, 0xC02C
ECDSA_SHA1, ECDSA_P256_SHA256 = 0x0203, 0x0403
# The last bytes of the random value of a server that could speak TLS 1.3 (RFC 8446, 4.1.3).
DOWNGRADED = b"DOWNGRD\x01"


def _message(kind, body):
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def record(*messages):
    """Those messages in one record."""
    payload = b"".join(messages)
    return _RECORD.pack(_HANDSHAKE, _TLS12, len(payload)) + payload


def server_hello(suite=ECDHE_ECDSA_AES128_GCM_SHA256, session=b"", ending=b""):
    """A ServerHello that resumes SESSION, if it is one; ENDING is how its random value ends."""
    random = os.urandom(32 - len(ending)) + ending
    return _message(_SERVER_HELLO, struct.pack("!H", _TLS12) + random + bytes([len(session)]) + session
                    + struct.pack("!HBH", suite, 0, len(_RENEGOTIATION_INFO)) + _RENEGOTIATION_INFO)


def flight(certificate, scheme):
    """Certificate, ServerKeyExchange and ServerHelloDone of a server with the CERTIFICATE of that name, which
    has a key of P-256. The signature, by the SCHEME of that number, has the right form and is none."""
    der = ssl.PEM_cert_to_DER_cert(Path(certificate + ".crt").read_text())
    start = der.index(_POINT) + len(_POINT) - 1
    signature = b"\x30\x44" + 2 * (b"\x02\x20\x11" + os.urandom(31))
    exchange = (struct.pack("!BHB", _NAMED_CURVE, _P256, 65) + der[start:start + 65]
                + struct.pack("!HH", scheme, len(signature)) + signature)
    listed = len(der).to_bytes(3, "big") + der
    return (_message(_CERTIFICATE, len(listed).to_bytes(3, "big") + listed)
            + _message(_SERVER_KEY_EXCHANGE, exchange) + _message(_SERVER_HELLO_DONE, b""))
