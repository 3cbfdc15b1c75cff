#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The lab as a whole: certificates, upstreams and the nginx in front of them, in one directory.

The caller enters a network namespace first (netns.enter_network): the lab's addresses and ports
are fixed.
"""
import shutil
import signal
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from . import pki, procs, proxy, upstreams


def exit_on_sigterm():
    """Makes SIGTERM raise SystemExit, so that it cleans up just as Ctrl-C does. Another one does not interrupt
    that."""
    def clean_up(*_):
        signal.signal(signal.SIGTERM, lambda *_: None)
        sys.exit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, clean_up)


@contextmanager
def directory(path=None, keep=False, certificates=None):
    """Makes the directory that holds everything of one run, and removes it at the end unless KEEP.
    PATH is where, and must not exist; None picks a new name in /tmp. Yields a Path. Its `pki`
    holds the certificates: new ones, or a copy of the directory CERTIFICATES."""
    if path is None:
        top = Path(tempfile.mkdtemp(prefix="tlsfail-lab.", dir="/tmp"))
    else:
        top = Path(path)
        top.mkdir()
    try:
        # The checks that run as nobody read from here.
        top.chmod(0o755)
        if certificates:
            shutil.copytree(certificates, top / "pki")
        else:
            pki.make(top / "pki")
        yield top
    finally:
        if keep:
            print(f"# kept: {top}", file=sys.stderr)
        else:
            shutil.rmtree(top)


class Lab:
    """The upstreams of CASES and a proxy in front of them, in TOP / NAME, where TOP comes from
    directory(). Entering starts the upstreams, and the proxy unless START_PROXY is false; leaving
    ends every process. PROXY_OPTIONS go to Proxy.

    ROLE is what the nginx that is to be traced is: the proxy, a client; or the upstreams', a server,
    and there is no proxy then. `traced` is that one; with PRIVATE_LIBRARIES it runs on copies of
    OpenSSL's, so that nobody else hits its probes."""

    def __init__(self, top, name, cases, start_proxy=True, role="client",
                 private_libraries=False, **proxy_options):
        self._start_proxy = start_proxy and role == "client"
        self.cases = cases
        self.directory = top / name
        (self.directory / "upstream").mkdir(parents=True)
        (self.directory / "pki").symlink_to(top / "pki")
        self._processes = procs.Processes()
        self.upstreams = upstreams.Upstreams(self.directory, self._processes, cases,
                                             private_libraries and role == "server")
        self.proxy = proxy.Proxy(self.directory, self._processes, cases,
                                 private_libraries=private_libraries, **proxy_options)
        self.traced = self.proxy if role == "client" else self.upstreams

    def __enter__(self):
        self._processes.__enter__()
        try:
            self.upstreams.start()
            if self._start_proxy:
                self.proxy.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._processes.__exit__()
