#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Who reads certain files: every read(2) of them waits until it was looked at by whom (fanotify)."""
import ctypes
import os
import struct
import threading
from pathlib import Path

from tap import Skip

_libc = ctypes.CDLL(None, use_errno=True)

# linux/fanotify.h
_CLASS_CONTENT, _CLOEXEC, _NONBLOCK = 4, 1, 2
_MARK_ADD, _ACCESS_PERM, _ALLOW = 1, 0x20000, 1
_AT_FDCWD = -100
_EVENT = struct.Struct("<IBBHQii")
_LOOK_S = 0.02


class Readers:
    """Of PATHS. `seen` is a set of (file name, comm of the process, its user, its capabilities)."""

    def __init__(self, paths):
        self.seen = set()
        self._ending = threading.Event()
        self._fd = _libc.fanotify_init(_CLASS_CONTENT | _CLOEXEC | _NONBLOCK, os.O_RDONLY)
        if self._fd < 0:
            raise Skip(f"no fanotify here: {os.strerror(ctypes.get_errno())}")
        for path in paths:
            if _libc.fanotify_mark(self._fd, _MARK_ADD, ctypes.c_uint64(_ACCESS_PERM), _AT_FDCWD,
                                   os.fsencode(path)):
                error = os.strerror(ctypes.get_errno())
                os.close(self._fd)
                raise Skip(f"fanotify asks nobody here: {error}")
        self._thread = threading.Thread(target=self._answer, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self._thread.join()
        os.close(self._fd)  # whoever waits goes on

    def _answer(self):
        while not self._ending.wait(_LOOK_S):
            try:
                events = os.read(self._fd, 1 << 16)
            except BlockingIOError:
                continue
            while events:
                length, _, _, _, _, fd, pid = _EVENT.unpack_from(events)
                events = events[length:]
                self._note(fd, pid)
                os.write(self._fd, struct.pack("<iI", fd, _ALLOW))
                os.close(fd)

    def _note(self, fd, pid):
        status = dict(line.split(":\t", 1) for line in
                      Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
        self.seen.add((os.path.basename(os.readlink(f"/proc/self/fd/{fd}")), status["Name"],
                       int(status["Uid"].split()[0]), int(status["CapPrm"], 16)))
