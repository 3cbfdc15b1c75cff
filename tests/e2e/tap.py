#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs tests and prints TAP. A test is a function; it fails by raising."""
import traceback
from contextlib import closing


class Failure(Exception):
    """A test's verdict: what is wrong, in one or more lines."""


class Skip(Exception):
    """A test cannot run here; the reason."""


def require(condition, *lines):
    """Raises Failure, with LINES as diagnostics, unless CONDITION holds."""
    if not condition:
        raise Failure("\n".join(str(line) for line in lines))


class Report:
    """Counts the tests and prints a line for each."""

    def __init__(self):
        self._count = 0
        self._failed = 0

    def run_all(self, name, tests):
        """Runs what the generator TESTS yields, (name, test) each. NAME is whose failure it is when
        the generator itself fails. Whatever it holds is released at the end."""
        with closing(tests):
            try:
                for test_name, test in tests:
                    self.run(test_name, test)
            except Exception:  # the other suites go on
                self.tell(False, name, traceback.format_exc())

    def run(self, name, test):
        """Runs TEST and prints how it went. Interrupts pass through."""
        try:
            test()
        except Skip as reason:
            self.tell(True, f"{name} # SKIP {reason}")
        except Failure as failure:
            self.tell(False, name, str(failure))
        except Exception:  # a test that breaks has failed; the others go on
            self.tell(False, name, traceback.format_exc())
        else:
            self.tell(True, name)

    def tell(self, passed, description, diagnostics="", said=""):
        """Prints the line of a test, after what it SAID."""
        self._count += 1
        self._failed += not passed
        print(said, end="")
        print(f"{'ok' if passed else 'not ok'} {self._count} - {description}", flush=True)
        for line in diagnostics.splitlines():
            print("#   " + line, flush=True)

    def finish(self):
        """Prints the plan. Returns the exit status: 0 when tests ran and all passed."""
        print(f"1..{self._count}", flush=True)
        return 0 if self._count and not self._failed else 1
