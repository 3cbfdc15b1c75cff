#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs as TLS clients: what each is given to connect to a server, with what it is to expect there.

A function returns the command line for an Ask; the name of the program comes first. Programs whose settings do
not reach so far take them from the configuration of OpenSSL, which everything here is given. Those that
connect only when they are asked to are in relays.py.
"""
from pathlib import Path
from urllib.parse import quote

from .pki import SERVER_NAME

OTHER_CA = "pki/client-ca.crt"
CA = "pki/ca.crt"
OTHER_NAME = "other.test"
CIPHER = "ECDHE-ECDSA-AES128-GCM-SHA256"
CIPHER_OF_JAVA = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"

PYTHON = """\
import socket, ssl, sys
address, port, name, ca, low, high, ciphers = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.minimum_version, context.maximum_version = ssl.TLSVersion[low], ssl.TLSVersion[high]
if ciphers:
    context.set_ciphers(ciphers)
"""
PYTHON_SSL = PYTHON + """
try:
    with socket.create_connection((address, int(port)), timeout=10) as s:
        context.wrap_socket(s, server_hostname=name).close()
except OSError:
    pass
"""
PYTHON_ASYNCIO = PYTHON + """
import asyncio
async def main():
    try:
        await asyncio.open_connection(address, int(port), ssl=context, server_hostname=name)
    except OSError:
        pass
asyncio.run(main())
"""
NODE = """
const [host, port, servername, ca, low, high, ciphers] = process.argv.slice(1);
const options = {host, port, servername, ca: require("fs").readFileSync(ca),
                 minVersion: low.replace("_", "."), maxVersion: high.replace("_", ".")};
if (ciphers) options.ciphers = ciphers;
require("tls").connect(options, function() { this.end("GET / HTTP/1.0\\r\\n\\r\\n"); this.resume(); })
    .on("error", () => 0);
"""
# It has no setting for versions and cipher suites.
DENO = """
const [host, port, hostname, ca] = Deno.args;
try {
    const tcp = await Deno.connect({hostname: host, port: Number(port)});
    const tls = await Deno.startTls(tcp, {hostname, caCerts: [await Deno.readTextFile(ca)]});
    await tls.handshake();
    await tls.write(new TextEncoder().encode("GET / HTTP/1.0\\r\\n\\r\\n"));
    while (await tls.read(new Uint8Array(4096)) !== null);
    tls.close();
} catch { }
"""
# It has its own names for the ways of TLS.
PHP = """
[, $address, $port, $name, $ca, $version, , $ciphers] = $argv;
$ssl = ["cafile" => $ca, "peer_name" => $name,
        "crypto_method" => constant("STREAM_CRYPTO_METHOD_{$version}_CLIENT")];
if ($ciphers) $ssl["ciphers"] = $ciphers;
$s = @stream_socket_client("ssl://$address:$port", $code, $words, 5, STREAM_CLIENT_CONNECT,
                           stream_context_create(["ssl" => $ssl]));
if ($s) {
    fwrite($s, "GET / HTTP/1.0\r\n\r\n");
    stream_get_contents($s);
}
"""
RUBY = """
require "socket"
require "openssl"
address, port, name, ca, version, _, ciphers = ARGV
context = OpenSSL::SSL::SSLContext.new
context.set_params(ca_file: ca)
context.min_version = context.max_version = version.sub("TLSv", "TLS").to_sym
context.ciphers = ciphers unless ciphers.empty?
begin
  tls = OpenSSL::SSL::SSLSocket.new(TCPSocket.new(address, port), context)
  tls.hostname = name
  tls.connect
  tls.post_connection_check(name)
  tls.write("GET / HTTP/1.0\r\n\r\n")
  tls.read
rescue SystemCallError, OpenSSL::SSL::SSLError
end
"""


class Ask:
    """What a client is to do: the case's address and port, the NAME and the CA it expects."""

    def __init__(self, case, kind):
        self.address, self.port = case.address, case.port
        self.name = OTHER_NAME if kind == "another name" else SERVER_NAME
        self.ca = OTHER_CA if kind == "untrusted" else CA
        self.version = "1.2" if case.tls == "TLSv1.2" else "1.3"
        self.ciphers = CIPHER if kind == "cipher" else ""

    def script(self):
        """Arguments of the scripts above."""
        version = "TLSv1_" + self.version[-1]
        return [self.address, str(self.port), self.name, self.ca, version, version, self.ciphers]


def curl(ask):
    return ["curl", "--silent", "--cacert", ask.ca, f"--tlsv{ask.version}", "--tls-max", ask.version,
            *(["--ciphers", ask.ciphers] if ask.ciphers else []),
            "--connect-to", f"::{ask.address}:{ask.port}", f"https://{ask.name}:{ask.port}/"]


def openssl(ask):
    return ["openssl", "s_client", "-connect", f"{ask.address}:{ask.port}", "-servername", ask.name,
            "-verify_hostname", ask.name, "-verify_return_error", "-CAfile", ask.ca,
            "-tls" + ask.version.replace(".", "_"),
            *(["-cipher", ask.ciphers] if ask.ciphers else [])]


def gnutls(ask):
    only = "NORMAL:-VERS-ALL:+VERS-TLS" + ask.version + (
        ":-CIPHER-ALL:+AES-128-GCM" if ask.ciphers else "")
    return ["gnutls-cli", "--port", str(ask.port), "--x509cafile", ask.ca, "--priority", only,
            "--sni-hostname", ask.name, "--verify-hostname", ask.name, ask.address]


def keytool(ask):
    return ["keytool", f"-J-Djdk.tls.client.protocols=TLSv{ask.version}",
            *([f"-J-Djdk.tls.client.cipherSuites={CIPHER_OF_JAVA}"] if ask.ciphers else []), "-printcert", "-sslserver",
            f"{ask.address}:{ask.port}"]


def mosquitto_pub(ask):
    return ["mosquitto_pub", "-h", ask.name, "-p", str(ask.port), "--cafile", ask.ca,
            "--tls-version", "tlsv" + ask.version, *(["--ciphers", ask.ciphers] if ask.ciphers else []),
            "-t", "topic", "-m", "message"]


def redis_cli(ask):
    return ["redis-cli", "-h", ask.address, "-p", str(ask.port), "--tls", "--sni", ask.name,
            "--cacert", ask.ca, "ping"]


def psql(ask):
    settings = {"host": ask.name, "hostaddr": ask.address, "port": ask.port, "dbname": "x", "user": "x",
                "sslmode": "verify-full", "sslrootcert": ask.ca, "gssencmode": "disable",
                "ssl_min_protocol_version": "TLSv" + ask.version,
                "ssl_max_protocol_version": "TLSv" + ask.version, "connect_timeout": 5}
    return ["psql", " ".join(f"{key}={value}" for key, value in settings.items())]


def mariadb(ask):
    return ["mariadb", "--no-defaults", "--protocol=tcp", f"--host={ask.name}", f"--port={ask.port}",
            f"--ssl-ca={ask.ca}", "--ssl-verify-server-cert", f"--tls-version=TLSv{ask.version}",
            "--connect-timeout=5", "--user=x", *([f"--ssl-cipher={ask.ciphers}"] if ask.ciphers else [])]


def wget(ask):
    only = "NORMAL:-VERS-ALL:+VERS-TLS" + ask.version + (
        ":-CIPHER-ALL:+AES-128-GCM" if ask.ciphers else "")
    return ["wget", "--quiet", "--tries=1", "--timeout=5", "--output-document=/dev/null",
            f"--ca-certificate={ask.ca}", f"--ciphers={only}", f"https://{ask.name}:{ask.port}/"]


def java(ask):
    return ["java", "-XX:TieredStopAtLevel=1", f"-Dhttps.protocols=TLSv{ask.version}",
            f"-Djdk.tls.client.protocols=TLSv{ask.version}",
            *([f"-Dhttps.cipherSuites={CIPHER_OF_JAVA}"] if ask.ciphers else []),
            str(Path(__file__).with_name("HttpsClient.java")), f"https://{ask.name}:{ask.port}/", ask.ca]


def deno(ask):
    return ["deno", "run", "--quiet", "--no-config", "--allow-all",
            "data:application/typescript," + quote(DENO), *ask.script()]


def ncat(ask):
    return ["ncat", "--ssl", "--ssl-verify", "--ssl-trustfile", ask.ca, "--ssl-servername", ask.name,
            *(["--ssl-ciphers", ask.ciphers] if ask.ciphers else []), ask.name, str(ask.port)]


def lftp(ask):
    return ["lftp", "-c", f"set ssl:ca-file {ask.ca}; set net:max-retries 1; set net:timeout 5; set ssl:priority "
                          f"NORMAL:-VERS-ALL:+VERS-TLS{ask.version}"
                          f"{':-CIPHER-ALL:+AES-128-GCM' if ask.ciphers else ''}; cat https://{ask.name}:{ask.port}/"]


def msmtp(ask):
    return ["msmtp", "--serverinfo", f"--host={ask.name}", f"--port={ask.port}", "--tls=on", "--tls-starttls=off",
            f"--tls-trust-file={ask.ca}", "--timeout=5", "--tls-priorities=NORMAL:-VERS-ALL:+VERS-TLS"
            f"{ask.version}{':-CIPHER-ALL:+AES-128-GCM' if ask.ciphers else ''}"]


CLIENTS = {
    "curl": curl, "openssl s_client": openssl,
    "Python ssl": lambda ask: ["/usr/bin/python3", "-c", PYTHON_SSL, *ask.script()],
    "Python asyncio": lambda ask: ["/usr/bin/python3", "-c", PYTHON_ASYNCIO, *ask.script()],
    "Node": lambda ask: ["node", "-e", NODE, *ask.script()],
    "Deno (rustls)": deno, "gnutls-cli (GnuTLS)": gnutls, "wget (GnuTLS)": wget, "keytool (Java)": keytool,
    "Java (HttpsURLConnection)": java, "mosquitto_pub": mosquitto_pub, "redis-cli": redis_cli, "psql": psql,
    "mariadb": mariadb,
    "PHP": lambda ask: ["php", "-r", PHP, "--", *ask.script()],
    "Ruby": lambda ask: ["ruby", "-e", RUBY, *ask.script()],
    "ncat": ncat, "lftp (GnuTLS)": lftp, "msmtp (GnuTLS)": msmtp,
}

# Who asks in the clear for TLS first: how, as dialogue.py has it.
DIALOGUES = {"psql": "postgres", "mariadb": "mysql"}

# What a program does not do.
CANNOT = {
    **{("keytool (Java)", kind): "not verified" for kind in ("expired", "untrusted", "another name")},
    ("redis-cli", "another name"): "not verified",
    **{("Deno (rustls)", kind): "no setting" for kind in ("version", "cipher")},
}
