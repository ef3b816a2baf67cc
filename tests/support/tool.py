"""The tool under test, as test scripts call it."""

import json
import os
import subprocess
import time

from cases import PATIENCE, wait_for


class Tool:
    def __init__(self, build):
        self.path = os.path.join(build, "leftover")

    def is_sanitized(self):
        """Built with AddressSanitizer, which has needs of its own."""
        with open(self.path, "rb") as binary:
            return b"__asan_init" in binary.read()

    def words(self, *options):
        return [self.path, "run", *map(str, options)]

    def run(self, *options, **how):
        """`leftover run OPTIONS...` to its end, output captured as text."""
        how.setdefault("stdin", subprocess.DEVNULL)
        how.setdefault("capture_output", True)
        how.setdefault("text", True)
        how.setdefault("timeout", PATIENCE * 2)
        return subprocess.run(self.words(*options), check=False, **how)

    def start(self, *options, **how):
        how.setdefault("stdin", subprocess.DEVNULL)
        how.setdefault("stdout", subprocess.PIPE)
        how.setdefault("stderr", subprocess.PIPE)
        how.setdefault("text", True)
        return subprocess.Popen(self.words(*options), **how)

    def report(self, *options, **how):
        """The JSON report of a run, and the run."""
        file = os.path.abspath(f"report-{time.monotonic_ns()}.json")
        done = self.run("-o", file, *options, **how)
        with open(file, encoding="utf-8") as text:
            return json.load(text), done


def state_of(pid):
    """The state's letter and the parent of a process; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as text:
            fields = text.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return fields[0], int(fields[1])


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="utf-8") as text:
        return [int(word) for word in text.read().split()]


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as text:
            return text.read().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def waits_for_signals(pid):
    """It sleeps in sigtimedwait, with nothing to do."""
    with open(f"/proc/{pid}/wchan", encoding="utf-8") as text:
        return "sigtimedwait" in text.read()


def line_of(file, what):
    """Waits for a file to hold a whole line, and returns it."""
    def look():
        try:
            with open(file, encoding="utf-8") as text:
                content = text.read()
        except FileNotFoundError:
            return None
        return content if content.endswith("\n") else None
    return wait_for(look, what).strip()
