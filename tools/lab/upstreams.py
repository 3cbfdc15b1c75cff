#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The upstreams. A case names one of the classes below; Upstreams starts them for a lab.

Every path in an upstream's directives or arguments is relative to the lab's directory.
"""
import os
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Tuple

from . import binaries, daemons, nginx, procs, servers

_MISBEHAVE = Path(__file__).with_name("misbehave.py")
_ESTABLISHED, _LISTEN = "01", "0A"  # as /proc/net/tcp prints them

_OPENSSL = "upstream/openssl"
_PYTHON = "upstream/python"
_PROGRAMS = {**servers.PROGRAMS, **daemons.DAEMONS}

_NGINX_CONFIG = """\
daemon off;
user root;
worker_processes 1;
pid upstream/nginx.pid;
error_log upstream/error.log info;
events {{ worker_connections 512; }}
http {{
	access_log off;
	client_body_temp_path upstream/tmp;
	proxy_temp_path upstream/tmp;
	fastcgi_temp_path upstream/tmp;
	uwsgi_temp_path upstream/tmp;
	scgi_temp_path upstream/tmp;
	default_type text/plain;
	ssl_protocols TLSv1.2 TLSv1.3;
{servers}}}
"""


@dataclass(frozen=True)
class Nginx:
    """A server block of the upstream nginx; all of them share one process."""

    directives: str
    listen: str = "ssl"
    named: str = ""  # directives of a second server block of that address, if there is one


@dataclass(frozen=True)
class Nothing:
    """Nobody listens."""


class OwnProcess:
    """An upstream that is a process of its own."""

    def argv(self, address, port):
        raise NotImplementedError

    def environment(self):
        """Variables of its own."""
        return {}


@dataclass(frozen=True)
class OpensslServer(OwnProcess):
    """`openssl s_server`, answering HTTP with its status page."""

    args: Tuple[str, ...]

    def argv(self, address, port):
        host = f"[{address}]" if ":" in address else address
        return ["openssl", "s_server", "-quiet", "-www", "-accept", f"{host}:{port}", *self.args]


@dataclass(frozen=True)
class OpensslEcho(OwnProcess):
    """`openssl s_server`, a private copy of it, which does its handshakes in SSL_do_handshake, as it
    does not when it answers HTTP."""

    args: Tuple[str, ...]

    def argv(self, address, port):
        return [_OPENSSL, "s_server", "-quiet", "-rev", "-accept", f"{address}:{port}",
                *self.args]


@dataclass(frozen=True)
class PythonServer(OwnProcess):
    """misbehave.py with the behaviour of that name, in a private copy of Python, so that it can be what is
    traced."""

    behaviour: str

    def argv(self, address, port):
        return [_PYTHON, str(_MISBEHAVE), self.behaviour, address, str(port)]

    def environment(self):
        """A copy does not know where its library is."""
        return {"PYTHONHOME": f"{sys.prefix}:{sys.exec_prefix}"}


@dataclass(frozen=True)
class GnutlsServer(OwnProcess):
    """`gnutls-serv`, answering HTTP with its status page. It listens on every address."""

    args: Tuple[str, ...]

    def argv(self, address, port):
        return ["gnutls-serv", "--quiet", "--http", "--port", str(port), *self.args]


@dataclass(frozen=True)
class Misbehave(OwnProcess):
    """misbehave.py with the behaviour of that name."""

    behaviour: str

    def argv(self, address, port):
        return [sys.executable, str(_MISBEHAVE), self.behaviour, address, str(port)]


def _ports(wanted):
    """The local TCP ports of the sockets in the state WANTED in this network namespace."""
    ports = set()
    for table in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            _, local, _, state = line.split()[:4]
            if state == wanted:
                ports.add(int(local.rsplit(":", 1)[1], 16))
    return ports


def listening_ports():
    """The TCP ports somebody listens on in this network namespace."""
    return _ports(_LISTEN)


def connected_ports():
    """The TCP ports somebody is connected to, and those of the clients."""
    return _ports(_ESTABLISHED)


class Upstreams(nginx.Logged):
    """The upstreams of CASES, run in DIRECTORY; PROCESSES owns what is started. The nginx among them
    can be the one that is traced."""

    def __init__(self, directory, processes, cases, private_libraries=False):
        super().__init__(directory / "upstream" / "error.log")
        self._private_libraries = private_libraries
        self._directory = directory
        self._processes = processes
        self._cases = cases
        self._own = {}
        self._nginx = None

    @property
    def exe(self):
        """The executable of the upstream nginx, a private copy."""
        return self._directory / "upstream" / "nginx"

    @property
    def exes(self):
        """The executables that can be traced, private copies."""
        copies = {Nginx: self.exe, OpensslEcho: self._directory / _OPENSSL,
                  PythonServer: self._directory / _PYTHON}
        return [exe for kind, exe in copies.items() if self._has(kind)]

    def _has(self, kind):
        return any(isinstance(case.upstream, kind) for case in self._cases)

    def worker_pids(self):
        """The pids of the workers of the upstream nginx, and of the upstreams with a process of their
        own."""
        workers = nginx.worker_pids(self._nginx.pid) if self._nginx else []
        return workers + [own.pid for own in self._own.values()]

    def start(self):
        """Starts all of them and returns when all listen."""
        ports = {case.port for case in self._cases if not isinstance(case.upstream, Nothing)}
        # Copies, because what is traced is found by the file that it runs from.
        for exe in self.exes:
            shutil.copy(sys.executable if exe.name == "python" else binaries.find(exe.name), exe)
        self.log.touch()  # followed also where there is no nginx
        if self._has(Nginx):
            self._start_nginx()
        for case in self._cases:
            if isinstance(case.upstream, OwnProcess):
                self._start_own(case)
        for program in _PROGRAMS:
            self._start_servers(program)
        # Tomcat takes its time.
        procs.wait_until(lambda: ports <= listening_ports(), 30, "the upstreams to listen")

    def reload(self):
        """Reloads the upstream nginx, and returns when only new workers are left."""
        nginx.reload(self._nginx)

    def stop(self, case):
        """Ends the upstream of CASE, which has to be a process of its own."""
        procs.stop(self._own[case.name])
        procs.wait_until(lambda: case.port not in listening_ports(), 5, "the upstream to end")

    def replace(self, case, upstream):
        """Ends the upstream of CASE, a process of its own, and starts UPSTREAM in its place."""
        self.stop(case)
        self._start_own(replace(case, upstream=upstream))
        procs.wait_until(lambda: case.port in listening_ports(), 15, "the upstream to listen")

    def pid(self, case):
        """The pid of the upstream of CASE, which has to be a process of its own."""
        return self._own[case.name].pid

    def _start_own(self, case):
        with open(self._directory / "upstream" / (case.name + ".log"), "wb") as log:
            self._own[case.name] = self._processes.start(
                case.upstream.argv(case.address, case.port), cwd=self._directory,
                stdout=log, stderr=log, env={**os.environ, **case.upstream.environment()})

    def _start_servers(self, program):
        listeners = [(case.address, case.port, case.upstream) for case in self._cases
                     if isinstance(case.upstream, servers.Listener)
                     and case.upstream.program == program]
        if program in daemons.DAEMONS:
            for number, listener in enumerate(listeners):
                self._start_server(program, f"{program}-{number}", [listener])
        elif listeners:
            self._start_server(program, program, listeners)

    def _start_server(self, program, name, listeners):
        home = self._directory / "upstream" / name
        home.mkdir()
        server = _PROGRAMS[program](self._directory, home, listeners)
        with open(self._directory / "upstream" / (name + ".log"), "wb") as log:
            self._processes.start(server.argv(), cwd=self._directory, stdout=log, stderr=log,
                                  env={**os.environ, **server.environment()})

    def _start_nginx(self):
        (self._directory / "upstream" / "large").write_bytes(b"large\n" * 700_000)
        config = self._directory / "upstream.conf"
        config.write_text(_NGINX_CONFIG.format(servers=self._server_blocks()))
        self._nginx = self._processes.start(
            binaries.nginx_argv(self.exe, self._directory, config, "upstream/error.log"),
            cwd=self._directory,
            env=nginx.environment(self.exe, self._private_libraries))

    def _server_blocks(self):
        return "".join(
            f"\tserver {{\n"
            f"\t\tlisten {case.endpoint} {case.upstream.listen};\n"
            f"\t\t{directives}\n"
            f"\t}}\n"
            for case in self._cases if isinstance(case.upstream, Nginx)
            for directives in (case.upstream.directives, case.upstream.named) if directives)
