#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A real Prometheus that scrapes a tlsfail, and what it has to say."""
import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from . import binaries, procs

ADDRESS = "127.0.0.1:9090"

_CONFIG = """\
global:
  scrape_interval: 1s
  evaluation_interval: 1s
rule_files: {rules}
scrape_configs:
  - job_name: tlsfail
    static_configs:
      - targets: ['{target}']
"""


def promtool(*args, text=""):
    """Runs promtool with TEXT on its standard input. Returns the CompletedProcess."""
    return subprocess.run([binaries.find("promtool"), *map(str, args)], input=text, check=False,
                          capture_output=True, text=True, timeout=60)


class Prometheus:
    """Scrapes TARGET every second, with the rule files RULES; its data is in DIRECTORY. Leaving the
    `with` block ends it."""

    def __init__(self, directory, target, rules=()):
        self._directory = directory / "prometheus"
        self._config = _CONFIG.format(target=target, rules=json.dumps([str(r) for r in rules]))
        self._process = None

    def __enter__(self):
        self._directory.mkdir()
        config = self._directory / "prometheus.yml"
        config.write_text(self._config, encoding="utf-8")
        with open(self._directory / "log", "wb") as log:
            self._process = procs.start_owned(
                [binaries.find("prometheus"), f"--config.file={config}",
                 f"--storage.tsdb.path={self._directory / 'data'}",
                 f"--web.listen-address={ADDRESS}"], stdout=log, stderr=log)
        try:
            procs.wait_until(self._is_up, 20, "Prometheus")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        procs.stop(self._process, timeout=10)

    def _is_up(self):
        if self._process.poll() is not None:
            raise RuntimeError("Prometheus ended:\n"
                               + (self._directory / "log").read_text(encoding="utf-8"))
        try:
            with urllib.request.urlopen(f"http://{ADDRESS}/-/ready", timeout=5):
                return True
        except OSError:
            return False

    def api(self, path, **parameters):
        """The data that the HTTP API answers with. RuntimeError when that is an error."""
        url = f"http://{ADDRESS}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                return json.load(response)["data"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{url}: {error.read().decode()}") from error

    def query(self, expression):
        """The value of each series that EXPRESSION gives now, as [(labels, value)]."""
        return [(one["metric"], float(one["value"][1]))
                for one in self.api("query", query=expression)["result"]]

    def wait_query(self, expression, timeout=20):
        """Waits TIMEOUT seconds at most until EXPRESSION gives something, and returns that."""
        return procs.wait_until(lambda: self.query(expression), timeout, expression)
