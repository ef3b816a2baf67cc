#!/usr/bin/env python3
"""How `leftover run` ends: the program's own status, 125 to 127, the gate, and what is said."""

import json
import os
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import sandbox
from cases import changed_environment, expect, expect_equal, run_cases, wait_for
from tool import Tool

TOOL = Tool(sandbox.enter())

# Leaves a process behind; -TERM is for nobody.
ORPHAN = "sleep 1000 >/dev/null 2>&1 &"


def orphans():
    found = os.popen("pgrep -x sleep").read().split()
    return [int(pid) for pid in found]


def end_orphans():
    for pid in orphans():
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not orphans(), "they are gone")


def expect_one_line(text, what):
    lines = text.splitlines()
    expect(len(lines) == 1 and lines[0].startswith("leftover: "), f"{what}: one line", text)


def test_the_programs_own_status():
    for code in (0, 1, 3, 23, 125, 126, 127, 255):
        done = TOOL.run("sh", "-c", f"exit {code}")
        expect_equal((done.returncode, done.stdout, done.stderr), (code, "", ""), f"exit {code}")


def test_the_programs_own_signal():
    for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGINT, signal.SIGSEGV, signal.SIGPIPE,
                   signal.SIGABRT, signal.SIGHUP, signal.SIGRTMIN + 3):
        done = TOOL.run("sh", "-c", f"ulimit -c 0; kill -{int(number)} $$")
        expect_equal((done.returncode, done.stderr), (-number, ""), f"signal {number}")


def test_no_second_core_dump():
    done = TOOL.run("sh", "-c", "kill -SEGV $$", preexec_fn=raise_core_limit)
    expect_equal(done.returncode, -signal.SIGSEGV, "status")
    # waitpid tells whether a core was dumped.
    pid = os.posix_spawn(TOOL.path, TOOL.words("sh", "-c", "kill -SEGV $$"), os.environ)
    status = os.waitpid(pid, 0)[1]
    expect(os.WTERMSIG(status) == signal.SIGSEGV and not os.WCOREDUMP(status), "no core", status)


def raise_core_limit():
    import resource
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def test_not_found():
    for name in ("no-such-command", "./no-such-command", "/no/such/command", ""):
        done = TOOL.run(name)
        expect_equal(done.returncode, 127, repr(name))
        expect_one_line(done.stderr, repr(name))
        expect("No such file or directory" in done.stderr, "reason", done.stderr)
    with open("file", "w", encoding="utf-8"):
        pass
    expect_equal(TOOL.run("./file/x").returncode, 127, "below a file")


def test_not_executable():
    with open("plain", "w", encoding="utf-8") as file:
        file.write("echo never\n")
    with open("orphaned", "w", encoding="utf-8") as file:
        file.write("#!/no/such/interpreter\n")
    os.chmod("orphaned", 0o755)
    for name in ("./plain", "/tmp", "./orphaned"):
        done = TOOL.run(name)
        expect_equal(done.returncode, 126, name)
        expect_one_line(done.stderr, name)
    with changed_environment(PATH=os.getcwd() + ":/no/such/folder"):
        expect_equal(TOOL.run("plain").returncode, 126, "by PATH")
    expect_equal(os.listdir(f"/tmp/leftover-{os.geteuid()}") if os.path.exists(
        f"/tmp/leftover-{os.geteuid()}") else [], [], "no session's folder stays")


def test_search_like_execvp():
    os.makedirs("one")
    os.makedirs("two")
    with open("one/tool", "w", encoding="utf-8") as file:
        file.write("echo one\n")
    with open("two/tool", "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\necho two $0 $1\n")
    os.chmod("two/tool", 0o755)
    with changed_environment(PATH="/no/such/folder:one:two:/bin"):
        expect_equal(TOOL.run("tool", "x").stdout, "two two/tool x\n", "the one that can be executed")
    os.chmod("one/tool", 0o755)
    with changed_environment(PATH="one:two:/bin"):
        expect_equal(TOOL.run("tool").stdout, "one\n", "without #!: a shell's")
    os.chdir("two")
    with changed_environment(PATH=":/bin"):
        expect_equal(TOOL.run("tool").stdout.split()[0], "two", "an empty entry is the working folder")
    with changed_environment(PATH=None):
        expect_equal(TOOL.run("sh", "-c", "echo found").stdout, "found\n", "the default PATH")


def test_usage_errors():
    for options in (["--no-such-option", "true"], ["-x", "true"], [], ["--"], ["--grace"],
                    ["--grace", "soon", "true"], ["--grace", "-1", "true"],
                    ["--error-exitcode", "0", "true"], ["--error-exitcode", "7", "true"],
                    ["--fail-on", "fatal", "true"], ["--kinds", "semaphores", "true"],
                    ["--format", "yaml", "true"], ["-o", "", "true"], ["--label", "x", "true"],
                    ["--label", "=x", "true"], ["--session", "1", "true"], ["--session", "a/b", "true"],
                    ["--session", "a" * 64, "true"], ["--cleanup", "true"], ["--kill-after", "x", "true"], ["--depth", "x", "true"]):
        done = TOOL.run(*options)
        expect_equal(done.returncode, 125, f"status of {options}")
        expect(len(done.stderr.splitlines()) == 1, f"one line for {options}", done.stderr)
    expect("semaphore, shared_memory" in TOOL.run("--kinds", "x", "true").stderr, "valid kinds are named")


def test_options_end_at_the_command():
    show = "import sys; print(sys.argv[1:])"
    words = ["--help", "-q", "--", "--gate", "[a,b]", "{x}", "-5", "", "a b"]
    for before in ([], ["--"], ["-q"], ["-q", "--"], ["-qofile.json"], ["--grace", "0.5", "--grace=.25"]):
        done = TOOL.run(*before, "python3", "-c", show, *words)
        expect_equal((done.returncode, done.stdout), (0, f"{words}\n"), f"behind {before}")
    for name in ("run", "report"):
        os.symlink("/bin/echo", name)
        with changed_environment(PATH=os.getcwd()):
            done = TOOL.run(name, "--version", "run", "x")
            expect_equal(done.stdout, "--version run x\n", f"a command named {name}")
    expect_equal(TOOL.run("--", "--help").returncode, 127, "a command named --help")


def test_gate():
    clean, leaks = ["sh", "-c", "exit 0"], ["sh", "-c", ORPHAN]
    leaks_and_fails = ["sh", "-c", ORPHAN + " exit 3"]
    leaks_and_dies = ["sh", "-c", ORPHAN + " kill -TERM $$"]
    for options, command, wanted in (
            ([], leaks, 0),
            (["--gate"], clean, 0),
            (["--gate"], leaks, 23),
            (["--gate", "--error-exitcode", "77"], leaks, 77),
            (["--gate", "--fail-on", "warning"], leaks, 23),
            (["--gate", "--fail-on", "note"], leaks, 23),
            (["--gate"], leaks_and_fails, 3),
            (["--gate"], leaks_and_dies, -signal.SIGTERM)):
        done = TOOL.run("--grace", "0", *options, *command)
        expect_equal(done.returncode, wanted, f"{options} {command}")
        expect_equal(done.stderr == "", command is clean, "something is said about leaks only")
        expect_equal(len(orphans()), 0 if command is clean else 1, "nothing was ended")
        end_orphans()


def test_gate_needs_an_instrumented_program():
    with open("static.c", "w", encoding="utf-8") as file:
        file.write("int main() { return 0; }\n")
    if os.system("gcc -static static.c -o static 2>/dev/null") != 0:
        return
    expect_equal(TOOL.run("--gate", "./static").returncode, 125, "status")
    expect_one_line(TOOL.run("--gate", "./static").stderr, "message")
    report, done = TOOL.report("./static")
    expect_equal((done.returncode, done.stderr), (0, ""), "without a gate")
    expect_equal((report["processes"][0]["instrumented"], report["processes"][0]["reason"]),
                 (False, "static"), "the report says so")


def test_what_is_said():
    leaks = ["sh", "-c", ORPHAN]
    said = TOOL.run("--grace", "0", *leaks).stderr
    expect("sleep" in said and "records kept in" in said, "summary", said)
    expect_equal(TOOL.run("--grace", "0", "-q", *leaks).stderr, "", "-q")
    expect_equal(TOOL.run("--grace", "0", "-q", "--gate", *leaks).stderr, "", "-q --gate")
    expect_equal(TOOL.run("--grace", "0", "-o", "x.json", *leaks).stderr, "", "-o")
    summary = TOOL.run("--grace", "0", "--format", "json", *leaks).stderr
    begin = summary.index("{")
    report, _ = json.JSONDecoder().raw_decode(summary[begin:])
    expect_equal(report["summary"]["by_kind"], {"process": 1}, "--format json")
    done = TOOL.run("-o", "-", "--format", "json", "true")
    expect_equal(json.loads(done.stdout)["summary"]["leaks"], 0, "-o -")
    end_orphans()


def test_outputs():
    done = TOOL.run("-o", "a.json", "--output=b.txt", "-o", "json:c", "-otext:d.json", "true")
    expect_equal((done.returncode, done.stdout, done.stderr), (0, "", ""), "silent")
    for name in ("a.json", "c"):
        with open(name, encoding="utf-8") as file:
            expect_equal(json.load(file)["session"]["command"], ["true"], name)
    for name in ("b.txt", "d.json"):
        with open(name, encoding="utf-8") as file:
            expect(not file.read().startswith("{"), f"{name} is text")


def test_outputs_that_cannot_be_written():
    for name in ("no/such/folder/x.json", "/tmp", "/proc/x.json", "/dev/null/x"):
        done = TOOL.run("-o", f"json:{name}", "touch", "started")
        expect_equal(done.returncode, 125, name)
        expect_one_line(done.stderr, name)
        expect(not os.path.exists("started"), "the program did not start", name)
    for code, wanted in ((0, 125), (3, 3)):
        done = TOOL.run("-o", "json:/dev/full", "sh", "-c", f"exit {code}")
        expect_equal(done.returncode, wanted, f"found out afterwards, program exits {code}")
        expect_one_line(done.stderr, "afterwards")
        done = TOOL.run("-o", "gone/x.json", "sh", "-c", f"rmdir gone; exit {code}") if not os.mkdir(
            "gone") else None
        expect_equal(done.returncode, wanted, f"folder removed, program exits {code}")


def test_report_of_a_run():
    report, done = TOOL.report("--label", "a=b", "--label", "c=d=e", "--session", "night-1",
                               "sh", "-c", "exit 7", "x y")
    expect_equal(done.returncode, 7, "status")
    session = report["session"]
    expect_equal(session["id"], "night-1", "id")
    expect_equal(session["command"], ["sh", "-c", "exit 7", "x y"], "command")
    expect_equal(session["cwd"], os.getcwd(), "cwd")
    expect_equal(session["exit"], {"code": 7}, "exit")
    expect_equal(session["labels"], {"a": "b", "c": "d=e"}, "labels")
    expect_equal(session["host"]["machine"], os.uname().machine, "machine")
    expect(0 <= session["duration_seconds"] < 30, "duration", session["duration_seconds"])
    report, done = TOOL.report("sh", "-c", "kill -INT $$")
    expect_equal(report["session"]["exit"], {"signal": "SIGINT"}, "exit by a signal")


def test_grace():
    import time
    begin = time.monotonic()
    expect_equal(TOOL.run("--grace", "20", "true").returncode, 0, "status")
    done = TOOL.run("--grace", "20", "sh", "-c", "sleep 0.3 &")
    expect_equal(done.stderr, "", "ended within the grace window")
    expect(time.monotonic() - begin < 15, "the window ends with the last descendant")
    # Far from us: a double fork, in a session of its own.
    done = TOOL.run("--grace", "0.1", "sh", "-c", "(setsid sleep 1000 >/dev/null 2>&1 &) &")
    expect("sleep" in done.stderr, "an adopted orphan", done.stderr)
    expect_equal(len(orphans()), 1, "which lives on")
    end_orphans()


run_cases(globals())
