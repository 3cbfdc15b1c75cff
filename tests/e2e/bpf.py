#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the kernel tells of its BPF objects, by bpf(2)."""
import ctypes
import errno
import os
import re
import struct
from collections import namedtuple
from pathlib import Path

# <asm/unistd.h>
SYS_BPF = {"x86_64": 321, "aarch64": 280}

# <linux/bpf.h>
_GET_NEXT_ID = {"prog": 11, "map": 12, "link": 31}
_GET_NEXT_ID_ATTR = struct.Struct("=III")  # start_id, next_id, open_flags
_PROG_GET_FD_BY_ID = 13
_MAP_GET_FD_BY_ID = 14
_OBJ_GET_INFO_BY_FD = 15
_OBJ_GET_INFO_BY_FD_ATTR = struct.Struct("=IIQ")  # fd, length of the information, its address
_PROG_INFO_LEN = 208  # up to run_cnt; older kernels have all of it, too
_PROG_NAME = struct.Struct("=64x16s")
_PROG_RUNS = struct.Struct("=192xQQ")  # run_time_ns, run_cnt
_MAP_GET_NEXT_KEY = 4
_MAP_GET_NEXT_KEY_ATTR = struct.Struct("=I4xQQ")  # map_fd, key, next_key
_KEY_SIZE_MAX = 512
_ENABLE_STATS = 32
_STATS_RUN_TIME = 0


def _bpf(command, attr):
    """Calls bpf(2). ATTR, a buffer, may be written to. Returns its result, raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(SYS_BPF[os.uname().machine], command, attr, len(attr))
    if result < 0:
        err = ctypes.get_errno()
        raise OSError(err, "bpf: " + os.strerror(err))
    return result


def ids(kind):
    """Yields the numbers of all objects of KIND: prog, map or link."""
    last = 0
    while True:
        attr = ctypes.create_string_buffer(_GET_NEXT_ID_ATTR.pack(last, 0, 0),
                                           _GET_NEXT_ID_ATTR.size)
        try:
            _bpf(_GET_NEXT_ID[kind], attr)
        except OSError as error:
            if error.errno == errno.ENOENT:  # the end
                return
            raise
        last = _GET_NEXT_ID_ATTR.unpack(attr.raw)[1]
        yield last


def entries(map_id):
    """How many entries the map of that number has, 0 when it is gone. Keys that come and go meanwhile may
    be counted twice or not at all."""
    attr = ctypes.create_string_buffer(_GET_NEXT_ID_ATTR.pack(map_id, 0, 0), _GET_NEXT_ID_ATTR.size)
    try:
        fd = _bpf(_MAP_GET_FD_BY_ID, attr)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return 0
        raise
    key, following = (ctypes.create_string_buffer(_KEY_SIZE_MAX) for _ in range(2))
    count, last = 0, 0
    try:
        while True:
            attr = ctypes.create_string_buffer(_MAP_GET_NEXT_KEY_ATTR.pack(
                fd, last, ctypes.addressof(following)), _MAP_GET_NEXT_KEY_ATTR.size)
            _bpf(_MAP_GET_NEXT_KEY, attr)
            count += 1
            key.raw = following.raw
            last = ctypes.addressof(key)
    except OSError as error:
        if error.errno != errno.ENOENT:  # ENOENT: the end
            raise
        return count
    finally:
        os.close(fd)


Runs = namedtuple("Runs", "count ns")


def programs(pid):
    """{name: Runs} of the BPF programs that the process PID holds. Of a name the kernel keeps 15 bytes: those that
    are alike in these are one."""
    held = set(re.findall(r"^prog_id:\t(\d+)$", "\n".join(
        info.read_text() for info in Path(f"/proc/{pid}/fdinfo").iterdir()), re.MULTILINE))
    runs = {}
    for number in map(int, held):
        fd = _bpf(_PROG_GET_FD_BY_ID, ctypes.create_string_buffer(struct.pack("=I4x", number), 8))
        try:
            info = ctypes.create_string_buffer(_PROG_INFO_LEN)
            _bpf(_OBJ_GET_INFO_BY_FD, ctypes.create_string_buffer(_OBJ_GET_INFO_BY_FD_ATTR.pack(
                fd, _PROG_INFO_LEN, ctypes.addressof(info)), _OBJ_GET_INFO_BY_FD_ATTR.size))
        finally:
            os.close(fd)
        ns, count = _PROG_RUNS.unpack(info.raw)
        name = _PROG_NAME.unpack_from(info.raw)[0].rstrip(b"\0").decode()
        known = runs.get(name, Runs(0, 0))
        runs[name] = Runs(known.count + count, known.ns + ns)
    return runs


class RunStatistics:
    """Makes the kernel count program runs while the `with` block lasts. The kernel counts for as
    long as anybody holds such a descriptor, so this gets in nobody's way."""

    def __enter__(self):
        attr = ctypes.create_string_buffer(struct.pack("=I", _STATS_RUN_TIME), 4)
        self._fd = _bpf(_ENABLE_STATS, attr)
        return self

    def __exit__(self, *_):
        os.close(self._fd)
