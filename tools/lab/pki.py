#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes the lab's certificates: one directory of NAME.crt and NAME.key files in PEM.

All dates of certificates are fixed, so that what one is good for does not depend on the day of the
run.
"""
import ssl
import subprocess
from typing import NamedTuple, Optional

SERVER_NAME = "upstream.test"
_NAMES = f"{SERVER_NAME},DNS:*.{SERVER_NAME}"

_VALID = ("20200101000000Z", "20491231235959Z")
_EXPIRED = ("20200101000000Z", "20210101000000Z")
_FUTURE = ("20900101000000Z", "20991231235959Z")

# `openssl ca` is the one subcommand that sets both dates in every release of OpenSSL.
_CA_CONFIG = """\
[ca]
default_ca = lab
[lab]
database = {dir}/index.txt
serial = {dir}/serial
new_certs_dir = {dir}
default_md = sha256
policy = anything
unique_subject = no
copy_extensions = copy
x509_extensions = leaf
[anything]
commonName = supplied
[leaf]
basicConstraints = CA:FALSE
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
"""


class Cert(NamedTuple):
    """One certificate to make. ISSUER names another row, or is None for a self-signed one."""

    name: str
    issuer: Optional[str]
    subject: str
    dates: tuple = _VALID
    authority: bool = False
    dns: Optional[str] = None
    usage: Optional[str] = None
    key: tuple = ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")
    extension: Optional[str] = None  # one more, as openssl req -addext takes it


CERTS = (
    Cert("ca", None, "Lab Root CA", authority=True),
    Cert("other-ca", None, "Other Root CA", authority=True),
    Cert("client-ca", None, "Lab Client CA", authority=True),
    Cert("intermediate", "ca", "Lab Intermediate CA", authority=True),
    Cert("good", "ca", SERVER_NAME, dns=_NAMES),
    Cert("expired", "ca", SERVER_NAME, dates=_EXPIRED, dns=_NAMES),
    Cert("not-yet-valid", "ca", SERVER_NAME, dates=_FUTURE, dns=_NAMES),
    Cert("revoked", "ca", SERVER_NAME, dns=_NAMES),
    Cert("wrong-name", "ca", "elsewhere.test", dns="elsewhere.test"),
    Cert("wrong-usage", "ca", SERVER_NAME, dns=_NAMES, usage="clientAuth"),
    Cert("self-signed", None, SERVER_NAME, dns=_NAMES),
    Cert("wildcard", "ca", "Wildcard", dns="*." + SERVER_NAME),
    Cert("not-ca", "ca", "Lab No CA"),
    Cert("under-not-ca", "not-ca", SERVER_NAME, dns=_NAMES),
    Cert("untrusted", "other-ca", SERVER_NAME, dns=_NAMES),
    Cert("deep", "intermediate", SERVER_NAME, dns=_NAMES),
    Cert("rsa", "ca", SERVER_NAME, dns=_NAMES, key=("rsa:2048",)),
    Cert("weak", "ca", SERVER_NAME, dns=_NAMES, key=("rsa:1024",)),
    # Names that drive a terminal, reverse the text, and are no UTF-8 (a byte of 0xff).
    Cert("hostile", "ca", "\x1b[2J\x1b]0;owned\x07\r\n\u202etset", dates=_EXPIRED,
         dns="\x1b[31mred.test,DNS:\udcff.test"),
    Cert("huge", "ca", SERVER_NAME, dates=_EXPIRED,
         dns=",DNS:".join([SERVER_NAME, *(f"host-{n}.upstream.test" for n in range(3000))])),
    # Of a server that is not meant: what comes first where no name is sent.
    Cert("stranger", "ca", "stranger.test", dns="stranger.test"),
    Cert("stranger-expired", "ca", "stranger.test", dates=_EXPIRED, dns="stranger.test"),
    Cert("stranger-self-signed", None, "stranger.test", dns="stranger.test"),
    Cert("stranger-untrusted", "other-ca", "stranger.test", dns="stranger.test"),
    Cert("stranger-huge", "ca", "stranger.test",
         dns=",DNS:".join(f"host-{n}.stranger.test" for n in range(3000))),
    Cert("expired-ca", None, "Old Root CA", authority=True, dates=_EXPIRED),
    Cert("under-expired-ca", "expired-ca", SERVER_NAME, dns=_NAMES),
    Cert("client", "client-ca", "proxy.test"),
    Cert("client-intermediate", "client-ca", "Lab Client Intermediate CA", authority=True),
    Cert("client-deep", "client-intermediate", "proxy.test"),
    Cert("client-expired", "client-ca", "proxy.test", dates=_EXPIRED),
    Cert("client-wrong-usage", "client-ca", "proxy.test", usage="serverAuth"),
    Cert("client-untrusted", "other-ca", "proxy.test"),
    # A CA that has taken a new key under its old name.
    Cert("rekeyed-ca", None, "Lab Root CA", authority=True),
    Cert("constrained-ca", "ca", "Lab Constrained CA", authority=True,
         extension="nameConstraints=critical,permitted;DNS:elsewhere.test"),
    Cert("constrained", "constrained-ca", SERVER_NAME, dns=_NAMES),
    Cert("critical", "ca", SERVER_NAME, dns=_NAMES, extension="1.2.3.4=critical,ASN1:UTF8String:lab"),
    Cert("rsa-ca", None, "Lab RSA CA", authority=True, key=("rsa:2048",)),
    Cert("under-rsa-ca", "rsa-ca", SERVER_NAME, dns=_NAMES),
    # One with a ticket of its size does not fit into one packet.
    Cert("client-large", "client-ca", "proxy.test",
         dns=",DNS:".join(f"host-{number}.cluster.proxy.test" for number in range(40))),
)

_REVOKED = ("revoked",)
_LISTS = ("ca", "other-ca", "rekeyed-ca")  # authorities that publish a revocation list
_LIST_DAYS = "3650"  # OpenSSL 1.1.1 takes no dates for a list

# Files of several certificates: what a server sends when it sends more than its own.
_CHAINS = {
    "deep-chain": ("deep", "intermediate"),
    "untrusted-chain": ("untrusted", "other-ca"),
    "under-not-ca-chain": ("under-not-ca", "not-ca"),
    "constrained-chain": ("constrained", "constrained-ca"),
    "gap-chain": ("deep", "other-ca"),
}


def _openssl(directory, *args):
    done = subprocess.run(
        ["openssl", *args], cwd=directory, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=30)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(args)}:\n{done.stderr}")


def _make_request(directory, cert):
    extensions = []
    if cert.dns:
        extensions += ["-addext", "subjectAltName=DNS:" + cert.dns]
    if cert.extension:
        extensions += ["-addext", cert.extension]
    if cert.usage:
        extensions += ["-addext", "extendedKeyUsage=" + cert.usage]
    _openssl(directory, "req", "-new", "-nodes", "-utf8", "-newkey", *cert.key,
             "-subj", "/CN=" + cert.subject, *extensions,
             "-keyout", cert.name + ".key", "-out", cert.name + ".csr")


def _sign(directory, cert):
    if cert.issuer:
        signer = ["-cert", cert.issuer + ".crt", "-keyfile", cert.issuer + ".key"]
    else:
        signer = ["-selfsign", "-keyfile", cert.name + ".key"]
    _openssl(directory, "ca", "-batch", "-notext", "-config", "ca.cnf", *signer,
             "-extensions", "authority" if cert.authority else "leaf",
             "-startdate", cert.dates[0], "-enddate", cert.dates[1],
             "-in", cert.name + ".csr", "-out", cert.name + ".crt")


def _revoke(directory):
    ca = ("ca", "-batch", "-config", "ca.cnf")
    for name in _REVOKED:
        _openssl(directory, *ca, "-cert", "ca.crt", "-keyfile", "ca.key",
                 "-revoke", name + ".crt")
    for name in _LISTS:
        _openssl(directory, *ca, "-cert", name + ".crt", "-keyfile", name + ".key", "-gencrl",
                 "-crldays", _LIST_DAYS, "-out", name + ".crl")


def _tamper(directory, name):
    """Makes `tampered`, which is the certificate NAME with another signature."""
    der = ssl.PEM_cert_to_DER_cert((directory / f"{name}.crt").read_text())
    (directory / "tampered.crt").write_text(
        ssl.DER_cert_to_PEM_cert(der[:-1] + bytes([der[-1] ^ 1])))
    (directory / "tampered.key").write_bytes((directory / f"{name}.key").read_bytes())


def make(directory):
    """Makes every certificate of CERTS in DIRECTORY (a Path), which it creates."""
    directory.mkdir()
    (directory / "ca.cnf").write_text(_CA_CONFIG.format(dir=directory))
    (directory / "index.txt").touch()
    (directory / "serial").write_text("1000\n")
    for cert in CERTS:
        _make_request(directory, cert)
        _sign(directory, cert)
    _revoke(directory)
    # The ready-made group of 1024 bits of RFC 5114.
    _openssl(directory, "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "dh_rfc5114:1",
             "-out", "dh1024.pem")
    _tamper(directory, "good")
    # A CA that whoever trusts it trusts for nothing that is of use here.
    _openssl(directory, "x509", "-in", "ca.crt", "-trustout", "-addreject", "serverAuth", "-out",
             "distrusted-ca.crt")
    for name, members in _CHAINS.items():
        chain = "".join((directory / (member + ".crt")).read_text() for member in members)
        (directory / (name + ".crt")).write_text(chain)
