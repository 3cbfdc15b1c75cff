#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The nginx under test: a private copy of the binary, one location for each case."""
import shutil

from . import binaries, netns, nginx, procs
from .pki import SERVER_NAME

ADDRESS = "127.0.0.1"
PORT = 8080
DEFAULTS_PORT = 8081

# On the first port server name on, session reuse off: a case turns round what it is about. On the
# second nginx's own defaults.
_CONFIG = """\
{modules}daemon {daemon};
user root;
worker_processes {workers};
pid proxy/nginx.pid;
error_log proxy/error.log info;
events {{ worker_connections 512; }}
http {{
	access_log off;
	client_body_temp_path proxy/tmp;
	proxy_temp_path proxy/tmp;
	fastcgi_temp_path proxy/tmp;
	uwsgi_temp_path proxy/tmp;
	scgi_temp_path proxy/tmp;
	proxy_connect_timeout 3s;
	proxy_read_timeout 5s;
{upstreams}	server {{
		listen {address}:{port};
		proxy_ssl_server_name on;
		proxy_ssl_name {server_name};
		proxy_ssl_session_reuse off;
{locations}	}}
	server {{
		listen {address}:{defaults_port};
{defaults}	}}
}}
{stream}"""

STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so"


def _has_upstream_block(case):
    return case.keepalive or case.pool or case.group


def _upstream_block(case):
    # A server that has failed is tried again at once.
    servers = "".join(f" server {endpoint} max_fails=0;" for endpoint in case.pool)
    if not case.pool:
        servers = f" server {case.host}:{case.port};" if case.defaults else f" server {case.endpoint};"
    keepalive = f" keepalive {case.keepalive};" if case.keepalive else ""
    return f"\tupstream {case.group or case.name} {{{servers}{keepalive} }}\n"


def _location_block(case, path, directives):
    target = (case.group or case.name) if _has_upstream_block(case) else case.endpoint
    if case.defaults and not _has_upstream_block(case):
        target = case.target or f"{case.host}:{case.port}"
    protocols = ""
    if case.scheme == "https" and not case.defaults:
        protocols = f" proxy_ssl_protocols {case.tls};"
    return (f"\t\tlocation = /{path} {{\n"
            f"\t\t\tproxy_pass {case.scheme}://{target};{protocols}\n"
            f"\t\t\t{directives}\n"
            f"\t\t}}\n")


def _stream_block(case):
    return (f"\tserver {{\n\t\tlisten {ADDRESS}:{case.stream_port};\n"
            f"\t\tproxy_pass {case.endpoint};\n\t\tproxy_ssl on;\n"
            f"\t\t{case.location}\n\t}}\n")


def _location_blocks(case):
    if case.scheme == "stream":
        return ""
    sibling = f"{case.name}/sibling"
    return (_location_block(case, case.name, case.location)
            + (_location_block(case, sibling, case.sibling) if case.sibling else ""))


class Proxy(nginx.Logged):
    """nginx with a location for each of CASES, in DIRECTORY; PROCESSES owns the master.

    BINARY_NAME is the file name of the private copy, and so the process's comm. Probes sit on a
    library's file: with PRIVATE_LIBRARIES nginx runs on copies of OpenSSL's, so that nobody else
    hits its probes. It listens on ADDRESS."""

    def __init__(self, directory, processes, cases, workers=1, binary_name="nginx",
                 private_libraries=False, address=ADDRESS):
        self.address = address
        self._directory = directory
        self._processes = processes
        self._cases = cases
        self._workers = workers
        self._master = None
        self.argv = None  # of the one that was started last
        self._home = directory / "proxy"
        self._home.mkdir()
        self._hosts = self._home / "hosts"
        super().__init__(self._home / "error.log")
        self.exe = self._home / binary_name
        shutil.copy(binaries.find("nginx"), self.exe)
        self._environment = nginx.environment(self.exe, private_libraries)

    @property
    def exes(self):
        """The executables that can be traced."""
        return [self.exe]

    @property
    def pid(self):
        """The master's pid."""
        return self._master.pid

    def configure(self, daemon=False):
        """Writes the configuration. Returns the command line of an nginx with it."""
        config = self._directory / "proxy.conf"
        streams = [_stream_block(case) for case in self._cases if case.scheme == "stream"]
        config.write_text(_CONFIG.format(
            modules=f"load_module {STREAM_MODULE};\n" if streams else "",
            stream=f"stream {{\n{''.join(streams)}}}\n" if streams else "",
            daemon="on" if daemon else "off", workers=self._workers, address=self.address,
            port=PORT, server_name=SERVER_NAME,
            upstreams="".join(_upstream_block(case) for case in self._cases
                              if _has_upstream_block(case)),
            locations=self._locations(False), defaults_port=DEFAULTS_PORT,
            defaults=self._locations(True)))
        self._write_hosts({})
        return binaries.nginx_argv(self.exe, self._directory, config, "proxy/error.log")

    def _write_hosts(self, moved):
        self._hosts.write_text("127.0.0.1 localhost\n" + "".join(
            f"{moved.get(case.name, case.address)} {case.host}\n" for case in self._cases if case.defaults))

    def move(self, case, address):
        """From now on the name of the upstream of CASE stands for ADDRESS, of which a running nginx knows
        nothing."""
        self._write_hosts({case.name: address})

    def _locations(self, defaults):
        return "".join(_location_blocks(case) for case in self._cases
                       if case.defaults == defaults)

    def prefix(self):
        """What a command line begins with that is to know the hosts that nginx knows."""
        has_hosts = any(case.defaults for case in self._cases)
        return (*netns.WITH_HOSTS, str(self._hosts)) if has_hosts else ()

    def start(self, prefix=(), argv=None):
        """Starts nginx, as the last words of the command PREFIX, which has to become it; with a
        command line ARGV other than that of configure(). Returns when its workers run."""
        self.argv = argv or self.configure()
        self._master = self._processes.start(
            [*prefix, *self.prefix(), *self.argv], cwd=self._directory, env=self._environment)
        procs.wait_until(lambda: len(self.worker_pids()) == self._workers, 5, "nginx to start")

    def stop(self):
        """Ends nginx; it can be started again."""
        procs.stop(self._master)

    def reload(self):
        """Reloads, and returns when only new workers are left."""
        nginx.reload(self._master)

    def worker_pids(self):
        """The pids of the workers that run now."""
        if self._master.poll() is not None:
            raise RuntimeError("nginx ended:\n" + self.log_since(0))
        return nginx.worker_pids(self.pid)
