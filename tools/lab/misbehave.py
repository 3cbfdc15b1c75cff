#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A TCP server that does what no real TLS server can be configured to do.

usage: misbehave.py BEHAVIOUR ADDRESS PORT
"""
import _ssl
import ctypes
import hashlib
import itertools
import re
import socket
import ssl
import struct
import sys
import threading
import time
from functools import partial

import forged

SO_ATTACH_FILTER = 26  # <asm-generic/socket.h>
LONGEST_TCP_HEADER = 60
IPV4 = 0x0800  # of Ethernet
ONE_PACKET = 1400  # bytes of a segment that pass on any path
RECORD_HEADER = struct.Struct("!BHH")
HOLD_S = 0.05  # much longer than anybody takes to see what was sent before
ALERT = 21
HANDSHAKE = 22
SERVER_HELLO = 2
SUPPORTED_VERSIONS = 43
KEY_SHARE = 51
X25519, SECP384R1, SECP224R1 = 29, 24, 21  # the last one is of no use in TLS 1.3
TLS_AES_128_GCM_SHA256 = 0x1301
SESSION_ID = 43  # where it is in a record with a ClientHello
PROTOCOL_VERSION = 70  # an alert
GOOD = "pki/good"
EXPIRED = "pki/expired"
CLIENT_CA = "pki/client-ca.crt"
SERVER_NAME = b"upstream.test"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"


def read_exactly(conn, length):
    data = b""
    while len(data) < length:
        more = conn.recv(length - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def read_hello(conn):
    """Reads one whole TLS record and returns it. (A close that leaves bytes unread would send RST,
    not FIN.)"""
    header = read_exactly(conn, RECORD_HEADER.size)
    return header + read_exactly(conn, RECORD_HEADER.unpack(header)[2])


def read_second_hello(conn):
    """Reads what follows a HelloRetryRequest, which a ChangeCipherSpec may precede."""
    while read_hello(conn)[0] != HANDSHAKE:
        pass


def drain(conn):
    while conn.recv(4096):
        pass


def server_context(certificate=GOOD):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate + ".crt", certificate + ".key")
    # A client may show a certificate; it then becomes part of its session tickets.
    context.load_verify_locations(CLIENT_CA)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context


def drop_longer(listener, length):
    """Makes the kernel drop every segment of more than LENGTH bytes, its TCP header included, unseen
    and unacknowledged: a path on which small packets pass and large ones do not."""
    load_length, jump_if_greater, give = 0x80, 0x25, 0x06  # classic BPF
    code = (struct.pack("HBBI", load_length, 0, 0, 0)
            + struct.pack("HBBI", jump_if_greater, 0, 1, length)
            + struct.pack("HBBI", give, 0, 0, 0)
            + struct.pack("HBBI", give, 0, 0, 0xffffffff))
    program = ctypes.create_string_buffer(code)
    listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                        struct.pack("HP", 4, ctypes.addressof(program)))


def close_at_accept(_conn):
    pass


def close_after_hello(conn):
    read_hello(conn)


def reset_at_close(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset_after_hello(conn):
    read_hello(conn)
    reset_at_close(conn)


def hang(conn):
    drain(conn)


def speak_ssh(conn):
    time.sleep(0.02)  # sshd has a process to start before it speaks
    conn.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
    drain(conn)


def speak_mysql(conn):
    time.sleep(0.02)
    greeting = b"\x0a8.0.36\0" + bytes(8) + b"abcdefgh\0\xff\xff\xff\2\0\xff\xdf\x15" + bytes(10)
    conn.sendall(struct.pack("<I", len(greeting)) + greeting)
    drain(conn)


def answer_http(conn):
    read_hello(conn)
    conn.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


def break_hello(conn):
    """Answers with a Finished message, which nobody can have sent yet."""
    read_hello(conn)
    conn.sendall(RECORD_HEADER.pack(HANDSHAKE, 0x0303, 16) + bytes([20, 0, 0, 12]) + bytes(12))
    drain(conn)


def close_mid_handshake(conn):
    """Sends the ServerHello and the beginning of what follows, and no more."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    incoming.write(read_hello(conn))
    try:
        server_context().wrap_bio(incoming, outgoing, server_side=True).do_handshake()
    except ssl.SSLWantReadError:
        conn.sendall(outgoing.read()[:200])


def send_alert(conn, number):
    conn.sendall(RECORD_HEADER.pack(ALERT, 0x0303, 2) + bytes([2, number]))


def answer_with_alert(conn, number):
    read_hello(conn)
    send_alert(conn, number)


def send_retry(conn, hello, group):
    """Answers HELLO, a ClientHello, with a HelloRetryRequest for GROUP (RFC 8446, 4.1.4)."""
    session_id = hello[SESSION_ID:SESSION_ID + 1 + hello[SESSION_ID]]
    extensions = struct.pack("!HHHHHH", SUPPORTED_VERSIONS, 2, 0x0304, KEY_SHARE, 2, group)
    body = (struct.pack("!H", 0x0303) + hashlib.sha256(b"HelloRetryRequest").digest() + session_id
            + struct.pack("!HBH", TLS_AES_128_GCM_SHA256, 0, len(extensions)) + extensions)
    message = bytes([SERVER_HELLO]) + len(body).to_bytes(3, "big") + body
    conn.sendall(RECORD_HEADER.pack(HANDSHAKE, 0x0303, len(message)) + message)


def retry_twice(conn):
    hello = read_hello(conn)
    send_retry(conn, hello, SECP384R1)
    read_second_hello(conn)
    send_retry(conn, hello, SECP384R1)
    drain(conn)


def retry_for(group):
    """What asks for a key share of GROUP and then for nothing more."""
    def behave(conn):
        send_retry(conn, read_hello(conn), group)
        drain(conn)
    return behave


def retry_and(end):
    """What asks for another key share, reads it, and does END."""
    def behave(conn):
        send_retry(conn, read_hello(conn), SECP384R1)
        read_second_hello(conn)
        end(conn)
    return behave


def hold(conn, context):
    """Tries the handshake, and then is silent and leaves it to the client to close the connection,
    whatever it has to say before that. So nothing depends on who is faster."""
    context.num_tickets = 0
    tls = context.wrap_socket(conn, server_side=True, do_handshake_on_connect=False)
    try:
        tls.do_handshake()
    except ssl.SSLError:
        pass  # the client knows by an alert
    with socket.socket(fileno=tls.detach()) as raw:
        drain(raw)


def hold_close(conn):
    """Closes when the client, and whoever watches it, is long done with sending."""
    read_hello(conn)
    time.sleep(HOLD_S)


def hold_reset(conn):
    """The same, with a reset."""
    hold_close(conn)
    reset_at_close(conn)


def hold_expired(conn):
    hold(conn, server_context(EXPIRED))


def hold_client_cert(conn):
    """Asks for a client certificate."""
    context = server_context()
    context.verify_mode = ssl.CERT_REQUIRED
    hold(conn, context)


def hold_http(conn):
    answer_http(conn)
    drain(conn)


def hold_alert(conn):
    answer_with_alert(conn, PROTOCOL_VERSION)
    drain(conn)


def accept_request(conn, client_certificate=ssl.CERT_NONE):
    """Does the handshake and reads the request. Returns the TLS connection."""
    context = server_context()
    context.verify_mode = client_certificate
    tls = context.wrap_socket(conn, server_side=True)
    tls.recv(4096)
    return tls


def answer(conn, delay=0, client_certificate=ssl.CERT_NONE):
    with accept_request(conn, client_certificate) as tls:
        time.sleep(delay)
        tls.sendall(ANSWER)


def answer_in_clear(conn):
    """Answers whatever it is asked, without TLS."""
    conn.recv(4096)
    conn.sendall(ANSWER)


def answer_http2(conn):
    """The same in HTTP/2, to the first request: an empty SETTINGS frame, and a HEADERS frame that says 200 and
    ends the stream (RFC 9113)."""
    context = server_context()
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with context.wrap_socket(conn, server_side=True) as tls:
        tls.recv(4096)
        tls.sendall(bytes(3) + b"\x04" + bytes(5) + b"\x00\x00\x01\x01\x05\x00\x00\x00\x01\x88")
        drain(tls)


def tls_alone(behave):
    """What BEHAVE does by TLS; and an alert for what is none."""
    def behave_or_refuse(conn):
        if conn.recv(1, socket.MSG_PEEK)[0] == HANDSHAKE:
            behave(conn)
        else:
            conn.recv(4096)
            send_alert(conn, 10)
    return behave_or_refuse


def answer_late(conn):
    answer(conn, 1.2)


def only_short_hellos(refuse):
    """What answers a ClientHello that fits into one packet, and does REFUSE when it does not."""
    def behave(conn):
        header = conn.recv(RECORD_HEADER.size, socket.MSG_PEEK)
        fits = RECORD_HEADER.size + RECORD_HEADER.unpack(header)[2] <= ONE_PACKET
        if fits:  # a client certificate becomes part of the ticket, which is long then
            answer(conn, client_certificate=ssl.CERT_OPTIONAL)
        else:
            refuse(conn)
    return behave


def close_after_one_packet(conn):
    """Closes with bytes unread, for which the kernel sends RST."""
    read_exactly(conn, ONE_PACKET)


def smtp_then(behave):
    """What BEHAVE does, after the dialogue of SMTP that leads to TLS (RFC 3207)."""
    def dialogue(conn):
        for line, answer in ((None, b"220 mail.test ESMTP\r\n"),
                             (b"EHLO", b"250-mail.test\r\n250 STARTTLS\r\n"),
                             (b"STARTTLS", b"220 go ahead\r\n")):
            said = b""
            while line and not (said.startswith(line) and said.endswith(b"\r\n")):
                said += read_exactly(conn, 1)
            conn.sendall(answer)
        behave(conn)
    return dialogue


def connect_then(behave):
    """What BEHAVE does, after HTTP's CONNECT."""
    def dialogue(conn):
        said = b""
        while not said.endswith(b"\r\n\r\n"):
            said += read_exactly(conn, 1)
        conn.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        behave(conn)
    return dialogue


def insist_on_alpn(conn, highest=None, tickets=2, notify=False):
    """Closes as soon as the handshake is done, if no h2 was chosen, as gRPC servers do: without a
    close_notify, or with one."""
    context = server_context()
    context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    context.num_tickets = tickets
    if highest:
        context.maximum_version = highest
    with context.wrap_socket(conn, server_side=True) as tls:
        if tls.selected_alpn_protocol():
            tls.recv(4096)
        elif notify:
            tls.unwrap()


def close_after_request(conn, client_certificate=ssl.CERT_NONE):
    # FIN without close_notify, as from a process that died.
    tls = accept_request(conn, client_certificate)
    time.sleep(HOLD_S)
    tls.close()


def close_after_asking(conn):
    """The same, of one that asks for a client certificate and needs none."""
    close_after_request(conn, ssl.CERT_OPTIONAL)


def every_fourth(refuse):
    """What answers, but does REFUSE with each fourth connection."""
    turns = itertools.cycle((answer, answer, answer, refuse))
    return lambda conn: next(turns)(conn)


def only_named(refuse):
    """What answers a ClientHello with a server name, and does REFUSE with one that has none."""
    def behave(conn):
        named = SERVER_NAME in conn.recv(1 << 14, socket.MSG_PEEK)
        (answer if named else refuse)(conn)
    return behave


def without_session_context():
    """What answers, but refuses to resume a session: it may ask for client certificates, and has no
    session id context, which OpenSSL then insists on (SSL_set_session_id_context(3))."""
    context = server_context()
    # In the Python object, behind its head.
    pointer = ctypes.c_void_p.from_address(id(context) + object.__basicsize__)
    ctypes.CDLL(_ssl.__file__).SSL_CTX_set_session_id_context(pointer, b"", 0)

    def behave(conn):
        with context.wrap_socket(conn, server_side=True) as tls:
            tls.recv(4096)
            tls.sendall(ANSWER)
    return behave


def forge(*messages):
    """What answers a ClientHello with those messages, and then listens."""
    def behave(conn):
        read_hello(conn)
        conn.sendall(forged.record(*messages))
        drain(conn)
    return behave


def signed_by(scheme):
    """What shows its certificate, and a signature by SCHEME that is none."""
    return lambda conn: forge(forged.server_hello(), forged.flight(GOOD, scheme))(conn)


def resume_with_other_suite(conn):
    """Answers, by TLS 1.2; and resumes a session with another suite than it began with."""
    hello = conn.recv(1 << 14, socket.MSG_PEEK)
    session = hello[SESSION_ID + 1:SESSION_ID + 1 + hello[SESSION_ID]]
    if session:
        forge(forged.server_hello(forged.ECDHE_ECDSA_AES128_GCM_SHA256, session))(conn)
        return
    context = server_context()
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
    with context.wrap_socket(conn, server_side=True) as tls:
        tls.recv(4096)
        tls.sendall(ANSWER)


def report_unreachable(listener, code):
    """Drops what comes for LISTENER, and has the network say for each SYN that the destination is unreachable:
    ICMP type 3 and that CODE, with the beginning of the packet (RFC 792)."""
    drop_longer(listener, 0)
    address, port = listener.getsockname()
    seen = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(IPV4))
    out = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)

    def report():
        while True:
            packet = seen.recv(65535)
            begin = 4 * (packet[0] & 15)
            if packet[9] == socket.IPPROTO_TCP and packet[16:20] == socket.inet_aton(address) and \
                    packet[begin + 2:begin + 4] == struct.pack("!H", port):
                quoted = packet[:begin + 8]
                body = struct.pack("!BBHI", 3, code, 0, 0) + quoted
                out.sendto(struct.pack("!BBHI", 3, code, checksum(body), 0) + quoted,
                           (socket.inet_ntoa(packet[12:16]), 0))

    threading.Thread(target=report, daemon=True).start()


def checksum(data):
    """The Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[:len(data) // 2 * 2]))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def impatient(conn):
    """Gives a handshake less time than anybody does."""
    conn.settimeout(0.37)
    answer(conn)


def refuse_names(conn):
    """Refuses every name, and not by the alert that is there for that."""
    context = server_context()
    context.sni_callback = lambda *_: ssl.ALERT_DESCRIPTION_ACCESS_DENIED
    context.wrap_socket(conn, server_side=True)


BEHAVIOURS = {
    "impatient": impatient,
    "refuse-names": refuse_names,
    "legacy-signature": signed_by(forged.ECDSA_SHA1),
    "wrong-signature": signed_by(forged.ECDSA_P256_SHA256),
    "downgrade": lambda conn: forge(forged.server_hello(ending=forged.DOWNGRADED))(conn),
    "resume-with-other-suite": resume_with_other_suite,
    "unreachable": hang,
    "port-unreachable": hang,
    "close-unless-named": only_named(close_after_hello),
    "reset-unless-named": only_named(reset_after_hello),
    "alert-112-unless-named": only_named(lambda conn: answer_with_alert(conn, 112)),
    "alert-47-unless-named": only_named(lambda conn: answer_with_alert(conn, 47)),
    "close-at-accept": close_at_accept,
    "close-after-hello": close_after_hello,
    "reset-after-hello": reset_after_hello,
    "close-every-fourth": every_fourth(close_after_hello),
    "close-mid-handshake": close_mid_handshake,
    "break-hello": break_hello,
    "hang": hang,
    "hold-alert": hold_alert,
    "hold-close": hold_close,
    "hold-reset": hold_reset,
    "hold-client-cert": hold_client_cert,
    "hold-expired": hold_expired,
    "hold-http": hold_http,
    "blackhole": hang,
    "unanswered": hang,
    "long-hello-lost": answer,
    "long-hello-hang": only_short_hellos(hang),
    "long-hello-close": only_short_hellos(close_after_hello),
    "long-hello-reset": only_short_hellos(close_after_one_packet),
    "retry-twice": retry_twice,
    "retry-unoffered": retry_for(SECP224R1),
    "retry-needless": retry_for(X25519),
    "retry-refuse": retry_and(lambda conn: send_alert(conn, 40)),
    "retry-close": retry_and(lambda conn: None),
    "ssh": speak_ssh,
    "mysql": speak_mysql,
    "http": answer_http,
    "answer-late": answer_late,
    "close-after-request": close_after_request,
    "close-after-asking": close_after_asking,
    "smtp-close": smtp_then(close_after_hello),
    "smtp-expired": smtp_then(hold_expired),
    "smtp-good": smtp_then(answer),
    "connect-close": connect_then(close_after_hello),
    "connect-expired": connect_then(hold_expired),
    "connect-good": connect_then(answer),
    "tls-alone": tls_alone(answer),
    "tls-alone-http2": tls_alone(answer_http2),
    "answer-in-clear": answer_in_clear,
    "alpn-or-close": insist_on_alpn,
    "alpn-or-close-tls12": partial(insist_on_alpn, highest=ssl.TLSVersion.TLSv1_2),
    "alpn-or-close-one-ticket": partial(insist_on_alpn, tickets=1),
    "alpn-or-notify": partial(insist_on_alpn, notify=True),
}


# Which ICMP code answers every SYN: no route to the host; the port, as a firewall rejects by default.
UNREACHABLE = {"unreachable": 1, "port-unreachable": 3}

# Behaviours before which the path drops segments, and of how many bytes at least.
DROPPED = {"unanswered": 0, "blackhole": LONGEST_TCP_HEADER, "long-hello-lost": ONE_PACKET}


def find_behaviour(name):
    """Returns the function for NAME: a key of BEHAVIOURS, or alert-NUMBER."""
    alert = re.fullmatch(r"alert-(\d+)", name)
    if alert:
        return lambda conn: answer_with_alert(conn, int(alert[1]))
    if name == "refuse-sessions":
        return without_session_context()
    return BEHAVIOURS[name]


def serve_one(behave, conn):
    with conn:
        try:
            behave(conn)
        except (EOFError, ConnectionError, TimeoutError, ssl.SSLError):
            pass


def main():
    name, address, port = sys.argv[1:]
    behave = find_behaviour(name)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.create_server((address, int(port)), family=family)
    if name in UNREACHABLE:
        report_unreachable(listener, UNREACHABLE[name])
    if name in DROPPED:
        drop_longer(listener, DROPPED[name])
    while True:
        conn, _ = listener.accept()
        if behave is close_at_accept:
            # A thread would lose the race against the ClientHello.
            conn.close()
        else:
            threading.Thread(target=serve_one, args=(behave, conn), daemon=True).start()


if __name__ == "__main__":
    main()
