"""What the tests of preloading by hand have in common."""

import glob
import json
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))

import sandbox
from cases import PATIENCE, expect, expect_equal

SOURCES = os.path.join(HERE, os.pardir, "programs", "hand")
SCHEMA = os.path.join(HERE, os.pardir, os.pardir, "reporter", "schema", "leftover.report.schema.json")

BUILD = sandbox.enter()
SHIM = os.path.join(BUILD, "libleftover.so")
BIN = os.path.join(os.getcwd(), "bin")
STATE = f"/tmp/leftover-{os.geteuid()}"


def compiled(name):
    """The program of that source, compiled once."""
    program = os.path.join(BIN, name)
    if not os.path.exists(program):
        os.makedirs(BIN, exist_ok=True)
        subprocess.run(["gcc", "-O1", "-g", "-o", program, os.path.join(SOURCES, name + ".c"), "-pthread"],
                       check=True)
    return program


def environment(options=None, **more):
    """With the shim preloaded; `options` is LEFTOVER_OPTIONS."""
    result = dict(os.environ, LD_PRELOAD=SHIM, **more)
    if options is not None:
        result["LEFTOVER_OPTIONS"] = options
    return result


def run(words, options=None, shim=True, **how):
    """Runs to the end, output captured as text; without the shim for comparison."""
    how.setdefault("env", environment(options) if shim else None)
    how.setdefault("stdin", subprocess.DEVNULL)
    how.setdefault("capture_output", True)
    how.setdefault("text", True)
    how.setdefault("timeout", PATIENCE * 2)
    return subprocess.run(words, check=False, **how)


def start(words, options=None, **how):
    how.setdefault("env", environment(options))
    how.setdefault("stdin", subprocess.DEVNULL)
    how.setdefault("stdout", subprocess.PIPE)
    how.setdefault("stderr", subprocess.PIPE)
    how.setdefault("text", True)
    return subprocess.Popen(words, **how)


def read_report(file):
    """A report, checked: against the schema, and its summary against its leaks."""
    with open(file, encoding="utf-8") as text:
        report = json.load(text)
    check_schema(report)
    summary = report["summary"]
    severities = [leak["severity"] for leak in report["leaks"]]
    expect_equal((summary["errors"], summary["warnings"], summary["notes"]),
                 tuple(severities.count(name) for name in ("error", "warning", "note")), "severities")
    expect_equal(summary["leaks"], summary["errors"] + summary["warnings"], "leaks")
    kinds = [leak["kind"] for leak in report["leaks"]]
    expect_equal(summary["by_kind"], {kind: kinds.count(kind) for kind in kinds}, "by_kind")
    stacks = {stack["id"] for stack in report["stacks"]}
    modules = {module["id"] for module in report["modules"]}
    for leak in report["leaks"]:
        expect(leak["stack"] is None or leak["stack"] in stacks, "its stack is there", leak)
    for stack in report["stacks"]:
        for frame in stack["native"]:
            expect(frame["module"] is None or frame["module"] in modules, "its module is there", frame)
    return report


def check_schema(report):
    try:
        import jsonschema
    except ImportError:
        return
    with open(SCHEMA, encoding="utf-8") as text:
        jsonschema.validate(report, json.load(text))


def reports(pattern="leftover.*.json"):
    return [read_report(file) for file in sorted(glob.glob(pattern))]


def the_report(pattern="leftover.*.json"):
    """The only one there is."""
    found = reports(pattern)
    expect_equal(len(found), 1, f"reports {sorted(glob.glob(pattern))}")
    return found[0]


def leaks_of(report, kind):
    return [leak for leak in report["leaks"] if leak["kind"] == kind]


def names_of(report, kind):
    return sorted(leak["name"] for leak in leaks_of(report, kind))


def sessions():
    """Folders of sessions that still have records."""
    try:
        return os.listdir(STATE)
    except FileNotFoundError:
        return []


def clear_machine():
    """What a case left behind on purpose."""
    for file in glob.glob("/dev/shm/*"):
        os.unlink(file)
    subprocess.run(["rm", "-rf", STATE], check=True)


def end_process(pid):
    """One that the case started, directly or not; it may be gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
