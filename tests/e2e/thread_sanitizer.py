#!/usr/bin/env python3
# ctest: timeout=120
"""A program without a race, built with ThreadSanitizer, by each compiler: none is told of with leftover
either, and its threads, which unwind when they create, end as they should."""

import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox

BUILD = sandbox.enter()

from cases import expect_equal, run_cases
from tool import Tool

TOOL = Tool(BUILD)
SHIM = os.path.join(BUILD, "libleftover.so")
SOURCE = os.path.abspath(os.path.join(HERE, os.pardir, "programs", "others", "tsan_threads.c"))


def outcome(done):
    return done.returncode, done.stdout, done.stderr


def built_by(compiler):
    def case():
        program = os.path.abspath("program")
        built = subprocess.run([compiler, "-g", "-O1", "-fsanitize=thread", "-o", program, SOURCE, "-pthread", "-lrt"],
                               capture_output=True, check=False)
        if built.returncode != 0:
            print("  it has no ThreadSanitizer here")
            return
        how = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "timeout": 60, "check": False}
        plain = subprocess.run([program], **how)
        expect_equal(outcome(plain), (7, "failed: 0\n", ""), "by itself")
        for _ in range(3):
            report, done = TOOL.report(program)
            expect_equal(outcome(done), outcome(plain), "under run")
            expect_equal(report["summary"]["leaks"], 0, "no leak")
            environment = dict(os.environ, LD_PRELOAD=SHIM, LEFTOVER_OPTIONS="report=/tmp/hand.%p.json")
            expect_equal(outcome(subprocess.run([program], env=environment, **how)), outcome(plain), "by hand")
    return case


run_cases({f"test_{compiler}": built_by(compiler) for compiler in ("gcc", "clang") if shutil.which(compiler)})
