#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Servers that only the table of docs/programs.md needs: of mail, databases, queues and caches, and of
libraries of their own. Each has a process for each listener.

Adding a program: a class below, and a row of DAEMONS.
"""
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote

from . import unpacked
from .pki import SERVER_NAME
from .servers import Server


_ERLANG = Path(__file__).with_name("tls_server.escript")


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


# They ask for a certificate, and leave it to what comes after the handshake what is made of it.
_OF_MAIL = {"no client certificate": "asks after the handshake, in its own protocol"}


class Dovecot(Daemon):
    command = "dovecot"
    request = "a LOGOUT\r\n"
    cannot = _OF_MAIL

    def argv(self):
        (address, port, listener), = self.listeners
        certificate, key, _ = self.paths(listener)
        config = self.write("dovecot.conf", (
            f"protocols = imap\nbase_dir = {self.home}/run\nstate_dir = {self.home}/state\n"
            f"log_path = {self.home}/log\ndefault_internal_user = nobody\n"
            f"default_internal_group = nogroup\ndefault_login_user = daemon\nlisten = {address}\n"
            f"ssl = required\nssl_cert = <{certificate}\nssl_key = <{key}\n"
            "ssl_min_protocol = TLSv1.2\nservice imap-login {\n  chroot =\n  process_min_avail = 1\n"
            "  service_count = 0\n  inet_listener imap {\n    port = 0\n  }\n"
            f"  inet_listener imaps {{\n    port = {port}\n    ssl = yes\n  }}\n}}\n"
            "passdb {\n  driver = static\n  args = nopassword=y\n}\n"
            "userdb {\n  driver = static\n  args = uid=nobody gid=nogroup home=/tmp\n}\n"))
        return unpacked.in_place(["/usr/sbin/dovecot", "-F", "-c", str(config)])


class Postfix(Daemon):
    command = "postfix"
    request = "QUIT\r\n"
    cannot = _OF_MAIL
    # Its processes, which the users below own some of, look into these.
    _PRIVATE = ("data", "queue/private", "queue/public")

    def argv(self):
        (address, port, listener), = self.listeners
        certificate, key, _ = self.paths(listener)
        (self.home / "queue" / "pid").mkdir(parents=True)
        for name in self._PRIVATE:
            (self.home / name).mkdir()
            shutil.chown(self.home / name, "daemon")
        self.write("main.cf", (
            f"compatibility_level = 3.6\nqueue_directory = {self.home}/queue\n"
            f"data_directory = {self.home}/data\nmail_owner = daemon\nsetgid_group = mail\n"
            f"default_privs = nobody\nmyhostname = {SERVER_NAME}\ninet_interfaces = loopback-only\n"
            f"maillog_file = {self.home}/log\nmaillog_file_prefixes = /\n"
            f"smtpd_tls_cert_file = {certificate}\nsmtpd_tls_key_file = {key}\n"
            "smtpd_tls_security_level = encrypt\nsmtpd_tls_mandatory_protocols = >=TLSv1.2\n"
            "alias_maps =\nalias_database =\n"))
        self.write("master.cf", (
            f"{address}:{port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n"
            "tlsmgr unix - - n 1000? 1 tlsmgr\nanvil unix - - n - 1 anvil\n"
            "rewrite unix - - n - - trivial-rewrite\nproxymap unix - - n - - proxymap\n"
            "cleanup unix n - n - 0 cleanup\npostlog unix-dgram n - n - 1 postlogd\n"))
        return unpacked.in_place(["/usr/lib/postfix/sbin/master", "-d", "-c", str(self.home)])


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


class Erlang(Daemon):
    """Its own TLS, in a script: the program that listens is beam.smp."""

    command = "escript"

    def argv(self):
        (address, port, listener), = self.listeners
        certificate, key, ca = self.paths(listener)
        return [self.program(), str(_ERLANG), address, str(port), certificate, key,
                *([ca] if listener.client_ca else [])]

    def environment(self):
        return {**super().environment(), "HOME": str(self.home)}


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
    "squid": Squid, "deno": Deno, "dovecot": Dovecot, "postfix": Postfix,
    "erlang": Erlang,
}
