#!/usr/bin/env python3
"""Options from a project's file and from the environment."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import sandbox
from cases import expect, expect_equal, run_cases
from tool import Tool

TOOL = Tool(sandbox.enter())


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def run(*options, folder=".", **variables):
    return TOOL.run(*options, cwd=folder, env={**os.environ, **variables})


def report_of(file):
    with open(file, encoding="utf-8") as text:
        return json.load(text)


def test_file_above():
    write("leftover.toml", '[run]\noutput = "out/leaks.json"\nlabel = ["a=1", "b=two words"]\ngate = true\n')
    os.makedirs("out")
    os.makedirs("deep/er")
    done = run("--label", "c=3", "sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $! >&2", folder="deep/er")
    expect_equal(done.returncode, 23, "the file's gate")
    expect_equal(report_of("out/leaks.json")["session"]["labels"], {"a": "1", "b": "two words", "c": "3"}, "labels")
    os.kill(int(done.stderr.split()[0]), 9)


def test_command_line_comes_first():
    write(".leftover", "[run]\nfail-on = \"note\"\nerror-exitcode = 7\ngate = true\ngrace = 0\n")
    leave = ("sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $! >>pids")
    expect_equal(run(*leave).returncode, 7, "the file's")
    expect_equal(run(*leave, LEFTOVER_RUN_ERROR_EXITCODE="8").returncode, 8, "the environment's")
    expect_equal(run("--error-exitcode", "9", *leave, LEFTOVER_RUN_ERROR_EXITCODE="8").returncode, 9, "the line's")
    with open("pids", encoding="utf-8") as pids:
        for pid in pids:
            os.kill(int(pid), 9)


def test_show_config():
    write("leftover.toml", "suppressions = \"ci/x.supp\"\n[run]\ngrace = 3\n[sweep]\nkill-after = 1\n")
    shown = run("--show-config", LEFTOVER_RUN_DEPTH="5", LEFTOVER_RUN_QUIET="1").stdout.splitlines()
    expect(shown[0].endswith("/leftover.toml"), "the file", shown)
    for word in ("--grace=3", "--depth=5", "--quiet"):
        expect(word in shown, word, shown)
    expect("--kill-after=1" not in shown, "not another command's", shown)


def test_not_from_everybody():
    write("leftover.toml", "[run]\ngrace = 3\n", mode=0o666)
    done = run("--show-config")
    expect("--grace=3" not in done.stdout and "others may write it" in done.stderr, "writable", done)
    if sandbox.has_other_users():
        os.chmod("leftover.toml", 0o644)
        os.chown("leftover.toml", 1234, 1234)
        done = run("--show-config")
        expect("--grace=3" not in done.stdout and "belongs to user 1234" in done.stderr, "another's", done)


def test_no_commands_from_a_file():
    write("leftover.toml", "[run]\non-complete = \"touch done\"\n")
    done = run("true")
    expect_equal(done.returncode, 0, "it runs")
    expect("on-complete" in done.stderr, "and says what it did not take", done.stderr)
    expect(not os.path.exists("done"), "nothing was run")


def test_mistakes():
    write("leftover.toml", "[run]\nno-such = 1\n")
    done = run("true")
    expect_equal(done.returncode, 125, "an unknown option")
    expect("leftover.toml" in done.stderr and "no-such" in done.stderr, "where and what", done.stderr)
    write("leftover.toml", "[run]\ngrace = \"soon\"\n")
    done = run("true")
    expect_equal(done.returncode, 125, "a bad value")
    expect("grace" in done.stderr, "which", done.stderr)
    os.unlink("leftover.toml")
    os.mkdir("leftover.toml")
    expect_equal(run("true").returncode, 0, "a folder of that name is none")


def test_working_folder_that_is_gone():
    os.mkdir("gone")
    done = subprocess.run(["sh", "-c", f"cd gone && rmdir ../gone && {TOOL.path} run -q true"], check=False)
    expect_equal(done.returncode, 0, "runs")


run_cases(globals())
