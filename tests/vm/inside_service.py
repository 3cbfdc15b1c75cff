#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Inside a guest that runs systemd: the Debian package is installed, upgraded, removed and purged, and
its service does what it is for, with the rights that its unit leaves it. Prints TAP.

    inside_service.py --guest NAME --groups NAME --tests GLOB --results DIRECTORY

Left in DIRECTORY are what the guest is (`environment.json`) and the journal.
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

import env
import image
from inside import begin, end
from lab import drive, lab, procs
from lab.cases import named
from tap import require

CONFIG = Path("/etc/tlsfail/tlsfail.conf")
LOGS = Path("/var/log/tlsfail")
LIMIT_S = 60


def run(*argv, status=0):
    """Runs ARGV, which has to end with STATUS. Returns what it said."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=4 * LIMIT_S, check=False)
    require(done.returncode == status, " ".join(argv) + f" ended with {done.returncode}:",
            *done.stdout.splitlines(), *journal())
    return done.stdout


def journal(*matches):
    """What the journal has of our service, oldest first."""
    said = subprocess.run(["journalctl", "--no-pager", "-o", "cat",
                           *(matches or ("-u", "tlsfail"))],
                          stdout=subprocess.PIPE, text=True, timeout=LIMIT_S, check=False).stdout
    return said.splitlines()


def wait_journal(words, *matches):
    """Waits for a line of the journal that has WORDS in it."""
    try:
        procs.wait_until(lambda: any(words in line for line in journal(*matches)), 10, words)
    except TimeoutError:
        require(False, f"not in the journal: {words}", *journal(*matches))


def main_pid():
    return int(run("systemctl", "show", "--property=MainPID", "--value", "tlsfail"))


def newer(package, directory):
    """A copy of PACKAGE that is of a later version."""
    tree = directory / "tree"
    run("dpkg-deb", "--raw-extract", str(package), str(tree))
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub(r"^Version: (.*)$", r"Version: \1+later", control.read_text(),
                              flags=re.MULTILINE))
    later = directory / "later.deb"
    run("dpkg-deb", "--build", str(tree), str(later))
    return later


class Service:
    """The tests, in the order in which they have to run: each begins where the one before ended."""

    def __init__(self, package, where):
        self._package = package
        self._where = where
        self._case = where.cases[0]

    def tests(self):
        for name in ("install", "failure-in-the-journal", "reload", "mistake", "killed", "hung",
                     "upgrade", "remove", "purge"):
            yield "service/" + name, getattr(self, "check_" + name.replace("-", "_"))

    def _fail(self, path):
        """Brings about a failure, which has to be written to PATH."""
        before = self._count(path)
        drive.once(self._where, self._case)
        procs.wait_until(lambda: self._count(path) > before, 10, f"a failure in {path.name}")

    def _count(self, path):
        """How often the failure is in PATH. What --cert-warn tells is there too, and is none."""
        if not path.exists():
            return 0
        whole = path.read_text().rpartition("\n")[0]
        return sum(json.loads(line).get("error.type") == self._case.slug
                   for line in whole.splitlines())

    def check_install(self):
        """The package installs, and its service is up: armed, as Type=notify says so."""
        said = run("dpkg", "--install", str(self._package))
        # With status 0 it is active; else what was said at the installation tells why.
        require(subprocess.run(["systemctl", "is-active", "--quiet", "tlsfail"],
                               check=False).returncode == 0, said, *journal())
        require(run("systemctl", "is-enabled", "tlsfail") == "enabled\n")
        run("tlsfail", "trace", "--check")

    def check_failure_in_the_journal(self):
        """As it is shipped, what it finds is in a file, and in the journal with its fields."""
        self._fail(LOGS / "events.json")
        wait_journal(self._case.address, f"TLSFAIL_CAUSE={self._case.slug}")

    def check_reload(self):
        """Another output is written to, by the same process."""
        self._configure(LOGS / "second.json")
        run("systemctl", "restart", "tlsfail")
        self._fail(LOGS / "second.json")
        before = main_pid()
        self._configure(LOGS / "third.json")
        run("systemctl", "reload", "tlsfail")
        procs.wait_until((LOGS / "third.json").exists, 10, "the new output")
        self._fail(LOGS / "third.json")
        require(main_pid() == before, "another process")

    @staticmethod
    def _configure(path):
        CONFIG.write_text(f'no-fold = true\nsink = [ "json:{path}" ]\n')

    def check_mistake(self):
        """A configuration with a mistake does not start, and the journal says where it is."""
        good = CONFIG.read_text()
        CONFIG.write_text(good + "colour = true\n")
        run("systemctl", "restart", "tlsfail", status=1)
        wait_journal(f"{CONFIG}:3: unknown setting 'colour'")
        CONFIG.write_text(good)
        run("systemctl", "reset-failed", "tlsfail")
        run("systemctl", "restart", "tlsfail")

    def check_killed(self):
        """It is started again when it dies."""
        self._comes_back_after(signal.SIGKILL)

    def check_hung(self):
        """It is started again when it gives no sign of life."""
        override = Path("/run/systemd/system/tlsfail.service.d")
        override.mkdir(parents=True)
        (override / "watchdog.conf").write_text("[Service]\nWatchdogSec=15\nTimeoutAbortSec=2\n")
        run("systemctl", "daemon-reload")
        run("systemctl", "restart", "tlsfail")
        self._comes_back_after(signal.SIGSTOP)
        shutil.rmtree(override)
        run("systemctl", "daemon-reload")

    def _comes_back_after(self, sent):
        before = main_pid()
        os.kill(before, sent)
        procs.wait_until(lambda: main_pid() not in (0, before), 15, "a new process")
        procs.wait_until(lambda: subprocess.run(["systemctl", "is-active", "--quiet", "tlsfail"],
                                                check=False).returncode == 0, 10, "the service")
        self._fail(LOGS / "third.json")

    def check_upgrade(self):
        """An upgrade starts the new program, and leaves the configuration that was changed."""
        before, config = main_pid(), CONFIG.read_text()
        run("dpkg", "--install", str(newer(self._package, self._where.directory)))
        require(main_pid() not in (0, before), "the service was not restarted")
        require(CONFIG.read_text() == config, "the configuration was overwritten")

    def check_remove(self):
        """Removing stops the service and leaves configuration and logs."""
        run("dpkg", "--remove", "tlsfail")
        require(run("systemctl", "is-active", "tlsfail", status=3) == "inactive\n")
        require(CONFIG.exists() and LOGS.exists(), "the configuration or the logs are gone")

    def check_purge(self):
        """Purging leaves nothing."""
        run("dpkg", "--purge", "tlsfail")
        left = [path for path in (CONFIG, LOGS, Path("/lib/systemd/system/tlsfail.service"),
                                  Path("/etc/logrotate.d/tlsfail"),
                                  Path("/etc/systemd/system/multi-user.target.wants/"
                                       "tlsfail.service")) if path.exists() or path.is_symlink()]
        require(not left, *left)


def main():
    options, guest, report = begin("the service inside a guest")
    package, = env.REPOSITORY.glob(guest.tlsfail)
    with lab.directory(certificates=Path("/", image.PKI)) as top:
        here = env.Env("/usr/sbin/tlsfail", top)
        with here.lab("service", named("verify-expired")) as where:
            report.run_all("service", Service(package, where).tests())
    (options.results / "journal").write_text("\n".join(journal()))
    return end(options, report)


if __name__ == "__main__":
    sys.exit(main())
