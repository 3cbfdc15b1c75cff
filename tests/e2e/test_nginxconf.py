#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""nginx's configuration: the place that a finding names, wherever nginx has it from; what becomes
of it when it changes or cannot be read. What is proposed as a diff is tried in test_patches.py."""
import socket
import ssl
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

from lab import drive, procs, proxy
from lab.case import Case, numbered
from lab.cases import (GOOD, GOOD_FILES, OPENSSL_CLIENT_CA, VERIFY, client_cert, good_server, named)
from lab.pki import SERVER_NAME
from lab.upstreams import Nginx, OpensslServer
from tap import Skip, require

STREAM_MODULE = Path("/usr/lib/nginx/modules/ngx_stream_module.so")

# What an nginx needs that has a configuration of its own.
_HEAD = """\
{load}daemon off;
user root;
pid {home}/nginx.pid;
error_log {home}/error.log info;
events {{ worker_connections 64; }}
"""
_HTTP = """\
http {{
	access_log off;
	client_body_temp_path {home}/tmp;
	proxy_temp_path {home}/tmp;
	fastcgi_temp_path {home}/tmp;
	uwsgi_temp_path {home}/tmp;
	scgi_temp_path {home}/tmp;
	proxy_ssl_session_reuse off;
{body}}}
"""
_SERVER = "server {{\n\tlisten {address}:{port};\n{body}}}\n"


def tests(here):
    checks = {"prefix-and-includes": check_includes, "reload": check_reload,
              "several-places": check_several, "unreadable": check_unreadable,
              "binary-defaults": check_defaults, "hosts-and-upstream-block": check_hosts,
              "moved": check_moved,
        "stranger": check_stranger, "header": check_header, "header-to-openssl": check_header_openssl,
              "server": check_server, "stream": check_stream, "grpc": check_grpc,
              "client-certificate-renewed": check_renewed}
    checks.update({"hint-" + name: partial(check_hint, name=name) for name in HINTS})
    yield from here.chosen("nginx", checks)


# ---- Upstreams that want something ---------------------------------------------------------------


def wants_name(case):
    """CASE with an upstream that rejects every name but SERVER_NAME."""
    answer = 'return 200 "ok\\n";'
    directives = (f"ssl_reject_handshake on; {answer} }}\n\tserver {{ listen {case.endpoint} ssl; "
                  f"server_name {SERVER_NAME}; {GOOD} {answer}")
    return replace(case, upstream=Nginx(directives))


# ---- A configuration of one's own ----------------------------------------------------------------


def server_block(body):
    return _SERVER.format(address=proxy.ADDRESS, port=proxy.PORT, body=body)


def location_block(case, directives=""):
    return (f"\tlocation = /{case.name} {{\n\t\tproxy_pass https://{case.endpoint};\n"
            f"\t\t{directives}\n\t}}\n")


def write_config(lab, path, http="", more="", load=""):
    """Writes the file that nginx begins with: HTTP stands in its http block, MORE after that."""
    home = lab.directory / "proxy"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_HEAD.format(home=home, load=load)
                    + (_HTTP.format(home=home, body=http) if http else "") + more)


def line_of(path, text):
    """The number of the first line of PATH that has TEXT."""
    lines = path.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


def fail(lab, tlsfail, case, seen=0):
    """Drives CASE, which fails, and returns its finding."""
    status = case.drive(lab, case)
    finding = tlsfail.wait_finding(case, seen)
    require(finding, f"no finding; HTTP status {status}", lab.proxy.log_since(0)[-2000:])
    return finding


def require_place(finding, path, text, location, **more):
    expected = {"file": str(path), "line": line_of(path, text), "location": location,
                "certainty": "certain", **more}
    wrong = [f"nginx.config.{key}: expected {value!r}, got {finding.get('nginx.config.' + key)!r}"
             for key, value in expected.items() if finding.get("nginx.config." + key) != value]
    require(not wrong, *wrong, finding)


# ---- Tests ---------------------------------------------------------------------------------------

BAD = numbered((Case("bad", "verify-self-signed", good_server("self-signed")),))


def check_includes(here):
    """-p, -c relative to it, -g; a pattern, a file included by a file, an upstream block."""
    case, = BAD
    with here.lab("conf-includes", BAD, start_proxy=False) as lab:
        base = lab.directory / "etc"
        site = base / "sites" / "a site.conf"
        write_config(lab, base / "main.conf", "\tinclude sites/*.conf;\n")
        site.parent.mkdir()
        (base / "tls").write_text(
            f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {lab.directory}/pki/ca.crt;\n")
        site.write_text(
            f"upstream pool {{ server 127.0.0.1:9; server {case.endpoint}; }}\n"
            + server_block("\tinclude tls;\n\tlocation /bad {\n\t\tproxy_next_upstream off;\n"
                           "\t\tproxy_pass https://pool;\n\t}\n"))
        lab.proxy.start(argv=[str(lab.proxy.exe), "-g", "worker_processes 1;", "-p",
                              str(lab.directory), "-c", "etc/main.conf", "-e",
                              str(lab.directory / "proxy/error.log")])
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            drive.once(lab, case)  # one of the two goes to the peer that refuses
            finding = fail(lab, tlsfail, case)
            require_place(finding, site, "proxy_pass", "location /bad", upstream="pool",
                          changed=False)
            require("proxy_ssl_verify on" in finding["nginx.config.settings"], finding)
            require("pki/ca.crt (" in finding["tlsfail.hint"], finding)


def check_reload(here):
    """A worker is told by the configuration that was there when it started; the next one by its
    own."""
    case, = BAD
    with here.lab("conf-reload", BAD, start_proxy=False) as lab:
        path = lab.directory / "nginx.conf"
        block = location_block(case, VERIFY)
        write_config(lab, path, server_block(block))
        lab.proxy.start(argv=[str(lab.proxy.exe), "-c", str(path)])
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            before = line_of(path, "proxy_pass")
            require_place(fail(lab, tlsfail, case), path, "proxy_pass", "location = /bad",
                          changed=False)
            write_config(lab, path, "\t# one more line\n" + server_block(block))
            finding = fail(lab, tlsfail, case, 1)
            require(finding["nginx.config.line"] == before, finding)
            lab.proxy.reload()
            require_place(fail(lab, tlsfail, case, 2), path, "proxy_pass", "location = /bad",
                          changed=False, line=before + 1)
        write_config(lab, path, "\t# two\n\t# more lines\n" + server_block(block))
        with here.trace(lab, "--exe", lab.proxy.exe, "--format", "json",
                        name="second") as tlsfail:
            tlsfail.wait_armed()
            finding = fail(lab, tlsfail, case)
            require(finding["nginx.config.changed"], finding)
            require("reload" in finding["tlsfail.hint"], finding)


def check_several(here):
    """Four locations for the peer. The server name excludes one of them, and that the certificate was
    verified another; which of the two that are left it was, nobody knows: so there is no diff."""
    case, = BAD
    with here.lab("conf-several", BAD, start_proxy=False) as lab:
        path = lab.directory / "nginx.conf"
        other = "\tlocation /{} {{ proxy_pass https://{}; {} }}\n"
        write_config(lab, path, server_block(
            other.format("b", case.endpoint, "") + location_block(case, VERIFY)
            + other.format("d", case.endpoint, VERIFY)
            + other.format("c", case.endpoint,
                           "proxy_ssl_name c.test; proxy_ssl_server_name on;")))
        lab.proxy.start(argv=[str(lab.proxy.exe), "-c", str(path)])
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            finding = fail(lab, tlsfail, case)
            require_place(finding, path, "proxy_pass", "location = /bad", place_count=2,
                          certainty="several", line=line_of(path, "location = /bad") + 1)
            require(finding["nginx.config.places"][1].endswith(": location /d"), finding)
            require("tlsfail.patch" not in finding, finding)


def check_unreadable(here):
    """The finding comes without a place, and one line says why."""
    case, = BAD
    with here.lab("conf-unreadable", BAD, start_proxy=False) as lab:
        path = lab.directory / "nginx.conf"
        write_config(lab, path, server_block(location_block(case, VERIFY)))
        lab.proxy.start(argv=[str(lab.proxy.exe), "-c", str(path)])
        path.write_text("http {\n\tserver {\n")
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            for seen in range(3):
                finding = fail(lab, tlsfail, case, seen)
            require("nginx.config.file" not in finding, finding)
            require(tlsfail.interrupt() == 0, tlsfail.stderr())
        told = tlsfail.stderr_lines("tlsfail: cannot read the configuration of nginx")
        require(len(told) == 1 and told[0].endswith(f"{path}:3: the file ends inside a block"),
                *told, tlsfail.stderr())


def check_defaults(here):
    """No -c and no -p: the binary says where it looks. In a mount namespace of its own, by way of
    an absolute link that means something else outside."""
    case, = BAD
    with here.lab("conf-defaults", BAD, start_proxy=False) as lab:
        inside = lab.directory / "etc-nginx"
        site = inside / "sites-available" / "bad"
        write_config(lab, inside / "nginx.conf", "\tinclude sites-enabled/*;\n")
        site.parent.mkdir()
        site.write_text(server_block(location_block(
            case, VERIFY.replace("pki/", f"{lab.directory}/pki/"))))
        (inside / "sites-enabled").mkdir()
        (inside / "sites-enabled" / "bad").symlink_to("/etc/nginx/sites-available/bad")
        lab.proxy.start(("unshare", "--mount", "sh", "-c",
                         f'mount --bind "{inside}" /etc/nginx && exec "$@"', "sh"),
                        argv=[str(lab.proxy.exe)])
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            finding = fail(lab, tlsfail, case)
        require_place({**finding, "nginx.config.file": str(site)}, site, "proxy_pass",
                      "location = /bad")
        require(finding["nginx.config.file"] == "/etc/nginx/sites-enabled/bad", finding)


def check_hosts(here):
    """An upstream block with a host name that the hosts file knows: by default nginx asks for the
    name of the block. The diff asks for that of the host."""
    case = wants_name(numbered((Case("pool", "sni-unrecognized", None),))[0])
    with here.lab("conf-hosts", (case,), start_proxy=False) as lab:
        path = lab.directory / "nginx.conf"
        hosts = lab.directory / "hosts"
        hosts.write_text(f"127.0.0.1 localhost\n{case.address} {SERVER_NAME}\n")
        write_config(lab, path, f"upstream pool {{ server {SERVER_NAME}:{case.port}; }}\n"
                     + server_block("\tproxy_ssl_server_name on;\n\tlocation / {\n"
                                    "\t\tproxy_pass https://pool;\n\t}\n"))
        lab.proxy.start(("unshare", "--mount", "sh", "-c",
                         f'mount --bind "{hosts}" /etc/hosts && exec "$@"', "sh"),
                        argv=[str(lab.proxy.exe), "-c", str(path)])
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            finding = fail(lab, tlsfail, case)
            require(finding["error.type"] == "sni-unrecognized", finding)
            require_place(finding, path, "proxy_pass", "location /", upstream="pool")
            require(f"+\t\tproxy_ssl_name {SERVER_NAME};" in finding["tlsfail.patch"], finding)


def check_moved(here):
    """The name that is passed to stands for another address than when nginx started."""
    case, = BAD
    with here.lab("conf-moved", BAD, start_proxy=False) as lab:
        path, hosts = lab.directory / "nginx.conf", lab.directory / "hosts"
        hosts.write_text(f"{case.address} {SERVER_NAME}\n")
        write_config(lab, path, server_block(
            f"\tlocation / {{\n\t\tproxy_pass https://{SERVER_NAME}:{case.port};\n"
            f"\t\tproxy_ssl_server_name on;\n\t\t{VERIFY}\n\t}}\n"))
        lab.proxy.start(("unshare", "--mount", "sh", "-c",
                         f'mount --bind "{hosts}" /etc/hosts && exec "$@"', "sh"),
                        argv=[str(lab.proxy.exe), "-c", str(path)])
        hosts.write_text(f"127.0.9.9 {SERVER_NAME}\n")
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            lab.upstreams.reload()
            finding = fail(lab, tlsfail, case)
            require(finding["nginx.config.certainty"] == "moved", finding)
            require("resolves to 127.0.9.9, no longer to " + case.address in
                    finding["tlsfail.hint"], finding)
            require("tlsfail.patch" not in finding, finding)


def stream_finding(here, name, case, directives):
    """The finding of a stream server with DIRECTIVES that passes to the upstream of CASE, and the path of
    the configuration."""
    if not STREAM_MODULE.exists():
        raise Skip(f"{STREAM_MODULE} is missing: install libnginx-mod-stream")
    with here.lab("conf-" + name, (case,), start_proxy=False) as lab:
        path = lab.directory / "nginx.conf"
        write_config(lab, path, load=f"load_module {STREAM_MODULE};\n", more=(
            f"stream {{\n\tproxy_ssl on;\n{directives}\tserver {{\n"
            f"\t\tlisten {proxy.ADDRESS}:{proxy.PORT};\n"
            f"\t\tproxy_pass {case.endpoint};\n\t}}\n}}\n"))
        lab.proxy.start(argv=[str(lab.proxy.exe), "-c", str(path)])
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            with drive.start(lab, case):
                finding = tlsfail.wait_finding(case)
            require(finding, "no finding", lab.proxy.log_since(0)[-2000:])
            return finding, path


def header_first(here, name, case):
    """The finding of a stream server that sends the header of the PROXY protocol to the upstream of
    CASE, which does not expect it."""
    finding, _ = stream_finding(here, name, case, "\tproxy_protocol on;\n")
    require(finding["error.type"] == "proxy-protocol-unexpected", finding)
    require("tlsfail.patch" not in finding, finding)
    require("header that proxy_protocol on; sends" in finding["tlsfail.hint"], finding)


def check_header(here):
    header_first(here, "header", numbered((Case("bad", "", good_server()),))[0])


def check_header_openssl(here):
    header_first(here, "header-openssl",
                 numbered((Case("bad", "", OpensslServer(GOOD_FILES)),))[0])


def check_stream(here):
    finding, path = stream_finding(here, "stream", BAD[0], "\tproxy_ssl_verify on;\n"
                                   "\tproxy_ssl_trusted_certificate pki/ca.crt;\n")
    require_place(finding, path, "proxy_pass", "server")


def check_grpc(here):
    case, = BAD
    with here.lab("conf-grpc", BAD, start_proxy=False) as lab:
        path = lab.directory / "nginx.conf"
        write_config(lab, path, server_block(
            f"\tlocation / {{ grpc_pass grpcs://{case.endpoint};\n"
            "\t\tgrpc_ssl_verify on; grpc_ssl_trusted_certificate pki/ca.crt; }\n"))
        lab.proxy.start(argv=[str(lab.proxy.exe), "-c", str(path)])
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            finding = fail(lab, tlsfail, case)
            require_place(finding, path, "grpc_pass", "location /")
            require("grpc_ssl_verify on" in finding["nginx.config.settings"], finding)


def check_server(here):
    """A client that does not trust nginx's certificate: the server block that it asked for."""
    with here.lab("conf-server", (), start_proxy=False) as lab:
        path = lab.directory / "nginx.conf"
        server = ("\tserver {{\n\t\tlisten {address}:{port} ssl;\n\t\tserver_name {name};\n"
                  "\t\tssl_certificate pki/good.crt;\n"
                  "\t\tssl_certificate_key pki/good.key;\n\t}}\n")
        write_config(lab, path, "".join(
            server.format(address=proxy.ADDRESS, port=proxy.PORT, name=name)
            for name in ("other.test", SERVER_NAME)))
        lab.proxy.start(argv=[str(lab.proxy.exe), "-c", str(path)])
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            try:
                with socket.create_connection((proxy.ADDRESS, proxy.PORT), timeout=5) as client:
                    ssl.create_default_context().wrap_socket(client, server_hostname=SERVER_NAME)
            except ssl.SSLCertVerificationError:
                pass
            procs.wait_until(tlsfail.findings, 4, "a finding")
            finding = tlsfail.findings()[0]
        require(finding["error.type"] == "client-rejects-cert", finding)
        require(finding["nginx.config.line"] == line_of(path, f"server_name {SERVER_NAME}") - 2,
                finding)
        require(finding["nginx.config.location"] == "server", finding)
        require("ssl_certificate pki/good.crt" in finding["nginx.config.settings"], finding)
        require("pki/good.crt was issued by CN=Lab Root CA" in finding["tlsfail.hint"], finding)


def check_renewed(here):
    """A client certificate was renewed, and nginx not reloaded."""
    case = replace(named("client-cert-expired")[0], location=client_cert("mine"))
    with here.lab("conf-renewed", (case,), start_proxy=False) as lab:
        pki = lab.directory / "pki"
        mine = {end: pki / f"mine.{end}" for end in ("crt", "key")}
        try:
            for end, path in mine.items():
                path.write_bytes((pki / f"client-expired.{end}").read_bytes())
            lab.proxy.start()
            time.sleep(0.2)  # files that are as old as the worker are its own
            mine["crt"].write_bytes((pki / "client.crt").read_bytes())
            with here.trace_json(lab) as tlsfail:
                tlsfail.wait_armed()
                hint = fail(lab, tlsfail, case)["tlsfail.hint"]
                require("pki/mine.crt was changed on" in hint and "reload nginx" in hint, hint)
                require("pki/mine.key is not the key" in hint, hint)
        finally:
            for path in mine.values():
                path.unlink(missing_ok=True)


# Passed to by its address, it is asked for no name, and shows that of a stranger.
STRANGER, = numbered((Case("host-name", "verify-hostname-mismatch", good_server("wrong-name"), VERIFY,
                           defaults=True, target="127.0.1.1:8401"),))


# ---- What the files say that the configuration names --------------------------------------------


def trusting(name):
    """Directives that trust the certificates of the file NAME."""
    return f"proxy_ssl_verify on; proxy_ssl_trusted_certificate pki/{name}.crt; "


# (the case, what its hint says)
HINTS = {case.name: (case, hint) for (case, hint) in zip(numbered((
    Case("root-missing", "verify-root-missing", good_server("deep-chain"),
         trusting("intermediate") + "proxy_ssl_verify_depth 3;", defaults=True),
    Case("no-depth", "verify-untrusted-issuer", good_server("deep-chain"),
         trusting("other-ca") + "proxy_ssl_verify_depth 0;", defaults=True),
    Case("expired-ca", "trusted-ca-expired", good_server("under-expired-ca"),
         trusting("expired-ca"), defaults=True),
    Case("client-chain", "client-cert-untrusted", OPENSSL_CLIENT_CA, client_cert("client-deep"),
         defaults=True),
    Case("address", "verify-hostname-mismatch", good_server(), VERIFY, defaults=True,
         target="127.0.1.5:8405"),
)), (
    "pki/intermediate.crt holds no root certificate: add CN=Lab Root CA",
    "put CN=Lab Root CA, which issued the last certificate received, into the file",
    "pki/expired-ca.crt: in it, CN=Old Root CA expired on 2021-01-01",
    "if CN=Lab Client Intermediate CA is an intermediate CA, append its certificate to "
    "pki/client-deep.crt",
    "set proxy_ssl_name",
))}


def check_hint(here, name):
    case, hint = HINTS[name]
    with here.lab("hint-" + name, (case,)) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        finding = fail(lab, tlsfail, case)
        require(finding["error.type"] == case.slug, finding)
        require(hint in finding["tlsfail.hint"], finding)
        require("proxy_ssl_verify_depth" not in finding.get("tlsfail.patch", ""), finding)


def check_stranger(here):
    """What a peer shows to who asks for no name is not who the operator means: it is named, and no patch
    trusts it."""
    with here.lab("stranger", (STRANGER,)) as lab, here.trace_json(lab) as tlsfail:
        tlsfail.wait_armed()
        finding = fail(lab, tlsfail, STRANGER)
    require(finding["error.type"] == STRANGER.slug, finding)
    require("elsewhere.test" in finding["tlsfail.hint"], finding)
    require("tlsfail.patch" not in finding, finding)
