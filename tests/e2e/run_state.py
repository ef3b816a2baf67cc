#!/usr/bin/env python3
"""Where sessions live: the state folder, their names, sessions inside sessions."""

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import sandbox
from cases import changed_environment, expect, expect_equal, run_cases, wait_for
from machine import Machine
from tool import Tool, line_of, state_of

TOOL = Tool(sandbox.enter())
MACHINE = Machine()

ORPHAN = "sleep 1000 >/dev/null 2>&1 &"
NOBODY = 65534


def test_where_it_is():
    inside = ["sh", "-c", "ls -A $0", ""]
    for variables, folder in (
            ({"LEFTOVER_STATE_DIR": os.path.abspath("new/state")}, "new/state"),
            ({"LEFTOVER_STATE_DIR": "relative/"}, "relative"),
            ({"XDG_RUNTIME_DIR": os.getcwd()}, "leftover"),
            ({"LEFTOVER_STATE_DIR": "", "XDG_RUNTIME_DIR": ""}, f"/tmp/leftover-{os.geteuid()}"),
            ({"XDG_RUNTIME_DIR": "/no/such/folder"}, f"/tmp/leftover-{os.geteuid()}")):
        with changed_environment(**variables):
            inside[-1] = os.path.abspath(folder)
            done = TOOL.run("--session", "here", *inside)
            expect_equal((done.returncode, done.stdout, done.stderr), (0, "here\n", ""), f"{variables}")
        status = os.stat(folder)
        expect_equal((stat.S_IMODE(status.st_mode), status.st_uid), (0o700, os.geteuid()), "mode and owner")
        expect_equal(os.listdir(folder), [], "a session that left nothing leaves no folder")


def test_whatever_the_umask_is():
    before = os.umask(0o777)
    try:
        with changed_environment(LEFTOVER_STATE_DIR=os.path.abspath("state")):
            done = TOOL.run("--session", "s", "--grace", "0", "sh", "-c", ORPHAN)
    finally:
        os.umask(before)
    expect("1 process" in done.stderr, "it works", done.stderr)
    expect_equal(stat.S_IMODE(os.stat("state").st_mode), 0o700, "mode")
    expect_equal(stat.S_IMODE(os.stat("state/s/session.json").st_mode), 0o600, "mode of session.json")
    MACHINE.end_processes()


def test_refused():
    os.mkdir("open", 0o755)
    os.mkdir("foreign", 0o700)
    os.mkdir("real", 0o700)
    os.symlink("real", "link")
    with open("file", "w", encoding="utf-8"):
        pass
    if sandbox.has_other_users():
        os.chown("foreign", NOBODY, NOBODY)
    for name, reason in (("open", "other users"), ("foreign", "belongs"), ("link", "symbolic link"),
                         ("link/", "symbolic link"), ("file", "not a folder"), ("file/below", "Not a directory"),
                         ("/proc/x", "No such file"), ("n" * 300, "too long")):
        if name == "foreign" and not sandbox.has_other_users():
            continue
        with changed_environment(LEFTOVER_STATE_DIR=name):
            done = TOOL.run("touch", "started")
        expect_equal(done.returncode, 125, name)
        expect(len(done.stderr.splitlines()) == 1 and reason in done.stderr, name, done.stderr)
        expect(not os.path.exists("started"), "the program did not start", name)


def test_another_users_runtime_folder():
    """As sudo leaves it: neither used nor spoilt."""
    if not sandbox.has_other_users():
        return
    os.mkdir("runtime", 0o700)
    os.chown("runtime", NOBODY, NOBODY)
    with changed_environment(XDG_RUNTIME_DIR=os.path.abspath("runtime")):
        expect_equal(TOOL.run("true").returncode, 0, "status")
    expect_equal(os.listdir("runtime"), [], "nothing is in there")


def test_another_users_fallback():
    if not sandbox.has_other_users():
        return
    os.mkdir(f"/tmp/leftover-{NOBODY}", 0o777)
    done = TOOL.run("true", user=NOBODY, group=NOBODY)
    expect_equal(done.returncode, 125, "somebody was there first")
    expect("belongs" in done.stderr, "reason", done.stderr)


@contextlib.contextmanager
def small_state(size, inodes=100):
    os.mkdir("small")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},nr_inodes={inodes},mode=0700", "tmpfs", "small"], check=True)
    try:
        with changed_environment(LEFTOVER_STATE_DIR=os.path.abspath("small")):
            yield
    finally:
        subprocess.run(["umount", "small"], check=True)
        os.rmdir("small")


def fill(but=0):
    """The small disk, but for so many bytes."""
    with open("small/filler", "wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                continue
        except OSError:
            pass
        if but:
            file.truncate(file.tell() - but)


def test_a_full_disk():
    """The program runs untouched, and how it ended is told; nothing of ours stays on the disk."""
    for size, inodes, but in (("64k", 100, 0), ("64k", 100, 4096), ("64k", 100, 8192), ("1m", 2, 0)):
        with small_state(size, inodes):
            if inodes == 100:
                fill(but)
            before = os.listdir("small")
            for words, status in ((["cat"], 0), (["sh", "-c", "cat; env | grep -c leftover; exit 3"], 3)):
                done = TOOL.run(*words, stdin=None, input="in\n")
                expect_equal((done.returncode, done.stdout.splitlines()[0]), (status, "in"), "status and output")
                expect_equal(len(done.stderr.splitlines()), 1, f"one line: {done.stderr}")
                expect("No space left on device" in done.stderr and f"'{words[0]}' runs all the same" in done.stderr,
                       "what is wrong, and what becomes of it", done.stderr)
            done = TOOL.run("sh", "-c", "kill -TERM $$")
            expect_equal(done.returncode, -signal.SIGTERM, "the program's own signal")
            report, done = TOOL.report("--grace", "0", "--clean", "sh", "-c", ORPHAN)
            expect_equal([(leak["kind"], leak["status"]) for leak in report["leaks"] if leak["severity"] == "error"],
                         [("process", "cleaned")], "a process that is left is found all the same")
            expect_equal([(process["instrumented"], process["reason"]) for process in report["processes"]][0],
                         (False, "unknown"), "the report says that nothing was recorded")
            expect_equal(TOOL.run("--gate", "true").returncode, 125, "the gate cannot tell")
            for option in (["--keep"], ["--detach"], ["--max-processes", "5"], ["--max-sessions", "2"]):
                done = TOOL.run(*option, "touch", "started", env=dict(os.environ, XDG_RUNTIME_DIR="/nowhere"))
                if option[0] in ("--keep", "--detach"):
                    continue  # live in /tmp, which has room
                expect_equal((done.returncode, len(done.stderr.splitlines())), (125, 1), f"{option}: {done.stderr}")
                expect(f"{option[0]} needs it" in done.stderr, f"{option}", done.stderr)
            expect_equal(os.listdir("small"), before, "nothing of ours stays")
            os.unlink("started")


def test_a_disk_that_fills_meanwhile():
    with small_state("256k"):
        begun = "dd if=/dev/zero of=small/filler bs=4096 2>/dev/null; "
        report, done = TOOL.report("--grace", "0", "sh", "-c", begun + "echo out; exit 4")
        expect_equal((done.returncode, done.stdout), (4, "out\n"), "status and output")
        expect(len(done.stderr.splitlines()) == 1 and "not all may be recorded" in done.stderr, "one line", done.stderr)
        expect_equal((report["session"]["exit"], report["session"]["complete"]), ({"code": 4}, False), "report")
        expect_equal(os.listdir("small"), ["filler"], "nothing of ours stays")
        os.unlink("small/filler")
        expect_equal(TOOL.run("--gate", "sh", "-c", begun + "true").returncode, 125, "the gate cannot tell")


def test_records_are_kept_while_something_is_left():
    with changed_environment(LEFTOVER_STATE_DIR=os.path.abspath("state")):
        done = TOOL.run("--session", "left", "--grace", "0", "sh", "-c", ORPHAN)
        folder = os.path.abspath("state/left")
        expect(f"'leftover report {folder}'" in done.stderr, "the place is told", done.stderr)
        again = subprocess.run([TOOL.path, "report", folder], capture_output=True, text=True, check=False)
        expect("sleep 1000" in again.stdout, "and shows it again", again)
        with open("state/left/session.json", encoding="utf-8") as file:
            kept = json.load(file)
        expect_equal((kept["id"], kept["exit"]), ("left", {"code": 0}), "session.json")
    MACHINE.end_processes()


def test_names():
    with changed_environment(LEFTOVER_STATE_DIR=os.path.abspath("state")):
        first = TOOL.start("--session", "one", "sh", "-c", "echo $$ >pid; exec sleep 1000")
        line_of("pid", "it runs")
        done = TOOL.run("--session", "one", "true")
        expect_equal(done.returncode, 125, "while it lives")
        expect(len(done.stderr.splitlines()) == 1 and "one" in done.stderr, "one line", done.stderr)
        expect_equal(TOOL.run("--session", "two", "true").returncode, 0, "another name")
        first.terminate()
        first.wait()
        expect_equal(TOOL.run("--session", "one", "true").returncode, 0, "when it has ended")
        expect_equal(os.listdir("state"), [], "nothing is left")


def test_name_of_a_killed_leftover():
    with changed_environment(LEFTOVER_STATE_DIR=os.path.abspath("state")):
        for leaves, kept in (("", []), ("from multiprocessing import shared_memory as m; s = m.SharedMemory(create=True, size=9);"
                                        "from multiprocessing import resource_tracker as t; t.unregister(s._name, 'shared_memory');",
                                        ["one.1"])):
            program = leaves + "import os, time; open('pid', 'w').write(f'{os.getpid()}\\n'); time.sleep(1000)"
            if os.path.exists("pid"):
                os.unlink("pid")
            first = TOOL.start("--session", "one", "python3", "-c", program)
            pid = int(line_of("pid", "it runs"))
            first.kill()
            first.wait()
            expect_equal(TOOL.run("--session", "one", "true").returncode, 125, "the program lives")
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: state_of(pid) is None, "the program is gone")
            # Python's own helper follows within milliseconds.
            wait_for(lambda: TOOL.run("--session", "one", "true").returncode == 0, "now it is dead")
            expect_equal(os.listdir("state"), kept, "what it left over is known still")
        with open("state/one.1/session.json", encoding="utf-8") as file:
            expect_equal(json.load(file)["command"][0], "python3", "session.json")


def test_names_at_the_same_time():
    with changed_environment(LEFTOVER_STATE_DIR=os.path.abspath("state")):
        TOOL.run("true")
        running = [TOOL.start("--session", "same", "sh", "-c", "echo >>started; read x", stdin=subprocess.PIPE)
                   for _ in range(8)]
        refused = lambda: [process for process in running if process.poll() == 125]
        wait_for(lambda: len(refused()) == 7, "all but one are refused")
        for process in running:
            process.stdin.close()
            process.wait()
        with open("started", encoding="utf-8") as file:
            expect_equal(len(file.readlines()), 1, "one started")
        expect_equal(os.listdir("state"), [], "nothing is left")


def test_made_up_names():
    show = ("ls $LEFTOVER_STATE_DIR",)
    with changed_environment(LEFTOVER_STATE_DIR=os.path.abspath("state")):
        names = [TOOL.run("sh", "-c", *show).stdout.strip() for _ in range(20)]
    expect_equal(len(set(names)), 20, "unique")
    expect(all(name[0].isalpha() for name in names), "a letter first", names)


def test_nested():
    with changed_environment(LEFTOVER_STATE_DIR=os.path.abspath("state")):
        inner = " ".join(TOOL.words("-q", "--session", "inner", "--grace", "0"))
        script = f"{inner} sh -c '{ORPHAN} exit 3'; echo inner=$?; ls state/outer/nested"
        report, done = TOOL.report("--session", "outer", "--grace", "0", "sh", "-c", script)
        expect_equal(done.stdout, "inner=3\ninner\n", "the inner one's own work")
        expect_equal(report["session"]["id"], "outer", "a report of the outer one")
        leaks = [(leak["kind"], leak["details"]["command"]) for leak in report["leaks"] if leak["kind"] == "process"]
        expect_equal(len(leaks), 1, "the leak, once")
        MACHINE.end_processes()
        # What leaves nothing leaves no trace.
        script = f"{inner} true; ls state/outer-2/nested"
        done = TOOL.run("--session", "outer-2", "sh", "-c", script)
        expect("inner" not in done.stdout, "no entry", done.stdout)


def test_blank_in_the_librarys_path():
    """The loader takes LD_PRELOAD apart at blanks and colons."""
    folder = os.path.abspath("a b:c")
    os.mkdir(folder)
    for name in ("leftover", "libleftover.so"):
        subprocess.run(["cp", os.path.join(os.path.dirname(TOOL.path), name), folder], check=True)
    with changed_environment(LEFTOVER_STATE_DIR=os.path.abspath("state")):
        done = subprocess.run([folder + "/leftover", "run", "grep", "-c", "libleftover", "/proc/self/maps"],
                              capture_output=True, text=True, check=False)
        expect_equal((done.returncode, done.stderr), (0, ""), "it is loaded")
    with changed_environment(LEFTOVER_STATE_DIR=os.path.abspath("x y")):
        done = subprocess.run([folder + "/leftover", "run", "true"], capture_output=True, text=True, check=False)
        expect_equal((done.returncode, len(done.stderr.splitlines())), (125, 1), "no way round")


def test_without_the_library():
    subprocess.run(["cp", TOOL.path, "."], check=True)
    done = subprocess.run(["./leftover", "run", "true"], capture_output=True, text=True, check=False)
    expect_equal(done.returncode, 125, "status")
    expect("libleftover.so is missing" in done.stderr, "reason", done.stderr)
    os.makedirs("lib/leftover")
    os.mkdir("bin")
    os.rename("leftover", "bin/leftover")
    subprocess.run(["cp", os.path.join(os.path.dirname(TOOL.path), "libleftover.so"), "lib/leftover"], check=True)
    done = subprocess.run(["bin/leftover", "run", "true"], capture_output=True, text=True, check=False)
    expect_equal((done.returncode, done.stderr), (0, ""), "as installed")


run_cases(globals())
