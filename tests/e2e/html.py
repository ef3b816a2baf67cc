#!/usr/bin/env python3
"""The HTML report, opened in a browser: what it shows, by mouse and by keyboard, wide and on a phone."""

# ctest: timeout=600

import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import browser
import sandbox
from cases import expect, expect_equal, run_cases, wait_for
from tool import Tool

TOOL = Tool(sandbox.enter())
PAGE = os.path.join(HERE, os.pardir, os.pardir, "reporter", "html")

if not browser.is_here():
    print("skipped: no chromium and chromedriver here")
    sys.exit(sandbox.SKIPPED)

JOB = """
import multiprocessing, os, signal, sys, time
def make():
    return [multiprocessing.get_context("spawn").Lock() for _ in range(12)]
if __name__ == "__main__":
    locks = make()
    # Their tracker lives on, and keeps them, as long as the worker does.
    worker = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(1000,))
    worker.start()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def leak(number, **changes):
    result = {"kind": "semaphore", "severity": "error", "status": "leaked", "name": f"/object-{number}", "pid": 10,
              "tid": 10, "thread_name": "main", "created_at": "2026-01-02T03:04:05.678901Z", "fingerprint": None,
              "stack": None, "error": None, "details": {"path": f"/dev/shm/sem.object-{number}", "inode": number + 1,
                                                        "bytes": 32}}
    result.update(changes)
    return result


def report(leaks, stacks=(), command=("prog", "x"), processes=None):
    errors = sum(each["severity"] == "error" for each in leaks)
    process = {"pid": 10, "ppid": 1, "started_at": "2026-01-02T03:04:05.000000Z", "ended_at": None,
               "executable": "/bin/prog", "command": list(command), "instrumented": True, "reason": None,
               "exit": {"code": 0}, "counts": {}}
    return {"schema": "leftover.report/1", "tool": {"name": "leftover", "version": "0.1.0"},
            "session": {"id": "s1", "command": list(command), "cwd": "/", "host": {"name": "h", "kernel": "k", "machine": "m"},
                        "started_at": "2026-01-02T03:04:05.000000Z", "duration_seconds": 2.5, "exit": {"code": 0},
                        "timed_out": False, "mode": "report", "complete": True, "labels": {}},
            "summary": {"leaks": errors, "errors": errors, "warnings": 0, "notes": 0, "cleaned": 0, "in_use": 0,
                        "failed": 0, "suppressed": 0, "baseline": 0, "reclaimed_bytes": 0,
                        "by_kind": {"semaphore": errors}},
            "processes": processes or [process], "leaks": leaks, "stacks": list(stacks), "modules": [], "cleanup": None,
            "hang": None}


def render(content, name="page"):
    with open(name + ".json", "w", encoding="utf-8") as file:
        json.dump(content, file)
    done = subprocess.run([TOOL.path, "report", name + ".json", "-o", name + ".html"], check=False, capture_output=True,
                          text=True)
    expect_equal((done.returncode, done.stderr), (0, ""), "rendered")
    return name + ".html"


def python_stack(number, function):
    return {"id": number, "native": [], "python": [
        {"function": function, "file": "/src/app.py", "line": number + 1},
        {"function": "main", "file": "/src/app.py", "line": 900}]}


def test_a_real_job():
    with open("job.py", "w", encoding="utf-8") as file:
        file.write(JOB)
    # What is left over would hold pipes to us open.
    done = TOOL.run("-o", "page.html", sys.executable, "job.py", capture_output=False, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL)
    expect_equal(done.returncode, -9, "as the job")
    with browser.Browser() as page:
        page.open("page.html")
        expect("job.py" in page.text("h1"), "the command")
        expect("killed by SIGKILL" in page.text("header"), "how it ended")
        first = page.text(".row")
        expect("12 semaphores" in first and "/mp-*" in first, "the finding", first)
        detail = page.text("#detail")
        expect("make at" in detail and "Lock() for _ in range(12)" in detail, "stack with source", detail)
        expect(page.count(".source .here") >= 1, "the line is marked")
        expect(page.count("#timeline .bar") >= 1, "the processes")
        expect_equal(page.complaints(), [], "nothing went wrong")


def test_search_and_filters():
    leaks = [leak(i, stack=i % 3, name=f"/thing-{i}") for i in range(9)]
    leaks += [leak(20, kind="thread", severity="warning", name="worker", details={"state": "finished"}, stack=0)]
    file = render(report(leaks, [python_stack(0, "alpha"), python_stack(1, "beta"), python_stack(2, "gamma")]))
    with browser.Browser() as page:
        page.open(file)
        expect_equal(page.count(".row"), 4, "findings")
        page.press("/")
        page.type("#search", "beta")
        page.wait("document.querySelectorAll('.row').length === 1", "the search narrows")
        expect("beta" in page.text(".row"), "to what was searched")
        page.script("document.activeElement.blur()")
        page.press("escape")
        page.press("escape")
        page.wait("document.querySelectorAll('.row').length === 4", "Escape shows all again")
        page.script("const s = document.getElementById('severity'); s.value = 'warning'; s.dispatchEvent(new Event('change'))")
        page.wait("document.querySelectorAll('.row').length === 1", "by severity")
        expect("thread" in page.text(".row"), "the thread")
        expect_equal(page.complaints(), [], "nothing went wrong")


def test_keyboard():
    leaks = [leak(i, stack=i) for i in range(60)]
    file = render(report(leaks, [python_stack(i, f"make_{chr(97 + i % 26)}{chr(97 + i // 26)}") for i in range(60)]))
    with browser.Browser() as page:
        page.open(file)
        page.script("document.getElementById('findings').focus()")
        page.press("end")
        page.wait("document.querySelector('.row.chosen')?.getAttribute('aria-posinset') === '60'", "the last one")
        page.press("up")
        page.wait("document.querySelector('.row.chosen')?.getAttribute('aria-posinset') === '59'", "the one above")
        expect(page.script("const r = document.querySelector('.row.chosen').getBoundingClientRect(), "
                           "b = document.getElementById('findings').getBoundingClientRect(); "
                           "return r.top >= b.top - 1 && r.bottom <= b.bottom + 1"), "it is in view")
        page.script("document.getElementById('timeline').focus()")
        page.press("down")
        page.press("enter")
        page.wait("document.querySelector('.chip').hidden === false", "Enter narrows to the process")
        expect("pid 10" in page.text(".tip"), "and tells of it")


def test_strings_are_data():
    evil = "</script><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">\x1b[31m\u202ereversed"
    stacks = [{"id": 0, "native": [], "python": [{"function": evil, "file": evil, "line": 3}]}]
    leaks = [leak(0, name=evil, stack=0, thread_name=evil, details={"path": evil, "bytes": 1}),
             leak(1, kind="process", name=evil, details={"pid": 4, "command": [evil, "--x"], "state": "S", "holds": [evil]})]
    process = {"pid": 10, "ppid": 1, "started_at": "2026-01-02T03:04:05.000000Z", "ended_at": None, "executable": evil,
               "command": [evil], "instrumented": False, "reason": "static", "exit": None, "counts": {}}
    file = render(report(leaks, stacks, command=(evil,), processes=[process]))
    with open(file, "rb") as text:
        expect(b"\x1b" not in text.read(), "nothing that steers a terminal")
    with browser.Browser() as page:
        page.open(file)
        for row in range(2):
            page.script("document.querySelectorAll('.row')[arguments[0]].click()", row)
        page.script("document.querySelector('details').open = true")
        page.wait("document.querySelectorAll('#flame rect').length > 0", "the flame graph")
        expect("run" != page.script("return document.title"), "nothing ran")
        expect_equal(page.count("img"), 0, "no elements of theirs")
        expect("<script>" in page.text("#detail"), "it is shown as it is")
        expect("\u202e" not in page.text("body") and "\\u202e" in page.text("body"), "text keeps its direction")
        expect_equal([line for line in page.complaints() if "Content Security" in line], [], "nothing was even tried")


def test_flame_graph():
    leaks = [leak(i, stack=i % 2) for i in range(10)] + [leak(11, stack=0)]
    file = render(report(leaks, [python_stack(0, "alpha"), python_stack(1, "beta")]))
    with browser.Browser() as page:
        page.open(file)
        page.click("summary")
        page.wait("document.querySelectorAll('#flame rect').length >= 4", "all, main, alpha, beta")
        # The names come, and the widths grow, after the rectangles.
        page.wait("['alpha', 'beta', 'main'].every(name => document.getElementById('flame').innerText.includes(name))", "named")

        def widths():
            found = page.script("return Object.fromEntries([...document.querySelectorAll('#flame g.frame')].map("
                                "g => [g.querySelector('.d3-flame-graph-label')?.textContent ?? '', "
                                "g.querySelector('rect').getBoundingClientRect().width]))")
            width = {name: size for label, size in found.items() for name in ("alpha", "beta") if name in label}
            return width.get("alpha", 0) > width.get("beta", 0) > 0
        wait_for(widths, "the widest left most")


def test_fifty_thousand():
    count = 50_000
    def letters(number):
        word = ""
        for _ in range(4):
            number, digit = divmod(number, 26)
            word += chr(97 + digit)
        return word
    file = render(report([leak(i, stack=i, name=f"/{letters(i)}") for i in range(count)],
                         [python_stack(i, "f_" + letters(i)) for i in range(count)]))
    with browser.Browser() as page:
        page.open(file)
        expect("50,000" in page.text("#count"), "all are there", page.text("#count"))
        expect(page.count(".row") < 100, "only those in view are drawn")
        page.script("document.getElementById('findings').scrollTop = 1e9")
        page.wait("[...document.querySelectorAll('.row')].some(r => r.getAttribute('aria-posinset') === '50000')",
                  "the last one can be seen")
        page.type("#search", "f_" + letters(31_234))
        page.wait("document.querySelectorAll('.row').length === 1", "and any found")
        page.click("summary")
        expect_equal(page.complaints(), [], "nothing went wrong")


def test_phone_and_dark():
    leaks = [leak(i, stack=0, name="/a-very-long-name-" + "x" * 120 + str(i)) for i in range(3)]
    file = render(report(leaks, [python_stack(0, "some_function")], command=("python3", "/a/long/path/" + "y" * 150)))
    with browser.Browser(width=500, height=900, dark=True) as page:
        page.open(file)
        expect(page.script("return document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out")
        expect_equal(page.script("return getComputedStyle(document.body).backgroundColor"), "rgb(21, 24, 28)", "dark")
        page.click(".row")
        expect("some_function" in page.text("#detail"), "the finding takes the list's place")
        expect(page.script("return document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out")
        page.click(".back")
        expect(page.count(".split.open") == 0, "and gives it back")
        page.click("#theme")
        expect_equal(page.script("return getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)", "light")


def test_nothing_left():
    file = render(report([]))
    with browser.Browser() as page:
        page.open(file)
        expect("Nothing is left over" in page.text("body"), "said")
        expect_equal(page.complaints(), [], "nothing went wrong")


def test_the_script_is_what_its_source_makes():
    if shutil.which("npm") is None:
        print("  no npm here: not made again")
        return
    web = os.path.abspath("web")
    shutil.copytree(os.path.join(PAGE, "web"), web, ignore=shutil.ignore_patterns("node_modules"))
    os.mkdir("made")
    environment = {**os.environ, "npm_config_cache": os.path.abspath("cache")}
    for words in (["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["node", "build.mjs", os.path.abspath("made")]):
        done = subprocess.run(words, cwd=web, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              env=environment)
        expect_equal(done.returncode, 0, done.stderr)
    for name in ("page.js", "page.css", "licences.txt"):
        with open(os.path.join("made", name), "rb") as made, open(os.path.join(PAGE, name), "rb") as kept:
            expect(made.read() == kept.read(), f"{name} is the one in the repository; make it again: see web/build.mjs")


run_cases(globals())
