#!/usr/bin/env python3
"""The snippets of docs/ci.md, taken from there and run as those would that they are written for."""

import glob
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox
from cases import PATIENCE, expect, expect_equal, run_cases
from machine import Machine, shared_names
from schemas import check_json, check_junit

BUILD = sandbox.enter()
MACHINE = Machine()

TIDY = "import sys\nsys.exit(0)\n"
LEAKY = """
import ctypes, os, subprocess, sys
subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
if ctypes.CDLL(None).shm_open(b"/left-by-job", os.O_CREAT | os.O_RDWR, 0o600) < 0:
    sys.exit("no shared memory")
"""


def blocks(language):
    with open(os.path.join(HERE, os.pardir, os.pardir, "docs", "ci.md"), encoding="utf-8") as file:
        return re.findall(rf"^```{language}\n(.*?)^```", file.read(), re.S | re.M)


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def installed():
    """A folder that holds leftover and nothing else, and what stands for the tools of the machine that installs it."""
    folder = os.path.join(os.path.dirname(os.getcwd()), "bin")
    if not os.path.isdir(folder):
        os.makedirs(folder)
        for name in ("leftover", "libleftover.so"):
            shutil.copy(os.path.join(BUILD, name), folder)
        for name in ("apt-get", "sudo"):
            write(os.path.join(folder, name), f'#!/bin/sh\necho "{name} $*" >>"$INSTALLED"\n', 0o755)
    return folder


def project(job):
    """A project whose `make test` runs the job; the environment that a runner gives it."""
    write("job.py", job)
    write("Makefile", f"test:\n\t{sys.executable} job.py\n")
    return {**os.environ, "PATH": f"{installed()}:{os.environ['PATH']}", "INSTALLED": os.path.abspath("installed")}


def run(words, **how):
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          timeout=PATIENCE * 2, **how)


def expect_nothing_left(what):
    expect_equal((MACHINE.new_processes(), shared_names()), ({}, []), f"left after {what}")


def expect_installed():
    with open("installed", encoding="utf-8") as file:
        words = file.read()
    expect("apt-get install -y" in words and "./ci/leftover_*_amd64.deb" in words, "the package is installed", words)


def yaml(text):
    try:
        from yaml import safe_load
    except ImportError:
        print("skipped: no python3-yaml here")
        sys.exit(sandbox.SKIPPED)
    return safe_load(text)


def github(job):
    """Each step's status, as the runner takes them: after a failure, only those that always run."""
    environment = {**project(job), "GITHUB_STEP_SUMMARY": os.path.abspath("summary.md")}
    workflow, = (yaml(text) for text in blocks("yaml") if "runs-on" in text)
    statuses = {}
    for step in workflow["jobs"]["test"]["steps"]:
        if "run" not in step or (any(statuses.values()) and step.get("if") != "always()"):
            continue
        write("step.sh", step["run"])
        done = run(["bash", "-e", "step.sh"], env=environment)
        statuses[step["name"]] = done.returncode
        expect(done.returncode in (0, 2), step["name"], done.stdout + done.stderr)
    expect_installed()
    uploads = {step["uses"].partition("@")[0]: step["with"] for step in workflow["jobs"]["test"]["steps"] if "with" in step}
    sarif = uploads["github/codeql-action/upload-sarif"]["sarif_file"]
    with open(sarif, encoding="utf-8") as file:
        log = json.load(file)
    check_json(log, "sarif-2.1.0-rtm.5.json")
    expect(os.listdir(uploads["actions/upload-artifact"]["path"]), "the reports are kept")
    with open("summary.md", encoding="utf-8") as file:
        return statuses, log["runs"][0]["results"], file.read()


def test_github_tidy():
    statuses, results, summary = github(TIDY)
    expect_equal(statuses, {"Install leftover": 0, "Test": 0, "Tell": 0}, "steps")
    expect_equal([result for result in results if result["level"] != "note"], [], "results")
    expect(summary.startswith("## leftover: nothing left over"), "summary", summary)


def test_github_leaky():
    # make says 2 of its own only when the job fails; 23 is the gate's.
    environment = project(LEAKY)
    workflow, = (yaml(text) for text in blocks("yaml") if "runs-on" in text)
    test, tell = (step for step in workflow["jobs"]["test"]["steps"] if step.get("name") in ("Test", "Tell"))
    write("step.sh", test["run"])
    done = run(["bash", "-e", "step.sh"], env=environment)
    expect_equal(done.returncode, 23, done.stdout + done.stderr)
    expect_nothing_left("the step")
    environment["GITHUB_STEP_SUMMARY"] = os.path.abspath("summary.md")
    write("step.sh", tell["run"])
    done = run(["bash", "-e", "step.sh"], env=environment)
    expect_equal(done.returncode, 0, done.stderr)
    with open("summary.md", encoding="utf-8") as file:
        summary = file.read()
    expect("2 things left over" in summary and "left&#45;by" in summary or "/left-by-job" in summary, "summary", summary)
    expect_equal(tell["if"], "always()", "it is told after a failure, too")


def gitlab(job):
    environment = {**project(job), "CI_JOB_ID": "4711"}
    config, = (yaml(text) for text in blocks("yaml") if "artifacts:" in text)
    lines = config["leaks"]["before_script"] + config["leaks"]["script"]
    # The runner puts them into one script that ends at the first failure.
    done = run(["bash", "-c", "set -eo pipefail\n" + "\n".join(lines)], env=environment)
    artifacts = config["leaks"]["artifacts"]
    with open(artifacts["reports"]["codequality"], encoding="utf-8") as file:
        issues = json.load(file)
    check_json(issues, "gitlab.schema.json")
    check_junit(artifacts["reports"]["junit"])
    for path in artifacts["paths"]:
        expect_equal(os.listdir(path), ["4711.json"], "the kept report")
    return done, issues


def test_gitlab():
    done, issues = gitlab(TIDY)
    expect_equal((done.returncode, issues), (0, []), done.stderr)
    os.remove("installed")
    shutil.rmtree("leaks")
    done, issues = gitlab(LEAKY)
    expect_equal(done.returncode, 23, done.stderr)
    expect_equal(sorted(issue["check_name"] for issue in issues if issue["severity"] != "info"), ["leftover.process", "leftover.shared_memory"], "issues")
    expect_nothing_left("the job")


def pytest_here():
    """A Python that has pytest."""
    for program in (sys.executable, "/usr/bin/python3"):
        if run([program, "-c", "import pytest"]).returncode == 0:
            return program
    print("skipped: no python3-pytest here")
    sys.exit(sandbox.SKIPPED)


def pytest_project(job):
    python = pytest_here()
    environment = project(job)
    os.makedirs("path", exist_ok=True)
    if not os.path.exists("path/python3"):
        os.symlink(python, "path/python3")
    environment["PATH"] = f"{os.path.abspath('path')}:{environment['PATH']}"
    environment["PYTEST_ADDOPTS"] = "-p no:cacheprovider"
    return environment


def test_pytest_as_one_session():
    line, = blocks("sh")
    for job, status in ((TIDY, 0), (LEAKY, 23)):
        environment = pytest_project(job)
        write("test_it.py", "import subprocess, sys\ndef test_job():\n"
                            "    assert subprocess.run([sys.executable, 'job.py']).returncode == 0\n")
        done = run(["sh", "-e", "-c", line], env=environment)
        expect_equal(done.returncode, status, done.stdout + done.stderr)
        expect("1 passed" in done.stdout, "pytest's own words", done.stdout)
        with open("leaks.json", encoding="utf-8") as file:
            expect_equal(json.load(file)["summary"]["leaks"], 2 if status else 0, "leaks")
        expect_nothing_left("pytest")


def test_pytest_one_by_one():
    files = {re.match("# (.*)\n", text)[1]: text for text in blocks("python")}
    expect_equal(sorted(files), ["conftest.py", "test_job.py"], "files")
    for name, text in files.items():
        write(name, text)
    for job, status in ((TIDY, 0), (LEAKY, 1), ("import sys\nsys.exit(3)\n", 1)):
        environment = pytest_project(job)
        done = run(["python3", "-m", "pytest", "-q"], env=environment)
        expect_equal(done.returncode, status, done.stdout + done.stderr)
        told = "left 2 things behind" in done.stdout and "/left-by-job" in done.stdout
        expect_equal(told, job == LEAKY, f"what is left is said: {done.stdout}")
        expect_nothing_left("pytest")


def cron_lines():
    """The commands of the table, as cron gives them to the shell."""
    table, = blocks("cron")
    commands = []
    for line in table.splitlines():
        if re.match(r"[A-Z]\w*=", line):
            continue
        fields = line.split(None, 5)
        expect(all(re.fullmatch(r"[\d*/,-]+", field) for field in fields[:5]), "five fields of time", line)
        expect(re.search(r"(?<!\\)%", fields[5]) is None, "no % that would end the line", line)
        commands.append(fields[5].replace("\\%", "%"))
    return commands


def test_cron():
    if os.geteuid() != 0:
        print("  no root here, who may cover /usr/local/bin")
        return
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/usr/local/bin"], check=True)
    for name in ("leftover", "libleftover.so"):
        shutil.copy(os.path.join(BUILD, name), "/usr/local/bin")
    home = os.getcwd()
    os.mkdir("bin")
    environment = {"HOME": home, "LOGNAME": "root", "SHELL": "/bin/sh", "PATH": "/usr/bin:/bin"}
    job, sweep = cron_lines()
    for script, words in ((TIDY, ""), (LEAKY, "left-by-job")):
        write("bin/nightly", f"#!{sys.executable}\n{script}", 0o755)
        done = run(["/bin/sh", "-c", job], env=environment, cwd=home)
        expect_equal(done.returncode, 0, done.stderr)
        expect(words in done.stderr and (words or not done.stderr + done.stdout), "what cron would mail", done.stderr)
        expect_nothing_left("the night's job")
    report, = glob.glob("leaks/*.json")
    expect(re.fullmatch(r"leaks/\d{4}-\d\d-\d\d\.json", report), "named by its day", report)
    with open(report, encoding="utf-8") as file:
        kept = json.load(file)
    expect_equal((kept["session"]["labels"], kept["summary"]["cleaned"]), ({"job": "nightly"}, 2), "what is kept")

    # What an earlier session left.
    write("bin/nightly", f"#!{sys.executable}\n{LEAKY}", 0o755)
    left = run(["/usr/local/bin/leftover", "run", "-q", "bin/nightly"], env=environment)
    expect_equal((left.returncode, bool(shared_names())), (0, True), "something is left")
    done = run(["/bin/sh", "-c", sweep], env=environment, cwd=home)
    expect_equal((done.returncode, done.stdout, done.stderr.count("error")), (0, "", 0), "swept without a word")
    expect_nothing_left("the sweep")


run_cases(globals())
