#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Puts this process, and so all that it starts, into namespaces of its own."""
import ctypes
import os
import socket
import subprocess

from . import binaries

# Another hosts file for one program: a command line begins with this and the file.
WITH_HOSTS = ("unshare", "--mount", "sh", "-c",
              'mount --bind "$0" /etc/hosts && exec "$@"')

CLONE_NEWUTS = 0x04000000
CLONE_NEWNET = 0x40000000


def _unshare(flags):
    # Python has os.unshare() only from 3.12 on.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        err = ctypes.get_errno()
        raise OSError(err, "unshare: " + os.strerror(err))


def enter_network():
    """Enters a network namespace that has nothing but loopback, and brings loopback up."""
    _unshare(CLONE_NEWNET)
    subprocess.run([binaries.find("ip"), "link", "set", "lo", "up"], check=True)


def enter_hostname(name):
    """Enters a UTS namespace whose host name is NAME."""
    _unshare(CLONE_NEWUTS)
    socket.sethostname(name)
