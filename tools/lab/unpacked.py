#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs programs that tools/install-deps only unpacked, and private copies of those that are installed."""
import os
import shutil
from pathlib import Path

from . import binaries

_USR = Path(__file__).resolve().parents[2] / "build" / "unpacked" / "usr"


def find(name):
    """The path of the program NAME, or None."""
    # Debian has a directory for each release of PostgreSQL, and psql elsewhere is a script that picks one; the
    # parts of Postfix are in another one.
    for usr in (_USR, Path("/usr")):
        for where in ("lib/postgresql/*/bin", "lib/postfix/sbin"):
            for path in sorted(usr.glob(f"{where}/{Path(name).name}")):
                return path
    try:
        return Path(binaries.find(name))
    except FileNotFoundError:
        return None


def copy(name, directory):
    """A copy of the program NAME in DIRECTORY: what is traced is found by its file, so that nobody else's
    is."""
    target = directory / Path(name).name
    if not target.exists():
        shutil.copy(find(name), target)
    return str(target)


def environment():
    """Variables with which an unpacked program finds its libraries and its data."""
    libraries = [str(path) for path in _USR.glob("lib/*-linux-gnu")]
    return {"LD_LIBRARY_PATH": os.pathsep.join(libraries)}


def in_place(argv):
    """ARGV with what is unpacked laid over /usr, for it alone: of programs with files at fixed paths."""
    if not _USR.exists():
        return argv
    return ["unshare", "--mount", "sh", "-c",
            'mount -t overlay overlay -o lowerdir="$0":/usr /usr && exec "$@"', str(_USR), *argv]


def share(name):
    """The directory of NAME's data below share."""
    unpacked = _USR / "share" / name
    return unpacked if unpacked.exists() else Path("/usr/share") / name
