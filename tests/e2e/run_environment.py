#!/usr/bin/env python3
"""The program finds itself as if leftover were not there, and leftover copes with odd places."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import sandbox
from cases import changed_environment, expect, expect_equal, run_cases
from machine import Machine
from tool import Tool

TOOL = Tool(sandbox.enter())
MACHINE = Machine()

# What it inherits beside environment and descriptors.
LOOK = r"""
import json, os, resource, sys
facts = {
    "cwd": os.getcwd(), "umask": os.umask(0), "nice": os.nice(0), "pgrp_is_parents": os.getpgrp() == os.getpgid(os.getppid()),
    "session_is_parents": os.getsid(0) == os.getsid(os.getppid()),
    "fds": sorted(fd for fd in map(int, os.listdir("/proc/self/fd")) if os.path.exists(f"/proc/self/fd/{fd}")),
    "limits": [resource.getrlimit(n) for n in (resource.RLIMIT_CORE, resource.RLIMIT_NOFILE, resource.RLIMIT_STACK)],
    "dumpable": open("/proc/self/status").read().split("CoreDumping:")[1].split()[0],
    "argv": sys.argv[1:], "environment": dict(os.environ),
}
print(json.dumps(facts, sort_keys=True))
"""


def look(words, **how):
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60, **how)
    expect_equal((done.returncode, done.stderr), (0, ""), "status")
    return json.loads(done.stdout)


def test_everything_inherited():
    os.nice(3)
    os.umask(0o027)
    handle = os.open("/etc/passwd", os.O_RDONLY)
    os.dup2(handle, 17)
    with changed_environment(LEFTOVER_OPTIONS="mode=off", ODD="a=b\nc", EMPTY=""):
        program = ["python3", "-c", LOOK, "x y", ""]
        plain = look(program, pass_fds=(17,), stdin=subprocess.DEVNULL)
        under = look(TOOL.words(*program), pass_fds=(17,), stdin=subprocess.DEVNULL)
    os.umask(0o022)
    expect_equal(under, plain, "the same")


def test_what_the_shim_is_told():
    """Seen in the initial environment: the shim has hidden it from the program."""
    show = ("import os; print([e for e in open('/proc/self/environ').read().split(chr(0))"
            " if e.startswith('LEFTOVER_INTERNAL')][0]); print('LEFTOVER_INTERNAL' in os.environ)")
    with changed_environment(LEFTOVER_STATE_DIR=os.path.abspath("state")):
        done = TOOL.run("--session", "s1", "--depth", "7", "--no-python", "--kinds",
                        "semaphore,zombie", "python3", "-c", show)
    internal, visible = done.stdout.splitlines()
    expect_equal(visible, "False", "hidden")
    expect(internal.startswith("LEFTOVER_INTERNAL=1;"), "version", internal)
    words = dict(word.partition("=")[::2] for word in internal.partition("=")[2].split(";")[1:])
    launcher = words.pop("launcher")
    expect(launcher.isdigit(), "launcher", launcher)
    expect_equal(words, {"id": "s1", "depth": "7", "python": "0", "clean": "0", "limited": "0", "kinds": "402",
                         "dir": os.path.abspath("state/s1")}, "what the shim is told")


def test_the_users_own_preload_is_kept():
    if TOOL.is_sanitized():
        return  # its runtime wants to be the first library
    show = "import os; print(os.environ.get('LD_PRELOAD')); print(open('/proc/self/maps').read())"
    for preload, library in (("libutil.so.1", "libutil"), ("libutil.so.1 libnsl.so.1", "libnsl")):
        with changed_environment(LD_PRELOAD=preload):
            done = TOOL.run("/usr/bin/python3", "-S", "-c", show)
        shown, _, maps = done.stdout.partition("\n")
        expect_equal((done.stderr, shown), ("", preload), "as the program sees it")
        expect("libleftover" in maps and library in maps, "both are loaded")
    done = TOOL.run("/usr/bin/python3", "-S", "-c", show)
    expect_equal(done.stdout.partition("\n")[0], "None", "without one of the user's")


def test_programs_that_cannot_take_the_shim():
    with open("main.c", "w", encoding="utf-8") as file:
        file.write("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n"
                   "int main(void) { const char *p = getenv(\"LD_PRELOAD\"); puts(p ? p : \"-\");"
                   " return getenv(\"LEFTOVER_INTERNAL\") != NULL; }\n")
    built = {"static": "gcc -static", "static_pie": "gcc -static-pie", "small": "gcc -m32",
             "musl": "musl-gcc"}
    reasons = {"static": "static", "static_pie": "static", "small": "architecture", "musl": "libc"}
    for name, compiler in built.items():
        if os.system(f"{compiler} main.c -o {name} 2>/dev/null") != 0:
            print(f"  ({compiler} is not here)")
            continue
        report, done = TOOL.report(f"./{name}")
        expect_equal((done.returncode, done.stdout, done.stderr), (0, "-\n", ""), name)
        entry = report["processes"][0]
        expect_equal((entry["instrumented"], entry["reason"]), (False, reasons[name]), name)
    with open("script", "w", encoding="utf-8") as file:
        file.write(f"#!{os.getcwd()}/static\n")
    os.chmod("script", 0o755)
    report, done = TOOL.report("./script")
    expect_equal((done.stdout, report["processes"][0]["reason"]), ("-\n", "static"), "a script's interpreter")


def test_what_an_uninstrumented_program_leaves():
    with open("main.c", "w", encoding="utf-8") as file:
        file.write("#include <fcntl.h>\n#include <sys/mman.h>\n#include <sys/shm.h>\n#include <unistd.h>\n"
                   "int main(void) { shmget(IPC_PRIVATE, 4096, 0600);\n"
                   "  int f = open(\"/dev/shm/from-outside\", O_CREAT | O_RDWR, 0600);\n"
                   "  if (fork() == 0) for (;;) pause();\n  return f < 0; }\n")
    if os.system("gcc -static main.c -o static 2>/dev/null") != 0:
        return
    with open("/dev/shm/there-before", "w", encoding="utf-8"):
        pass
    report, done = TOOL.report("--grace", "0", "--gate", "./static", capture_output=False)
    expect_equal(done.returncode, 125, "the gate cannot tell")
    kinds = sorted((leak["kind"], leak["severity"]) for leak in report["leaks"])
    expect_equal(kinds, [("process", "error"), ("shared_memory", "error"), ("sysv_shared_memory", "error")],
                 "found from outside")
    MACHINE.clear()


def test_standard_streams():
    done = TOOL.run("cat", input="some\nlines", stdin=None)
    expect_equal(done.stdout, "some\nlines", "input passes through")
    done = TOOL.run("sh", "-c", "echo out; echo err >&2")
    expect_equal((done.stdout, done.stderr), ("out\n", "err\n"), "outputs")


def test_closed_streams():
    look_at = "import os, sys; os.write(9, repr([n for n in (0, 1, 2) if os.path.exists(f'/proc/self/fd/{n}')]).encode())"
    for closed in ([0], [1], [2], [0, 1], [1, 2], [0, 1, 2]):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.dup2(writing, 9)
            os.closerange(10, 64)
            for number in (0, 1, 2):
                os.dup2(os.open("/dev/null", os.O_RDWR), number)
            os.closerange(3, 9)
            for number in closed:
                os.close(number)
            os.execv(TOOL.path, TOOL.words("-o", "closed.json", sys.executable, "-S", "-c", look_at))
        os.close(writing)
        with os.fdopen(reading) as stream:
            seen = stream.read()
        expect_equal(os.waitpid(pid, 0)[1], 0, f"status with {closed} closed")
        expect_equal(seen, repr([n for n in (0, 1, 2) if n not in closed]), f"with {closed} closed")
        with open("closed.json", encoding="utf-8") as file:
            expect_equal(json.load(file)["session"]["exit"], {"code": 0}, "report")


def test_summary_into_a_closed_pipe():
    process = TOOL.start("--grace", "0", "sh", "-c", "sleep 1000 >/dev/null 2>&1 & read x; exit 6",
                         stdin=subprocess.PIPE)
    process.stderr.close()
    process.stdin.close()
    expect_equal(process.wait(timeout=60), 6, "the program's status all the same")
    MACHINE.end_processes()


def test_deleted_working_folder():
    os.mkdir("gone")
    os.chdir("gone")
    os.rmdir("../gone")
    done = TOOL.run("-o", "/tmp/gone.json", "sh", "-c", "exit 4")
    expect_equal(done.returncode, 4, "status")
    with open("/tmp/gone.json", encoding="utf-8") as file:
        expect_equal(json.load(file)["session"]["exit"], {"code": 4}, "report")


def test_without_proc():
    if TOOL.is_sanitized():
        return  # its runtime needs /proc itself
    script = f"umount -l /proc && exec {TOOL.path} run true"
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, check=False)
    expect_equal(done.returncode, 125, "status")
    expect("/proc" in done.stderr and len(done.stderr.splitlines()) == 1, "one line", done.stderr)
    done = subprocess.run(["unshare", "--pid", "--fork", TOOL.path, "run", "true"], capture_output=True,
                          text=True, check=False)
    expect_equal(done.returncode, 125, "another namespace's /proc")
    expect("pid namespace" in done.stderr, "reason", done.stderr)


def test_pid_1():
    inside = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    done = subprocess.run(inside + TOOL.words("sh", "-c", "echo $PPID; exit 5"), capture_output=True,
                          text=True, check=False, timeout=60)
    expect_equal(done.returncode, 5, "status")
    done = subprocess.run(inside + TOOL.words("sh", "-c", "kill -TERM $$"), check=False, timeout=60)
    expect_equal(done.returncode, 128 + 15, "killed by a signal")
    done = subprocess.run(inside + TOOL.words("no-such-command"), capture_output=True, text=True,
                          check=False, timeout=60)
    expect_equal((done.returncode, len(done.stderr.splitlines())), (127, 1), "not found")


def test_children_from_before():
    """A shell may have started something before it executed leftover: it is no part of the session."""
    script = f"sleep 1000 >/dev/null 2>&1 & exec {TOOL.path} run -o r.json --grace 20 sh -c 'exit 3'"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False, timeout=15)
    expect_equal((done.returncode, done.stderr), (3, ""), "it is not waited for")
    with open("r.json", encoding="utf-8") as file:
        expect_equal(json.load(file)["leaks"], [], "nor reported")
    MACHINE.end_processes()


run_cases(globals())
