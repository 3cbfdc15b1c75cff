#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The guests: data and nothing else. One row is one distribution release, run on the kernel that it
ships. Adding a row adds a guest.

What a guest cannot do is said here with the reason; any other skip is a failure.
"""
from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Tuple

from lab.case import HIGH, LOW, MEDIUM
from lab.cases import LARGE_TICKET, TLS12, TLS13, reason, verify, verify_error
from lab.upstreams import Misbehave

# This one needs a Python module that is not part of the guests.
RUN_ON_HOST = "cases/schema"

# What the end-to-end cases need.
PACKAGES = ("nginx-light", "openssl", "gnutls-bin", "iproute2", "python3")

# What the service runs under, and what the Debian package depends on.
SERVICE_PACKAGES = ("systemd-sysv", "procps", "libbpf1", "libelf1", "zlib1g", "libjansson4",
                    "libconfig9", "libssl3", "libmicrohttpd12", "libcurl4")

# The first part of a test's name.
KERNEL = ("case", "cases", "hook", "hooks", "unused", "connect", "doctor", "seccomp", "obstacle", "verifier",
          "lockdown")
LIFE = ("host", "lifecycle")
# An emulated CPU takes two minutes to ask the verifier about every program for every way to attach;
# that it takes the programs, each trace shows.
SLOW = (*LIFE, "verifier")
SERVICE = ("service",)
COST = "cost"  # of no guest, unless it is asked for


@dataclass(frozen=True)
class Kernel:
    """The kernel of another distribution, in a package that has to have that SHA256. VM_KERNEL_DEB in
    the environment says where it is: no archive of this host has it."""

    version: str
    package: str
    sha256: str


@dataclass(frozen=True)
class Guest:
    """A guest: a Debian SUITE for ARCH, in Debian's words, with a KERNEL.

    GROUPS: of tests, those that are run.
    LACKS: the tests that cannot be passed here, each with the reason. Hook alternatives in it are
    tried nevertheless, and have to be refused; cases in it are left out.
    DEGRADED: what doctor has to find fault with, by name.
    DIFFERS: for a case, the members of lab.case.Case that are other ones here.
    CPUS: how many it has. What the kernel patches into its own code, such as the scheduler's when perf
    events come and go, another emulated CPU may see too late: 6.12 and 7.2 each panicked once on an
    int3 in __schedule. With one, though, older kernels keep just one call of a function in mind for a
    kretprobe (register_kretprobe(): maxactive).
    SYSTEMD: it is started as Debian is, and what is tested is the Debian package and its service.
    BACKPORTS: its kernel is the one that was ported back to the suite.
    MADE: what is built in it, by a script of that name beside this file.
    BOOT: words of the kernel's command line.
    SOAK_S: how many seconds a soak lasts in it."""

    suite: str
    arch: str = "amd64"
    groups: Tuple[str, ...] = KERNEL
    packages: Tuple[str, ...] = PACKAGES
    kernel: Optional[Kernel] = None  # None: what the suite's clouds run
    options: Tuple[str, ...] = ()  # of mmdebstrap
    archives: Tuple[str, ...] = ("", "-updates", "-security")  # of the suite; "" is the suite itself
    lacks: Mapping[str, str] = field(default_factory=dict)
    degraded: Tuple[str, ...] = ()
    differs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cpus: int = 2
    systemd: bool = False
    backports: bool = False
    made: Optional[str] = None
    boot: Tuple[str, ...] = ()
    soak_s: int = 0

    @property
    def name(self):
        """What tells it from the others."""
        return "-".join([self.suite, *([self.arch] if self.arch != "amd64" else []),
                         *([self.kernel.version] if self.kernel else []),
                         *(["service"] if self.systemd else []),
                         *(["backports"] if self.backports else []),
                         *([self.made] if self.made else []),
                         *(word.replace("=", "-") for word in self.boot)])

    @property
    def inside(self):
        """Its tests, a file beside this one."""
        return "inside_service.py" if self.systemd else "inside.py"

    @property
    def keeps(self):
        """What only it needs of what others do without: see `pack`."""
        return ("usr/lib/systemd", "usr/lib/udev", "var/lib/dpkg") if self.systemd else ()

    @property
    def tlsfail(self):
        """What is under test there, below the repository: a glob that matches one file."""
        if self.systemd:
            return f"build/package/tlsfail_*_{self.arch}.deb"
        return f"build/{'static' if self.arch == 'amd64' else 'static-' + self.arch}/tlsfail"


NO_SOCK_LENGTH = {
    "hook/wire=tp_btf": "sock_send_length and sock_recv_length exist only from Linux 6.3 on",
}
# OpenSSL 3.2 and later read a record header and no more before they find out that this is not TLS;
# their servers answer TLS 1.0 with "protocol version" where others had an "internal error".
OPENSSL_3_2 = {
    "peer-not-tls-other": {"expect": {"tlsfail.first_bytes": b"SSH-2".hex(), **reason(267)}},
    "peer-internal-error": {"slug": "peer-internal-error", "upstream": Misbehave("alert-80"),
                            "tls": TLS12, "confidence": LOW},
}
# OpenSSL 3.5 and later offer a post-quantum group unless told otherwise: what is large here is so by
# itself, and a case that is about something else is told.
SHORT = "proxy_ssl_conf_command Groups X25519:P-256:P-384; "
ONE_SECOND = "proxy_connect_timeout 1s; "
POST_QUANTUM = {"tls": TLS13, "location": ONE_SECOND}
OPENSSL_3_5 = {
    **OPENSSL_3_2,
    "large-hello-lost": {"slug": "pqc-hello-intolerant", **POST_QUANTUM},
    "large-hello-silence": POST_QUANTUM,
    **dict.fromkeys(("large-hello-close", "large-hello-reset"),
                    {"truth": "pqc-hello-intolerant", **POST_QUANTUM}),
    "large-hello-ticket": {"location": SHORT + LARGE_TICKET},
    **dict.fromkeys(("short-hello", "peer-closed-in-handshake", "peer-closed-in-handshake-ipv6",
                     "peer-reset-in-handshake", "hold-close", "hold-close-ipv6", "hold-reset"),
                    {"location": SHORT}),
    "handshake-timeout": {"location": SHORT + ONE_SECOND},
    "handshake-blackholed": {"location": SHORT + ONE_SECOND},
}
# nginx 1.23.4 and later offer TLS 1.3 unless told otherwise, whose suites are not proxy_ssl_ciphers'.
NGINX_1_23_4 = {
    "suites-of-one-place": {"location": "proxy_ssl_protocols TLSv1.2; proxy_ssl_ciphers aECDSA;"},
}
# nginx 1.25.1 and later take HTTP/1 as well where HTTP/2 without TLS is on.
NGINX_1_25_1 = {"clear-http2": {"says": ("set proxy_pass http://clear-http2",), "never": ("STARTTLS",)}}
# Nor do they offer TLS 1.1 where the security level does not allow it, as it is by default.
AFTER_BOOKWORM = {**OPENSSL_3_5, **NGINX_1_23_4, **NGINX_1_25_1,
                  "old-version": {"slug": "protocol-version-too-old"}}
OPENSSL_1_1 = {
    # It calls what its security level does not allow an internal error (68), which says nothing.
    "old-version": {"slug": "unknown", "confidence": LOW},
    "verify-untrusted-issuer-depth": {"slug": "verify-depth-exceeded", "log": verify_error(22),
                                      "expect": verify(22), "confidence": HIGH},
}
# It takes one of the groups of RFC 7919 from a server that would have made small ones of its own.
OPENSSL_4_0 = {**AFTER_BOOKWORM, "dh-key-too-small": {"slug": None, "status": 200, "log": None, "expect": {}}}
# What X509_check_host returned is concluded.
NO_RETURN_PROBES = dict.fromkeys(("verify-hostname-mismatch", "verify-hostname-mismatch-tls12"),
                                 {"confidence": MEDIUM})
NO_FENTRY_ARM64 = dict.fromkeys(("hook/wire=fentry", "hook/close=fentry"),
                                "arm64 has fentry only from Linux 6.4 on")
NO_CONF_COMMAND = "nginx has proxy_ssl_conf_command only from 1.19.4 on"
NO_SESSION_CONTEXT = {
    "case/session-refused": "a server of Python 3.13 with OpenSSL 3.5 resumes sessions without "
                            "a session id context in its SSL_CTX",
}
NO_CERTIFICATE_VARIABLE = "proxy_ssl_certificate takes variables since nginx 1.21.0"
NO_REJECT = "nginx has ssl_reject_handshake only from 1.19.4 on"

# Its security archive offers packages that it does not have any more.
MAIN_ONLY = ("",)
UBUNTU_6_11 = Kernel(
    "6.11", "linux-image-6.11.0-17-generic_6.11.0-17.17~24.04.2_amd64.deb",
    "2dbbc260ef488df0e43e34e478308bfdb1e5f87cb3fc7ebf55620326974bb77f")

# A compiler would be larger than all the rest. And modules are left out, of which overlayfs is one.
ALL = {"doctor/no-library": "the guests have no compiler"}
NO_OVERLAY = dict.fromkeys(
    ("host/container-overlay-pid", "host/container-overlay-comm", "host/container-overlay-exe",
     "host/container-overlay-late", "host/containers-of-one-image"), "no overlayfs in the guest")

GUESTS = (
    Guest("bullseye", archives=MAIN_ONLY, lacks={
        **ALL,
        **NO_SOCK_LENGTH,
        "case/cipher-mismatch-tls13": NO_CONF_COMMAND,
        "case/cipher-mismatch-group": NO_CONF_COMMAND,
        "case/no-protocols-available": NO_CONF_COMMAND,
        "case/one-group": NO_CONF_COMMAND,
        "case/certificate-by-variable": NO_CERTIFICATE_VARIABLE,
        "case/key-of-another": NO_CERTIFICATE_VARIABLE,
        "case/two-groups": NO_CONF_COMMAND,
        "case/good-retry": NO_CONF_COMMAND,
        "case/verify-expired-retry": NO_CONF_COMMAND,
        "case/large-hello-lost": NO_CONF_COMMAND,
        "case/large-hello-silence": NO_CONF_COMMAND,
        "case/large-hello-close": NO_CONF_COMMAND,
        "case/large-hello-reset": NO_CONF_COMMAND,
        "case/sni-missing": NO_REJECT,
        "case/sni-missing-tls12": NO_REJECT,
        "case/sni-unrecognized": NO_REJECT,
        "case/default-server-rejects": NO_REJECT,
        "case/name-of-address": NO_REJECT,
        "case/legacy-renegotiation": "OpenSSL 1.1.1 connects to servers without secure "
                                     "renegotiation",
    }, differs=OPENSSL_1_1),
    # Uprobes are perf events here, and links of their own in later kernels: the life of a host is
    # lived with both.
    Guest("bookworm", groups=KERNEL + LIFE, lacks={**ALL, **NO_OVERLAY, **NO_SOCK_LENGTH}),
    Guest("bookworm", arch="arm64", lacks={**ALL, **NO_SOCK_LENGTH, **NO_FENTRY_ARM64}),
    Guest("trixie", cpus=1, groups=KERNEL + LIFE, lacks={
        **ALL,
        **NO_OVERLAY,
        **NO_SESSION_CONTEXT,
    }, differs=AFTER_BOOKWORM),
    # The libraries of a release with the newest kernels that it is given.
    Guest("bookworm", cpus=1, backports=True, lacks=ALL),
    # (The kernel wants something that makes initrds; dracut, which comes first, fails without its hook, which
    # is left out as nothing has to be made here.)
    Guest("trixie", cpus=1, backports=True, packages=(*PACKAGES, "initramfs-tools"),
          lacks={**ALL, **NO_SESSION_CONTEXT}, differs=AFTER_BOOKWORM),
    # Where return probes kill what runs under seccomp: no Debian release has such a kernel.
    Guest("bookworm", kernel=UBUNTU_6_11, lacks={
        **ALL, "verifier/complexity": "no figures: its kernel is in no archive of Debian's",
    }, degraded=("return probes",),
          differs=NO_RETURN_PROBES),
    Guest("bookworm", systemd=True, groups=SERVICE, packages=(*PACKAGES, *SERVICE_PACKAGES)),
    # The snapshots of sid at hand may be older than its Release file allows.
    Guest("sid", cpus=1, archives=MAIN_ONLY,
          options=('--aptopt=Acquire::Check-Valid-Until "false"',), lacks={**ALL, **NO_SESSION_CONTEXT},
          differs=AFTER_BOOKWORM),
    Guest("sid", cpus=1, archives=MAIN_ONLY, made="nginx-openssl4", groups=("case", "cases", "hook", "hooks"),
          options=('--aptopt=Acquire::Check-Valid-Until "false"',), lacks=NO_SESSION_CONTEXT, differs=OPENSSL_4_0),
    # Since 6.13 a BPF program of a uprobe with a large frame has a stack for each CPU, and may be
    # preempted: with more workers than CPUs one would write over the other's.
    Guest("sid", cpus=1, archives=MAIN_ONLY, boot=("preempt=full",), groups=("preemption", "soak"),
          soak_s=600, options=('--aptopt=Acquire::Check-Valid-Until "false"',), lacks={
              "soak/week": "it has nothing to do with the kernel"}),
)


def named(*names):
    """The guests of those NAMES, in that order."""
    by_name = {guest.name: guest for guest in GUESTS}
    return tuple(by_name[name] for name in names)
