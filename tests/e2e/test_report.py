#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""tlsfail report: the page is looked at as a browser, a reader without eyes, and an attacker would. No
root is needed; the picture needs Debian's chromium-headless-shell."""
import collections
import html.parser
import json
import os
import re
import shutil
import struct
import subprocess
import zlib

from env import REPOSITORY
from lab import procs
from tap import Skip, require

GOLDEN = REPOSITORY / "tests" / "golden"
PAGE_BYTES_MAX = 2 * 1000 * 1000
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
VOID = {"meta", "br", "link", "img", "input", "hr"}
# Of an original, what is worth looking for on a redacted page; shorter ones are parts of any word.
SECRET_KEYS = ("host.name", "network.local.address", "network.peer.address", "nginx.config.file",
               "process.executable.path", "tls.client.server_name", "tls.client.subject",
               "tls.client.issuer", "tls.server.subject", "tls.server.issuer", "tls.server.san",
               "tls.client.san", "tls.server.hash.sha256", "tls.client.hash.sha256", "container.id",
               "tlsfail.first_bytes", "nginx.error_log.message", "nginx.error_log.file")


def tests(here):
    checks = {name.removeprefix("check_"): check for name, check in globals().items()
              if name.startswith("check_")}
    yield from here.chosen("report", checks)


# ---- An incident ----------------------------------------------------------------------------------


def example(name):
    """The event of a golden recording."""
    text = (GOLDEN / f"{name}.json").read_text()
    return json.JSONDecoder().raw_decode(text)[0]


def event_at(second, peer, event):
    event = {**event, "@timestamp": f"2026-11-26T14:{second // 60:02}:{second % 60:02}.5Z",
             "network.peer.address": peer, "network.peer.port": 8443, "host.name": "web1"}
    event.pop("tlsfail.group", None)
    return event


def incident():
    """Events: two peers fail for three causes, one recovers; the configuration changes; some is lost."""
    expired, sni = example("verify-expired"), example("sni-missing")
    place = {"nginx.config.file": "/srv/alice/api.conf", "nginx.config.line": 26,
             "nginx.config.location": "location /orders/", "nginx.config.upstream": "shopfloor"}
    for second in range(0, 600, 2):
        settings = ["proxy_ssl_verify on", "proxy_ssl_name shop.internal",
                    f"proxy_ssl_server_name {'on' if second > 300 else 'off'}"]
        yield event_at(second, "10.20.0.11",
                       {**sni, **place, "nginx.config.settings": settings})
    for second in range(100, 900, 10):
        yield event_at(second, "10.20.0.12", expired)
    for second in range(120, 800, 170):
        yield event_at(second, "10.20.0.12", example("client-cert-required"))
    yield event_at(610, "10.20.0.11", {
        "event.name": "tlsfail.peer.recovered", "message": "m", "tlsfail.role": "client",
        "tlsfail.schema_version": 1, "tlsfail.peer.last_success": "2026-11-26T14:10:04Z"})
    yield event_at(700, "10.20.0.12", {
        "event.name": "tlsfail.loss", "message": "tlsfail lost 12 failures, 40 wire records",
        "tlsfail.schema_version": 1, "tlsfail.lost.findings": 12, "tlsfail.lost.wires": 40})


def write_lines(here, name, lines):
    path = here.top / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def write_incident(here):
    return write_lines(here, "incident.ndjson", map(json.dumps, incident()))


def report(here, *arguments, stdin=""):
    return subprocess.run([str(here.tlsfail), "report", *map(str, arguments)], input=stdin, text=True,
                          capture_output=True, timeout=120 * procs.PATIENCE, check=False)


def page_of(here, *arguments):
    """The page as text; all has to have gone well."""
    done = report(here, *arguments)
    require(done.returncode == 0 and not done.stderr, arguments, done.returncode, done.stderr)
    return done.stdout


# ---- Reading a page -------------------------------------------------------------------------------


class Page(html.parser.HTMLParser):
    """Is what is opened closed; ids, references, graphics, tables as lists of rows."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.references, self.problems = [], [], [], []
        self.graphics, self.rows, self.headings, self.words = [], [], [], []
        self.feed(text)
        self.close()
        require(not self.open, "not closed:", self.open)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        self.references += [name for key in ("aria-labelledby", "headers") if key in attrs
                            for name in attrs[key].split()]
        self.references += [attrs[key][1:] for key in ("href",) if attrs.get(key, "")[:1] == "#"]
        outside = [f"{key}={attrs[key]}" for key in ("src", "href", "srcset", "action", "data")
                   if key in attrs and not attrs[key].startswith("#")]
        handlers = [key for key in attrs if key.startswith("on")]
        if tag in ("script", "iframe", "object", "embed", "link", "base", "form") or outside or handlers:
            self.problems.append((tag, attrs))
        if tag == "svg":
            self.graphics.append({"role": attrs.get("role"), "title": "", "desc": ""})
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        if tag in ("h1", "h2", "h3"):
            self.headings.append([tag, ""])

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        require(self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}",
                self.getpos())
        self.open.pop()

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.words.append(data)
        if "svg" in self.open:
            if self.open[-1] in ("title", "desc"):
                self.graphics[-1][self.open[-1]] += data
        elif self.rows and self.open[-1:] != ["tr"] and {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data
        for heading in ("h1", "h2", "h3"):
            if heading in self.open:
                self.headings[-1][1] += data


def require_sound(text):
    """Self-contained, well-formed, and every graphic in words. Returns the page."""
    page = Page(text)
    require(len(text.encode()) < PAGE_BYTES_MAX, f"{len(text.encode())} bytes")
    require(not page.problems, "what is not to be in a page:", *page.problems)
    require(not re.search(r"url\(|@import|https?://", re.search("<style>(.*?)</style>", text, re.S)[1]),
            "the style sheet loads something")
    twice = [name for name, count in collections.Counter(page.ids).items() if count > 1]
    require(not twice, "ids that are there twice:", twice[:5])
    lost = set(page.references) - set(page.ids)
    require(not lost, "references to what is not there:", *lost)
    for graphic in page.graphics:
        require(graphic["role"] == "img" and graphic["title"] and graphic["desc"],
                "a graphic without words", graphic)
    require([level for level, _ in page.headings][:1] == ["h1"], page.headings[:3])
    require('lang="en"' in text and "default-src 'none'" in text, "language, or policy")
    return page


def row_that(page, *beginning):
    for row in page.rows:
        if row[:len(beginning)] == list(beginning):
            return row
    require(False, f"no row {beginning}", *page.rows[:40])
    return None


# ---- Checks ---------------------------------------------------------------------------------------


def check_incident(here):
    """What the page says is what is in the events."""
    text = page_of(here, write_incident(here))
    page = require_sound(text)
    require([words for level, words in page.headings if level == "h2"] ==
            ["Timeline", "Causes", "Peers", "Recovery", "Certificates",
             "Configuration before and after", "What failed", "What is missing"], page.headings)
    links = re.findall(r'<a href="#(\w+)">', re.search("<nav.*</nav>", text)[0])
    require(links == re.findall(r'<section id="(\w+)">', text), "the links are in another order", links)
    row = row_that(page, "sni-missing", "300")
    require(row[2:6] == ["78.1 %", "1", "2026-11-26 14:00:00", "2026-11-26 14:09:58"], row)
    require(row_that(page, "verify-expired", "80")[3] == "1", page.rows)
    row = row_that(page, "10.20.0.11:8443", "2026-11-26 14:00:00")
    require(row[2:] == ["2026-11-26 14:09:58", "2026-11-26 14:10:04", "10 min 3 s", "300"], row)
    row = row_that(page, "10.20.0.12:8443", "2026-11-26 14:01:40")
    require(row[3:] == ["not seen", "at least 13 min 10 s", "84"], row)
    require(row_that(page, "Failures that tlsfail lost")[1] == "12", page.rows)
    words = "".join(page.words)
    for wanted in ("− proxy_ssl_server_name off", "+ proxy_ssl_server_name on", "shopfloor",
                   "CN=upstream.test", "days past its end", "384 TLS handshakes with 2 peers failed"):
        require(wanted in words, f"not on the page: {wanted}", words[:3000])
    ladders = [g["desc"] for g in page.graphics if g["title"].startswith("Handshake")]
    require(len(ladders) == 3 and any("alert 112" in desc for desc in ladders), *ladders)


def ticks(text):
    """What is below the axis of the timeline: (date or "", time), from left to right."""
    words = re.findall(r'<text class="axis" x="(\d+)" y="(\d+)"[^>]*>([\d:.-]+)</text>', text)
    rows = {y: {int(x): word for x, other, word in words if other == y} for _, y, _ in words}
    dates, times = (rows[y] for y in sorted(rows, key=int))
    return [(dates.get(x, ""), times[x]) for x in sorted(times)]


def check_ticks(here):
    """Moments on the timeline can be told from each other, of a single failure and of a week; of a single
    one it is not known how long it lasted. On a small screen what is wide can be scrolled by itself."""
    one = [json.dumps(event_at(0, "10.20.0.11", example("sni-missing")))]
    text = page_of(here, write_lines(here, "one.ndjson", one))
    page = require_sound(text)
    times = [time for _, time in ticks(text)]
    require(len(set(times)) == 6 and times[:2] == ["14:00:00.500", "14:00:00.700"], times)
    require(row_that(page, "10.20.0.11:8443", "2026-11-26 14:00:00")[3:] == ["not seen", "not known", "1"],
            page.rows)
    require("Longest outage</dt><dd>not known" in text, text[-3000:])
    wide = re.findall(r'(.{12})(<svg [^>]*width="960"|<table>)', text.replace("\n", ""))
    require(len(wide) >= 6 and all(before.endswith('">') for before, _ in wide), wide)
    week = [line.replace("-26T", f"-{day}T") for line in one for day in range(20, 27)]
    dates = [date for date, _ in ticks(page_of(here, write_lines(here, "week.ndjson", week)))]
    require(len(set(dates)) == 6 and "" not in dates, dates)


def check_flapping(here):
    """A peer that some handshakes succeed with is not down; and what top wrote is read, without its counts."""
    evening = GOLDEN.parent / "docs" / "evening.ndjson"
    text = page_of(here, evening)
    page = require_sound(text)
    require([row[-1] for row in page.rows if row[:1] == ["127.0.1.5:8405"] and len(row) == 7] ==
            ["some succeed"], page.rows)
    require([row[-1] for row in page.rows if row[:1] == ["127.0.1.3:8403"] and len(row) == 7] ==
            ["no recovery seen"], page.rows)
    require(re.search(r"Longest outage</dt><dd>≥ 24 s<small>127.0.1.3:8403<", text), "the longest")
    require("37 failures, some succeed" in text and "no recovery seen: 2" in text, text[-9000:])
    require("Nothing: tlsfail reported no loss" in text, "something is missing")
    flaps = [line for line in evening.read_text().splitlines() if "127.0.1.5" in line and "tls.hand" in line]
    flaps += [line for line in evening.read_text().splitlines() if "127.0.1.5" in line and "folded" in line]
    text = page_of(here, write_lines(here, "flaps.ndjson", flaps))
    require("Longest outage</dt><dd>none<small>" in text and "fail now and then: 1" in text, text[-9000:])


def check_recordings(here):
    """Of all golden recordings, each finding is counted, once."""
    files = sorted(GOLDEN.glob("*.rec"))
    counts = collections.Counter()
    for path in files:
        done = subprocess.run([str(here.tlsfail), "replay", "--no-fold", "-f", "json", str(path)],
                              capture_output=True, text=True, check=True)
        counts.update(event["error.type"] for event in map(json.loads, done.stdout.splitlines())
                      if event["event.name"] == "tls.handshake.failure")
    page = require_sound(page_of(here, *files))
    for cause, count in counts.items():
        row_that(page, cause, f"{count:,}")
    require(sum(counts.values()) > 50, "too few for a test", counts)


def originals(here, path):
    """Strings of the events of a recording that name something, and parts of them that do."""
    done = subprocess.run([str(here.tlsfail), "replay", "--no-fold", "-f", "json", str(path)],
                          capture_output=True, text=True, check=True)
    found = set()
    for event in map(json.loads, done.stdout.splitlines()):
        for key in SECRET_KEYS:
            value = event.get(key, [])
            found |= set(value if isinstance(value, list) else [value])
    for value in list(found):
        found |= set(re.findall(r"=([^,=]+)", value)) | set(re.findall(r"[\w-]+(?:\.[\w-]+)+", value))
        found |= set(re.findall(r"/[\w./-]{3,}", value))
    return {value for value in found if len(value) > 3 and not value.isdigit()}


def check_redacted_recordings(here):
    """Nothing of what names something is left, anywhere in the file; the rest is still there."""
    files = sorted(GOLDEN.glob("*.rec"))
    seen = 0
    for path in files:
        text = page_of(here, "--redact", path)
        page = require_sound(text)
        visible = text.replace("http-equiv", "")
        for secret in originals(here, path) | {str(path), path.name, str(GOLDEN)}:
            leaked = re.search(rf"(?<![\w.-]){re.escape(secret)}(?![\w-])", visible)
            require(not leaked, f"{path.name}: {secret!r} is on the page",
                    visible[max(0, leaked.start() - 200):leaked.end() + 100] if leaked else "")
            seen += 1
        require("pseudonyms" in "".join(page.words), "it does not say so")
    require(seen > 500, f"only {seen} secrets were looked for")


def check_redacted_incident(here):
    """Users, places, names of settings, of upstream blocks, of the host; the same one everywhere."""
    path = write_incident(here)
    text = page_of(here, "--redact", path)
    for secret in ("alice", "/srv", "orders", "shopfloor", "shop.internal", "web1", "10.20.0",
                   "upstream.test", "Lab Root CA", "127.0.", "incident"):
        require(secret not in text, f"{secret} is on the page",
                text[max(0, text.find(secret) - 200):][:300])
    words = "".join(require_sound(text).words)
    for kept in ("sni-missing", "proxy_ssl_server_name on", "days past its end", "alert 112",
                 "address-1:8443"):
        require(kept in words, f"{kept} is not kept", words[:3000])
    again = page_of(here, "--redact", path)
    require(again == text, "another page of the same events")


def check_hostile(here):
    """Nothing that a peer, or whoever wrote the file, has chosen becomes markup."""
    nasty = "\"'><script>alert(1)</script><svg onload=x>&lt;\u202e\u0007\u2066</title></style>-->"
    event = {key: nasty if isinstance(value, str) else [nasty] * 3 if isinstance(value, list) else value
             for key, value in example("verify-expired").items()}
    event.update({"@timestamp": "2026-11-26T14:00:00Z", "event.name": "tls.handshake.failure",
                  "error.type": "x", "nginx.config.file": nasty, "nginx.config.settings": [nasty],
                  "nginx.config.location": nasty, "nginx.config.upstream": nasty,
                  "tlsfail.timeline": [{"t": 1, "dir": nasty, "what": nasty * 9}],
                  "tlsfail.patch": nasty + "\n+" + nasty, "tlsfail.candidates": [nasty]})
    for arguments in ((), ("--redact",), ("--title", nasty)):
        text = page_of(here, *arguments, write_lines(here, "nasty.ndjson", [json.dumps(event)]))
        require_sound(text)
        require(not re.search("[\u202e\u2066\x07]", text), "what turns or rings is in the page")


def check_malformed(here):
    """Lines that are no events are counted, and named; what is left becomes the page."""
    lines = [json.dumps(event) for event in incident()]
    lines[5:5] = ["nonsense", "{}", '{"event.name":"x"}', "\xff\xfe", "y" * 3_000_000]
    path = write_lines(here, "malformed.ndjson", lines)
    done = report(here, path)
    require(done.returncode == 3, done.returncode, done.stderr)
    require(f"5 of {len(lines)} lines" in done.stderr and "line 6:" in done.stderr, done.stderr)
    require(len(done.stderr.splitlines()) == 1, done.stderr)
    page = require_sound(done.stdout)
    require(row_that(page, "Malformed lines or records, not used")[1] == "5", page.rows)
    row_that(page, "sni-missing", "300")


def check_damaged(here):
    """A recording that is cut in the middle: what comes before is used, and the page says so."""
    whole = (GOLDEN / "sni-missing.rec").read_bytes()
    path = here.top / "cut.rec"
    path.write_bytes(whole + whole[-50:])
    done = report(here, path)
    require(done.returncode == 3 and "what comes before is used" in done.stderr, done)
    page = require_sound(done.stdout)
    row_that(page, "sni-missing", "1")
    require(row_that(page, "Files that end in the middle")[1] == "1", page.rows)


def check_mistakes(here):
    good = GOLDEN / "sni-missing.rec"
    for arguments, status, words in (((), 2, "recordings"), (("/no/such",), 1, "/no/such"),
                                     ((GOLDEN,), 1, str(GOLDEN)),
                                     ((REPOSITORY / "README.md",), 1, "neither a recording nor"),
                                     (("-o", "/no/such/x.html", good), 1, "/no/such"),
                                     (("-o", "/dev/full", good), 1, "No space left")):
        done = report(here, *arguments)
        require(done.returncode == status and words in done.stderr and not done.stdout, arguments, done)
        require(len(done.stderr.splitlines()) == 1, done.stderr)


def check_inputs(here):
    """Standard input; --ecs; the same events from two files count once; -o writes for its owner."""
    lines = [json.dumps(event) for event in incident()]
    text = "".join(f"{line}\n" for line in lines)
    row_that(require_sound(report(here, "-", stdin=text).stdout), "sni-missing", "300")
    row_that(require_sound(page_of(here, write_lines(here, "a", lines), write_lines(here, "b", lines))),
             "Failures that two files have: counted once", "384")
    recording = GOLDEN / "sni-missing.rec"
    ecs = subprocess.run([str(here.tlsfail), "replay", "-f", "json", "--ecs", str(recording)],
                         capture_output=True, text=True, check=True).stdout
    rows = [require_sound(page).rows[1:4] for page in
            (report(here, "-", stdin=ecs).stdout, page_of(here, recording))]
    require(rows[0] == rows[1], *rows)
    path = here.top / "page.html"
    require(report(here, recording, "-o", path).returncode == 0, "-o")
    require(path.stat().st_mode & 0o007 == 0, "all may read it")
    require_sound(path.read_text())


def check_empty(here):
    page = require_sound(page_of(here, write_lines(here, "empty", [])))
    require("No failed handshake" in "".join(page.words), page.words)


def check_large(here):
    """100,000 failures, each of a peer of its own and with long words: a page that mail takes."""
    long = "<" * 900
    event = {"event.name": "tls.handshake.failure", "message": long, "tlsfail.hint": long,
             "tlsfail.evidence": [long] * 4, "tls.server.subject": long, "network.peer.port": 1}
    lines = (json.dumps({**event, "@timestamp": f"2026-11-26T14:{n // 3000:02}:{n // 50 % 60:02}Z",
                         "error.type": f"cause-{n % 500}", "network.peer.address": f"{n}{long}"})
             for n in range(100_000))
    text = page_of(here, write_lines(here, "large.ndjson", lines))
    page = require_sound(text)
    require("100,000 TLS handshakes with 100,000 peers failed" in "".join(page.words), "the counts")
    require("more peers are counted, but not shown here" in text, "it does not say what is left out")
    (here.top / "large.ndjson").unlink()


def luminance(color):
    values = [int(color[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def check_contrast(here):
    """WCAG 2.2: text 4.5 to 1 (1.4.3), what is drawn 3 to 1 (1.4.11); light, dark, and on paper."""
    style = re.search("<style>(.*?)</style>", page_of(here, write_incident(here)), re.S)[1]
    schemes = re.findall(r":root\{([^}]*)\}", style)
    require(len(schemes) == 3, schemes)
    for scheme in schemes:
        colors = {name: "#" + "".join(2 * c for c in value) if len(value) == 3 else "#" + value
                  for name, value in re.findall(r"--(\w+):#([0-9a-f]+)", scheme)}
        for name in ("ink", "soft", "link", "down", "okay", "warn"):
            for back in ("back", "card"):
                require(contrast(colors[name], colors[back]) >= 4.5, name, back, colors)
        for name in [f"c{n}" for n in range(9)]:
            require(contrast(colors[name], colors["back"]) >= 3, name, colors)


def png_colors(data):
    """How many pixels a picture has of each colour."""
    require(data[:8] == b"\x89PNG\r\n\x1a\n", "no picture")
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            width, height, depth, color = struct.unpack(">IIBB", data[at + 8:at + 18])
        if kind == b"IDAT":
            packed += data[at + 8:at + 8 + length]
        at += 12 + length
    size = {2: 3, 6: 4}[color]
    require(depth == 8, f"{depth} bits")
    raw, stride, above = zlib.decompress(packed), width * size, bytes(width * size)
    colors = collections.Counter()
    for row in range(height):
        start = row * (stride + 1)
        above = unfilter(raw[start], bytearray(raw[start + 1:start + 1 + stride]), above, size)
        colors.update(zip(above[0::size], above[1::size], above[2::size]))
    return colors


def unfilter(kind, line, above, size):
    """A row of a PNG without its filter (PNG specification, section 9)."""
    for i in range(len(line)) if kind else ():
        left = line[i - size] if i >= size else 0
        corner = above[i - size] if i >= size else 0
        up = above[i]
        guess = left + up - corner
        distances = (abs(guess - left), abs(guess - up), abs(guess - corner))
        paeth = (left, up, corner)[distances.index(min(distances))]
        line[i] = line[i] + (0, left, up, (left + up) // 2, paeth)[kind] & 0xff
    return line


def browse(here, page, *arguments):
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not browser:
        raise Skip("no browser: sudo tools/install-deps --group browser")
    # Its sandbox wants namespaces that a test, often root, does not have; the page is ours.
    done = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                           f"--user-data-dir={here.top / 'browser'}", *arguments, f"file://{page}"],
                          capture_output=True, timeout=120 * procs.PATIENCE, check=False,
                          env={**os.environ, "HOME": str(here.top)})
    require(done.returncode == 0, done.returncode, done.stderr[-2000:])
    return done.stdout


def check_picture(here):
    """In a browser: the timeline has the colours of its causes; and it can be printed."""
    page, picture, paper = (here.top / name for name in ("seen.html", "seen.png", "seen.pdf"))
    require(report(here, write_incident(here), "-o", page).returncode == 0, "the page")
    browse(here, page, "--window-size=1100,1400", f"--screenshot={picture}")
    colors = png_colors(picture.read_bytes())
    for name, color in (("sni-missing", (0x00, 0x72, 0xb2)), ("verify-expired", (0xc2, 0x51, 0x00)),
                        ("an outage", (0xff, 0xd9, 0xd3)), ("recovered", (0x11, 0x63, 0x29))):
        require(colors[color] > 40, f"{name}: {colors[color]} pixels of {color}",
                colors.most_common(20))
    require(colors[255, 255, 255] > sum(colors.values()) / 2, colors.most_common(5))
    browse(here, page, f"--print-to-pdf={paper}")
    pages = len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes()))
    require(paper.read_bytes().startswith(b"%PDF") and 2 <= pages <= 12, f"{pages} pages on paper")
