#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Finds the programs that the lab is made of."""
import os
import re
import shutil
import subprocess
from pathlib import Path

# nginx and ip live in /usr/sbin, which is not on everybody's PATH; what tools/install-deps only
# unpacks is below build/unpacked.
_UNPACKED = Path(__file__).resolve().parents[2] / "build" / "unpacked" / "usr"
_PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin",
                         str(_UNPACKED / "bin"), str(_UNPACKED / "sbin")])


def find(name):
    """Returns the path of the program NAME."""
    path = shutil.which(name, path=_PATH)
    if path is None:
        raise FileNotFoundError(f"the lab needs {name}, which is not installed")
    return path


def nginx_argv(binary, directory, config, log):
    """The command line of the nginx BINARY: its prefix DIRECTORY, its CONFIG, and LOG for what it
    has to say before it has read that, if this release (1.19.5 and later) can be told."""
    usage = subprocess.run([binary, "-h"], check=True, capture_output=True, text=True,
                           timeout=10).stderr
    early_log = ["-e", log] if "-e filename" in usage else []
    return [str(binary), "-p", str(directory), "-c", str(config), *early_log]


def find_library(program, name):
    """Returns the path of the shared library of PROGRAM whose name begins with NAME."""
    listed = subprocess.run([find("ldd"), program], check=True, capture_output=True, text=True,
                            timeout=10).stdout
    found = re.search(rf"^\s*{re.escape(name)}\S* => (\S+)", listed, re.MULTILINE)
    if found is None:
        raise FileNotFoundError(f"{program} does not use {name}")
    return found[1]
