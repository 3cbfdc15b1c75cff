#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A program at a terminal of its own: what it shows there, and what a press of Ctrl-C does."""
import os
import pty
import re
import select
import signal
import time

from lab import procs
from tap import require


class Terminal:
    """ARGUMENTS run with a terminal, but for standard output, which is read by finish(). Leaving the `with`
    block ends it."""

    def __init__(self, *arguments):
        self._arguments = [str(argument) for argument in arguments]
        self.seen = ""

    def __enter__(self):
        self._out, child_out = os.pipe()
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.dup2(child_out, 1)
            os.execv(self._arguments[0], self._arguments)
        os.close(child_out)
        return self

    def __exit__(self, *_):
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        os.close(self._terminal)
        os.close(self._out)

    def _read(self, timeout):
        """False: there is nothing more, or nothing yet."""
        ready, _, _ = select.select([self._terminal], [], [], timeout)
        try:
            data = os.read(self._terminal, 4096) if ready else b""
        except OSError:  # nobody has it open any more
            data = b""
        self.seen += data.decode(errors="replace")
        return bool(data)

    def wait(self, pattern, meanwhile=lambda: None):
        """Waits until the terminal shows it, and returns the match."""
        deadline = time.monotonic() + 20 * procs.PATIENCE
        while not (found := re.search(pattern, self.seen)):
            require(time.monotonic() < deadline, f"{pattern} is not shown", repr(self.seen))
            meanwhile()
            self._read(0.1)
        return found

    def interrupt(self):
        os.write(self._terminal, b"\x03")

    def finish(self):
        """Its exit status, and what it wrote to standard output."""
        said = b""
        deadline = time.monotonic() + 20 * procs.PATIENCE
        while True:
            ready, _, _ = select.select([self._out], [], [], max(0, deadline - time.monotonic()))
            require(ready, "it does not end", repr(self.seen), said)
            data = os.read(self._out, 65536)
            said += data
            if not data:
                break
        while self._read(0.1):
            pass
        _, status = os.waitpid(self._pid, 0)
        self._pid = 0
        return os.waitstatus_to_exitcode(status), said.decode()

    def shown(self):
        """What is left of it once carriage returns and the erasing of lines have done their work."""
        lines = [re.sub(r".*\r(?=[^\r])", "", line.rstrip("\r")) for line in self.seen.split("\n")]
        return "\n".join(line.replace("\x1b[K", "") for line in lines)
