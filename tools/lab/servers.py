#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Real servers that are configured to refuse. Each program is one process, whatever the number of its
listeners; a case names the program and what its listener is to do.

Adding a program: a class below, and a row of PROGRAMS.
"""
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Optional, Tuple

from . import binaries
from .pki import SERVER_NAME

_HERE = Path(__file__).parent
_OPENSSL_VERSIONS = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")


@dataclass(frozen=True)
class Listener:
    """A listener of PROGRAM, a key of PROGRAMS."""

    program: str
    certificate: str = "good"
    client_ca: bool = False  # requires a client certificate of pki/client-ca.crt
    versions: Tuple[str, str] = ("TLSv1.2", "TLSv1.3")  # lowest and highest
    cipher: Optional[str] = None  # the only one, of TLS 1.2, in OpenSSL's words
    strict_name: bool = False  # refuses every server name but SERVER_NAME

    @property
    def files(self):
        """The certificate's file and its key's."""
        return f"pki/{self.certificate}.crt", f"pki/{self.certificate}.key"


class Server:
    """A server in DIRECTORY, which is the lab's; HOME is a directory of its own. LISTENERS are
    (address, port, Listener)."""

    command = ""  # the program that has to be installed
    needs = ()  # files that have to be there

    def __init__(self, directory, home, listeners):
        self.directory = directory
        self.home = home
        self.listeners = listeners

    @classmethod
    def lacks(cls):
        """What is missing to run it: a program or a file; None: nothing."""
        try:
            binaries.find(cls.command)
        except FileNotFoundError:
            return cls.command
        return next((path for path in cls.needs if not os.path.exists(path)), None)

    def argv(self):
        """Writes the configuration. Returns the command line."""
        raise NotImplementedError

    def environment(self):
        """Variables to be set for it."""
        return {}

    def write(self, name, text):
        """Writes TEXT to a file in its home. Returns the path."""
        path = self.home / name
        path.write_text(text)
        return path

    def pem(self, listener):
        """A file with key and certificate of LISTENER."""
        text = "".join((self.directory / path).read_text() for path in listener.files)
        return self.write(listener.certificate + ".pem", text)


class Haproxy(Server):
    command = "haproxy"

    def argv(self):
        config = self.write("haproxy.cfg", "".join([
            "global\n\tmaxconn 200\n",
            "defaults\n\tmode http\n\ttimeout connect 5s\n\ttimeout client 5s\n"
            "\ttimeout server 5s\n", *map(self._frontend, self.listeners)]))
        return [binaries.find("haproxy"), "-db", "-f", str(config)]

    def _frontend(self, entry):
        address, port, listener = entry
        lowest, highest = listener.versions
        options = [f"crt {self.pem(listener)}", f"ssl-min-ver {lowest}", f"ssl-max-ver {highest}"]
        if listener.client_ca:
            options.append(f"ca-file {self.directory}/pki/client-ca.crt verify required")
        if listener.cipher:
            options.append(f"ciphers {listener.cipher}")
        if listener.strict_name:
            options.append("strict-sni")
        return (f"frontend f{port}\n\tbind {address}:{port} ssl {' '.join(options)}\n"
                "\thttp-request return status 200 content-type text/plain string ok\n")


class Apache(Server):
    command = "apache2"

    def argv(self):
        modules = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
                          for name in ("mpm_event", "authz_core", "ssl"))
        config = self.write("apache.conf", (
            f"ServerRoot {self.directory}\nServerName {SERVER_NAME}\nPidFile {self.home}/pid\n"
            f"{modules}DefaultRuntimeDir {self.home}\nMutex posixsem\nUser nobody\nGroup nogroup\n"
            f"ErrorLog {self.home}/error.log\nStartServers 1\nServerLimit 1\n"
            f"DocumentRoot {self.home}\n" + "".join(map(self._host, self.listeners))))
        return [binaries.find("apache2"), "-DFOREGROUND", "-f", str(config)]

    @staticmethod
    def _host(entry):
        address, port, listener = entry
        versions = _OPENSSL_VERSIONS[_OPENSSL_VERSIONS.index(listener.versions[0]):
                                     _OPENSSL_VERSIONS.index(listener.versions[1]) + 1]
        lines = ["SSLEngine on", "SSLProtocol -all " + " ".join("+" + v for v in versions),
                 "SSLCertificateFile {}\nSSLCertificateKeyFile {}".format(*listener.files)]
        if listener.client_ca:
            lines.append("SSLVerifyClient require\nSSLCACertificateFile pki/client-ca.crt")
        if listener.cipher:
            lines.append("SSLCipherSuite " + listener.cipher)
        return (f"Listen {address}:{port}\n<VirtualHost {address}:{port}>\n"
                + "\n".join(lines) + "\n</VirtualHost>\n")


class Stunnel(Server):
    """What is behind it does not matter: no connection gets there."""

    command = "stunnel4"

    def argv(self):
        config = self.write("stunnel.conf", "foreground = yes\npid =\n"
                            + "".join(map(self._service, self.listeners)))
        return [binaries.find("stunnel4"), str(config)]

    @staticmethod
    def _service(entry):
        address, port, listener = entry
        lines = [f"[s{port}]", f"accept = {address}:{port}", "connect = 127.0.0.1:1",
                 "cert = {}\nkey = {}".format(*listener.files),
                 "sslVersionMin = {}\nsslVersionMax = {}".format(*listener.versions)]
        if listener.client_ca:
            lines.append("CAfile = pki/client-ca.crt\nverifyChain = yes\nrequireCert = yes")
        if listener.cipher:
            lines.append("ciphers = " + listener.cipher)
        return "\n".join(lines) + "\n"


class Lighttpd(Server):
    """With the TLS library of its MODULE."""

    command = "lighttpd"
    module = ""

    def argv(self):
        config = self.write("lighttpd.conf", (
            f'server.modules = ("{self.module}")\nserver.document-root = "{self.home}"\n'
            f'server.errorlog = "{self.home}/error.log"\nserver.bind = "127.0.0.1"\n'
            f"server.port = {self.listeners[0][1]}\n" + "".join(map(self._socket, self.listeners))))
        return [binaries.find("lighttpd"), "-D", "-f", str(config)]

    def _socket(self, entry):
        address, port, listener = entry
        command = ['"MinProtocol" => "{}", "MaxProtocol" => "{}"'.format(*listener.versions)]
        lines = ['ssl.engine = "enable"',
                 f'ssl.pemfile = "{self.directory}/pki/{listener.certificate}.crt"',
                 f'ssl.privkey = "{self.directory}/pki/{listener.certificate}.key"']
        if listener.client_ca:
            lines += [f'ssl.verifyclient.ca-file = "{self.directory}/pki/client-ca.crt"',
                      'ssl.verifyclient.activate = "enable"', 'ssl.verifyclient.enforce = "enable"']
        if listener.cipher:
            command.append(f'"CipherString" => "{listener.cipher}"')
        lines.append(f"ssl.openssl.ssl-conf-cmd = ({', '.join(command)})")
        return (f'$SERVER["socket"] == "{address}:{port}" {{\n\t' + "\n\t".join(lines) + "\n}\n")


def lighttpd(module):
    """The class for lighttpd with mod_MODULE."""
    return type("Lighttpd" + module, (Lighttpd,), {
        "module": "mod_" + module, "needs": (f"/usr/lib/lighttpd/mod_{module}.so",)})


class Script(Server):
    """A script of the lab, which reads its listeners as JSON."""

    script = ""

    def argv(self):
        config = self.write("listeners.json", json.dumps([
            {"address": address, "port": port, "certificate": listener.files[0],
             "key": listener.files[1], "client_ca": listener.client_ca,
             "versions": listener.versions, "cipher": listener.cipher,
             "name": SERVER_NAME if listener.strict_name else None}
            for address, port, listener in self.listeners]))
        return [binaries.find(self.command), str(_HERE / self.script), str(config)]


class Node(Script):
    command = "node"
    script = "tls_server.js"


class Python(Script):
    command = sys.executable
    script = "tls_server.py"


class Caddy(Server):
    """crypto/tls of Go."""

    command = "caddy"

    def argv(self):
        config = self.write("caddy.json", json.dumps({
            "admin": {"disabled": True},
            "apps": {
                "tls": {"certificates": {"load_files": [
                    {"certificate": f"pki/{name}.crt", "key": f"pki/{name}.key", "tags": [name]}
                    for name in sorted({listener.certificate for _, _, listener in self.listeners})
                ]}},
                "http": {"servers": {f"s{port}": self._server(address, port, listener)
                                     for address, port, listener in self.listeners}}}}))
        return [binaries.find("caddy"), "run", "--config", str(config)]

    def environment(self):
        return {"HOME": str(self.home), "XDG_DATA_HOME": str(self.home),
                "XDG_CONFIG_HOME": str(self.home)}

    @staticmethod
    def _server(address, port, listener):
        lowest, highest = (version.lower().replace("v", "") for version in listener.versions)
        policy = {"protocol_min": lowest, "protocol_max": highest,
                  "certificate_selection": {"any_tag": [listener.certificate]}}
        if listener.client_ca:
            policy["client_authentication"] = {
                "trusted_ca_certs_pem_files": ["pki/client-ca.crt"], "mode": "require_and_verify"}
        if listener.cipher:
            policy["cipher_suites"] = [CIPHERS_OF_IANA[listener.cipher]]
        return {"listen": [f"{address}:{port}"], "automatic_https": {"disable": True},
                "tls_connection_policies": [policy],
                "routes": [{"handle": [{"handler": "static_response", "body": "ok\n"}]}]}


# In the words of those who do not use OpenSSL's.
CIPHERS_OF_IANA = {
    "ECDHE-ECDSA-AES256-GCM-SHA384": "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
}

_JARS = "/usr/share/java"


class Tomcat(Server):
    """JSSE, the TLS of Java."""

    command = "java"
    needs = (f"{_JARS}/tomcat10-catalina.jar",)

    def argv(self):
        store = self.home / "client-ca.p12"
        subprocess.run([binaries.find("keytool"), "-importcert", "-noprompt", "-alias", "ca",
                        "-file", "pki/client-ca.crt", "-keystore", str(store),
                        "-storetype", "PKCS12", "-storepass", "changeit"],
                       cwd=self.directory, check=True, capture_output=True, timeout=60)
        conf = self.home / "conf"
        conf.mkdir()
        (self.home / "temp").mkdir()
        (conf / "web.xml").write_text("<web-app/>")
        (conf / "server.xml").write_text(
            '<Server port="-1"><Service name="Catalina">'
            + "".join(self._connector(entry, store) for entry in self.listeners)
            + '<Engine name="Catalina" defaultHost="localhost"><Host name="localhost"/></Engine>'
            "</Service></Server>")
        jars = [str(path) for path in sorted(Path(_JARS).glob("tomcat10-*.jar"))]
        return [binaries.find("java"), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
                "-Xshare:auto", "-cp", ":".join(jars), f"-Dcatalina.base={self.home}",
                f"-Dcatalina.home={self.home}", f"-Djava.io.tmpdir={self.home}/temp",
                "org.apache.catalina.startup.Bootstrap", "start"]

    def _connector(self, entry, store):
        address, port, listener = entry
        certificate, key = (self.directory / path for path in listener.files)
        versions = _OPENSSL_VERSIONS[_OPENSSL_VERSIONS.index(listener.versions[0]):
                                     _OPENSSL_VERSIONS.index(listener.versions[1]) + 1]
        options = [f'protocols="{"+".join(versions)}"']
        if listener.client_ca:
            options.append(f'certificateVerification="required" truststoreFile="{store}" '
                           'truststorePassword="changeit" truststoreType="PKCS12"')
        if listener.cipher:
            options.append(f'ciphers="{CIPHERS_OF_IANA[listener.cipher]}"')
        return (f'<Connector address="{address}" port="{port}" SSLEnabled="true" '
                f'protocol="org.apache.coyote.http11.Http11NioProtocol" minSpareThreads="1">'
                f'<SSLHostConfig {" ".join(options)}><Certificate type="EC" '
                f'certificateFile="{certificate}" certificateKeyFile="{key}"/></SSLHostConfig>'
                "</Connector>")


PROGRAMS = {
    "haproxy": Haproxy,
    "apache": Apache,
    "stunnel": Stunnel,
    "lighttpd-gnutls": lighttpd("gnutls"),
    "lighttpd-mbedtls": lighttpd("mbedtls"),
    "lighttpd-wolfssl": lighttpd("wolfssl"),
    "node": Node,
    "python": Python,
    "caddy": Caddy,
    "tomcat": Tomcat,
}
