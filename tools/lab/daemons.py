#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Servers that only the table of docs/programs.md needs: of databases, queues and caches, and of
libraries of their own. Each has a process for each listener.

Adding a program: a class below, and a row of DAEMONS.
"""
import shutil
import subprocess
from urllib.parse import quote

from . import unpacked
from .servers import Server


class Daemon(Server):
    """One of these servers."""

    protocol = None  # what is spoken before TLS, as dialogue.py and s_client name it
    request = "GET / HTTP/1.0\r\n\r\n"  # what makes it answer and close; "": the client goes away by itself
    cannot = {}  # {kind of failure: why it cannot be had}

    @classmethod
    def lacks(cls):
        return None if unpacked.find(cls.command) else cls.command

    def program(self):
        """The path of the program."""
        return str(unpacked.find(self.command))

    def environment(self):
        return unpacked.environment()

    def paths(self, listener):
        """The certificate of LISTENER, its key, and the CA of its clients."""
        return tuple(str(self.directory / path) for path in (*listener.files, "pki/client-ca.crt"))


class Mosquitto(Daemon):
    command = "mosquitto"

    def argv(self):
        (address, port, listener), = self.listeners
        certificate, key, ca = self.paths(listener)
        asks = f"cafile {ca}\nrequire_certificate true\n" if listener.client_ca else ""
        config = self.write("mosquitto.conf", (
            f"user root\nallow_anonymous true\nlistener {port} {address}\ncertfile {certificate}\n"
            f"keyfile {key}\n{asks}"))
        return [self.program(), "-c", str(config)]


class Redis(Daemon):
    command = "redis-server"
    request = "QUIT\r\n"

    def argv(self):
        (address, port, listener), = self.listeners
        certificate, key, ca = self.paths(listener)
        return [self.program(), "--port", "0", "--tls-port", str(port), "--bind", address,
                "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", ca,
                "--tls-auth-clients", "yes" if listener.client_ca else "no", "--save", "",
                "--dir", str(self.home)]


# They speak first, in a protocol of their own, which also says who the client is.
_OF_DATABASES = {"no TLS": "another protocol",
                 "no client certificate": "asks after the handshake, in its own protocol"}


class Postgres(Daemon):
    command = "postgres"
    protocol = "postgres"
    # A StartupMessage of version 3.0, for a database that there is not.
    request = "\0\0\0\x1e\0\3\0\0user\0x\0database\0none\0\0"
    cannot = _OF_DATABASES

    def argv(self):
        (address, port, listener), = self.listeners
        certificate, key, ca = self.paths(listener)
        data = self.home / "data"
        data.mkdir()
        shutil.copy(key, self.home / "key")
        for path in (self.home, data, self.home / "key"):
            shutil.chown(path, "nobody", "nogroup")
        (self.home / "key").chmod(0o600)
        subprocess.run([*self._AS_NOBODY, str(unpacked.find("initdb")), "--no-sync", "--auth=trust",
                        "--username=x", "-D", str(data)], cwd="/", check=True, capture_output=True, timeout=60)
        (data / "pg_hba.conf").write_text("hostssl all all all trust\n")
        return [*self._AS_NOBODY, self.program(), "-D", str(data), "-p", str(port),
                *(word for setting in (
                    f"listen_addresses={address}", "ssl=on", f"ssl_cert_file={certificate}",
                    f"ssl_key_file={self.home}/key", f"ssl_ca_file={ca}", "unix_socket_directories=",
                    "fsync=off") for word in ("-c", setting))]

    _AS_NOBODY = ("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups")


class Mariadb(Daemon):
    command = "mariadbd"
    protocol = "mysql"
    request = ""
    cannot = _OF_DATABASES

    def argv(self):
        (address, port, listener), = self.listeners
        certificate, key, _ = self.paths(listener)
        data = self.home / "data"
        data.mkdir()
        return [self.program(), "--no-defaults", "--user=root", f"--datadir={data}", "--skip-grant-tables",
                "--skip-networking=0", f"--bind-address={address}", f"--port={port}",
                f"--socket={self.home}/socket", f"--pid-file={self.home}/pid", f"--ssl-cert={certificate}",
                f"--ssl-key={key}", f"--lc-messages-dir={unpacked.share('mysql')}",
                "--innodb-buffer-pool-size=8M", "--tls-version=TLSv1.2,TLSv1.3"]


class H2o(Daemon):
    command = "h2o"
    cannot = {"no client certificate": "no setting"}

    def argv(self):
        (address, port, listener), = self.listeners
        certificate, key, _ = self.paths(listener)
        config = self.write("h2o.yaml", (
            f"user: root\nnum-threads: 1\nerror-log: {self.home}/error.log\nlisten:\n  host: {address}\n"
            f"  port: {port}\n  ssl:\n    certificate-file: {certificate}\n    key-file: {key}\n"
            f"    minimum-version: TLSv1.2\nhosts:\n  default:\n    paths:\n      /:\n"
            f"        file.dir: {self.home}\n"))
        return [self.program(), "-c", str(config)]


_DENO = """
const [hostname, port, certificate, key] = Deno.args;
const listener = Deno.listenTls({hostname, port: Number(port), cert: Deno.readTextFileSync(certificate),
                                 key: Deno.readTextFileSync(key)});
for (;;) {
    try {
        const tls = await listener.accept();
        tls.handshake().then(() => tls.read(new Uint8Array(4096)))
            .then(() => tls.write(new TextEncoder().encode("HTTP/1.0 200 OK\\r\\n\\r\\n")))
            .catch(() => {}).finally(() => tls.close());
    } catch { }
}
"""


class Deno(Daemon):
    """rustls. The versions and the cipher suites are its own."""

    command = "deno"
    cannot = {"no client certificate": "no setting"}

    def argv(self):
        (address, port, listener), = self.listeners
        certificate, key, _ = self.paths(listener)
        return [self.program(), "run", "--quiet", "--no-config", "--allow-all",
                "data:application/typescript," + quote(_DENO), address, str(port), certificate, key]


class Squid(Daemon):
    command = "squid"

    def argv(self):
        (address, port, listener), = self.listeners
        certificate, key, ca = self.paths(listener)
        self.home.chmod(0o777)
        shutil.copy(key, self.home / "key")
        (self.home / "key").chmod(0o644)
        asks = f" clientca={ca} tls-cafile={ca}" if listener.client_ca else ""
        data = unpacked.share("squid")
        config = self.write("squid.conf", (
            f"https_port {address}:{port} accel defaultsite=upstream.test tls-cert={certificate} "
            f"tls-key={self.home}/key tls-min-version=1.2{asks}\nhttp_access allow all\ncache deny all\n"
            f"access_log none\nunlinkd_program /bin/true\nnetdb_filename none\npinger_enable off\nshutdown_lifetime 0 seconds\n"
            f"cache_log {self.home}/cache.log\npid_filename none\ncoredump_dir {self.home}\n"
            f"error_directory {data}/errors/en\nicon_directory {data}/icons\n"
            f"mime_table {self.write('mime.conf', '')}\n"))
        return [self.program(), "-N", "-f", str(config)]


DAEMONS = {
    "mosquitto": Mosquitto, "redis": Redis, "postgres": Postgres, "mariadb": Mariadb, "h2o": H2o,
    "squid": Squid, "deno": Deno,
}
