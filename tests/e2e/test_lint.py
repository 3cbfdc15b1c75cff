#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Each rule of tlsfail lint with a configuration that breaks it and one that does not; healthy
configurations, in which nothing is found; and the forms output format. No nginx, no root."""
import json
import re
import subprocess
from functools import partial

from env import REPOSITORY
from lab import pki
from tap import require
from terminal import Terminal
from test_ask import ask, check_schema

SARIF_SCHEMA = REPOSITORY / "tests" / "lint" / "sarif-2.1.0.schema.json"
HEALTHY = REPOSITORY / "tests" / "lint" / "healthy"
CLEAN, FINDINGS, USAGE, UNREADABLE = range(4)


def http(text):
    return f"events {{}}\nhttp {{\n{text}\n}}\n"


def place(text, before=""):
    return http(f"{before}\nserver {{\n listen 80;\n location / {{\n{text}\n }}\n}}")


def tls(text, name="a", listen="443 ssl"):
    return (f"server {{ listen {listen}; server_name {name}; ssl_certificate /x.pem; "
            f"ssl_certificate_key /x.key; {text} }}\n")


def stream(text):
    return f"events {{}}\nstream {{\n{text}\n}}\n"


def upstream(text):
    """A place with verification on, and trusted certificates of that file."""
    return place(f"proxy_pass https://10.0.0.1; proxy_ssl_verify on; {text}")


SNI = "proxy_ssl_server_name on; "
GROUP = "upstream app { server 10.0.0.1:443; keepalive 4; }"
TWO = ("location /a/ {{ proxy_pass https://10.0.0.1; {} }} location /b/ {{ proxy_pass "
       "https://10.0.0.1/x; {} }}")

# Of a rule: configurations that break it, and configurations that do not. {dir}: the certificates.
RULES = {
    "sni-off": (
        [place("proxy_pass https://a.example.com;"),
         place("grpc_pass grpcs://a.example.com:443;"),
         place("uwsgi_pass suwsgi://a.example.com:443;"),
         place("proxy_pass https://g;", "upstream g { server a.example.com:443; }"),
         stream("server { listen 1; proxy_pass a.example.com:443; proxy_ssl on; }")],
        [place(SNI + "proxy_pass https://a.example.com;"), place("proxy_pass https://10.0.0.1;"),
         place("proxy_pass http://a.example.com;"),
         place("proxy_pass https://g;", "upstream g { server 10.0.0.1:443; }"),
         stream("server { listen 1; proxy_pass a.example.com:443; }")]),
    "verify-off": (
        [place("proxy_pass https://10.0.0.1;")],
        [upstream("proxy_ssl_trusted_certificate /x.pem;"), place("proxy_pass http://10.0.0.1;")]),
    "verify-without-ca": (
        [upstream("")], [upstream("proxy_ssl_trusted_certificate /x.pem;")]),
    "name-of-group": (
        [place(SNI + "proxy_pass https://app; proxy_http_version 1.1;", GROUP)],
        [place(SNI + "proxy_ssl_name a.example.com; proxy_http_version 1.1; "
               "proxy_pass https://app;", GROUP)]),
    "name-invalid": (
        [place(SNI + "proxy_pass https://10.0.0.1; proxy_ssl_name a_b.example.com;"),
         place(SNI + "proxy_pass https://a.example.com.;")],
        [place(SNI + "proxy_pass https://10.0.0.1; proxy_ssl_name a-b.example.com;"),
         place("proxy_pass https://10.0.0.1;")]),
    "session-shared": (
        [http(tls(TWO.format("proxy_ssl_certificate /c.pem; proxy_ssl_certificate_key /c.key;",
                             "")))],
        [http(tls(TWO.format("", ""))),
         http(tls(TWO.format("proxy_ssl_session_reuse off; proxy_ssl_certificate /c.pem; "
                             "proxy_ssl_certificate_key /c.key;", "")))]),
    "port-of-other-protocol": (
        [place("proxy_pass https://10.0.0.1:80;"), place("proxy_pass http://10.0.0.1:443;"),
         place("proxy_pass http://10.0.0.1:8443/x;")],
        [place("proxy_pass https://10.0.0.1:443;"), place("proxy_pass http://10.0.0.1:8080;")]),
    "setting-of-other-module": (
        [place("grpc_pass grpcs://10.0.0.1:443; proxy_ssl_server_name on;"),
         place("uwsgi_pass suwsgi://10.0.0.1:443; proxy_ssl_verify on;")],
        [place("grpc_pass grpcs://10.0.0.1:443; grpc_ssl_server_name on;")]),
    "keepalive-unused": (
        [place("proxy_pass http://app;", GROUP),
         place("proxy_pass http://app; proxy_http_version 1.1;", GROUP)],
        [place("proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection '';",
               GROUP),
         place("proxy_pass http://app; proxy_http_version 2;", GROUP),
         place("grpc_pass grpc://app;", GROUP)]),
    "connect-timeout-short": (
        [place("proxy_pass https://10.0.0.1; proxy_connect_timeout 100ms;")],
        [place("proxy_pass https://10.0.0.1; proxy_connect_timeout 2s;"),
         place("proxy_pass http://10.0.0.1; proxy_connect_timeout 100ms;")]),
    "protocols-explicit": (
        [place("proxy_pass https://10.0.0.1; proxy_ssl_protocols TLSv1.2;")],
        [place("proxy_pass https://10.0.0.1;")]),
    "protocols-not-default": (
        [http(tls("ssl_protocols TLSv1.3;") + tls("ssl_protocols TLSv1.2 TLSv1.3;", "b")),
         http(tls("", "a") + tls("ssl_protocols TLSv1.3;", "b", "0.0.0.0:443 ssl"))],
        [http(tls("ssl_protocols TLSv1.3;") + tls("ssl_protocols TLSv1.3;", "b")),
         http(tls("ssl_protocols TLSv1.3;") + tls("ssl_protocols TLSv1.2;", "b", "444 ssl")),
         http(tls("", "b") + tls("ssl_protocols TLSv1.3;", "a", "443 ssl default_server"))]),
    "groups-not-default": (
        [http(tls("ssl_ecdh_curve X25519;") + tls("ssl_ecdh_curve secp384r1;", "b"))],
        [http(tls("ssl_ecdh_curve X25519;") + tls("", "b"))]),
    "protocols-old": (
        [http(tls("ssl_protocols TLSv1 TLSv1.1;")),
         place("proxy_pass https://10.0.0.1; proxy_ssl_protocols TLSv1;")],
        [http(tls("ssl_protocols TLSv1 TLSv1.1 TLSv1.2;"))]),
    "verify-client-without-ca": (
        [http(tls("ssl_verify_client on;"))],
        [http(tls("ssl_verify_client on; ssl_client_certificate /x.pem;")),
         http(tls("ssl_verify_client optional_no_ca;")), http(tls("ssl_verify_client off;"))]),
    "certificate-missing": (
        [http("server { listen 443 ssl; server_name a; }")],
        [http("server { listen 443 ssl; ssl_reject_handshake on; }"), http(tls("")),
         http("server { listen 80; }")]),
    "key-missing": (
        [http("server { listen 443 ssl; ssl_certificate /x.pem; }"),
         place("proxy_pass https://10.0.0.1; proxy_ssl_certificate /x.pem;")],
        [http(tls(""))]),
    "proxy-protocol-one-side": (
        [stream("server { listen 443; proxy_pass 127.0.0.1:8443; proxy_protocol on; }")
         + "http { " + tls("", listen="127.0.0.1:8443 ssl") + "}\n",
         stream("server { listen 443; proxy_pass 127.0.0.1:8443; }")
         + "http { " + tls("", listen="127.0.0.1:8443 ssl proxy_protocol") + "}\n"],
        [stream("server { listen 443; proxy_pass 127.0.0.1:8443; proxy_protocol on; }")
         + "http { " + tls("", listen="127.0.0.1:8443 ssl proxy_protocol") + "}\n"]),
    "certificate-expired": (
        [http("server { listen 443 ssl; ssl_certificate {dir}/expired.crt; "
              "ssl_certificate_key {dir}/expired.key; }")],
        [http("server { listen 443 ssl; ssl_certificate {dir}/good.crt; "
              "ssl_certificate_key {dir}/good.key; }")]),
    "certificate-ends": (
        [http("server { listen 443 ssl; ssl_certificate {dir}/soon.crt; "
              "ssl_certificate_key {dir}/soon.key; }")],
        [http("server { listen 443 ssl; ssl_certificate {dir}/good.crt; "
              "ssl_certificate_key {dir}/good.key; }")]),
    "ca-expired": (
        [upstream("proxy_ssl_trusted_certificate {dir}/expired.crt;")],
        [upstream("proxy_ssl_trusted_certificate {dir}/ca.crt;")]),
    "trusted-without-root": (
        [upstream("proxy_ssl_trusted_certificate {dir}/intermediate.crt;")],
        [upstream("proxy_ssl_trusted_certificate {dir}/ca.crt;"),
         upstream("proxy_ssl_trusted_certificate {dir}/both.crt;")]),
    "depth-too-small": (
        [upstream("proxy_ssl_verify_depth 0; proxy_ssl_trusted_certificate {dir}/both.crt;")],
        [upstream("proxy_ssl_trusted_certificate {dir}/both.crt;")]),
    "key-of-other-certificate": (
        [place("proxy_pass https://10.0.0.1; proxy_ssl_certificate {dir}/good.crt; "
               "proxy_ssl_certificate_key {dir}/expired.key;")],
        [place("proxy_pass https://10.0.0.1; proxy_ssl_certificate {dir}/good.crt; "
               "proxy_ssl_certificate_key {dir}/good.key;")]),
    "key-with-password": (
        [place("proxy_pass https://10.0.0.1; proxy_ssl_certificate {dir}/good.crt; "
               "proxy_ssl_certificate_key {dir}/locked.key;")],
        [place("proxy_pass https://10.0.0.1; proxy_ssl_certificate {dir}/good.crt; "
               "proxy_ssl_certificate_key {dir}/locked.key; proxy_ssl_password_file /p;")]),
    "chain-order": (
        [http("server { listen 443 ssl; ssl_certificate {dir}/disorder.crt; "
              "ssl_certificate_key {dir}/ca.key; }")],
        [http("server { listen 443 ssl; ssl_certificate {dir}/order.crt; "
              "ssl_certificate_key {dir}/good.key; }")]),
    "chain-without-issuer": (
        [http("server { listen 443 ssl; ssl_certificate {dir}/good.crt; "
              "ssl_certificate_key {dir}/good.key; }")],
        [http("server { listen 443 ssl; ssl_certificate {dir}/order.crt; "
              "ssl_certificate_key {dir}/good.key; }")]),
}


def tests(here):
    checks = {f"rule-{rule}": partial(check_rule, rule=rule) for rule in RULES}
    checks.update({
        "all-rules": check_all_rules,
        "healthy": check_healthy,
        "statuses": check_statuses,
        "ignore": check_ignore,
        "policy": check_policy,
        "version": check_version,
        "sarif": check_sarif,
        "sarif-schema": check_sarif_schema,
        "diff": check_diff,
        "diff-files": check_diff_files,
        "diff-secrets": check_diff_secrets,
        "location": check_location,
        "terminal": check_terminal,
        "files-elsewhere": check_elsewhere,
    })
    yield from here.chosen("lint", checks)


def certificates(here):
    """The lab's, and some more made of them."""
    directory = here.top / "lint-pki"
    if directory.exists():
        return directory
    pki.make(directory)
    for name, parts in (("both", ("intermediate", "ca")), ("order", ("good", "ca")),
                        ("disorder", ("ca", "good"))):
        (directory / f"{name}.crt").write_text(
            "".join((directory / f"{part}.crt").read_text() for part in parts))
    for arguments in (
            ("pkey", "-in", "good.key", "-aes128", "-passout", "pass:x", "-out", "locked.key"),
            ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
             "-keyout", "soon.key", "-out", "soon.crt", "-days", "10", "-subj", "/CN=soon")):
        subprocess.run(["openssl", *arguments], cwd=directory, check=True, capture_output=True)
    return directory


def write_conf(here, text, name="lint.conf"):
    path = here.top / name
    path.write_text(text.replace("{dir}", str(certificates(here))))
    return path


def policy_of(here, **severities):
    path = here.top / "lint-policy.conf"
    path.write_text("".join(f'{rule.replace("_", "-")} = "{severity}"\n'
                            for rule, severity in severities.items()))
    return path


def lint(here, text, *options):
    return ask(here, "lint", *options, write_conf(here, text))


def found(here, text, *options):
    done = lint(here, text, "-f", "json", *options)
    require(done.returncode in (CLEAN, FINDINGS), "it is read", text, done)
    check_schema("lint", json.loads(done.stdout))
    return [finding["rule"] for finding in json.loads(done.stdout)["findings"]]


def check_rule(here, rule):
    policy = policy_of(here, **{rule.replace("-", "_"): "warning"})
    breaking, keeping = RULES[rule]
    for text in breaking:
        rules = found(here, text, "--policy", policy)
        require(rule in rules, f"{rule} is not found in", text, rules)
    for text in keeping:
        rules = found(here, text, "--policy", policy)
        require(rule not in rules, f"{rule} is found in", text, rules)


def check_all_rules(here):
    names = re.findall(r"^([a-z-]+) \(", ask(here, "lint", "--rules").stdout, re.M)
    require(sorted(names) == sorted(RULES), "each rule has its test",
            set(names) ^ set(RULES))
    page = (REPOSITORY / "docs" / "lint.md").read_text()
    require(sorted(re.findall(r"^\| `([a-z-]+)` \|", page, re.M)) == sorted(names),
            "docs/lint.md has each rule")


def check_healthy(here):
    paths = sorted(HEALTHY.glob("*.conf"))
    require(len(paths) >= 20, "too few", paths)
    for path in paths:
        done = ask(here, "lint", path)
        require(done.returncode == CLEAN and not done.stdout, path, done)


def check_statuses(here):
    good, bad = RULES["sni-off"][1][0], RULES["sni-off"][0][0]
    for arguments, status in (((write_conf(here, good, "good.conf"),), CLEAN),
                              ((write_conf(here, bad, "bad.conf"),), FINDINGS),
                              (("--nonsense",), USAGE), (("-f", "xml"), USAGE),
                              (("--nginx-version", "new"), USAGE),
                              (("/no/such/nginx.conf",), UNREADABLE),
                              ((write_conf(here, "http {", "broken.conf"),), UNREADABLE)):
        done = ask(here, "lint", *arguments)
        require(done.returncode == status, f"{arguments}: exit status {done.returncode}", done)
    done = lint(here, bad)
    require(re.search(r":7: warning: sni-off: .*\n    fix: ", done.stdout), "its line", done.stdout)


def check_ignore(here):
    for comment, ignored in (("# tlsfail: ignore sni-off", True), ("# tlsfail: ignore", False),
                             ("# tlsfail: ignore name-invalid, sni-off", True),
                             ("# tlsfail: ignore name-invalid", False)):
        for text in (f"proxy_pass https://a.example.com; {comment}",
                     f"{comment}\nproxy_pass https://a.example.com;"):
            require(("sni-off" not in found(here, place(text))) == ignored, comment, text)


def check_policy(here):
    text = RULES["sni-off"][0][0]
    require(not found(here, text, "--policy", policy_of(here, sni_off="off")), "it is off")
    done = lint(here, text, "--policy", policy_of(here, sni_off="error"))
    require(": error: sni-off: " in done.stdout, "its severity", done)
    done = lint(here, text, "--policy", policy_of(here, sni_of="error"))
    require(done.returncode == USAGE and "did you mean sni-off?" in done.stderr, "a mistake", done)


def check_version(here):
    text = RULES["keepalive-unused"][0][0]
    require("keepalive-unused" in found(here, text, "--nginx-version", "1.29.6"), "before")
    require("keepalive-unused" not in found(here, text, "--nginx-version", "1.30.0"), "since")


def check_sarif(here):
    """The members that SARIF 2.1.0 requires, and fingerprints that stay when lines move."""
    text = RULES["sni-off"][0][0]
    prints = []
    for content in (text, "# a line above\n" + text):
        log = json.loads(lint(here, content, "-f", "sarif").stdout)
        require(log["version"] == "2.1.0" and "sarif-2.1.0" in log["$schema"], "its version", log)
        run, = log["runs"]
        rules = run["tool"]["driver"]["rules"]
        require(run["tool"]["driver"]["name"] == "tlsfail", "its tool", run["tool"])
        result, = run["results"]
        rule = rules[result["ruleIndex"]]
        require(result["ruleId"] == rule["id"] == "sni-off", "its rule", result, rule)
        require(rule["help"]["text"] and rule["shortDescription"]["text"], "its help", rule)
        require(result["level"] == "warning" and result["message"]["text"], "its level", result)
        place_of, = result["locations"]
        physical = place_of["physicalLocation"]
        require(physical["artifactLocation"]["uri"].endswith("lint.conf"), "its file", physical)
        require(physical["region"]["startLine"] == content[:content.index("proxy_pass")]
                .count("\n") + 1, "its line", physical)
        prints.append(result["partialFingerprints"])
    require(prints[0] == prints[1], "its fingerprint stays", prints)


def check_sarif_schema(here):
    """Valid by the schema of SARIF 2.1.0: each rule's findings, none, and words that need escaping."""
    import jsonschema  # only this test needs more than the standard library
    validator = jsonschema.Draft4Validator(json.loads(SARIF_SCHEMA.read_text()))
    texts = [breaking[0] for breaking, _ in RULES.values()]
    texts += [http(""), place('proxy_pass "https://a.\x01\\"\u00e4.example.com";')]
    policy = policy_of(here, **{rule.replace("-", "_"): "note" for rule in RULES})
    results = 0
    for text in texts:
        for options in ((), ("--policy", policy)):
            done = lint(here, text, "-f", "sarif", *options)
            log = json.loads(done.stdout)
            errors = [error.message for error in validator.iter_errors(log)]
            require(not errors, text, *errors[:5])
            results += len(log["runs"][0]["results"])
    require(results > len(RULES), "there were results", results)
    del log["runs"][0]["tool"]
    require(list(validator.iter_errors(log)), "the schema finds nothing missing")


DIFFED_LINES = "    proxy_pass https://a.example.com;\n"
DIFFED = "location / {\n" + DIFFED_LINES + "  }\n"


def check_diff(here):
    """patch takes it without fuzz, and then nothing is found any more."""
    text = http("server {\n  listen 80;\n  location /a/ {\n    proxy_pass https://a.example.com;\n"
                "  }\n  location /b/ {\n    proxy_ssl_server_name off; # why\n"
                "    proxy_pass https://b.example.com;\n  }\n}")
    path = write_conf(here, text, "diff.conf")
    diff = patch_apply(here, path)
    require("+    proxy_ssl_server_name on; # why\n" in diff, "what is replaced", diff)
    done = ask(here, "lint", path)
    require(done.returncode == CLEAN, "nothing is left", path.read_text(), done)


def patch_apply(here, path, *options):
    """The patch that is printed for the file, which patch takes without fuzz."""
    diff = subprocess.run([str(here.tlsfail), "lint", "--diff", *options, path.name], cwd=here.top,
                          capture_output=True, check=False).stdout
    done = subprocess.run(["patch", "-p0", "-F0"], input=diff, cwd=here.top, capture_output=True,
                          check=False)
    require(done.returncode == 0, "patch takes it", diff, done)
    return diff.decode()


# (the files but for "diff.conf", what that includes in a server, how often a line is added)
WRITTEN = {
    "link": ({"real.conf": DIFFED, "link.conf": "-> real.conf"}, "include link.conf;", 1),
    "twice": ({"once.conf": DIFFED_LINES}, "location /a/ { include once.conf; } "
              "location /b/ { include once.conf; }", 1),
    "space": ({"an old.conf": DIFFED}, "include an*.conf;", 1),
    "end": ({"end.conf": DIFFED.rstrip("\n")}, "include end.conf;", 1),
    "dos": ({"dos.conf": DIFFED.replace("\n", "\r\n")}, "include dos.conf;", 1),
    # A line behind this one would be outside of the block.
    "brace": ({"brace.conf": DIFFED.replace("\n  }", " }")}, "include brace.conf;", 0),
}


def check_diff_files(here):
    """However the files are written that are included."""
    for name, (files, text, added) in WRITTEN.items():
        for file, content in files.items():
            (here.top / file).unlink(missing_ok=True)
            if content.startswith("-> "):
                (here.top / file).symlink_to(content[3:])
            else:
                (here.top / file).write_bytes(content.encode())
        path = write_conf(here, http("server {\n  listen 80;\n" + text + "\n}"), "diff.conf")
        diff = patch_apply(here, path)
        require(diff.count("+    proxy_ssl_server_name on;") == added, name, diff)
        left = ask(here, "lint", path)
        require(left.returncode == (CLEAN if added else FINDINGS), name, diff, left)


def check_diff_secrets(here):
    """What stands around a change and may be a secret is not shown, wherever it stands."""
    secret = '    proxy_set_header Authorization "Basic hunter2";\n'
    passes = "    proxy_pass https://a.example.com;\n"
    for lines in (secret + passes, passes + secret, secret + passes + secret,
                  passes + "    proxy_redirect off;\n" + secret + passes.replace("a.ex", "b.ex"),
                  "    proxy_ssl_server_name off; # no hunter\n" + secret + passes,
                  "    proxy_connect_timeout 5s;\n" + passes + "    proxy_connect_timeout 6s;\n" + secret):
        text = http("server {\n  listen 80;\n  location /a/ {\n" + lines + "  }\n}")
        path = write_conf(here, text, "secrets.conf")
        diff = patch_apply(here, path)
        require("hunter2" not in diff and "proxy_ssl_server_name on;" in diff, text, diff)
        require("sni-off" not in ask(here, "lint", path).stdout, "nothing is left", path.read_text(), diff)
    text = http("server {\n  listen 80;\n  location /a/ {\n" + passes +
                "    proxy_ssl_server_name off; proxy_set_header Authorization hunter2;\n  }\n}")
    done = lint(here, text, "--diff")
    require(done.returncode == FINDINGS and not done.stdout, "a line with a secret is left alone", done)
    require("1 of 1 finding is not in the patch" in done.stderr, "and it is said", done)


def check_location(here):
    """One place alone: in its block, and what counts there; and no other."""
    text = http("proxy_ssl_name a_b;\nupstream app {\n  server app.example.com:443;\n}\n"
                "server {\n  listen 80;\n  location = /a/ {\n    proxy_pass https://a.example.com;\n"
                "    proxy_ssl_server_name on;\n    proxy_connect_timeout 5ms;\n  }\n"
                "  location /b/ {\n    proxy_pass https://b.example.com;\n"
                "    proxy_ssl_name b.example.com;\n  }\n"
                "  location /app/ {\n    proxy_pass https://app;\n  }\n}")
    path = write_conf(here, text, "location.conf")
    for name, rules in (("/a/", {"name-invalid", "connect-timeout-short"}), ("/b/", {"sni-off"}),
                        ("app", {"sni-off"}), ("/app/", {"sni-off"})):
        done = ask(here, "lint", "-f", "json", "--location", name, path)
        told = {finding["rule"] for finding in json.loads(done.stdout)["findings"]}
        require(done.returncode == FINDINGS and told == rules, name, told)
    diff = patch_apply(here, path, "--location", "/b/")
    require(re.findall(r"^[+-] .*", diff, re.M) == ["+    proxy_ssl_server_name on;"], diff)
    done = ask(here, "lint", "--location", "/b/", path)
    require(done.returncode == CLEAN and not done.stdout, "nothing is left there", done)
    require(ask(here, "lint", path).returncode == FINDINGS, "but elsewhere")
    done = ask(here, "lint", "--location", "/c/", path)
    require(done.returncode == USAGE and not done.stdout and "'/c/'" in done.stderr, done)
    done = ask(here, "lint", "--location", "/c/", "--rules")
    require(done.returncode == USAGE and not done.stdout, done)


def check_terminal(here):
    """Thousands of certificates take their time: it is shown which rule is at it, and after Ctrl-C what was
    found until then; that nothing was found is then not to be relied on."""
    good = certificates(here) / "good"
    for text, status in (("location / { proxy_pass https://a.example.com; }", FINDINGS), ("", UNREADABLE)):
        path = here.top / "many.conf"
        path.write_text(http("".join(
            f"server {{ listen {n} ssl; ssl_certificate {good}.crt; ssl_certificate_key "
            f"{good}.key; {text if n == 1 else ''} }}\n" for n in range(1, 3001))))
        with Terminal(here.tlsfail, "lint", "-f", "json", path) as terminal:
            terminal.wait("checking [a-z]+-[a-z-]+")
            terminal.interrupt()
            got, told = terminal.finish()
        told = json.loads(told)
        require(told["interrupted"] and got == status, got, told)
        require(bool(told["findings"]) == (status == FINDINGS), told)
        require("interrupted: not everything was checked" in terminal.shown(), repr(terminal.seen))
        require("checking" not in terminal.shown(), "it is taken away", repr(terminal.seen))
    log = json.loads(lint(here, RULES["sni-off"][0][0], "-f", "sarif").stdout)
    require(log["runs"][0]["invocations"] == [{"executionSuccessful": True}], log)


def check_elsewhere(here):
    """In CI the certificates are not there: nothing is said about them, and that is said."""
    done = lint(here, http(tls("")))
    require(done.returncode == CLEAN and not done.stdout, "nothing is found", done)
    require("2 of the files" in done.stderr and "missing or unreadable" in done.stderr, "it is said", done)
