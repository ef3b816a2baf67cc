#!/usr/bin/env python3
# ctest: timeout=200
"""Descriptors that are open when their process ends: in both reports, after every end, and in the books' size."""

import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox

BUILD = sandbox.enter()

from cases import expect, expect_equal, run_cases
from tool import Tool

TOOL = Tool(BUILD)
SHIM = os.path.join(BUILD, "libleftover.so")
SOURCE = os.path.abspath(os.path.join(HERE, os.pardir, "programs", "descriptors", "descriptors.c"))
PROGRAM = os.path.abspath("descriptors")
subprocess.run(["gcc", "-g", "-O1", "-w", "-D_GNU_SOURCE", "-o", PROGRAM, SOURCE, "-pthread"], check=True)


def descriptors_of(report):
    return [leak for leak in report["leaks"] if leak["kind"] == "file_descriptor"]


def names_of(report):
    return [(leak["details"]["fd"], leak["name"]) for leak in descriptors_of(report)]


def under_run(*words, options=()):
    """The report, and what was printed."""
    report, done = TOOL.report("--grace", "0.1", *options, PROGRAM, *words)
    expect_equal(done.stderr, "", "notes alone say nothing")
    expect_equal(report["session"]["complete"], True, "complete")
    return report, done


def by_hand(*words, options="", always=1):
    """The same of the program preloaded by hand; None when it wrote no report."""
    environment = dict(os.environ, LD_PRELOAD=SHIM)
    environment["LEFTOVER_OPTIONS"] = f"report=hand.json:report_always={always}:grace=0.1{options}"
    if os.path.exists("hand.json"):
        os.unlink("hand.json")
    subprocess.run([PROGRAM, *words], env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if not os.path.exists("hand.json"):
        return None
    with open("hand.json", encoding="utf-8") as file:
        return json.load(file)


def user_function(report, leak):
    """The innermost function of the program itself."""
    stack = next(stack for stack in report["stacks"] if stack["id"] == leak["stack"])
    return next(frame["function"] for frame in stack["native"] if frame["file"] and "descriptors.c" in frame["file"])


def test_every_end():
    for end in ("exit", "_exit", "kill", "term"):
        report, _ = under_run("one", end)
        expect_equal(names_of(report), [(3, "/dev/null")], end)
        leak = descriptors_of(report)[0]
        expect_equal((leak["severity"], leak["status"], user_function(report, leak)), ("note", "leaked", "main"), end)
        if end != "kill":
            expect_equal(names_of(by_hand("one", end)), [(3, "/dev/null")], "by hand, " + end)


def test_a_relative_path():
    expect_equal(names_of(under_run("relative", "exit")[0]), [(3, "/dev/null")], "what /proc showed at the end")
    expect_equal(names_of(under_run("relative", "kill")[0]), [(3, "null")], "as it was given")


def test_notes_do_nothing():
    expect_equal(by_hand("one", "exit", always=0), None, "a report of notes alone")
    _, done = under_run("one", options=("--gate",))
    expect_equal(done.returncode, 0, "the gate lets notes pass")
    done = TOOL.run("--grace", "0.1", "--gate", "--fail-on", "note", PROGRAM, "one")
    expect_equal(done.returncode, 23, "but when asked")


def test_left_out():
    report, _ = under_run("one", options=("--kinds=-file_descriptor",))
    expect_equal(descriptors_of(report), [], "under run")
    expect_equal([process["counts"] for process in report["processes"]], [{}], "counts")
    expect_equal(descriptors_of(by_hand("one", "exit", options=":kinds=-file_descriptor")), [], "by hand")
    report, _ = under_run("one", options=("--kinds=file_descriptor",))
    expect_equal(len(descriptors_of(report)), 1, "alone")


def test_executed():
    """A short-lived program has no record, and what it leaves open is known all the same."""
    for end in ("exit", "_exit"):
        report, done = TOOL.report("--grace", "0.1", "sh", "-c", f"{PROGRAM} one {end}; {PROGRAM} children {end} 3; :")
        expect_equal(done.stderr, "", "nothing is said")
        mine = [leak for leak in descriptors_of(report) if leak["stack"] is not None
                and any(frame["file"] and "descriptors.c" in frame["file"]
                        for stack in report["stacks"] if stack["id"] == leak["stack"] for frame in stack["native"])]
        expect_equal(sorted(leak["name"] for leak in mine), ["/dev/null"] + ["/dev/zero"] * 3, end)
        expect_equal({user_function(report, leak) for leak in mine}, {"main", "children"}, "where")
        environment = dict(os.environ, LD_PRELOAD=SHIM, LEFTOVER_OPTIONS="report=%e-%p.json:report_always=1:grace=0.1")
        os.makedirs(end)
        subprocess.run(["sh", "-c", f"{PROGRAM} one {end}; :"], env=environment, cwd=end, check=True)
        told = []
        for name in os.listdir(end):
            if name.startswith("descriptors"):
                with open(os.path.join(end, name), encoding="utf-8") as file:
                    told += names_of(json.load(file))
        expect_equal(told, [(3, "/dev/null")], "by hand, " + end)


def test_across_exec():
    """What a program hands on to the next one is its own still, until one of them closes it."""
    for end in ("exit", "_exit", "kill", "term"):
        report, _ = under_run("hands_on", end)
        found = descriptors_of(report)
        # A kill comes too early for the new program's own, and leaves nobody to ask about what was done unseen.
        also = ({6: "/dev/random"}, {6: "hands_on"}) if end in ("kill", "term") else ({4: "/dev/null"}, {4: "executed"})
        expect_equal(dict(names_of(report)), {3: "/dev/zero"} | also[0], end)
        expect_equal({leak["details"]["fd"]: user_function(report, leak) for leak in found},
                     {3: "hands_on"} | also[1], "where, " + end)
        expect_equal({leak["pid"] for leak in found}, {report["processes"][0]["pid"]}, "one process")
        if end == "exit":
            expect_equal(report["processes"][0]["counts"]["file_descriptor"]["released"], 3, "closed in either")
        if end != "kill":
            expect_equal(sorted(names_of(by_hand("hands_on", end))), [(3, "/dev/zero"), (4, "/dev/null")],
                         "by hand, " + end)


def test_across_many_execs():
    report, _ = under_run("again", "exit", "20")
    expect_equal(sorted(names_of(report)), [(fd, "/dev/zero") for fd in range(3, 24)], "of 21 programs")
    expect_equal(len(descriptors_of(by_hand("again", "exit", "20"))), 21, "by hand")
    report, _ = under_run("again", "exit", "40")
    expect_equal(len(descriptors_of(report)), 33, "of the first 32, and the last")


def test_across_exec_of_a_child():
    """It is blamed for its own, not for what it inherited."""
    report, _ = under_run("inheritor", "exit")
    found = descriptors_of(report)
    expect_equal(sorted(names_of(report)), [(4, "/dev/zero"), (700, "/dev/zero")], "under run")
    expect_equal({user_function(report, leak) for leak in found}, {"inheritor"}, "where")
    expect({leak["pid"] for leak in found} != {report["processes"][0]["pid"]}, "the child's", found)
    with open("closer.sh", "w", encoding="utf-8") as script:
        script.write("exec 7</dev/zero 8</dev/null 9</dev/full; exec sh -c 'exec 8<&-; exec bash -c \"exec 9<&-; :\"'\n")
    report, _ = TOOL.report("--grace", "0.1", "bash", "closer.sh")
    expect_equal([leak["name"] for leak in descriptors_of(report) if leak["details"]["fd"] < 10], ["/dev/zero"], "shells")


def test_handed_to_strangers():
    """Of a program that nobody can look into nothing is said."""
    with open("stranger.c", "w", encoding="utf-8") as source:
        source.write("int main(void) { return 0; }\n")
    for options in (["-static"], []):
        subprocess.run(["gcc", *options, "-o", "stranger", "stranger.c"], check=True)
        report, _ = under_run("execute", "exit", os.path.abspath("stranger"))
        expect_equal(names_of(report), [] if options else [(3, "/dev/zero")], " ".join(options) or "not static")


def test_many():
    for end in ("exit", "kill"):
        report, _ = under_run("many", end, "5000")
        found = sorted(leak["details"]["fd"] for leak in descriptors_of(report))
        expect_equal(found, list(range(3, 5003, 100)), "each hundredth of 5000, " + end)
        expect_equal(report["processes"][0]["counts"]["file_descriptor"],
                     {"created": 5000, "released": 4950, "peak": 5000}, "counts")
    expect_equal(len(descriptors_of(by_hand("many", "exit", "3000"))), 30, "by hand")


def test_a_high_number():
    """One alone makes no table of megabytes."""
    for end in ("exit", "kill"):
        report, _ = under_run("high", end)
        expect_equal(sorted(names_of(report)), [(3, "/dev/null"), (900, "/dev/null")], end)
    expect_equal(sorted(names_of(by_hand("high", "exit"))), [(3, "/dev/null"), (900, "/dev/null")], "by hand")


def test_stacks():
    """A stack that was seen before is not unwound again, and yet each one is right."""
    for flags in ("-O2", "-O2 -fno-omit-frame-pointer", "-O0"):
        program = os.path.abspath("paths")
        subprocess.run(["gcc", "-g", *flags.split(), "-w", "-D_GNU_SOURCE", "-o", program, SOURCE, "-pthread"], check=True)
        report, done = TOOL.report("--grace", "0.1", program, "paths", "exit", "800")
        wanted = {int(line.split()[0]): line.split()[:0:-1] for line in done.stdout.splitlines()}
        stacks = {stack["id"]: [frame["function"] for frame in stack["native"]
                                if frame["function"] in ("fixed", "small", "large", "other")]
                  for stack in report["stacks"]}
        found = {leak["details"]["fd"]: stacks[leak["stack"]] for leak in descriptors_of(report)}
        expect_equal(len(found), 960, flags)
        wrong = {fd: (found[fd], wanted[fd]) for fd in wanted if found[fd] != wanted[fd]}
        expect(not wrong, f"stacks, {flags}", list(wrong.items())[:3])


def test_threads():
    for end in ("exit", "kill"):
        report, _ = under_run("threads", end)
        # A kill can come between a number's next use and the note of it, but all threads are done here.
        expect_equal(descriptors_of(report), [], "all were closed, " + end)


def test_closed_unseen():
    expect_equal(descriptors_of(under_run("unseen", "exit")[0]), [], "under run")
    expect_equal(descriptors_of(by_hand("unseen", "exit")), [], "by hand")


def test_programs_that_count():
    for what in ("all_closed", "exhausted"):
        plain = subprocess.run(["prlimit", "--nofile=300", PROGRAM, what], capture_output=True, text=True, check=True)
        watched = TOOL.run("--grace", "0.1", "--", "prlimit", "--nofile=300", PROGRAM, what)
        expect_equal((watched.returncode, watched.stdout, watched.stderr), (0, plain.stdout, ""), what)


def test_children():
    """They are blamed themselves, and need no records of their own."""
    report, _ = under_run("children", "exit", "100")
    found = descriptors_of(report)
    expect_equal(len(found), 100, "each child's one")
    expect_equal(len({leak["pid"] for leak in found}), 100, "blamed on each")
    expect({leak["name"] for leak in found} == {"/dev/zero"}, "names", found[0])
    expect_equal(user_function(report, found[0]), "children", "where")


def test_a_server():
    """Of endless children that leave the same open the first hundreds are enough."""
    report, _ = under_run("server", "exit", "600")
    found = descriptors_of(report)
    expect(900 < len(found) < 1200, "enough, and not all of 1800", len(found))
    expect_equal({user_function(report, leak) for leak in found}, {"serve"}, "where")
    killed = [process["pid"] for process in report["processes"] if process["exit"].get("signal") == "SIGKILL"]
    expect_equal(len(killed), 1, "the last one")
    expect_equal(sorted(leak["name"] for leak in found if leak["pid"] == killed[0]),
                 ["/dev/full", "/dev/random", "/dev/zero"], "what it had open when it was killed")
    alone, _ = under_run("server", "exit", "2")
    expect_equal(sorted(leak["name"] for leak in descriptors_of(alone)),
                 ["/dev/full", "/dev/full", "/dev/null", "/dev/random", "/dev/zero", "/dev/zero"], "of two")


run_cases({name: thing for name, thing in globals().items() if name.startswith("test_")})
