#!/usr/bin/env python3
"""Every format, of programs that give their things names to be afraid of: valid by its schema, and data."""

import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox
from cases import PATIENCE, expect, expect_equal, run_cases, wait_for
from machine import Machine
from schemas import check_json, check_junit
from tool import Tool

BUILD = sandbox.enter()
TOOL = Tool(BUILD)
MACHINE = Machine()
SCHEMA = os.path.abspath(os.path.join(HERE, os.pardir, os.pardir, "reporter", "schema", "leftover.report.schema.json"))
DOCS = os.path.join(HERE, os.pardir, os.pardir, "docs")
FORMATS = ("text", "json", "sarif", "junit", "markdown", "gitlab", "ndjson", "folded")

# Markup of HTML, XML and Markdown, a link of SARIF, terminal escapes, line ends, text direction, what is no
# UTF-8, and what parts columns elsewhere.
NASTY = [b"<script>alert(1)<", b"]]>&amp;\"'", b"| [x](javascript:1) `*_ |", b"\x1b[31m\x1b]0;t\x07", b"a\nb;c 1",
         b"\xff\xfe\xc3(", "\u202e\u009b31m".encode(), "\ufffe\uffff".encode(), b"@user #1 {x} $(id) %s"]

PROGRAM = """
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def make(name):
    made = libc.shm_open(name, os.O_CREAT | os.O_RDWR, 0o600)
    if made < 0:
        raise OSError(ctypes.get_errno(), name)
    os.close(made)
def main():
    for name in %r:
        make(b"/" + name)
main()
"""


def call(*words, **how):
    how.setdefault("timeout", PATIENCE * 2)
    return subprocess.run([TOOL.path, *map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, check=False, **how)


def report_files():
    """A report of the nasty program in every format, by one run; made once for all cases."""
    folder = os.path.join(os.path.dirname(os.getcwd()), "reports")
    if not os.path.isdir(folder):
        os.makedirs(folder)
        with open(os.path.join(folder, "<job>&.py"), "w", encoding="utf-8") as file:
            file.write(PROGRAM % NASTY)
        outputs = [word for name in FORMATS for word in ("-o", f"{name}:report.{name}")]
        done = TOOL.run(*outputs, "--label", "job=<b>\x1b[1m", "--label", "test=a<b>", "--", sys.executable, "<job>&.py",
                        cwd=folder)
        MACHINE.clear()
        expect_equal((done.returncode, done.stderr), (0, ""), "run")
    return {name: os.path.join(folder, f"report.{name}") for name in FORMATS}


def read(path):
    with open(path, "rb") as file:
        return file.read().decode("utf-8")  # which must be UTF-8


def test_nothing_steers_a_terminal():
    for name, path in report_files().items():
        text = read(path)
        bad = {c for c in text if (ord(c) < 0x20 and c != "\n") or 0x7f <= ord(c) < 0xa0 or c in "\u202e\u2028\u2066"}
        expect_equal(bad, set(), f"controls in {name}")
        expect("script" in text or name == "folded", f"the names are in {name}")


def test_the_same_of_a_report_read_again():
    files = report_files()
    folder = os.path.dirname(files["json"])
    for name in FORMATS:
        again = call("report", "--notes", "--format", name, files["json"], cwd=folder).stdout.decode()
        with open(name, "w", encoding="utf-8") as file:
            file.write(again)
        differing = subprocess.run(["diff", files[name], name], capture_output=True, text=True, check=False).stdout
        expect(differing == "", f"{name} of the JSON report", differing[:2000])


def test_sarif():
    log = json.loads(read(report_files()["sarif"]))
    check_json(log, "sarif-2.1.0-rtm.5.json")
    run, = log["runs"]
    expect_equal([result["ruleId"] for result in run["results"]], ["shared_memory"] * len(run["results"]), "rules")
    for result in run["results"]:
        expect(re.match("^v1:[0-9a-f]{16}$", result["partialFingerprints"]["leftover/v1"]), "fingerprint")
        place = result["locations"][0]["physicalLocation"]
        expect_equal(place["artifactLocation"]["uri"], "%3Cjob%3E%26.py", "the file, as a URI")
        expect_equal(place["region"]["startLine"], 5, "the line")
        expect("baselineState" not in result and "suppressions" not in result, "nothing of either was asked")
        expect("](" not in result["message"]["text"].replace("\\]", ""), "no link", result["message"]["text"])
        frames = result["stacks"][0]["frames"]
        functions = [frame["location"]["logicalLocations"][0]["fullyQualifiedName"] for frame in frames]
        expect("shm_open" == functions[0] and functions[-3:] == ["make", "main", "<module>"], "stack", functions)


def test_sarif_with_policy():
    files = report_files()
    with open("x.supp", "w", encoding="utf-8") as file:
        file.write('shared_memory:*<script* reason="<known>"\n')
    subprocess.run([TOOL.path, "baseline", files["json"], "-o", "all"], check=True)
    with open("all", encoding="utf-8") as file:
        lines = [line for line in file if "javascript" in line]
    with open("b", "w", encoding="utf-8") as file:
        file.writelines(lines)
    expect_equal(len(lines), 1, "one in the baseline")
    done = call("report", "--suppressions", "x.supp", "--baseline", "b", "--format", "sarif", files["json"])
    log = json.loads(done.stdout)
    check_json(log, "sarif-2.1.0-rtm.5.json")
    states = [(result["baselineState"], result.get("suppressions")) for result in log["runs"][0]["results"]]
    expect_equal(states.count(("unchanged", None)), 1, "unchanged")
    expect_equal(states.count(("new", [{"kind": "external", "justification": "<known>"}])), 1, "suppressed")
    expect(states.count(("new", None)) >= 5, "the others are new", states)


def test_junit():
    path = report_files()["junit"]
    check_junit(path)
    suites = xml.parse(path).getroot()
    expect_equal((suites.get("tests"), suites.get("failures")), ("1", "1"), "counts")
    case = suites.find("testsuite/testcase")
    expect_equal(case.get("name"), "a<b>", "named by its label")
    expect("<script>alert" in case.find("failure").text, "names", case.find("failure").text)
    expect(f"{len(NASTY)} shared memory objects" in case.find("failure").get("message"), "message")


def test_gitlab():
    issues = json.loads(read(report_files()["gitlab"]))
    check_json(issues, "gitlab.schema.json")
    prints = [issue["fingerprint"] for issue in issues]
    expect_equal(len(prints), len(set(prints)), "unique fingerprints")
    expect_equal({issue["location"]["path"] for issue in issues}, {"<job>&.py"}, "paths")


def test_markdown():
    text = read(report_files()["markdown"])
    expect(text.startswith(f"## leftover: {len(NASTY)} things left over\n"), "headline", text)
    bare = re.sub(r"</?(code|details|summary|pre)>", "", text)
    expect("<" not in bare and "`*" not in bare and "](" not in bare, "no markup of theirs", bare)
    for line in text.splitlines():
        if line.startswith("|"):
            expect_equal(line.count("|"), 6, f"columns of {line!r}")


def test_ndjson():
    lines = read(report_files()["ndjson"]).splitlines()
    expect_equal(len(lines), len(NASTY), "one leak a line")
    columns = None
    for line in lines:
        leak = json.loads(line)
        columns = columns or list(leak)
        expect_equal(list(leak), columns, "the same columns in each line")
        expect(not any(isinstance(value, (dict, list)) for value in leak.values()), "flat", leak)
        expect_equal((leak["function"], leak["line"]), ("make", 5), "place")
        expect("\nmain at " in leak["stack"] and "<job>&.py:11\n" in leak["stack"], "stack as text", leak["stack"])
    expect_equal(columns[:6], ["session", "fingerprint", "kind", "severity", "status", "name"], "columns")


def test_folded():
    lines = read(report_files()["folded"]).splitlines()
    expect_equal(sum(int(line.rpartition(" ")[2]) for line in lines), len(NASTY), "all are counted")
    expect(lines[0].startswith("<job>&.py:<module>;<job>&.py:main;<job>&.py:make;"), "outermost first", lines[0])
    expect(re.search(r";shm_open;\[shared_memory\] \d+$", lines[0]), "innermost last", lines[0])


def test_json():
    check_json(json.loads(read(report_files()["json"])), SCHEMA)


def sql_of(language, name="database.md"):
    with open(os.path.join(DOCS, name), encoding="utf-8") as file:
        return re.findall(rf"```{language}\n(.*?)```", file.read(), re.S)


def questions():
    found = sql_of("sql", os.path.join(os.pardir, "README.md"))
    expect_equal(len(found), 5, "five questions")
    return "".join(found)


def check_answers(answers):
    expect("shared_memory" in answers and "make at" in answers and "100" in answers, "answers", answers)
    expect(answers.count("<job>&.py:5") >= len(NASTY), "each place", answers)


def test_sqlite():
    if shutil.which("sqlite3") is None:
        print("  no sqlite3 here")
        return
    shutil.copy(report_files()["ndjson"], "leaks.ndjson")
    load, = sql_of("sqlite")
    done = subprocess.run(["sqlite3", "-bail", "leaks.db"], input=load + "SELECT count(*) FROM leaks;\n.mode list\n" + questions(),
                          capture_output=True, text=True, check=False)
    expect_equal((done.returncode, done.stderr), (0, ""), "sqlite3")
    expect_equal(done.stdout.split("\n")[0], str(len(NASTY)), "leaks")
    check_answers(done.stdout)


def test_postgresql():
    programs = sorted(os.path.join(root, "initdb") for root, _, files in os.walk("/usr/lib/postgresql") if "initdb" in files)
    if not programs or not sandbox.has_other_users():
        print("  no PostgreSQL here")
        return
    folder = os.path.dirname(programs[-1])
    shutil.copy(report_files()["ndjson"], "leaks.ndjson")
    here = os.getcwd()
    os.chmod(here, 0o777)
    user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "env", "-i", f"PATH={os.environ['PATH']}",
            "LC_ALL=C.UTF-8", f"HOME={here}"]
    with open("log", "w", encoding="utf-8") as log:
        subprocess.run([*user, os.path.join(folder, "initdb"), "-D", f"{here}/data", "-A", "trust", "-E", "UTF8", "--no-sync"],
                       stdout=log, stderr=log, stdin=subprocess.DEVNULL, check=True)
        server = subprocess.Popen([*user, os.path.join(folder, "postgres"), "-D", f"{here}/data", "-k", here, "-h", "", "-F"],
                                  stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        psql = [*user, os.path.join(folder, "psql"), "-h", here, "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-qAt"]
        try:
            wait_for(lambda: subprocess.run([*psql, "-c", "select 1"], capture_output=True, check=False).returncode == 0,
                     "the server answers")
            load, = sql_of("postgresql")
            done = subprocess.run(psql, input=load + "SELECT count(*) FROM leaks;\n" + questions(), capture_output=True,
                                  text=True, check=False)
        finally:
            server.terminate()
            server.wait()
    expect_equal((done.returncode, done.stderr), (0, ""), "psql")
    expect_equal(done.stdout.split("\n")[0], str(len(NASTY)), "leaks")
    check_answers(done.stdout)


run_cases(globals())
