#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""tlsfail probe as it is typed, against servers of this process: the report, what it takes from a
configuration and from findings, --enumerate, --watch. No kernel is needed, and no root."""
import json
import re
import signal
import ssl
import subprocess
import time

from env import REPOSITORY
from lab import pki, procs
from lab.pki import SERVER_NAME
from tap import require
from terminal import Terminal
from test_probe import check_schema
from test_probe_servers import (FAILS, SHARED, UNTRIED, USAGE, WORKS, hang, probe, proxy, reset,
                                server, then_tls)


def tests(here):
    """Yields (name, test)."""
    pki.make(here.top / "pki")
    yield from here.chosen("probe-verb", {**SHARED, **CHECKS})


def tls(here, name="good", change=None):
    """Behaviour of a server with the certificate NAME, whose context CHANGE may change."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(here.top / "pki" / f"{name}.crt", here.top / "pki" / f"{name}.key")
    if change:
        change(context)

    def behave(conn):
        with context.wrap_socket(conn, server_side=True) as wrapped:
            wrapped.recv(1)
    return behave


def names_only(*names):
    """A change of a context: it refuses who asks for none of NAMES."""
    def check(_socket, name, _context):
        return None if name in names else ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE

    def change(context):
        context.sni_callback = check
    return change


def client_certificates(here):
    """A change of a context: it insists on a certificate of the lab's client CA."""
    def change(context):
        context.load_verify_locations(here.top / "pki" / "client-ca.crt")
        context.verify_mode = ssl.CERT_REQUIRED
    return change


def ask(here, *arguments):
    """Returns the status, the report as text, and the objects of the same in JSON."""
    hurry = ("--timeout", "2s", "--rate", "1000")
    text = here.run("probe", *hurry, "--color", "never", *arguments)
    done, results = probe(here, *hurry, *arguments)
    require(text.returncode == done.returncode, text, done)
    for result in results:
        check_schema(result)
    return done.returncode, text.stdout, results


# -- one target ------------------------------------------------------------------------------------


def check_works(here):
    """What was agreed, and the certificate, in both forms."""
    with server(tls(here)) as port:
        status, text, (result,) = ask(here, f"127.0.0.1:{port}")
    require(status == WORKS and result["probe.result"] == "works", result)
    require(result["tls.protocol.version"] == "1.3" and "error.type" not in result, result)
    require(text.startswith(f"127.0.0.1:{port}: works\n"), text)
    for words in (result["tls.cipher"], SERVER_NAME, "Lab Root CA", "2049"):
        require(words in text, f"no {words}", text, result)


def check_verification(here):
    """Against a CA of a file, by a name; without a name an address is none that a certificate has."""
    ca = here.top / "pki" / "ca.crt"
    for certificate, arguments, cause in (
            ("good", ("--sni", SERVER_NAME, "--ca", ca), None),
            ("good", ("--sni", "other.test", "--ca", ca), "verify-hostname-mismatch"),
            ("good", ("--ca", ca), "verify-hostname-mismatch"),
            ("good", ("--sni", SERVER_NAME), "verify-untrusted-issuer"),
            ("expired", ("--sni", SERVER_NAME, "--ca", ca), "verify-expired"),
            ("self-signed", ("--sni", SERVER_NAME, "--ca", ca), "verify-self-signed")):
        with server(tls(here, certificate)) as port:
            status, text, (result,) = ask(here, "--verify", *arguments, f"127.0.0.1:{port}")
        require(status == (FAILS if cause else WORKS), certificate, arguments, result)
        require(result.get("error.type") == cause, certificate, arguments, result)
        require(not cause or cause in text.splitlines()[0], text)


def check_client_certificate(here):
    """Asked for and not shown is the cause, with whom the server accepts; shown, it works."""
    own = ("--cert", here.top / "pki" / "client.crt", "--key", here.top / "pki" / "client.key")
    with server(tls(here, change=client_certificates(here))) as port:
        status, text, (result,) = ask(here, f"127.0.0.1:{port}")
        require(status == FAILS and result["error.type"] == "client-cert-required", result)
        require("client certificate" in text, text)
        status, _, (result,) = ask(here, *own, f"127.0.0.1:{port}")
        require(status == WORKS and result["tls.client.certificate_requested"], result)


def check_tries(here):
    """What was tried is told, in order, and so is what helped."""
    with server(tls(here, change=names_only("app.test"))) as port:
        event = {"event.name": "tls.handshake.failure", "network.peer.address": "127.0.0.1",
                 "network.peer.port": port, "tls.client.server_name": "strange.test"}
        path = here.top / "strange.ndjson"
        path.write_text("not an event\n" + json.dumps(event) + "\n" +
                        json.dumps({**event, "tlsfail.role": "server", "network.peer.port": 1}))
        status, text, (result,) = ask(here, "--from", path)
    require(status == FAILS and result["error.type"], result)
    require(result["probe.tries"] and not any(one["works"] for one in result["probe.tries"]), result)
    tried = re.findall(r"^ +tried (.*)", text, re.M)
    require(len(tried) == len(result["probe.tries"]), tried, result)
    for line, one in zip(tried, result["probe.tries"]):
        require(line.startswith(one["what"].split(" ", 1)[0]), line, one)


def check_many(here):
    """Each has its report, in the order in which they were named, and the worst decides."""
    with server(tls(here)) as good, server(reset) as bad:
        targets = (f"127.0.0.1:{good}", f"https://127.0.0.1:{bad}/", "nobody.invalid:1",
                   "unix:/run/it.sock")
        status, text, results = ask(here, *targets)
        require(status == FAILS, status)
        require([r["probe.target"] for r in results] == list(targets), results)
        require([r["probe.result"] for r in results] == ["works", "fails", "untried", "untried"],
                results)
        require(len(re.findall(r"^\S.*: (?:works|fails|untried)", text, re.M)) == 4, text)
        status, _, _ = ask(here, targets[0], targets[2])
        require(status == UNTRIED, status)


# -- nginx's configuration -------------------------------------------------------------------------

CONFIGURATION = """
events {{}}
http {{
    upstream backend {{ server 127.0.0.1:{port}; }}
    server {{
        listen 127.0.0.1:1;
        location /plain/ {{ proxy_pass http://127.0.0.1:{port}; }}
        location /none/ {{ proxy_pass https://127.0.0.1:{port}; }}
        location /name/ {{
            proxy_pass https://backend;
            proxy_ssl_server_name on;
            proxy_ssl_name {name};
            proxy_ssl_verify on;
            proxy_ssl_trusted_certificate {pki}/ca.crt;
            proxy_ssl_protocols TLSv1.2 TLSv1.3;
            proxy_ssl_ciphers DEFAULT;
            proxy_ssl_conf_command Options -SessionTicket;
        }}
        location /depth/ {{
            proxy_pass https://backend;
            proxy_ssl_server_name on;
            proxy_ssl_name $host;
        }}
        location /gone/ {{
            proxy_pass https://backend;
            proxy_ssl_certificate {pki}/absent.crt;
            proxy_ssl_certificate_key {pki}/absent.key;
        }}
    }}
}}
"""


def configured(here, port):
    path = here.top / "probe.conf"
    path.write_text(CONFIGURATION.format(port=port, name=SERVER_NAME, pki=here.top / "pki"))
    return path


def line_of(path, words):
    """The number of the line of the file that has WORDS."""
    return next(n for n, line in enumerate(path.read_text().splitlines(), 1) if words in line)


def check_configuration(here):
    """Each location as it is configured: what differs between them decides."""
    with server(tls(here, change=names_only(SERVER_NAME))) as port:
        path = configured(here, port)
        status, text, (result,) = ask(here, "-c", path, "/name/")
        require(status == WORKS, result)
        require(result["probe.place"].startswith(f"{path}:"), result)
        require(f"at {path}:" in text, text)
        status, _, (result,) = ask(here, "-c", path, "/gone/")
        require(status == UNTRIED and "absent.crt" in result["message"], result)
        status, _, (result,) = ask(here, "-c", path, "/depth/")
        require("proxy_ssl_name" in result["probe.skipped"], result)
        status, _, results = ask(here, "-c", path)
        require(status == FAILS and len(results) == 4, results)
        require(not any("/plain/" in r["probe.target"] for r in results), results)
        status, _, results = ask(here, "-c", path, "backend")
        require(len(results) == 3, results)
        done, results = probe(here, "-c", path, "/absent/")
        require(done.returncode == UNTRIED and "/absent/" in done.stderr and not results, done)


def check_empty_configuration(here):
    """Nothing that passes by TLS is nothing to probe; what is no configuration is said to be none."""
    path = here.top / "empty.conf"
    path.write_text("events {} http { server { location / { proxy_pass http://127.0.0.1; } } }")
    done, _ = probe(here, "-c", path)
    require(done.returncode == UNTRIED and done.stderr.startswith("tlsfail: "), done)
    path.write_text("http { server {")
    done, _ = probe(here, "-c", path)
    require(done.returncode == UNTRIED and str(path) in done.stderr, done)


def check_from_place(here):
    """A finding that names its location is asked as that location."""
    with server(tls(here, change=names_only(SERVER_NAME))) as port:
        path = configured(here, port)
        event = {"event.name": "tls.handshake.failure", "network.peer.address": "127.0.0.1",
                 "network.peer.port": port, "nginx.config.location": "location /name/"}
        lines = here.top / "place.ndjson"
        lines.write_text(json.dumps(event) + "\n")
        status, _, (result,) = ask(here, "-c", path, "--from", lines)
        require(status == WORKS and "/name/" in result["probe.target"], result)
        lines.write_text(json.dumps({**event, "nginx.config.location": "location /absent/"}))
        status, _, (result,) = ask(here, "-c", path, "--from", lines)
        require(result["probe.target"] == f"127.0.0.1:{port}", result)
    done, _ = probe(here, "--from", here.top / "absent.ndjson")
    require(done.returncode == UNTRIED and "absent.ndjson" in done.stderr, done)


def check_from_clients(here):
    """Who connected to nginx cannot be connected to, and it is said so."""
    event = {"event.name": "tls.handshake.failure", "tlsfail.role": "server",
             "network.peer.address": "127.0.0.1", "network.peer.port": 1}
    lines = here.top / "clients.ndjson"
    lines.write_text(json.dumps(event) + "\n" + json.dumps(event) + "\n")
    done, results = probe(here, "--from", lines)
    require(done.returncode == UNTRIED and not results, done)
    require("2 of the events are about clients" in done.stderr, done)
    require("no event names an upstream" in done.stderr, done)
    lines.write_text("one\n\ntwo\n")
    done, results = probe(here, "--from", lines)
    require(done.returncode == UNTRIED and "skipped 2 lines" in done.stderr, done)
    recording = REPOSITORY / "tests" / "golden" / "verify-expired.rec"
    done, results = probe(here, "--from", recording)
    require(done.returncode == UNTRIED and len(done.stderr.splitlines()) == 1, done)
    require(f"tlsfail replay -f json {recording} | tlsfail probe --from -" in done.stderr, done)


# Places whose modules say in ALPN, or before TLS, what others do not.
PROTOCOLS = """
events {{}}
http {{
    server {{
        listen 127.0.0.1:1;
        location /plain/ {{ proxy_pass https://127.0.0.1:{port}; proxy_http_version 1.1; }}
        location /two/ {{ proxy_pass https://127.0.0.1:{port}; proxy_http_version 2; }}
        location /grpc/ {{ grpc_pass grpcs://127.0.0.1:{port}; }}
    }}
}}
stream {{
    upstream named {{ server 127.0.0.1:{port}; }}
    upstream headed {{ server 127.0.0.1:{headed}; }}
    server {{ listen 127.0.0.1:2; proxy_pass named; proxy_ssl on; proxy_ssl_alpn h2 postgresql; }}
    server {{ listen 127.0.0.1:3; proxy_pass headed; proxy_ssl on; proxy_protocol on; }}
}}
"""


def check_protocols(here):
    """HTTP/2, gRPC, ALPN of stream and the PROXY header are those of the place."""
    def h2(context):
        context.set_alpn_protocols(["h2"])

    with server(tls(here, change=h2)) as port, server(then_tls(here, proxy)) as headed:
        path = here.top / "protocols.conf"
        path.write_text(PROTOCOLS.format(port=port, headed=headed))
        for place, agreed in (("/plain/", None), ("/two/", "h2"), ("/grpc/", "h2"), ("named", "h2"),
                              ("headed", None)):
            status, _, (result,) = ask(here, "-c", path, place)
            require(status == WORKS, place, result)
            require(result.get("tls.next_protocol") == agreed, place, result)


# -- what it accepts -------------------------------------------------------------------------------


def modern(context):
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384")
    context.set_alpn_protocols(["h2"])


def old(context):
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1


def accepted(result):
    """{version: its entry}, of those that are accepted."""
    return {entry["version"]: entry for entry in result["probe.accepts"]["versions"]
            if entry["accepted"]}


def check_enumerate(here):
    """Versions, suites in the server's order, protocols; the text names each of them."""
    with server(tls(here, change=modern)) as port:
        _, text, (result,) = ask(here, "--enumerate", "--sni", SERVER_NAME, f"127.0.0.1:{port}")
    versions = accepted(result)
    require(set(versions) == {"1.2", "1.3"}, versions)
    require({suite["name"] if isinstance(suite, dict) else suite
             for suite in versions["1.2"]["ciphers"]} ==
            {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
             "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"}, versions["1.2"])
    require(result["probe.accepts"]["alpn"] == ["h2"], result["probe.accepts"])
    for words in ("TLS 1.3", "TLS 1.2", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "x25519", "h2"):
        require(words in text, f"no {words}", text)
    with server(tls(here, "rsa", old)) as port:
        _, text, (result,) = ask(here, "--enumerate", f"127.0.0.1:{port}")
    require(set(accepted(result)) == {"1.0", "1.1"}, accepted(result))
    require("TLS 1.0" in text, text)


# -- --watch ---------------------------------------------------------------------------------------


def sample(page, name, **labels):
    """The value of that sample, or None."""
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    for line in page.splitlines():
        if line.startswith(name + "{") and all(word in line for word in wanted):
            return float(line.rsplit(" ", 1)[1])
    return None


def check_watch(here):
    """A target that goes and comes back: an event each, and metrics that keep the certificate's end, over
    a restart, too."""
    metrics, events = here.top / "watch.prom", here.top / "watch.ndjson"
    target = []

    def wait_metric(name, value):
        procs.wait_until(lambda: metrics.exists() and sample(
            metrics.read_text(), name, target=target[0]) == value, 20 * procs.PATIENCE,
            f"{name} {value}")

    def start():
        return subprocess.Popen(
            [str(here.tlsfail), "probe", "--watch", "1s", "--timeout", "1s", "--metrics-file",
             str(metrics), "--sink", f"json:{events}", target[0]],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    healthy = [True]

    def moody(conn):
        (tls(here) if healthy[0] else reset)(conn)

    with server(moody) as port:
        target.append(f"127.0.0.1:{port}")
        process = start()
        try:
            wait_metric("tlsfail_upstream_works", 1)
            healthy[0] = False
            wait_metric("tlsfail_upstream_works", 0)
            page = metrics.read_text()
            require(sample(page, "tlsfail_upstream_failing", target=target[0]) == 1, page)
            healthy[0] = True
            wait_metric("tlsfail_upstream_works", 1)
        finally:
            process.send_signal(signal.SIGTERM)
            said = process.communicate(timeout=20 * procs.PATIENCE)[1]
        require(process.returncode == WORKS, process.returncode, said)
        page = metrics.read_text()
        ends = sample(page, "tlsfail_upstream_certificate_not_after_timestamp_seconds",
                      target=target[0])
        require(ends and ends > 2e9, page)
    told = [json.loads(line) for line in events.read_text().splitlines()]
    require([event["event.name"] for event in told] ==
            ["tls.handshake.failure", "tlsfail.peer.recovered"], told)
    process = start()
    try:
        wait_metric("tlsfail_upstream_works", 0)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20 * procs.PATIENCE)
    page = metrics.read_text()
    require(sample(page, "tlsfail_upstream_certificate_not_after_timestamp_seconds",
                   target=target[0]) == ends, page)
    require(sample(page, "tlsfail_upstream_failing", target=target[0],
                   cause="connection-refused") == 1, page)


def check_watch_served(here):
    """The metrics over HTTP, while it watches and not otherwise."""
    with server(tls(here)) as port, server(hang) as free:
        target, address = f"127.0.0.1:{port}", f"unix:{here.top}/probe-metrics.sock"
        process = subprocess.Popen(
            [str(here.tlsfail), "probe", "--watch", "1s", "--metrics", address, target],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

        def page():
            return subprocess.run(["curl", "-s", "--unix-socket", address.removeprefix("unix:"),
                                   "http://localhost/metrics"], capture_output=True, text=True,
                                  check=False).stdout
        try:
            procs.wait_until(lambda: sample(page(), "tlsfail_upstream_works", target=target) == 1,
                             20 * procs.PATIENCE, "the metrics")
            require(sample(page(), "tlsfail_upstream_certificate_not_after_timestamp_seconds",
                           target=target), page())
        finally:
            process.send_signal(signal.SIGTERM)
            said = process.communicate(timeout=20 * procs.PATIENCE)[1]
        require(process.returncode == WORKS, process.returncode, said)
        done, results = probe(here, "--metrics", f"127.0.0.1:{free}", "--watch", "1s", target)
        require(done.returncode == UNTRIED and not results and str(free) in done.stderr, done)
        done, results = probe(here, "--metrics", address, target)
        require(done.returncode == USAGE and not results and "--watch" in done.stderr, done)


def check_watch_obstacles(here):
    """Metrics that cannot be written are told once, and the probe goes on; a sink that cannot be opened
    ends it before anybody is asked."""
    with server(hang) as port:
        done, _ = probe(here, "--timeout", "1s", "--metrics-file", here.top / "absent" / "x.prom",
                        f"127.0.0.1:{port}")
        require(done.returncode == FAILS, done)
        require(sum("x.prom" in line for line in done.stderr.splitlines()) == 1, done)
        done, results = probe(here, "--sink", f"json:{here.top}/absent/x.json",
                              f"127.0.0.1:{port}")
        require(done.returncode == UNTRIED and not results and done.stderr, done)


# -- at a terminal ---------------------------------------------------------------------------------


def at_terminal(here, *arguments):
    return Terminal(here.tlsfail, "probe", "--format", "json", "--timeout", "60s", *arguments)


def check_terminal_targets(here):
    """Which of them, and how long already; Ctrl-C ends it, and claims nothing about who was not heard out."""
    with server(hang) as port:
        targets = ("127.0.0.1:1", f"127.0.0.1:{port}", f"localhost:{port}")
        with at_terminal(here, *targets) as terminal:
            terminal.wait(rf"{re.escape(targets[1])} \(2 of 3\): connection 1, [1-9] s")
            terminal.interrupt()
            status, told = terminal.finish()
    results = [json.loads(line) for line in told.splitlines()]
    require(status == FAILS and len(results) == 2, status, told)
    require(results[0]["error.type"] == "connection-refused", results)
    require(results[1]["probe.result"] == "untried" and "error.type" not in results[1], results)
    for result in results:
        check_schema(result)
    require("interrupted: 1 of 3 targets were tested" in terminal.shown(), repr(terminal.seen))
    require("connection 1" not in terminal.shown(), "the progress is taken away", repr(terminal.seen))


def check_terminal_enumerate(here):
    """A server that takes its time for everything but the first handshake."""
    slow = []

    def behave(conn):
        if slow:
            time.sleep(0.3)
        slow.append(conn)
        tls(here)(conn)

    with server(behave) as port, at_terminal(here, "--enumerate", f"127.0.0.1:{port}") as terminal:
        terminal.wait(r"\(1 of 1\): connection [4-9]")
        terminal.interrupt()
        status, told = terminal.finish()
    result = json.loads(told)
    check_schema(result)
    require(status == UNTRIED and result["probe.result"] == "works", status, result)
    accepts = result["probe.accepts"]
    require(not accepts["complete"] and accepts["versions"], accepts)
    # nothing is said of what it was not heard about
    require(not [one for one in accepts["versions"] if not one["accepted"]], accepts)
    require("large_hello" not in accepts, accepts)


def check_terminal_tries(here):
    """A server that hangs: what was tried until then stays known."""
    with server(hang) as port:
        with Terminal(here.tlsfail, "probe", "--format", "json", "--timeout", "2s",
                      f"127.0.0.1:{port}") as terminal:
            terminal.wait(r"connection 2")
            terminal.interrupt()
            status, told = terminal.finish()
    result = json.loads(told)
    require(status == FAILS and result["probe.result"] == "fails" and result["error.type"], result)
    require(not any(one["works"] or "error.type" in one for one in result["probe.tries"][1:]), result)


def check_output_gone(here):
    """A report that cannot be written is a failure, and not silence."""
    with server(tls(here)) as port, open("/dev/full", "wb") as full:
        done = subprocess.run([str(here.tlsfail), "probe", f"127.0.0.1:{port}"], stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=60 * procs.PATIENCE,
                              check=False)
    require(done.returncode == FAILS and done.stderr.startswith("tlsfail: "), done)


def check_usage(here):
    """What cannot be is asked of nobody."""
    for arguments in (("--rate", "0", "127.0.0.1"),
                      ("--watch", "never", "127.0.0.1"), ("--format", "xml", "127.0.0.1"),
                      ("--key", "/dev/null", "127.0.0.1")):
        done, results = probe(here, *arguments)
        require(done.returncode == USAGE and not results, arguments, done)


CHECKS = {
    "works": check_works,
    "verification": check_verification,
    "client-certificate": check_client_certificate,
    "tries": check_tries,
    "many": check_many,
    "configuration": check_configuration,
    "empty-configuration": check_empty_configuration,
    "from-place": check_from_place,
    "enumerate": check_enumerate,
    "watch": check_watch,
    "watch-served": check_watch_served,
    "watch-obstacles": check_watch_obstacles,
    "terminal-targets": check_terminal_targets,
    "terminal-enumerate": check_terminal_enumerate,
    "terminal-tries": check_terminal_tries,
    "from-clients": check_from_clients,
    "protocols": check_protocols,
    "output-gone": check_output_gone,
    "usage": check_usage,
}
