#!/usr/bin/env python3
"""What hangs on what, in every format, of programs whose names are to be afraid of."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import browser
import sandbox
from cases import PATIENCE, expect, expect_equal, run_cases
from schemas import check_json, check_junit
from tool import Tool

TOOL = Tool(sandbox.enter())
SCHEMA = os.path.abspath(os.path.join(HERE, os.pardir, os.pardir, "reporter", "schema", "leftover.report.schema.json"))

# The first thread joins another one, which has a name to be afraid of and sleeps.
PROGRAM = """
import ctypes, threading, time
def sleeper():
    ctypes.CDLL(None).prctl(15, b"<b>|]&\\x1b[1m`*")
    time.sleep(1000)
def stuck():
    thread = threading.Thread(target=sleeper)
    thread.start()
    thread.join()
stuck()
"""
NASTY = ("<script>alert(1)</script>", "](javascript:1)", "a|b`*_", "\x1b[31m", "]]>&amp;\u202e")
FORMATS = ("text", "json", "html", "sarif", "junit", "markdown", "gitlab", "ndjson", "folded")


def hanging(folder, session, lines=""):
    """The reports, in every format, of a session that timed out."""
    os.makedirs(folder)
    with open(os.path.join(folder, "<job>&.py"), "w", encoding="utf-8") as file:
        file.write(lines + PROGRAM)
    outputs = [word for name in FORMATS for word in ("-o", f"{name}:report.{name}")]
    done = TOOL.run("--timeout", "1.5", "--kill-after", "1", "--session", session, "--label", f"test={session}", *outputs,
                    "--", sys.executable, "<job>&.py", *NASTY, cwd=folder, timeout=PATIENCE * 2)
    expect_equal(done.returncode, 124, f"timed out, {done.stderr}")
    return {name: os.path.join(folder, f"report.{name}") for name in FORMATS}


def report_files():
    """Made once for all cases."""
    folder = os.path.join(os.path.dirname(os.getcwd()), "reports")
    if os.path.isdir(folder):
        return {name: os.path.join(folder, f"report.{name}") for name in FORMATS}
    return hanging(folder, "one")


def read(path):
    with open(path, "rb") as file:
        return file.read().decode("utf-8")


def report(name, *paths):
    done = subprocess.run([TOOL.path, "report", "--format", name, *paths], capture_output=True, text=True, check=False,
                          timeout=PATIENCE * 2)
    expect_equal((done.returncode, done.stderr), (0, ""), f"{name} of {paths}")
    return done.stdout


def expect_story(text, what):
    """That it is said what hangs on what."""
    plain = " ".join(text.split())
    expect(re.search(r"waits in stuck, line \d+ of <job>&.py, for its thread \d+ .*which sleeps in sleeper, line \d+", plain),
           f"{what}: who waits for whom", text[:3000])


def test_nothing_steers_a_terminal():
    for name, path in report_files().items():
        if name == "html":
            continue  # the script's own text; see below
        bad = {c for c in read(path) if (ord(c) < 0x20 and c != "\n") or 0x7f <= ord(c) < 0xa0 or c in "\u202e\u2028"}
        expect_equal(bad, set(), f"controls in {name}")


def test_text_and_json():
    expect_story(read(report_files()["text"]), "text")
    document = json.loads(read(report_files()["json"]))
    check_json(document, SCHEMA)
    expect_equal(document["session"]["timed_out"], True, "timed out")


def test_sarif():
    log = json.loads(read(report_files()["sarif"]))
    check_json(log, "sarif-2.1.0-rtm.5.json")
    run, = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    hang, = (result for result in run["results"] if result["ruleId"] == "hang")
    expect_equal((rules[hang["ruleIndex"]], hang["level"], hang["kind"]), ("hang", "error", "fail"), "rule")
    expect_story(hang["message"]["text"].replace("\\", ""), "message")
    expect("](" not in hang["message"]["text"].replace("\\]", ""), "no link", hang["message"]["text"])
    place = hang["locations"][0]
    expect_equal((place["physicalLocation"]["artifactLocation"]["uri"], place["physicalLocation"]["region"]["startLine"],
                  place["logicalLocations"][0]["fullyQualifiedName"]), ("%3Cjob%3E%26.py", 9, "stuck"), "where")
    expect(re.match("^v1:[0-9a-f]{16}$", hang["partialFingerprints"]["leftover/v1"]), "fingerprint")
    expect_equal(len(hang["stacks"]), 2, "a stack a thread")
    functions = [[frame["location"]["logicalLocations"][0]["fullyQualifiedName"] for frame in stack["frames"]]
                 for stack in hang["stacks"]]
    expect("stuck" in functions[0] and "sleeper" in functions[1], "stacks", functions)
    expect(all(frame["threadId"] for stack in hang["stacks"] for frame in stack["frames"]), "thread ids")


def test_junit():
    path = report_files()["junit"]
    check_junit(path)
    suites = xml.parse(path).getroot()
    expect_equal((suites.get("tests"), suites.get("failures")), ("1", "1"), "counts")
    failure = suites.find("testsuite/testcase[@name='one']/failure")
    expect_equal(failure.get("type"), "hang", "type")
    expect(failure.get("message").startswith("timed out: "), "message", failure.get("message"))
    expect_story(failure.get("message"), "message")
    expect_story(failure.text, "text")
    expect("<script>alert(1)" in failure.text and "<b>" in failure.text, "names are text", failure.text)


def test_gitlab():
    issues = json.loads(read(report_files()["gitlab"]))
    check_json(issues, "gitlab.schema.json")
    hang, = (issue for issue in issues if issue["check_name"] == "leftover.hang")
    expect_story(hang["description"], "description")
    expect_equal((hang["severity"], hang["location"]["path"], hang["location"]["lines"]["begin"]),
                 ("critical", "<job>&.py", 9), "issue")


def test_markdown():
    text = read(report_files()["markdown"])
    expect(text.startswith("## leftover: timed out, "), "headline", text)
    bare = re.sub(r"</?(code|details|summary|pre)>", "", text)
    expect("<" not in bare and "`*" not in bare and "](" not in bare, "no markup of theirs", bare)
    chain = next(line for line in text.splitlines() if line.startswith("- "))
    expect_story(re.sub(r"&#(\d+);", lambda match: chr(int(match[1])), chain), "chain")


def test_html():
    if not browser.is_here():
        print("  no chromium here")
        return
    with browser.Browser() as page:
        page.open(report_files()["html"])
        text = page.text("#hangs")
        expect_story(text, "the page")
        expect("timed out" in text and "<script>alert(1)</script>" in text, "headline", text)
        expect_equal(page.count("#hangs .thread"), 2, "threads")
        page.script("document.querySelectorAll('#hangs details').forEach((each) => { each.open = true; })")
        shown = page.text("#hangs .stack")
        expect("stuck" in shown and "thread.join()" in shown, "the stack with its source", shown)
        expect_equal(page.complaints(), [], "nothing went wrong")


def test_merged():
    # The same place twice, on other lines, and a third one that ends in time.
    first = report_files()["json"]
    second = hanging("again", "two", "# a line more\n")["json"]
    done = TOOL.run("-o", "third.json", "--label", "test=three", "true")
    expect_equal(done.returncode, 0, "the third")
    paths = [first, second, "third.json"]
    merged = json.loads(report("json", *paths))
    check_json(merged, SCHEMA)
    expect_equal(sorted({process["session"] for process in merged["hang"]["processes"]}), ["one", "two"], "sessions")
    with open("merged.json", "w", encoding="utf-8") as file:
        json.dump(merged, file)
    for source in (paths, ["merged.json"]):
        with open("merged.xml", "w", encoding="utf-8") as file:
            file.write(report("junit", *source))
        check_junit("merged.xml")
        cases = {case.get("name"): case.find("failure") for case in xml.parse("merged.xml").getroot().iter("testcase")}
        expect_equal(sorted(cases), ["one", "three", "two"], "cases")
        expect(cases["three"] is None, "the third passes")
        expect("line 9 of" in cases["one"].text and "line 10 of" in cases["two"].text, "each its own", cases["two"].text)
        issue, = (each for each in json.loads(report("gitlab", *source)) if each["check_name"] == "leftover.hang")
        expect(issue["description"].startswith("Timed out in 2 sessions: "), "one issue", issue["description"])
        result, = (each for each in json.loads(report("sarif", *source))["runs"][0]["results"] if each["ruleId"] == "hang")
        expect_equal(result["occurrenceCount"], 2, "one result")
        markdown = report("markdown", *source)
        expect(markdown.startswith("## leftover: 2 timed out, ") and "\n2 sessions wait at this place.\n" in markdown, "markdown", markdown)
        expect_equal(report("text", *source).count(" timed out, and was ended after "), 2, "text")


run_cases(globals())
