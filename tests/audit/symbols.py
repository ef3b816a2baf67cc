#!/usr/bin/env python3
"""What the shim exports and needs, and whether each twin of a hooked call is hooked or skipped on purpose."""

import glob
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
from cases import Failure, expect, expect_equal

ROOT = os.path.abspath(os.path.join(HERE, os.pardir, os.pardir))
SHIM = os.path.join(os.path.abspath(sys.argv[1]), "libleftover.so")
HOOKS = os.path.join(ROOT, "preload", "hooks")
SKIPPED = os.path.join(HERE, "skipped.txt")
MACHINE = os.uname().machine


def output(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def exports(library):
    """Functions that programs can link to: not those for glibc's own libraries."""
    lines = [line for line in output("nm", "-D", "--defined-only", library).splitlines() if "GLIBC_PRIVATE" not in line]
    return {line.split()[-1].split("@")[0] for line in lines if line.split()[-2] in "TWiV"}


def without_comments(text):
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    return re.sub(r"//.*", "", text)


def hooked_in(text):
    """The names of HOOK and HOOK_VERSION blocks, those made by a macro `..._HOOK(NAME)` of its own, too."""
    text = without_comments(text)
    makers = set(re.findall(r"#define\s+(\w+_HOOK)\(NAME", text))
    names = set(re.findall(r"^\s*HOOK(?:_VERSION)?\([^,()]+(?:\([^()]*\))?[^,()]*,\s*(\w+)\s*,", text, re.MULTILINE))
    for maker in makers:
        names |= set(re.findall(rf"^\s*{maker}\((\w+)\b", text, re.MULTILINE))
    return names - {"NAME"}


def registry():
    names = set()
    for source in glob.glob(os.path.join(HOOKS, "*.cpp")):
        with open(source, encoding="utf-8") as file:
            names |= hooked_in(file.read())
    for source in glob.glob(os.path.join(HOOKS, "*.S")):
        if not source.endswith(f"_{MACHINE}.S"):
            continue
        with open(source, encoding="utf-8") as file:
            for line in re.findall(r"^\s*\.globa?l\s+(.+)$", without_comments(file.read()), re.MULTILINE):
                names |= set(re.split(r"[,\s]+", line.strip()))
    return names


def skipped():
    reasons = {}
    with open(SKIPPED, encoding="utf-8") as file:
        for line in file:
            line = line.partition("#")[0].strip()
            if line:
                name, _, reason = line.partition(":")
                expect(reason.strip(), f"skipped.txt says why: {line}")
                reasons[name.strip()] = reason.strip()
    return reasons


def libc():
    """The C library that the shim is loaded with."""
    for line in output("ldd", SHIM).splitlines():
        if line.strip().startswith("libc.so.6"):
            return line.split()[2]
    raise Failure("libc.so.6 not found")


def twins_of(name, every):
    """Other names for the same job, among those of the C library."""
    stem = name.lstrip("_")
    stem = re.sub(r"64$", "", stem)
    prefixes = ("", "_", "__", "__x", "__libc_", "_IO_", "__GI_", "__new_", "__old_")
    suffixes = ("", "64", "_chk", "64_chk", "_2", "64_2", "_nocancel", "64_nocancel", "_np", "at64", "_time64", "64_time64")
    return {prefix + stem + suffix for prefix in prefixes for suffix in suffixes} & every - {name}


def test_exports_are_the_hooks():
    seen = {name for name in exports(SHIM) if not name.startswith("leftover_")}
    wanted = registry()
    expect(len(wanted) > 20, "hooks were found in the sources", wanted)
    expect_equal((sorted(seen - wanted), sorted(wanted - seen)), ([], []), "exported without a hook, and the reverse")


def test_no_data_is_exported():
    lines = output("nm", "-D", "--defined-only", SHIM).splitlines()
    # A is a version's name.
    expect_equal([line for line in lines if line.split()[-2] not in "TWiA"], [], "exports that are no functions")


def versions(library):
    """{name: {version: address}} of its functions."""
    found = {}
    for line in output("nm", "-D", "--defined-only", library).splitlines():
        address, kind, symbol = line.split()[:3]
        name, _, version = symbol.partition("@")
        if kind in "TWi" and version.strip("@") != "GLIBC_PRIVATE":
            found.setdefault(name, {})[version.strip("@")] = address
    return found


def test_every_version_that_differs_is_hooked_or_skipped():
    """A hook without a version stands for all, which must be the same then."""
    libcs = versions(libc())
    ours = versions(SHIM)
    missing = []
    for name in registry() & set(libcs):
        different = len(set(libcs[name].values())) > 1
        for version, address in libcs[name].items():
            same = {other for other, its in libcs[name].items() if its == address}
            if not different:
                hooked = "" in ours[name] or version in ours[name]
            else:
                hooked = version in ours[name] and len({ours[name].get(other) for other in same}) == 1
            if not hooked and f"{name}@{version}" not in skipped():
                missing.append(f"{name}@{version}")
    expect(any(len(set(its.values())) > 1 for its in libcs.values()), "the C library's versions were read")
    expect_equal(sorted(missing), [], "versions that are neither hooked nor in tests/audit/skipped.txt")


def test_needs_only_the_c_library():
    needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", output("readelf", "-d", SHIM)))
    loaders = {name for name in needed if name.startswith("ld-linux")}
    expect_equal(sorted(needed - loaders), ["libc.so.6"], "NEEDED")
    dynamic = output("readelf", "-d", SHIM)
    expect("TEXTREL" not in dynamic and "RPATH" not in dynamic and "RUNPATH" not in dynamic, "dynamic section", dynamic)


def test_needs_the_version_that_programs_are_asked_for():
    """A program with a C library before that gets no shim: preload/core/loadable.cpp looks for it."""
    needed = {tuple(map(int, version.split("."))) for version in re.findall(r"GLIBC_([0-9.]+)", output("nm", "-D", "--undefined-only", SHIM))}
    with open(os.path.join(ROOT, "preload/core/loadable.cpp"), encoding="utf-8") as file:
        looked_for = re.search(r'"GLIBC_([0-9.]+)"', file.read()).group(1)
    expect_equal(".".join(map(str, max(needed))), looked_for, "the newest version that is needed")


def test_every_twin_is_hooked_or_skipped():
    every = exports(libc())
    expect({"open64", "sem_open", "fork"} <= every, "the C library's names were read")
    hooks = registry()
    reasons = skipped()
    missing = {twin for name in hooks for twin in twins_of(name, every)} - hooks - set(reasons)
    expect_equal(sorted(missing), [], "twins that are neither hooked nor in tests/audit/skipped.txt")
    expect_equal(sorted(set(reasons) & hooks), [], "hooked, and in skipped.txt")


def test_every_alias_is_hooked_or_skipped():
    """Other names for the very same code, whatever they are like."""
    names = {}
    for line in output("nm", "-D", "--defined-only", libc()).splitlines():
        address, kind, name = line.split()[:3]
        if kind in "TWi" and "GLIBC_PRIVATE" not in name:
            names.setdefault(address, set()).add(name.split("@")[0])
    hooks = registry()
    expect(any(len(same & hooks) > 1 for same in names.values()), "some hooked calls are aliases, open64 of open")
    aliases = {alias for same in names.values() if same & hooks for alias in same - hooks}
    expect_equal(sorted(aliases - set(skipped())), [], "aliases that are neither hooked nor in tests/audit/skipped.txt")


def test_hooks_are_there():
    """A hook of a name that no library has is a typing error."""
    every = exports(libc())
    unknown = {name for name in registry() if name not in every}
    # Names that newer or older C libraries have.
    expect_equal(sorted(unknown - {"execveat", "pthread_clockjoin_np", "_Fork", "forkpty"}), [], "unknown")


failed = 0
for title, function in list(globals().items()):
    if title.startswith("test_"):
        try:
            function()
            print(f"{title}: ok")
        except Failure as failure:
            failed = 1
            print(f"{title}: FAILED: {failure}")
sys.exit(failed)
