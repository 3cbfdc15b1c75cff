#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes what a guest boots: its distribution's kernel, and its root file system as an initramfs.

The distribution's part is made once and kept for as long as nothing that it is made from changes;
the program under test and the tests are added anew for each run.
"""
import fcntl
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

from env import REPOSITORY
from lab import pki

BUILD_LIMIT_S = 600  # packages may come slowly
DIGEST_LENGTH = 12

# What the tests need of the repository. In the guest it has the same paths below /.
CARRIED = ("tests/e2e/*.py", "tests/vm/*.py", "tests/vm/init", "tools/lab/*.py",
           "tests/verifier/figures.txt", "build/verifier", "build/static-arm64/verifier", "docs/event.schema.json")
PKI = "pki"  # the lab's certificates: an emulated machine would take long to make them

# Never unpacked. Without the hooks of kernel installation nobody makes an initrd that nobody boots.
_EXCLUDED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*",
             "/usr/share/bash-completion/*", "/usr/share/zoneinfo/*", "/lib/modules/*",
             "/usr/lib/modules/*", "/etc/kernel/postinst.d/*", "/boot/System.map-*")
_INCLUDED = ("/usr/lib/modules/*/vmlinuz",)  # where newer kernel packages have it

_PACK = Path(__file__).with_name("pack")

# Programs for another architecture do not run here, and so neither do the packages' own scripts: of
# the packages just the files are taken, and what minbase has in it is said in full.
_FOREIGN = ("--include=?essential", "--include=mount",
            "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr")


def _native_arch():
    return subprocess.run(["dpkg", "--print-architecture"], check=True, stdout=subprocess.PIPE,
                          text=True, timeout=10).stdout.strip()


def _archive(label):
    """The address of the archive of that LABEL, as this host's apt has it."""
    return subprocess.run([REPOSITORY / "tools" / "apt-archive", label], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=60).stdout.strip()


def _sources(guest):
    """The lines of its sources.list."""
    return [f"deb {_archive('Debian-Security' if part == '-security' else 'Debian')} "
            f"{guest.suite}{part} main"
            for part in (*guest.archives, *(["-backports"] if guest.backports else []))]


def _command(guest):
    if guest.arch == _native_arch():
        variant, last_hook, options = "minbase", "customize", guest.options
    else:
        variant, last_hook = "extract", "extract"
        options = (f"--arch={guest.arch}", *_FOREIGN, *guest.options)
    made = [f"--{last_hook}-hook={_script(guest)}"] if guest.made else []
    origin = f"/{guest.suite}-backports" if guest.backports else ""
    packages = ",".join((*guest.packages, f"linux-image-cloud-{guest.arch}{origin}"))
    paths = [*(f"--dpkgopt=path-exclude={path}" for path in _EXCLUDED),
             *(f"--dpkgopt=path-include={path}" for path in _INCLUDED)]
    return ["mmdebstrap", "--mode=root", f"--variant={variant}", "--format=null",
            f"--include={packages}", '--aptopt=Acquire::Retries "5"', *paths, *options, *made,
            f"--{last_hook}-hook={_PACK}", guest.suite, "/dev/null", *_sources(guest)]


def _script(guest):
    return Path(__file__).with_name(guest.made)


def kernel_package():
    """Where the package of another distribution's kernel is: None when nobody has said."""
    path = os.environ.get("VM_KERNEL_DEB")
    return Path(path) if path else None


def _take_kernel(kernel, directory):
    """Puts KERNEL in the place of the distribution's. Raises OSError."""
    package = kernel_package()
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    if digest != kernel.sha256:
        raise OSError(f"{package} has the SHA-256 digest {digest}; {kernel.package} has "
                      f"{kernel.sha256}")
    files = subprocess.run(["dpkg-deb", "--fsys-tarfile", package], check=True,
                           stdout=subprocess.PIPE, timeout=60).stdout
    with tarfile.open(fileobj=io.BytesIO(files)) as archive:
        vmlinuz, = (member for member in archive if member.name.startswith("./boot/vmlinuz-"))
        (directory / "vmlinuz").write_bytes(archive.extractfile(vmlinuz).read())


def _digest(guest):
    """What the distribution's part is made from, in short."""
    # Where the repository is makes no difference.
    command = [word.replace(f"{_PACK.parent}/", "") for word in _command(guest)]
    made_from = "\n".join((*command, *guest.keeps, _PACK.read_text(), str(guest.kernel or ""),
                           _script(guest).read_text() if guest.made else ""))
    return hashlib.sha256(made_from.encode()).hexdigest()[:DIGEST_LENGTH]


def _make(guest, kept):
    """Makes the directory KEPT."""
    for outdated in kept.parent.glob(guest.name + "-" + "[0-9a-f]" * DIGEST_LENGTH):
        shutil.rmtree(outdated)
    making = kept.with_name(guest.name + ".making")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    environment = {**os.environ, "OUT": str(making.resolve()), "KEEP": " ".join(guest.keeps)}
    subprocess.run(_command(guest), env=environment, check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                   text=True, errors="backslashreplace", timeout=BUILD_LIMIT_S)
    if guest.kernel:
        _take_kernel(guest.kernel, making)
    making.rename(kept)


def base(guest, cache):
    """Returns the directory, below CACHE, of the distribution's part of GUEST: `vmlinuz` and
    `root.cpio`. It is made if it is not there; subprocess.SubprocessError or OSError tells why it
    could not be."""
    cache.mkdir(parents=True, exist_ok=True)
    kept = cache / f"{guest.name}-{_digest(guest)}"
    with open(cache / (guest.name + ".lock"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # a second run waits, and then has it too
        if not kept.exists():
            _make(guest, kept)
    return kept


def _carried(tlsfail):
    """The files that go into the guest, relative to the repository."""
    files = sorted(path.relative_to(REPOSITORY) for pattern in CARRIED
                   for path in REPOSITORY.glob(pattern))
    return [*files, tlsfail.resolve().relative_to(REPOSITORY)]


def _pack_files(top, files, out):
    """Writes FILES, relative to the directory TOP, to OUT as an archive, each after its
    directories."""
    paths = {}
    for path in files:
        for parent in reversed(path.parents[:-1]):
            paths[parent] = None
        paths[path] = None
    names = b"".join(os.fsencode(path) + b"\0" for path in paths)
    subprocess.run(["cpio", "--quiet", "--null", "-o", "-H", "newc"], cwd=top, input=names,
                   stdout=out, check=True, timeout=60)


def assemble(base_directory, tlsfail, made, initrd):
    """Writes to INITRD the root file system of BASE_DIRECTORY with TLSFAIL and the tests in it, and
    certificates, which are made in the directory MADE. The kernel unpacks archives that stand one
    behind the other."""
    pki.make(made / PKI)
    shutil.copyfile(base_directory / "root.cpio", initrd)
    with open(initrd, "ab") as out:
        _pack_files(REPOSITORY, _carried(tlsfail), out)
        _pack_files(made, sorted(path.relative_to(made) for path in (made / PKI).iterdir()), out)
