#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A diff is the fix: patch takes it without fuzz, nginx takes the configuration, and after a reload the same
request is answered with 200. Every kind of diff is tried: each cause with each directive that its diff may
set (`tlsfail causes SLUG` lists them), in each module, and however the file is written. Where there can be
none, the test says why."""
import re
import subprocess
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Callable, Mapping, Optional, Tuple

import test_lint
from env import REPOSITORY
from lab import binaries, drive, proxy
from lab.case import Case, numbered
from lab.cases import (ANSWER, GOOD, LARGE_KEY_SHARE, LARGE_TICKET, OPENSSL_CLIENT_CA, REUSE, VERIFY, cert,
                       client_cert, good_server)
from lab.default_cases import behind
from lab.netns import WITH_HOSTS
from lab.pki import SERVER_NAME
from lab.upstreams import Misbehave, Nginx
from tap import Skip, require
from test_nginxconf import STREAM_MODULE, fail, wants_name, write_config

SAFE, REVIEW = "safe", "review"


def tests(here):
    """Yields (name, test)."""
    checks = {"fix-" + patch.case.name: partial(check_fix, patch=patch) for patch in PATCHES}
    checks.update({"none-" + name: partial(check_layout, name=name) for name in NONE})
    checks.update({"file-" + name: partial(check_layout, name=name) for name in LAYOUTS})
    checks.update({"module-" + name: partial(check_layout, name=name) for name in MODULES})
    checks["lint"] = check_lint
    yield from here.chosen("patch", checks)


# ---- Applying ------------------------------------------------------------------------------------


def directives_set(diff):
    """{directive: "inserted" or "replaced"} of what DIFF sets. One that has the value that it had is not
    among them."""
    old, new = ([line[1:] for line in diff.splitlines()[2:] if line.startswith(sign)] for sign in "-+")
    before, after = (dict(re.findall(r"([a-z_]+)\s+([^;{]*);", "\n".join(lines))) for lines in (old, new))
    return {name: "replaced" if name in before else "inserted" for name, value in after.items()
            if before.get(name) != value}


def run_patch(diff):
    done = subprocess.run(["patch", "-F0", "-d", "/", "-p1"], input=diff.encode(), capture_output=True,
                          timeout=10, check=False)
    output = done.stdout.decode()
    require(done.returncode == 0 and not re.search("fuzz|offset", output), output, diff)


def require_accepted(lab):
    """nginx takes its configuration as it is now."""
    done = subprocess.run([*lab.proxy.prefix(), *lab.proxy.argv, "-t"], cwd=lab.directory, capture_output=True,
                          text=True, timeout=10, check=False)
    require(done.returncode == 0, done.stderr)


def require_fixed(lab, case, finding):
    """Applies the diff of FINDING, has nginx take it, and asks again."""
    diff = finding.get("tlsfail.patch")
    require(diff, "no diff", finding)
    run_patch(diff)
    require_accepted(lab)
    lab.proxy.reload()
    status = drive.once(lab, case)
    require(status == 200, f"HTTP status {status} with this diff:", diff, lab.proxy.log_since(0)[-1000:])


def require_patch(finding, sets, review=""):
    """The diff of FINDING sets what SETS says, {directive: how}; REVIEW is what has to be thought of before,
    if anything has to be."""
    diff = finding.get("tlsfail.patch")
    require(diff, "no diff", finding)
    require(directives_set(diff) == sets, f"expected {sets}, got {directives_set(diff)}", diff)
    require(finding["tlsfail.patch_applicability"] == (REVIEW if review else SAFE), finding)
    require(review in finding.get("tlsfail.patch_reason", ""), finding)


# ---- Each cause with each directive --------------------------------------------------------------


@dataclass(frozen=True)
class Patch:
    """A failure and the diff for it: SETS is {directive: how}."""

    case: Case
    sets: Mapping[str, str]
    review: str = ""


def inserted(*names):
    """Directives that are new, for Patch.sets."""
    return {name: "inserted" for name in names}


def replaced(*names):
    """Directives that had another value, for Patch.sets."""
    return {name: "replaced" for name in names}


def stranger(case):
    """CASE with an upstream that shows the certificate of another server unless it is asked for its own."""
    return replace(case, upstream=Nginx(
        cert("stranger") + f" return 421; }}\n\tserver {{ listen {case.endpoint} ssl; "
        f"server_name *.{SERVER_NAME}; {GOOD}{ANSWER}"))


def write_more(lab):
    """Files that the lab has not: more certificates than tlsfail names, so that it cannot know that the issuer
    is among them; a key with a password."""
    pki = lab.directory / "pki"
    (lab.directory / "many.crt").write_text("".join(
        path.read_text() for path in sorted(pki.glob("*ca.crt")) * 4))
    (lab.directory / "password").write_text("secret\n")
    subprocess.run(["openssl", "pkey", "-in", str(pki / "client.key"), "-aes128", "-passout", "pass:secret", "-out",
                    str(lab.directory / "locked.key")], check=True, capture_output=True, timeout=10)


STRANGER = behind(cert("stranger") + ANSWER)
HUGE = behind(cert("stranger-huge") + " return 421;")
TLS12_ONLY, TLS13_ONLY = "proxy_ssl_protocols TLSv1.2; ", "proxy_ssl_protocols TLSv1.3; "
AGAIN = {"sibling": " ", "drive": drive.after_sibling}
SNI = "proxy_ssl_server_name"
NAME = "proxy_ssl_name"
REUSED = "proxy_ssl_session_reuse"
CERTIFICATE = ("proxy_ssl_certificate", "proxy_ssl_certificate_key")
PASSWORD = "proxy_ssl_password_file"
LOCKED = (f"proxy_ssl_certificate pki/client.crt; proxy_ssl_certificate_key locked.key; {PASSWORD} password; ")
OTHERS_CERTIFICATE = "certificate of another place"

# (what makes the upstream of the numbered case, or None; the failure and its diff)
_ROWS = (
    (wants_name, Patch(Case("sni-off", "sni-missing", None, f"{SNI} off;"), replaced(SNI))),
    # The certificate of another server comes first where no name is sent.
    (STRANGER, Patch(Case("default-server", "sni-missing", None, VERIFY, defaults=True), inserted(SNI))),
    (STRANGER, Patch(Case("default-server-resumed", "sni-missing", None, VERIFY, defaults=True, **AGAIN),
                     inserted(SNI, REUSED))),
    (None, Patch(Case("closed", "sni-missing", Misbehave("close-unless-named"), defaults=True),
                 inserted(SNI))),
    (None, Patch(Case("block", "sni-missing", Misbehave("reset-unless-named"), defaults=True,
                      group="my_pool"), inserted(SNI, NAME))),
    (None, Patch(Case("block-named", "sni-unrecognized", Misbehave("alert-112-unless-named"), SNI + " on;",
                      defaults=True, group="pool"), inserted(NAME))),
    (None, Patch(Case("block-malformed", "sni-malformed", Misbehave("alert-47-unless-named"), SNI + " on;",
                      defaults=True, group="my_pool"), inserted(NAME))),
    (None, Patch(Case("session", "resumption-refused", Misbehave("refuse-sessions"), defaults=True,
                      drive=drive.again), inserted(REUSED))),
    (None, Patch(Case("session-mismatch", "session-mismatch", Misbehave("resume-with-other-suite"),
                      REUSE, tls="TLSv1.2", drive=drive.again), replaced(REUSED))),
    (None, Patch(Case("session-of-sibling", "session-verify-result", good_server(), VERIFY, defaults=True,
                      **AGAIN), inserted(REUSED))),
    (None, Patch(Case("session-reused", "session-verify-result", good_server(), VERIFY + REUSE,
                      sibling=REUSE, drive=drive.after_sibling), replaced(REUSED))),
    (None, Patch(Case("dot", "verify-hostname-mismatch", good_server(),
                      f"{VERIFY}{NAME} {SERVER_NAME}.;", defaults=True), replaced(NAME))),
    (STRANGER, Patch(Case("block-stranger", "verify-hostname-mismatch", None, f"{VERIFY}{SNI} on;",
                          defaults=True, group="pool"), inserted(NAME))),
    # Of so long a certificate it is not known whom it is for.
    (HUGE, Patch(Case("huge", "verify-hostname-mismatch", None, VERIFY, defaults=True),
                      inserted(SNI))),
    (HUGE, Patch(Case("huge-resumed", "verify-hostname-mismatch", None, VERIFY, defaults=True,
                      sibling=f"{VERIFY}{NAME} host-1.stranger.test;", drive=drive.after_sibling),
                 inserted(SNI, REUSED))),
    (None, Patch(Case("protocols", "protocol-version-rejected", good_server(more=" ssl_protocols TLSv1.3;"),
                      tls="TLSv1.2"), replaced("proxy_ssl_protocols"))),
    (None, Patch(Case("no-protocols", "no-protocols-available", good_server(),
                      "proxy_ssl_conf_command MinProtocol TLSv1.3;", tls="TLSv1.2"),
                 replaced("proxy_ssl_protocols"))),
    (None, Patch(Case("ciphers", "cipher-mismatch", good_server(
        more=" ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-CHACHA20-POLY1305;"),
        "proxy_ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;", tls="TLSv1.2"),
        replaced("proxy_ssl_ciphers"), "OpenSSL's default list")),
    (None, Patch(Case("client-certificate", "client-cert-required", OPENSSL_CLIENT_CA, defaults=True,
                      location=TLS13_ONLY, sibling=TLS13_ONLY + client_cert("client")),
                 inserted(*CERTIFICATE), OTHERS_CERTIFICATE)),
    (None, Patch(Case("client-certificate-locked", "client-cert-required", OPENSSL_CLIENT_CA, defaults=True,
                      location=TLS13_ONLY, sibling=TLS13_ONLY + LOCKED),
                 inserted(*CERTIFICATE, PASSWORD), OTHERS_CERTIFICATE)),
    (None, Patch(Case("client-certificate-locked-legacy", "client-cert-required-legacy", OPENSSL_CLIENT_CA,
                      defaults=True, location=TLS12_ONLY, sibling=TLS12_ONLY + LOCKED),
                 inserted(*CERTIFICATE, PASSWORD), OTHERS_CERTIFICATE)),
    (None, Patch(Case("client-certificate-legacy", "client-cert-required-legacy", OPENSSL_CLIENT_CA,
                      defaults=True, location=TLS12_ONLY,
                      sibling=TLS12_ONLY + client_cert("client")),
                 inserted(*CERTIFICATE), OTHERS_CERTIFICATE)),
    (None, Patch(Case("http", "peer-not-tls-http", Nginx(ANSWER, listen="")), replaced("proxy_pass"),
                 "unencrypted")),
    (None, Patch(Case("https", "plain-text-to-tls", good_server(), scheme="http", status=400),
                 replaced("proxy_pass"))),
    (None, Patch(Case("depth", "verify-depth-exceeded", good_server("deep-chain"),
                      VERIFY + "proxy_ssl_verify_depth 0;"), replaced("proxy_ssl_verify_depth"))),
    (None, Patch(Case("depth-perhaps", "verify-untrusted-issuer", good_server("deep-chain"),
                      "proxy_ssl_verify on; proxy_ssl_trusted_certificate many.crt; "
                      "proxy_ssl_verify_depth 0;"), replaced("proxy_ssl_verify_depth"))),
    (None, Patch(Case("long-key-share", "large-hello-intolerant", Misbehave("long-hello-lost"),
                      LARGE_KEY_SHARE, tls="TLSv1.2 TLSv1.3"),
                 replaced("proxy_ssl_conf_command"), "whether the length")),
    (None, Patch(Case("long-session", "large-hello-intolerant", Misbehave("long-hello-hang"), LARGE_TICKET,
                      drive=drive.again), replaced(REUSED), "whether the length")),
)
PATCHES = tuple(replace(patch, case=make(case) if make else case) for case, (make, patch) in zip(
    numbered(patch.case for _, patch in _ROWS), _ROWS))
# {(cause, directive): why it is not tried here}
ELSEWHERE = {
    ("pqc-hello-intolerant", "proxy_ssl_conf_command"):
        "only OpenSSL 3.5 and later offer such groups; the same directive is tried by long-key-share",
}


def check_fix(here, patch):
    case = patch.case
    with here.lab("fix-" + case.name, (case,), start_proxy=False) as lab:
        write_more(lab)
        lab.proxy.start()
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            finding = fail(lab, tlsfail, case)
        require(finding["error.type"] == case.slug, finding)
        require_patch(finding, patch.sets, patch.review)
        require_fixed(lab, case, finding)


# ---- However the file is written -----------------------------------------------------------------


@dataclass(frozen=True)
class Layout:
    """A configuration, and the diff for it. In it <endpoint> is the upstream's address and port, <listen>
    the directive of the proxy, <home> the lab's directory."""

    http: str = ""  # in the http block
    sets: Optional[Mapping[str, str]] = None  # None: there is no diff
    says: Tuple[str, ...] = ()  # that the hint then matches
    files: Mapping[str, str] = field(default_factory=dict)  # others; "-> PATH" is a link
    stream: str = ""  # in the stream block
    review: str = ""
    slug: str = "sni-missing"
    upstream: Any = None  # one that wants a name, if nothing else is said
    make: Callable = lambda case: case  # what makes the upstream of the case
    named: bool = True  # the http block sets proxy_ssl_name
    newline: str = "\n"
    end: str = "\n"  # of the file


def located(text, before=""):
    """An http block with a server that has TEXT in its location, and BEFORE around it."""
    return f"\tserver {{\n\t\t<listen>\n{before}\t\tlocation / {{\n{text}\t\t}}\n\t}}\n"


PASS = "\t\t\tproxy_pass https://<endpoint>;\n"
OFF = f"\t\t\t{SNI} off;\n"
ON = inserted(SNI)
TURNED_ON = replaced(SNI)
SET_ON = (f"{SNI} on",)

LAYOUTS = {
    "tabs": Layout(located(PASS), ON),
    "spaces": Layout(located(PASS).replace("\t", "    "), ON),
    "one-line": Layout("server { <listen> location / { proxy_pass https://<endpoint>; } }\n", ON),
    "one-line-set": Layout(
        f"server {{ <listen> location / {{ {SNI} off; proxy_pass https://<endpoint>; }} }}\n", TURNED_ON),
    "brace-behind": Layout(located("\t\t\tproxy_pass https://<endpoint>; }\n").replace("\t\t}\n", "", 1), ON),
    "several-lines": Layout(located("\t\t\tproxy_pass\n\t\t\t\thttps://<endpoint>;\n"
                                    f"\t\t\t{SNI}\n\t\t\t\toff\n\t\t\t;\n"), TURNED_ON),
    "first-line": Layout(located("\t\t\tinclude pass;\n"), ON, files={"pass": PASS}),
    "only-line": Layout(located("\t\t\tinclude pass;\n"), ON, files={"pass": PASS.strip()}),
    "last-line": Layout(located("\t\t\tinclude pass;\n"), TURNED_ON, files={"pass": PASS + OFF.rstrip("\n")}),
    "no-newline": Layout(located(PASS), ON, end=""),
    "inherited": Layout(located(PASS, f"\t\t{SNI} off;\n"), ON),
    "inherited-from-http": Layout(f"\t{SNI} off;\n" + located(PASS), ON),
    "in-if": Layout(located("\t\t\tif ($request_method = GET) {\n\t" + PASS + "\t\t\t}\n"), ON),
    "in-limit-except": Layout(located("\t\t\tlimit_except POST {\n\t" + PASS + "\t\t\t}\n"), ON),
    "nested": Layout(located("\t\t\tlocation ~ ^/ {\n" + PASS + "\t\t\t}\n"), ON),
    "among-secrets": Layout(located('\t\t\tproxy_set_header Authorization "Basic x";\n' + PASS
                                    + '\t\t\tproxy_set_header Cookie "x";\n'), ON),
    "behind-comment": Layout(located("\t\t\t# why\n" + PASS + "\t\t\t# and why not\n"), ON),
    "crlf-elsewhere": Layout(located(PASS) + "\t# a comment\r\n\tserver_tokens off;\r\n", ON),
    "link": Layout("\tinclude sites-enabled/*;\n", ON, files={
        "sites-available/app": located(PASS), "sites-enabled/app": "-> ../sites-available/app"}),
    "link-absolute": Layout("\tinclude sites-enabled/*;\n", ON, files={
        "sites-available/app": located(PASS), "sites-enabled/app": "-> <home>/sites-available/app"}),
    "link-of-directory": Layout("\tinclude enabled/*;\n", ON, files={
        "available/app": located(PASS), "enabled": "-> available"}),
    "space-in-name": Layout("\tinclude *.app;\n", ON, files={"an old.app": located(PASS)}),
    "other-letters": Layout("\tserver { listen 127.0.0.1:8086; server_name bücher.test; }\n"
                            + located(PASS), ON),
    "empty-lines": Layout(located("\n\n" + PASS + "\n\n\n"), ON),
    "end-of-block": Layout(located("\t\t\tproxy_pass https://<endpoint>\n;}").replace("}\t\t}", "}"), ON),
    "long-line": Layout(located(PASS + "\t\t\tproxy_ssl_ciphers " + "ECDHE-ECDSA-AES128-GCM-SHA256:" * 60
                                + "DEFAULT;\n"), ON),
    "snippet": Layout(located("\t\t\tinclude tls;\n" + PASS), TURNED_ON, files={"tls": OFF}),
    "snippet-shared": Layout(
        located("\t\t\tinclude tls;\n" + PASS) + "\tserver { listen 127.0.0.1:8085; include tls; }\n",
        TURNED_ON, files={"tls": OFF}, review="included more than once"),
    "variable": Layout(located("\t\t\tset $up <endpoint>;\n\t\t\tproxy_pass https://$up;\n"), ON),
    "variable-unknown": Layout(
        "\tmap $uri $up { default <endpoint>; }\n" + located("\t\t\tproxy_pass https://$up;\n"), ON,
        review="its target is a variable"),
}


def check_layout(here, name):
    layout = ALL_LAYOUTS[name]
    case, = numbered((Case(name, layout.slug, layout.upstream, drive=once_or_cut),))
    case = layout.make(case if layout.upstream else wants_name(case))
    if layout.stream and not STREAM_MODULE.exists():
        raise Skip(f"{STREAM_MODULE} is missing: install libnginx-mod-stream")
    with here.lab("layout-" + name, (case,), start_proxy=False) as lab:
        write_files(lab, case, layout)
        lab.proxy.start(prefix=(*WITH_HOSTS, str(lab.directory / "hosts")),
                        argv=[str(lab.proxy.exe), "-p", str(lab.directory), "-c", "nginx.conf"])
        with here.trace_json(lab) as tlsfail:
            tlsfail.wait_armed()
            finding = fail(lab, tlsfail, case)
        require(finding["error.type"] == case.slug, finding)
        if layout.sets is None:
            require("tlsfail.patch" not in finding, finding)
            require(all(re.search(words, finding["tlsfail.hint"]) for words in layout.says), finding)
        else:
            require_patch(finding, layout.sets, layout.review)
            require_fixed(lab, case, finding)


def once_or_cut(lab, case):
    """One request; None when its connection is cut, which is all that the stream module can say."""
    try:
        return drive.once(lab, case)
    except ConnectionError:
        return None


def write_files(lab, case, layout):
    """Writes the files of LAYOUT into the directory of LAB."""
    def filled(text):
        for word, value in (("endpoint", case.endpoint), ("name", f"{SERVER_NAME}:{case.port}"),
                            ("home", str(lab.directory)),
                            ("listen", f"listen {proxy.ADDRESS}:{proxy.PORT};")):
            text = text.replace(f"<{word}>", value)
        return text

    (lab.directory / "hosts").write_text(f"{case.address} {SERVER_NAME}\n")
    main = lab.directory / "nginx.conf"
    stream = layout.stream and f"stream {{\n{layout.stream}}}\n"
    write_config(lab, main, layout.http and layout.named * f"\tproxy_ssl_name {SERVER_NAME};\n" + layout.http,
                 more=stream, load=f"load_module {STREAM_MODULE};\n" if stream else "")
    text = filled(main.read_text()).rstrip("\n") + layout.end
    main.write_bytes(text.replace("\n", layout.newline).encode())
    for name, text in layout.files.items():
        path = lab.directory / name
        path.parent.mkdir(exist_ok=True)
        if text.startswith("-> "):
            path.symlink_to(filled(text[3:]))
        else:
            path.write_bytes(filled(text).encode())


# ---- What cannot be written as a diff, or must not -----------------------------------------------

TLS_NAME = f"{SNI} on;"
POOL = "\tupstream pool {{ server <endpoint>; server 127.0.0.1:9{}; }}\n"
TO_POOL = "\t\t\tproxy_pass {}://pool;\n\t\t\tproxy_next_upstream off;\n"

NONE = {
    # A diff of text has no place for the end of a line of DOS: what is copied from a terminal loses it.
    "crlf": Layout(located(PASS), None, SET_ON, newline="\r\n"),
    # What stands in quotes may be a secret of which nobody knows where it ends: such a line is not shown.
    "quoted-setting": Layout(located(PASS + f'\t\t\t{SNI} "off";\n'), None, SET_ON),
    "quoted-pass": Layout(located('\t\t\tproxy_pass "https://<endpoint>";\n'), None, SET_ON),
    "commented-pass": Layout(located("\t\t\tproxy_pass https://<endpoint>; # why\n"), None, SET_ON),
    "secret-beside": Layout(located(PASS.rstrip() + " proxy_set_header Cookie x;\n"), None, SET_ON),
    # Where else the file is included, it is set already: nginx would call it a duplicate.
    "pass-shared": Layout(
        located("\t\t\tinclude pass;\n", "\t\tlocation /other { proxy_ssl_name other.test; "
                f"{SNI} on; include pass; }}\n"), None, SET_ON, files={"pass": PASS}),
    # A diff is of one file.
    "two-files": Layout(
        "\tupstream pool { server <name>; }\n" + located(
            "\t\t\tinclude tls;\n\t\t\tproxy_pass https://pool;\n"), None,
        (f"{SNI} on", f"{NAME} {SERVER_NAME}"), files={"tls": OFF}, named=False),
    # Others of the block, which may speak none, would not be understood.
    "https-for-several": Layout(
        POOL.format(" backup") + located(TO_POOL.format("http")), None, (),
        slug="plain-text-to-tls", upstream=good_server()),
    # Others of the block, which may speak TLS, would be spoken to in clear.
    "http-for-several": Layout(
        POOL.format(" backup") + located(TO_POOL.format("https")), None, ("use the port on which",),
        slug="peer-not-tls-http", upstream=Nginx(ANSWER, listen="")),
}

# ---- What lint proposes --------------------------------------------------------------------------

LINT_FILES = {"/x.pem": "{dir}/good.crt", "/x.key": "{dir}/good.key", "/c.pem": "{dir}/client.crt",
              "/c.key": "{dir}/client.key"}


# Where what one rule proposes would not go with what is there, or with what another one proposes.
LINT_MORE = [test_lint.place(text) for text in (
    "grpc_pass grpcs://a.example.com:443; proxy_ssl_server_name on;",
    "grpc_pass grpcs://a.example.com:443; proxy_ssl_server_name on; uwsgi_ssl_server_name on;",
    "grpc_pass grpcs://a.example.com:443; proxy_ssl_name a.example.com; grpc_ssl_name b.example.com;",
    "uwsgi_pass suwsgi://10.0.0.1:443; proxy_ssl_verify on; proxy_ssl_trusted_certificate /x.pem;",
    "uwsgi_pass suwsgi://10.0.0.1:443; proxy_ssl_certificate /x.pem;",
    "uwsgi_pass suwsgi://10.0.0.1:443; proxy_ssl_certificate /x.pem; proxy_ssl_certificate_key /x.key;",
    "if ($uri) { proxy_pass https://a.example.com; }",
    "limit_except GET { proxy_pass https://a.example.com; }")]


def spread(text, directory):
    """The configuration TEXT with the certificates of DIRECTORY, and with a line for each directive, which
    lint can then change."""
    for old, new in (*LINT_FILES.items(), ("{dir}", str(directory))):
        text = text.replace(old, new)
    return re.sub(r"(?<=[;{}]) *(?!\n)", "\n", text)


def check_lint(here):
    """Each diff of lint, for each configuration of its own tests: it applies, nginx takes what it took before,
    and of what lint found, what the diff is for is gone."""
    policy = test_lint.policy_of(here, **{rule.replace("-", "_"): "note" for rule in test_lint.RULES})
    (here.top / "lint-hosts").write_text("127.0.0.1 a.example.com\n")
    changed = set()
    for rule, (breaking, _) in (*test_lint.RULES.items(), ("more", (LINT_MORE, ()))):
        for text in breaking:
            path = test_lint.write_conf(here, spread(text, test_lint.certificates(here)), "lint-patch.conf")
            before = test_lint.found(here, path.read_text(), "--policy", policy)
            accepted = nginx_accepts(here, path)
            if not test_lint.patch_apply(here, path, "--policy", policy):
                continue
            require(nginx_accepts(here, path) >= accepted, rule, path.read_text())
            after = test_lint.found(here, path.read_text(), "--policy", policy)
            require(len(after) < len(before), rule, path.read_text(), before, after)
            if accepted:
                changed |= set(before) - set(after)
    require(changed >= {"sni-off", "depth-too-small", "setting-of-other-module", "session-shared"},
            "there were diffs", changed)


def nginx_accepts(here, path):
    module = f"load_module {STREAM_MODULE}; " if STREAM_MODULE.exists() else ""
    done = subprocess.run([*WITH_HOSTS, str(here.top / "lint-hosts"), binaries.find("nginx"), "-t", "-q", "-g",
                           f"{module}pid {here.top}/lint.pid;", "-c", str(path)], capture_output=True,
                          timeout=20, check=False)
    return done.returncode == 0


# ---- Each module that passes ---------------------------------------------------------------------


def plain(case):
    """CASE with an upstream that speaks no TLS."""
    return replace(case, upstream=Misbehave("answer-in-clear"))


def named(case):
    """CASE with an upstream that answers by TLS where it is asked for a name, in any protocol."""
    return replace(case, upstream=Misbehave("close-unless-named"))


def http2(case):
    """CASE with an upstream that speaks HTTP/2, and rejects who asks for no name."""
    return replace(case, upstream=replace(wants_name(case).upstream, listen="ssl http2"))


def passed(module, scheme, more=""):
    """The http block of a server that passes by MODULE."""
    return located(f"\t\t\t{module}_pass {scheme}<endpoint>;\n{more}",
                   f"\t\t{module}_ssl_name {SERVER_NAME};\n")


def streamed(text):
    return f"\tserver {{\n\t\t<listen>\n\t\tproxy_pass <endpoint>;\n{text}\t}}\n"


PLAIN_HTTP = {"slug": "peer-not-tls-http", "review": "unencrypted", "make": plain}
TO_TLS = {"slug": "plain-text-to-tls", "upstream": good_server()}
STREAM_TLS = f"\t\tproxy_ssl on;\n\t\t{NAME} {SERVER_NAME};\n"

MODULES = {
    "grpc": Layout(passed("grpc", "grpcs://"), inserted("grpc_ssl_server_name"), make=http2),
    "grpc-off": Layout(passed("grpc", "grpcs://", "\t\t\tgrpc_ssl_server_name off;\n"),
                       replaced("grpc_ssl_server_name"), make=http2),
    "grpc-to-plain": Layout(passed("grpc", "grpcs://"), replaced("grpc_pass"), slug="peer-not-tls-http",
                            review="unencrypted", upstream=Nginx(ANSWER, listen="http2")),
    "uwsgi": Layout(passed("uwsgi", "suwsgi://"), inserted("uwsgi_ssl_server_name"), make=named),
    "uwsgi-off": Layout(passed("uwsgi", "suwsgi://", "\t\t\tuwsgi_ssl_server_name off;\n"),
                        replaced("uwsgi_ssl_server_name"), make=named),
    "uwsgi-to-plain": Layout(passed("uwsgi", "suwsgi://"), replaced("uwsgi_pass"), **PLAIN_HTTP),
    "proxy-to-tls": Layout(passed("proxy", "http://"), replaced("proxy_pass"), **TO_TLS),
    "proxy-block-to-tls": Layout("\tupstream pool { server <endpoint>; }\n" + located(TO_POOL.format("http")),
                                 replaced("proxy_pass"), **TO_TLS),
    "grpc-to-tls": Layout(passed("grpc", "grpc://"), replaced("grpc_pass"), slug="plain-text-to-tls",
                          upstream=Misbehave("tls-alone-http2")),
    "grpc-to-tls-without-scheme": Layout(passed("grpc", ""), replaced("grpc_pass"), slug="plain-text-to-tls",
                                         upstream=Misbehave("tls-alone-http2")),
    "uwsgi-to-tls": Layout(passed("uwsgi", "uwsgi://"), replaced("uwsgi_pass"), slug="plain-text-to-tls",
                           upstream=Misbehave("tls-alone")),
    "uwsgi-to-tls-without-scheme": Layout(passed("uwsgi", ""), replaced("uwsgi_pass"),
                                          slug="plain-text-to-tls", upstream=Misbehave("tls-alone")),
    "stream-to-tls": Layout(stream=streamed(""), sets=inserted("proxy_ssl"), **TO_TLS),
    "stream": Layout(stream=streamed(STREAM_TLS), sets=ON, make=named),
    "stream-off": Layout(stream=streamed(STREAM_TLS + "\t" + OFF.strip("\t")), sets=TURNED_ON, make=named),
    "stream-to-plain": Layout(stream=streamed("\t\tproxy_ssl on;\n"), sets=replaced("proxy_ssl"),
                              **PLAIN_HTTP),
    "stream-to-plain-inherited": Layout(stream="\tproxy_ssl on;\n" + streamed(""), sets=inserted("proxy_ssl"),
                                        **PLAIN_HTTP),
}

ALL_LAYOUTS = {**LAYOUTS, **NONE, **MODULES}


# ---- That every kind is tried --------------------------------------------------------------------


def kinds_declared(ask):
    """{(cause, directive)} that a diff may have. ASK prints what tlsfail does with the words it is given."""
    causes = re.findall(r"^  ([a-z0-9-]+) ", ask("causes"), re.M)
    sets = {cause: re.search(r"^  patch sets +(.*(?:\n {8}.*)*)", ask("causes", cause), re.M)
            for cause in causes}
    return {(cause, name) for cause, found in sets.items() if found for name in re.findall(r"\w+", found[1])}


def kinds_tried():
    """The same of the tests here, by the names that directives have for proxy_pass."""
    tried = [(patch.case.slug, patch.sets) for patch in PATCHES]
    tried += [(layout.slug, layout.sets or {}) for layout in ALL_LAYOUTS.values()]
    return {(cause, re.sub(r"^(?:grpc|uwsgi)_", "proxy_", name)) for cause, sets in tried for name in sets}


def check_kinds(ask):
    """Each kind of diff that there is, is tried here, or it is said why not; and so is each module. ASK: as for
    kinds_declared()."""
    declared, tried = kinds_declared(ask), kinds_tried()
    require(len(declared) > 20, "the directives of a diff are listed", declared)
    missing = declared - tried - set(ELSEWHERE)
    require(not missing, "no test applies such a diff:", *missing)
    require(not tried - declared, "the cause's row does not say that its diff sets it:", *tried - declared)
    require(not set(ELSEWHERE) & tried, "this is tried after all:", *set(ELSEWHERE) & tried)
    modules = (REPOSITORY / "src/program/nginx/place.h").read_text().split("pass to nobody")[0]
    for module in re.findall(r"NGINX_MODULE_([A-Z]+),", modules):
        hows = {how for name, layout in {**MODULES, "proxy": LAYOUTS["tabs"]}.items() if layout.sets
                and name.startswith(module.lower()) for how in layout.sets.values()}
        require(hows == {"inserted", "replaced"}, f"{module}: what is set, and what is not, is tried", hows)
