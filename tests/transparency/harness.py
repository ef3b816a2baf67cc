"""Runs other people's programs three ways and compares what comes out, part by part.

    import harness
    harness.enter()

    @harness.subject("redis", needs=["redis-server"])
    def redis(way, parts):
        parts["ping"] = way.run(["redis-server", "--version"]).returncode

    harness.main()

The ways are `plain`, `hand` (LD_PRELOAD and LEFTOVER_OPTIONS set by hand) and `run` (below
`leftover run`). A subject fills `parts`: name of what was tried -> what came of it. Parts that differ
are tried again, a few times each way, before they count: a program that is not sure of its own answer
is called flaky, and nobody is blamed.

A script ends with 0 (the same everywhere), 1 (something differs, or does not work plainly) or 77 (all
of its programs are missing). Arguments: BUILD_DIR [--full] [--show] [NAME...]; without --full only what is
quick is run, and --show prints every part of the plain run. Its rows of the table are kept in BUILD_DIR/transparency/.
"""

import difflib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))

import sandbox
from cases import Failure, wait_for
from machine import Machine, shared_names

WAYS = ("plain", "hand", "run")
TRIES = 4  # further runs of a part that differed, in each of the two ways
SKIPPED = 77

# Where the tool is inside the sandbox: readable for every user, whatever the checkout is.
TOOL = "/tmp/tool"


class Skip(Exception):
    """Raised by a subject for what this machine cannot do."""


class State:
    build = None
    full = False
    machine = None
    subjects = []


def enter():
    """A machine of its own, with its own network (only lo) and an empty /run."""
    State.build = sandbox.enter()
    State.full = "--full" in sys.argv[2:]
    # Apache, for one, ends its whole process group: not the caller's shell with it.
    os.setsid()
    os.makedirs(TOOL, mode=0o755)
    os.chmod("/tmp/work", 0o755)
    for file in ("leftover", "libleftover.so"):
        shutil.copy(os.path.join(State.build, file), TOOL)
    sandbox.own_network()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"], check=False, capture_output=True)
    os.environ.update(HOME="/tmp/work", LC_ALL="C.UTF-8", TZ="UTC")
    State.machine = Machine()


def full():
    """Whether time does not matter."""
    return State.full


class Way:
    """How a program is started, and where the reports of it go."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = folder
        self.started = 0
        self.may_be_incomplete = False  # there was no room for the records

    @property
    def watched(self):
        return self.name != "plain"

    def words(self, words, tool=TOOL):
        if self.name != "run":
            return list(words)
        self.started += 1
        report = os.path.join(self.folder, f"run-{self.started}.json")
        return [os.path.join(tool, "leftover"), "run", "-o", report, "--", *words]

    def environment(self, base=None, tool=TOOL):
        result = dict(os.environ if base is None else base)
        if self.name == "hand":
            preloads = [os.path.join(tool, "libleftover.so"), result.get("LD_PRELOAD", "")]
            result["LD_PRELOAD"] = " ".join(filter(None, preloads))
            result["LEFTOVER_OPTIONS"] = f"report={self.folder}/hand-%p.json"
        return result

    def _how(self, how):
        tool = how.pop("tool", TOOL)
        how["env"] = self.environment(how.pop("env", None), tool)
        how.setdefault("stdin", subprocess.DEVNULL)
        how.setdefault("stdout", subprocess.PIPE)
        how.setdefault("stderr", subprocess.PIPE)
        how.setdefault("text", True)
        how.setdefault("errors", "replace")
        how.setdefault("start_new_session", True)
        return tool

    def run(self, words, timeout=120, **how):
        """To its end. A program that hangs is the caller's subprocess.TimeoutExpired."""
        tool = self._how(how)
        return subprocess.run(self.words(words, tool), timeout=timeout, check=False, **how)

    def start(self, words, **how):
        """A server: its output goes to files in the working folder, for nobody reads along."""
        how.setdefault("stdout", open("stdout", "a", encoding="utf-8"))
        how.setdefault("stderr", open("stderr", "a", encoding="utf-8"))
        tool = self._how(how)
        return subprocess.Popen(self.words(words, tool), **how)

    def reports(self):
        found = []
        for name in sorted(os.listdir(self.folder)):
            with open(os.path.join(self.folder, name), encoding="utf-8") as text:
                found.append(json.load(text))
        return found

    def leaks(self, *kinds):
        """The kinds of what was reported as left over, sorted; of these kinds if any are named."""
        return sorted({leak["kind"] for report in self.reports() for leak in report["leaks"]
                       if not kinds or leak["kind"] in kinds})


def plainly(words, timeout=60, **how):
    """Runs what only prepares or asks, by itself in every way."""
    how.setdefault("stdin", subprocess.DEVNULL)
    how.setdefault("capture_output", True)
    how.setdefault("text", True)
    how.setdefault("errors", "replace")
    return subprocess.run(words, timeout=timeout, check=False, **how)


def prepared(words, **how):
    """`plainly`, and it has to work."""
    done = plainly(words, **how)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, words))}: {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    return os.path.abspath(path)


def seen(done, *normalisers):
    """Status, output and errors of a run as one part."""
    out, err = done.stdout, done.stderr
    for normal in normalisers:
        out, err = normal(out), normal(err)
    return f"status {done.returncode}\n--- output\n{out}\n--- errors\n{err}"


class Subject:
    """A program. `run` fills parts; `again` tries some of them once more."""

    def __init__(self, name, function, needs=(), quick=True):
        self.name = name
        self.function = function
        self.needs = needs
        self.quick = quick

    def missing(self):
        return [need for need in self.needs
                if not (os.path.exists(need) if need.startswith("/") else shutil.which(need, path=PATH))]

    def run(self, way, parts):
        self.function(way, parts)

    def again(self, way, parts, names):  # pylint: disable=unused-argument
        self.function(way, parts)


PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def subject(name, needs=(), quick=True):
    def add(function):
        State.subjects.append(Subject(name, function, needs, quick))
        return function
    return add


def add(one):
    State.subjects.append(one)


def _once(one, way_name, names=None):
    """The parts of one run in a folder of its own, the seconds it took, and the way."""
    top = "/tmp/work/" + re.sub(r"[^\w.-]", "-", one.name)
    # The same path each time: programs print where they are.
    shutil.rmtree(top, ignore_errors=True)
    reports = f"/tmp/reports/{way_name}"
    shutil.rmtree(reports, ignore_errors=True)
    os.makedirs(reports)
    os.chmod("/tmp/reports", 0o755)
    os.chmod(reports, 0o1777)
    os.makedirs(top)
    os.chmod(top, 0o1777)
    os.chdir(top)
    way = Way(way_name, reports)
    parts = {}
    begin = time.monotonic()
    try:
        if names is None:
            one.run(way, parts)
        else:
            one.again(way, parts, names)
    except Skip:
        raise
    except subprocess.TimeoutExpired as hang:
        parts["in time"] = f"no: {hang}"
    except Failure as failure:
        parts["to its end"] = f"no: {failure}"
    except Exception:  # pylint: disable=broad-except
        parts["to its end"] = "no: " + traceback.format_exc()
    finally:
        seconds = time.monotonic() - begin
        os.chdir("/tmp/work")
    parts["left on the machine"] = _left()
    _check_reports(way, parts)
    State.machine.clear()
    return parts, seconds


def _left():
    """What does not go away by itself within a moment."""
    try:
        wait_for(lambda: not State.machine.new_processes() and not shared_names(), "all gone", seconds=3)
    except Failure:
        pass
    return f"{len(State.machine.new_processes())} processes, {len(shared_names())} names in /dev/shm"


def _check_reports(way, parts):
    """A report that cannot be read, or a session that lost something, differs from all is well."""
    verdict = "readable"
    try:
        for report in way.reports():
            if not report["session"]["complete"] and not way.may_be_incomplete:
                verdict = f"not complete: {' '.join(report['session']['command'])}"
    except (OSError, ValueError, KeyError) as trouble:
        verdict = f"unreadable: {trouble}"
    parts["reports"] = verdict
    for name, value in parts.items():
        parts[name] = str(value)


def _different(first, second):
    names = [name for name in {**first, **second} if first.get(name) != second.get(name)]
    # A suite's status follows from its tests.
    return [name for name in names if name != "exit"] or names


def _retry(one, way_name, names, plain, other):
    """{name: "flaky" or what was seen} of parts that differed."""
    history = {name: ({plain.get(name)}, [other.get(name)]) for name in names}

    def look(again):
        for _ in range(TRIES):
            first, _ = _once(one, "plain", again)
            second, _ = _once(one, way_name, again)
            for name in names:
                history[name][0].add(first.get(name))
                history[name][1].append(second.get(name))

    def strange(name):
        answers, others = history[name]
        return sum(other not in answers for other in others)

    look(names)
    if not any(strange(name) > 1 for name in names):
        # Alone it is as it should be: is it the company?
        first, _ = _once(one, "plain")
        second, _ = _once(one, way_name)
        for name in names:
            history[name][0].add(first.get(name))
            history[name][1].append(second.get(name))
    result = {}
    for name in names:
        answers, others = history[name]
        # Once is chance; twice something that never happens plainly is not.
        if strange(name) > 1:
            wrong = [other for other in others if other not in answers]
            result[name] = f"{len(wrong)} of {len(others)} times {_apart(wrong[0], answers)}"
        else:
            result[name] = "flaky"
    return result


def _short(text, limit=1500):
    text = str(text)
    return text if len(text) <= limit else text[:limit // 2] + " [...] " + text[-limit // 2:]


def _apart(wrong, answers):
    """What was seen and what is plainly; of long texts the lines that differ."""
    lines = str(wrong).splitlines()
    if len(lines) < 12:
        return f"{_short(wrong)}, plainly {' or '.join(map(_short, answers))}"
    plain = max(answers, key=lambda answer: difflib.SequenceMatcher(None, lines, str(answer).splitlines()).ratio())
    return _short("other lines than plainly (-):\n" + "\n".join(
        difflib.unified_diff(str(plain).splitlines(), lines, lineterm="", n=1)), 3000)


def _verdict(parts):
    counted = {}
    for name, value in parts.items():
        if name in ("exit", "reports", "left on the machine"):
            continue
        word = value if value in ("ok", "skipped", "failure", "error") else "same kind"
        counted[word] = counted.get(word, 0) + 1
    if set(counted) == {"same kind"}:
        return f"{counted['same kind']} parts"
    return ", ".join(f"{count} {word}" for word, count in sorted(counted.items(), key=lambda pair: -pair[1]))


def _compare(one):
    """The row of one subject."""
    row = {"program": one.name, "plain": "", "hand": "", "run": "", "seconds": [], "same": True, "differences": [], "flaky": []}
    plain, seconds = _once(one, "plain")
    row["seconds"].append(round(seconds, 1))
    row["plain"] = _verdict(plain)
    if "--show" in sys.argv[2:]:
        for name, value in plain.items():
            print(f"  {name}: {_short(value)}")
    for trouble in ("in time", "to its end"):
        if trouble in plain:
            # A run that fails by itself shows nothing about leftover.
            row.update(same=False, plain="does not work")
            row["differences"].append(f"plain: {trouble}: {_short(plain[trouble])}")
            return row
    for way_name in ("hand", "run"):
        other, seconds = _once(one, way_name)
        row["seconds"].append(round(seconds, 1))
        names = _different(plain, other)
        if "--show" in sys.argv[2:]:
            for name in names:
                print(f"  {way_name}, at first: {name}: {_apart(other.get(name), {plain.get(name)})}", flush=True)
        verdicts = _retry(one, way_name, names, plain, other) if names else {}
        bad = {name: text for name, text in verdicts.items() if text != "flaky"}
        row["flaky"] += sorted(name for name in verdicts if name not in bad)
        row["differences"] += [f"{way_name}: {name}: {text}" for name, text in bad.items()]
        row[way_name] = f"{len(bad)} differ" if bad else "same"
        row["same"] = row["same"] and not bad
    return row


def lines_of(rows):
    """The table as text."""
    table = [("program", "plain", "by hand", "under run", "same?", "seconds")]
    for row in rows:
        same = "same" if row["same"] else "DIFFERS"
        if row.get("skipped"):
            table.append((row["program"], f"not run: {row['skipped']}", "", "", "", ""))
            continue
        if row["flaky"]:
            same += f" ({len(row['flaky'])} flaky)"
        table.append((row["program"], row["plain"], row["hand"], row["run"], same,
                      " ".join(f"{seconds:.1f}" for seconds in row["seconds"])))
    widths = [max(len(line[column]) for line in table) for column in range(6)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in table]
    for row in rows:
        lines += [f"  {row['program']}: {difference}" for difference in row["differences"]]
        if row["flaky"]:
            lines.append(f"  {row['program']}: flaky by itself: {', '.join(row['flaky'])}")
    return lines


def main():
    """Runs the subjects and ends the script."""
    # Background noise of a shell would be taken for the programs'.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    wanted = [word for word in sys.argv[2:] if not word.startswith("--")]
    rows = []
    for one in State.subjects:
        if (wanted and one.name not in wanted) or not (State.full or one.quick or wanted):
            continue
        missing = one.missing()
        try:
            if missing:
                raise Skip(f"no {', '.join(missing)} here")
            row = _compare(one)
        except Skip as reason:
            State.machine.clear()
            row = {"program": one.name, "skipped": str(reason), "same": True, "differences": [], "flaky": [], "seconds": []}
        rows.append(row)
        print("\n".join(lines_of([row])[1:]), flush=True)
    folder = os.path.join(State.build, "transparency")
    os.makedirs(folder, exist_ok=True)
    name = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    with open(os.path.join(folder, name + ".json"), "w", encoding="utf-8") as file:
        json.dump(rows, file, indent=1)
    if any(not row["same"] for row in rows):
        sys.exit(1)
    sys.exit(SKIPPED if all(row.get("skipped") for row in rows) else 0)
