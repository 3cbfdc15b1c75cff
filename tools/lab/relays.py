#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Programs that pass what they are asked on to a server with TLS: their configuration for one such server.

A function writes what the program needs into HOME and returns the command line for ASK (tls_clients.Ask); the
name of the program comes first. Each listens on ADDRESS and PORT, and wants HTTP there, or what REQUESTS has.
"""
import json
import shutil

from . import unpacked

ADDRESS, PORT = "127.0.0.1", 8080


def _write(home, name, text):
    path = home / name
    path.write_text(text)
    return str(path)


def haproxy(ask, home):
    version = "TLSv" + ask.version
    options = (f"ssl verify required ca-file {ask.ca} sni str({ask.name}) verifyhost {ask.name} "
               f"ssl-min-ver {version} ssl-max-ver {version}"
               + (f" ciphers {ask.ciphers}" if ask.ciphers else ""))
    config = _write(home, "haproxy.cfg", (
        "defaults\n\tmode http\n\ttimeout connect 5s\n\ttimeout client 5s\n\ttimeout server 5s\n"
        f"\tretries 0\nfrontend f\n\tbind {ADDRESS}:{PORT}\n\tdefault_backend b\n"
        f"backend b\n\tserver s {ask.address}:{ask.port} {options}\n"))
    return ["haproxy", "-db", "-f", config]


def apache(ask, home):
    modules = "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"
                      for name in ("mpm_event", "authz_core", "ssl", "proxy", "proxy_http"))
    config = _write(home, "apache.conf", (
        f"ServerRoot {home.parent}\nServerName relay.test\nPidFile {home}/pid\n{modules}"
        f"DefaultRuntimeDir {home}\nMutex posixsem\nUser nobody\nGroup nogroup\n"
        f"ErrorLog {home}/error.log\nStartServers 1\nServerLimit 1\nDocumentRoot {home}\n"
        f"Listen {ADDRESS}:{PORT}\nSSLProxyEngine on\nSSLProxyVerify require\n"
        f"SSLProxyCACertificateFile {ask.ca}\nSSLProxyProtocol TLSv{ask.version}\n"
        + (f"SSLProxyCipherSuite {ask.ciphers}\n" if ask.ciphers else "")
        + f"ProxyPass / https://{ask.name}:{ask.port}/\n"))
    return ["apache2", "-DFOREGROUND", "-f", config]


def stunnel(ask, home):
    version = "TLSv" + ask.version
    config = _write(home, "stunnel.conf", (
        f"foreground = yes\npid =\n[relay]\nclient = yes\naccept = {ADDRESS}:{PORT}\n"
        f"connect = {ask.address}:{ask.port}\nCAfile = {ask.ca}\nverifyChain = yes\n"
        f"checkHost = {ask.name}\nsni = {ask.name}\nsslVersionMin = {version}\n"
        f"sslVersionMax = {version}\n" + (f"ciphers = {ask.ciphers}\n" if ask.ciphers else "")))
    return ["stunnel4", config]


def caddy(ask, home):
    transport = {"protocol": "http", "tls": {"root_ca_pem_files": [ask.ca], "server_name": ask.name}}
    config = _write(home, "caddy.json", json.dumps({
        "admin": {"disabled": True},
        "apps": {"http": {"servers": {"relay": {
            "listen": [f"{ADDRESS}:{PORT}"], "automatic_https": {"disable": True},
            "routes": [{"handle": [{"handler": "reverse_proxy", "transport": transport,
                                    "upstreams": [{"dial": f"{ask.address}:{ask.port}"}]}]}]}}}}}))
    return ["caddy", "run", "--config", config]


def squid(ask, home):
    home.chmod(0o777)
    only = {"1.2": "options=NO_TLSv1_3", "1.3": "min-version=1.3"}[ask.version]
    data = unpacked.share("squid")
    config = _write(home, "squid.conf", (
        f"http_port {ADDRESS}:{PORT} accel defaultsite={ask.name} no-vhost\nhttp_access allow all\n"
        "cache deny all\naccess_log none\nunlinkd_program /bin/true\nnetdb_filename none\npinger_enable off\nshutdown_lifetime 0 seconds\n"
        f"cache_log {home}/cache.log\npid_filename none\ncoredump_dir {home}\n"
        f"error_directory {data}/errors/en\nicon_directory {data}/icons\nmime_table {_squid_mime(home)}\n"
        f"cache_peer {ask.address} parent {ask.port} 0 no-query no-digest originserver name=s "
        f"tls tls-cafile={home.parent}/{ask.ca} ssldomain={ask.name} tls-{only}"
        + (f" sslcipher={ask.ciphers}" if ask.ciphers else "")
        + "\ncache_peer_access s allow all\nnever_direct allow all\n"))
    return ["squid", "-N", "-f", config]


def _squid_mime(home):
    return _write(home, "mime.conf", "")


def h2o(ask, home):
    config = _write(home, "h2o.yaml", (
        f"listen:\n  host: {ADDRESS}\n  port: {PORT}\nuser: root\nerror-log: {home}/error.log\n"
        f"num-threads: 1\nhosts:\n  default:\n    paths:\n      /:\n"
        f"        proxy.reverse.url: https://{ask.name}:{ask.port}/\n"
        f"        proxy.ssl.verify-peer: ON\n        proxy.ssl.cafile: {home.parent}/{ask.ca}\n"))
    return ["h2o", "-c", config]


# The parts of Postfix besides smtp, which is the copy that is traced.
_POSTFIX = ("anvil", "bounce", "cleanup", "postlogd", "proxymap", "qmgr", "smtpd", "tlsmgr", "trivial-rewrite")
_POSTFIX_QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "maildrop", "pid",
                   "private", "public", "saved", "trace")
_POSTFIX_HOME = "/usr/lib/postfix/sbin"


def postfix(ask, home):
    programs = home / "sbin"
    for path in (programs, home / "queue", *(home / "queue" / name for name in _POSTFIX_QUEUES), home / "data"):
        path.mkdir()
        shutil.chown(path, "daemon" if path != programs and path.name not in ("queue", "pid") else "root")
    for name in _POSTFIX:
        (programs / name).symlink_to(f"{_POSTFIX_HOME}/{name}")
    (programs / "smtp").symlink_to(home.parent / "smtp")
    only = {"1.2": "<=TLSv1.2", "1.3": ">=TLSv1.3"}[ask.version]
    _write(home, "main.cf", (
        f"compatibility_level = 3.6\nqueue_directory = {home}/queue\ndata_directory = {home}/data\n"
        f"daemon_directory = {programs}\nmail_owner = daemon\nsetgid_group = mail\ndefault_privs = nobody\n"
        f"myhostname = relay.test\nmydestination =\ninet_interfaces = loopback-only\n"
        f"maillog_file = {home}/log\nmaillog_file_prefixes = /\nalias_maps =\nalias_database =\n"
        f"relayhost = [{ask.name}]:{ask.port}\nsmtp_host_lookup = native\nsmtp_helo_timeout = 1s\n"
        f"smtp_tls_wrappermode = yes\nsmtp_tls_security_level = secure\nsmtp_tls_CAfile = {home.parent}/{ask.ca}\n"
        f"smtp_tls_secure_cert_match = {ask.name}\nsmtp_tls_servername = hostname\n"
        f"smtp_tls_mandatory_protocols = {only}\n"
        + (f"smtp_tls_mandatory_ciphers = high\ntls_high_cipherlist = {ask.ciphers}\n" if ask.ciphers else "")))
    _write(home, "master.cf", (
        f"{ADDRESS}:{PORT} inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n"
        "tlsmgr unix - - n 1000? 1 tlsmgr\nrewrite unix - - n - - trivial-rewrite\n"
        "bounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n"
        "proxymap unix - - n - - proxymap\nsmtp unix - - n - - smtp\nrelay unix - - n - - smtp\n"
        "anvil unix - - n - 1 anvil\npostlog unix-dgram n - n - 1 postlogd\n"))
    return ["smtp", *unpacked.in_place([f"{_POSTFIX_HOME}/master", "-d", "-c", str(home)])]


_MAIL = (b"HELO client.test\r\nMAIL FROM:<>\r\nRCPT TO:<nobody@upstream.test>\r\nDATA\r\n"
         b"Subject: test\r\n\r\ntest\r\n.\r\nQUIT\r\n")
# What one wants that does not want HTTP.
REQUESTS = {"Postfix smtp": _MAIL}
# What the log says of one that answers before it turns to the server, once it has.
DELIVERED = {"Postfix smtp": "status="}
# The program is started by another, with which the command line begins behind its name.
STARTERS = ("Postfix smtp",)

RELAYS = {
    "HAProxy": haproxy, "Apache mod_proxy": apache, "stunnel": stunnel, "Caddy reverse_proxy": caddy,
    "squid cache_peer": squid, "h2o proxy.reverse.url": h2o, "Postfix smtp": postfix,
}
COMMANDS = {
    "HAProxy": "haproxy", "Apache mod_proxy": "apache2", "stunnel": "stunnel4",
    "Caddy reverse_proxy": "caddy", "squid cache_peer": "squid", "h2o proxy.reverse.url": "h2o",
    "Postfix smtp": "smtp",
}
# What a program has no setting for.
CANNOT = {("Caddy reverse_proxy", kind): "no setting" for kind in ("version", "cipher")}
