#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What is said in the clear before TLS, by programs that begin with their own protocol.

    dialogue.py PROTOCOL ADDRESS PORT TO-PORT

Speaks a server's part of PROTOCOL, until the client asks for TLS, on ADDRESS:PORT; the rest it passes on to
TO-PORT there. `ask` speaks the client's part.
"""
import socket
import struct
import sys
import threading

_POSTGRES_SSL = struct.pack(">II", 8, 80877103)  # SSLRequest of PostgreSQL's protocol
_CLIENT_SSL = 0x800
# PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH, SSL.
_MYSQL_CAN = 0x80200 | 0x8000 | _CLIENT_SSL


def _mysql_packet(number, body):
    return len(body).to_bytes(3, "little") + bytes([number]) + body


def _mysql_greeting():
    return _mysql_packet(0, b"\x0a10.11.0-lab\0" + struct.pack("<I", 1) + b"abcdefgh\0"
                         + struct.pack("<HBHH", _MYSQL_CAN & 0xffff, 33, 2, _MYSQL_CAN >> 16)
                         + b"\x15" + bytes(10) + b"abcdefghijkl\0mysql_native_password\0")


def _answer_postgres(client):
    client.recv(8, socket.MSG_WAITALL)
    client.sendall(b"S")


def _answer_mysql(client):
    client.sendall(_mysql_greeting())
    client.recv(4 + 32, socket.MSG_WAITALL)


def _ask_postgres(server):
    server.sendall(_POSTGRES_SSL)
    server.recv(1)


def _ask_mysql(server):
    server.recv(4096)
    server.sendall(_mysql_packet(1, struct.pack("<IIB23x", _MYSQL_CAN, 1 << 24, 33)))


def _ask_smtp(server):
    server.recv(4096)
    for line in (b"EHLO client.test\r\n", b"STARTTLS\r\n"):
        server.sendall(line)
        server.recv(4096)


_ANSWER = {"postgres": _answer_postgres, "mysql": _answer_mysql}
_ASK = {"postgres": _ask_postgres, "mysql": _ask_mysql, "smtp": _ask_smtp}


def ask(protocol, server):
    """Asks for TLS on the connection SERVER, if PROTOCOL is not None: TLS from the first byte on."""
    if protocol:
        _ASK[protocol](server)


def _pass_on(one, other):
    try:
        while data := one.recv(1 << 16):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
    except OSError:
        one.close()
        other.close()


def _serve(client, protocol, target):
    try:
        _ANSWER[protocol](client)
        with socket.create_connection(target) as server:
            back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
            back.start()
            _pass_on(client, server)
            back.join()
    except OSError:
        pass
    client.close()


def main():
    protocol, address, port, to = sys.argv[1:]
    listener = socket.create_server((address, int(port)))
    while True:
        client, _ = listener.accept()
        threading.Thread(target=_serve, args=(client, protocol, (address, int(to))), daemon=True).start()


if __name__ == "__main__":
    main()
