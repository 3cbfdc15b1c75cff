#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a case is: one upstream, one location of the proxy, and what has to come of them."""
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Mapping, Optional, Tuple

from . import drive
from .pki import SERVER_NAME

HIGH = ("high",)
MEDIUM = ("medium",)
LOW = ("low",)

_FIRST_PORT = 8400
_FIRST_STREAM_PORT = 12000


@dataclass(frozen=True)
class Case:
    """A case. NUMBER is set by numbered() and makes its address and port its own."""

    name: str
    slug: Optional[str]  # the finding's error.type; None: there must be no finding
    upstream: Any  # one of the classes in upstreams.py
    location: str = ""  # directives of its location in the proxy
    sibling: str = ""  # directives of another location with the same upstream, if there is one
    tls: str = "TLSv1.3"  # proxy_ssl_protocols
    log: Optional[str] = None  # regular expression of the line nginx logs for it; "": it logs none
    status: Optional[int] = 502  # what the HTTP client gets; None: it does not wait
    confidence: Tuple[str, ...] = HIGH  # any of these will do
    # Other members of the JSON; a frozenset: it is one of these, by the release of the upstream.
    expect: Mapping[str, Any] = field(default_factory=dict)
    says: Tuple[str, ...] = ()  # regular expressions that the message and the hint match
    never: Tuple[str, ...] = ()  # and those that they must not
    family: int = 4  # 4, 6: IPv4, IPv6
    scheme: str = "https"  # "stream": the stream module passes it on, and LOCATION is of that
    pool: Tuple[str, ...] = ()  # the endpoints that nginx tries in turn, instead of its upstream
    group: str = ""  # the name of its upstream block, if it is to have one of another name
    keepalive: int = 0  # idle connections to the upstream that nginx keeps
    drive: Callable = drive.once
    defaults: bool = False  # nginx's own, where the lab sets the server name and no session reuse
    target: Optional[str] = None  # what is passed to, with defaults, instead of its host name
    truth: Optional[str] = None  # what is wrong, where the evidence fits SLUG better: a candidate
    race: bool = False  # may go another way, and another line in the log then says so
    number: int = 0
    known_port: int = 0  # where the port has a meaning: that, instead of one of its own

    @property
    def address(self):
        """The upstream's address."""
        if self.family == 6:
            return "::1"
        return f"127.0.{1 + self.number // 250}.{self.number % 250}"

    @property
    def port(self):
        """The upstream's port."""
        return self.known_port or _FIRST_PORT + self.number

    @property
    def stream_port(self):
        """Where the proxy listens for it, with scheme "stream"."""
        return _FIRST_STREAM_PORT + self.number

    @property
    def host(self):
        """A name of the upstream's address, which the hosts file of the proxy knows."""
        return f"{self.name}.{SERVER_NAME}"

    @property
    def endpoint(self):
        """The upstream's address and port as nginx writes them."""
        return f"[::1]:{self.port}" if self.family == 6 else f"{self.address}:{self.port}"


def numbered(cases):
    """Gives each of CASES its number. Returns a tuple."""
    return tuple(replace(case, number=number) for number, case in enumerate(cases, 1))
