#!/usr/bin/env python3
# ctest: timeout=400 transparency
"""CPython's own test suites: each test's verdict is the same with and without."""

import os
import sys
import xml.etree.ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness

harness.enter()

from pythons import pythons

QUICK = ["test_fork1", "test_wait3", "test_wait4", "test_posix", "test_mmap", "test_tempfile", "test_shutil", "test_os"]
LONG = ["test_subprocess", "test_threading", "test_signal", "test_selectors", "test_socket", "test_sqlite3", "test_ssl",
        "test_concurrent_futures", "test_asyncio", "test_multiprocessing_fork", "test_multiprocessing_spawn",
        "test_multiprocessing_forkserver"]


def python_with(suite):
    """Debian's interpreter, or else another 3.11: Debian leaves SQLite's suite out."""
    for python, version in pythons(since=(3, 11)):
        prefix = os.path.realpath(os.path.join(os.path.dirname(python), os.pardir))
        tests = os.path.join(prefix, f"lib/python{version[0]}.{version[1]}/test")
        if version[:2] == (3, 11) and any(os.path.exists(os.path.join(tests, suite + end)) for end in (".py", "/")):
            return python
    return None


class Suite(harness.Subject):
    """One of regrtest's files."""

    def __init__(self, name, quick):
        super().__init__(name, None, quick=quick)
        self.python = python_with(name)

    def missing(self):
        return [] if self.python else [f"{self.name} (libpython3.11-testsuite)"]

    def run(self, way, parts):
        # Resources it would need a network or hours for stay off, as by default.
        self._regrtest(way, parts, [])

    def again(self, way, parts, names):
        tests = [name for name in names if "." in name]
        self._regrtest(way, parts, [word for name in tests for word in ("-m", name)])

    def _regrtest(self, way, parts, more):
        results = os.path.abspath("results.xml")
        # Debian's VSOCK tests wait for ever where there is no hypervisor to talk to.
        done = way.run([self.python, "-m", "test", "--junit-xml", results, "-i", "*VSOCK*", self.name, *more], timeout=900)
        parts["exit"] = str(done.returncode)
        if not os.path.exists(results):
            parts["results"] = f"none: status {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
            return
        for case in xml.etree.ElementTree.parse(results).iter("testcase"):
            verdict = "ok"
            for child in case:
                if child.tag in ("skipped", "failure", "error"):
                    verdict = child.tag
            parts[case.get("name")] = verdict


for suite in QUICK + LONG:
    harness.add(Suite(suite, suite in QUICK))

harness.main()
