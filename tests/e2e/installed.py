#!/usr/bin/env python3
"""Installed below any prefix, the tool finds its shim, and other projects' CTest finds the tool."""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import sandbox
from cases import expect, expect_equal, run_cases
from tool import Tool

BUILD = sandbox.enter()

PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(other LANGUAGES C)
enable_testing()
find_package(leftover REQUIRED)
add_executable(tidy tidy.c)
add_executable(leaky leaky.c)
leftover_add_test(NAME tidy COMMAND tidy one "two three")
leftover_add_test(NAME leaky COMMAND leaky REPORT ${CMAKE_BINARY_DIR}/leaky.json)
leftover_add_test(NAME allowed COMMAND leaky OPTIONS --kinds process)
"""
TIDY = "#include <string.h>\nint main(int n, char** a) { return n == 3 && !strcmp(a[2], \"two three\") ? 0 : 1; }\n"
LEAKY = """
#include <fcntl.h>
#include <semaphore.h>
int main(void) { sem_unlink("/left"); return sem_open("/left", O_CREAT | O_EXCL, 0600, 1) == SEM_FAILED; }
"""


def shell(*words, **how):
    return subprocess.run(words, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL, **how)


def install():
    prefix = os.path.abspath("some where")
    done = shell("cmake", "--install", BUILD, "--prefix", prefix)
    expect_equal(done.returncode, 0, done.stderr)
    return prefix


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def test_below_a_prefix():
    prefix = install().replace("some where", "moved")
    os.rename("some where", prefix)
    write("leaky.c", LEAKY)
    expect_equal(shell("cc", "-o", "leaky", "leaky.c").returncode, 0, "compiled")
    tool = Tool(os.path.join(prefix, "bin"))
    report, done = tool.report("--gate", "./leaky")
    expect_equal(done.returncode, 23, "the gate")
    expect_equal([leak["name"] for leak in report["leaks"] if leak["severity"] == "error"], ["/left"], "leaks")
    expect(report["processes"][0]["instrumented"], "it is instrumented")


def test_find_package():
    prefix = install()
    os.mkdir("other")
    for name, text in (("CMakeLists.txt", PROJECT), ("tidy.c", TIDY), ("leaky.c", LEAKY)):
        write(os.path.join("other", name), text)
    for words in (("cmake", "-S", "other", "-B", "out", f"-DCMAKE_PREFIX_PATH={prefix}"), ("cmake", "--build", "out")):
        done = shell(*words)
        expect_equal(done.returncode, 0, done.stdout + done.stderr)
    done = shell("ctest", "--output-on-failure", cwd="out")
    verdicts = dict(re.findall(r"Test +#\d+: (\w+) \.+\** *(Passed|Failed)", done.stdout))
    expect_equal(verdicts, {"tidy": "Passed", "leaky": "Failed", "allowed": "Passed"}, done.stdout)
    expect("/left" in done.stdout, "what is left is said", done.stdout)
    expect(os.path.exists("out/leaky.json"), "the report is there")


def test_pages_and_completions():
    prefix = install()
    share = os.path.join(prefix, "share")
    commands = re.findall(r"^  (\w+) ", shell(os.path.join(prefix, "bin", "leftover"), "--help").stdout.partition(
        "Commands:")[2].partition("Examples:")[0], re.MULTILINE)
    expect("run" in commands and "report" in commands, "commands", commands)
    pages = os.listdir(os.path.join(share, "man", "man1"))
    expect_equal(sorted(pages), sorted(["leftover.1"] + [f"leftover-{name}.1" for name in commands]), "pages")
    for script in ("bash-completion/completions/leftover", "fish/vendor_completions.d/leftover.fish",
                   "zsh/site-functions/_leftover"):
        with open(os.path.join(share, script), encoding="utf-8") as text:
            content = text.read()
        for name in commands:
            expect(name in content, f"{script} knows {name}")
    for command in commands:
        done = shell(os.path.join(prefix, "bin", "leftover"), command, "--help")
        with open(os.path.join(share, "man", "man1", f"leftover-{command}.1"), encoding="utf-8") as text:
            page = text.read().replace("\\-", "-")
        for option in re.findall(r"^  (?:-\w,)?(--[\w-]+)", done.stdout, re.MULTILINE):
            expect(option in page, f"the page of {command} tells of {option}")


def complete(prefix, *words):
    """What bash would offer for the last of these words."""
    script = os.path.join(prefix, "share/bash-completion/completions/leftover")
    line = (f". '{script}'; COMP_WORDS=({' '.join(repr(word) for word in words)}); COMP_CWORD={len(words) - 1};"
            "compopt() { :; }; _leftover; printf '%s\\n' \"${COMPREPLY[@]}\"")
    return shell("bash", "-c", line).stdout.split()


def test_bash_completion():
    prefix = install()
    expect("report" in complete(prefix, "leftover", "re"), "a command")
    expect("--grace" in complete(prefix, "leftover", "run", "--gr"), "an option")
    expect_equal(complete(prefix, "leftover", "run", "--fail-on", "w"), ["warning"], "a value")
    expect("json" in complete(prefix, "leftover", "report", "--format", "js"), "a format")
    expect("cat" in complete(prefix, "leftover", "run", "--gate", "ca"), "a command to run")
    write("some.json", "{}")
    expect("some.json" in complete(prefix, "leftover", "report", "some"), "a file")


run_cases(globals())
