#!/usr/bin/env python3
"""By hand: LEFTOVER_OPTIONS, what is said about it, and where reports go."""

import datetime
import glob
import os
import platform
import re
import stat

from hand_support import (BUILD, SHIM, STATE, clear_machine, compiled, environment, leaks_of, names_of,
                          read_report, run, sessions, the_report)
from cases import changed_environment, expect, expect_equal, run_cases

ENDS = compiled("ends")
LEAK = [ENDS, "return", "0"]
PREFIX = "leftover: LEFTOVER_OPTIONS: "


def leave(options, words=None, **how):
    """Leaves one semaphore behind; checks that nothing was said, and returns the status."""
    clear_machine()
    done = run(words or LEAK, options, **how)
    expect_equal(done.stderr, "", f"nothing is said: {options}")
    return done


def test_default():
    leave(None)
    expect_equal(names_of(the_report(), "semaphore"), ["/ends"], "found")


def test_templates():
    host = platform.node()
    leave("report=made/of/%e/%h-%%.json")
    read_report(f"made/of/ends/{host}-%.json")
    leave('report="a:b c.json"')
    read_report("a:b c.json")
    leave('report="q.json":grace=0')
    read_report("q.json")
    leave("report=%t.json:report_always=1")
    name = glob.glob("2*.json")[0]
    made = datetime.datetime.strptime(name, "%Y%m%dT%H%M%S.json")
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    expect(abs((now - made).total_seconds()) < 100, "start time as UTC", name)
    leave(f"report={os.getcwd()}/x/%p.json")
    report = the_report("x/*.json")
    expect_equal(glob.glob("x/*"), [f"x/{report['processes'][0]['pid']}.json"], "the pid, and nothing else")
    expect_equal(stat.S_IMODE(os.stat(glob.glob("x/*")[0]).st_mode), 0o644, "an ordinary file's mode")


def test_overwritten_as_a_whole():
    for _ in range(2):
        leave("report=same.json")
    expect_equal(os.listdir("."), ["same.json"], "one report")
    read_report("same.json")


def test_where_the_program_started():
    os.makedirs("elsewhere")
    script = f"cd elsewhere; {ENDS} return 0; cd /"
    clear_machine()
    done = run(["sh", "-c", script], "report=%e.json:report_always=1")
    expect_equal((done.returncode, done.stderr), (0, ""), "status")
    expect_equal(sorted(os.listdir(".")), ["dash.json", "elsewhere", "ends.json"], "all in one place")
    expect_equal(os.listdir("elsewhere"), [], "not where a child was")
    os.makedirs("gone")
    clear_machine()
    run(["sh", "-c", f"cd gone; exec {ENDS} return 0"], "report=x.json")
    expect(os.path.exists("x.json") and not os.path.exists("gone/x.json"), "where the session started")


def test_where_it_cannot_be_written():
    for place in ("/proc/x/y.json", "/dev/full", "/", "/dev/null/x", "n" * 300):
        leave(f"report={place}")
    expect_equal(os.listdir("."), [], "no traces")


def test_never_replaces_what_is_no_file():
    os.mkfifo("pipe")
    leave("report=pipe")
    expect(stat.S_ISFIFO(os.stat("pipe").st_mode), "nobody reads it: neither waited for nor replaced")
    leave("report=/dev/null")
    expect(stat.S_ISCHR(os.stat("/dev/null").st_mode), "/dev/null stays")
    clear_machine()
    done = run(LEAK, "report=/dev/stderr")
    expect(done.stderr.startswith('{"schema": "leftover.report/1"'), "asked for", done.stderr)


def test_report_always():
    clear_machine()
    for options, wanted in (("report_always=0", 0), ("report_always=1", 1), ("", 0)):
        done = run(["true"], options)
        expect_equal((done.returncode, done.stderr), (0, ""), options)
        expect_equal(len(glob.glob("*.json")), wanted, options)
        for file in glob.glob("*.json"):
            report = read_report(file)
            os.unlink(file)
    expect_equal((report["summary"]["leaks"], report["session"]["exit"]), (0, {"code": 0}), "empty")
    expect_equal(sessions(), [], "no records stay")


def test_off():
    clear_machine()
    done = run(["sh", "-c", f"{ENDS} return 0; env"], "mode=off")
    expect_equal((glob.glob("*.json"), sessions()), ([], []), "nothing is done")
    expect_equal(done.stderr, "", "nothing is said")


def test_clean_is_taken():
    leave("mode=clean")
    expect_equal(the_report()["session"]["mode"], "clean", "mode")


def test_kinds():
    for kinds, wanted in (("semaphore", 1), ("process,thread", 0), ("-semaphore", 0), ("-timer,-process", 1),
                          ("all", 1), ("semaphore,-semaphore", 0)):
        leave(f"kinds={kinds}:report_always=1:report=x.json")
        expect_equal(len(leaks_of(read_report("x.json"), "semaphore")), wanted, kinds)


def test_depth_and_python():
    for depth, wanted in (("1", 1), ("2", 2), ("0", 0)):
        leave(f"depth={depth}:report=x.json")
        report = read_report("x.json")
        stack = [stack for stack in report["stacks"] if stack["id"] == report["leaks"][0]["stack"]]
        frames = stack[0]["native"] if stack else []
        expect_equal(len(frames), wanted, f"frames at depth {depth}")


def test_malformed():
    for option, named in (("grace=soon", "grace"), ("grace=-1", "grace"), ("grace=", "grace"),
                          ("grace=1.5s", "grace"), ("kill_after=1e3", "kill_after"), ("depth=x", "depth"),
                          ("depth=", "depth"), ("python=yes", "python"), ("report_always=2", "report_always"),
                          ("mode=tidy", "mode"), ("report=", "report"), ("report=%x.json", "report"),
                          ("report=50%", "report"), ("kinds=semaphores", "kinds"), ("kinds=", "kinds"),
                          ("kinds=a,,b", "kinds"), ("dump_signal=KILL", "dump_signal"),
                          ("dump_signal=SIGNONE", "dump_signal"), ("dump_signal=10", "dump_signal"),
                          ("no_such=1", "no_such"), ("nothing", "nothing"), ("=1", "=1"),
                          ('report="a', '"a'), ('report="a"b', '"a"b'), ("\x1b[31m=1", "?[31m"),
                          ("grace=99999999999", "grace"), ("help=maybe", "help"),
                          ("report=" + "x/" * 300, "report")):
        clear_machine()
        done = run(["sh", "-c", f"{ENDS} return 0; true"], option)
        expect_equal(done.returncode, 0, option)
        lines = done.stderr.splitlines()
        expect(len(lines) == 1 and lines[0].startswith(PREFIX) and named in lines[0], option, done.stderr)
        expect_equal(names_of(the_report(), "semaphore"), ["/ends"], f"goes on by default: {option}")
        os.unlink(glob.glob("*.json")[0])


def test_several():
    clear_machine()
    done = run(LEAK, "x=1:report=y.json:grace=never::depth=3:")
    expect_equal(len(done.stderr.splitlines()), 2, "a line for each")
    read_report("y.json")


def test_help():
    clear_machine()
    done = run(["sh", "-c", "true; /bin/true"], "help=1")
    expect_equal((done.returncode, done.stdout), (0, ""), "goes on")
    for key in ("mode", "report", "report_always", "dump_signal", "grace", "kill_after", "depth", "python",
                "kinds", "help"):
        expect_equal(len(re.findall(rf"^  {key}=", done.stderr, re.MULTILINE)), 1, f"{key}, once")


def test_without_standard_error():
    def close():
        os.close(2)
    with open("own", "w", encoding="utf-8"):
        pass
    done = run(["sh", "-c", "exec 2>own; exit 5"], "nonsense", preexec_fn=close)
    expect_equal(done.returncode, 5, "status")
    with open("own", encoding="utf-8") as file:
        expect_equal(file.read(), "", "not into a file that the program opened")


def test_hidden_from_the_program():
    done = run(["sh", "-c", "env; exec env"], "grace=0")
    expect("LEFTOVER" not in done.stdout and "LD_PRELOAD" not in done.stdout, "our variables", done.stdout)


def only_session():
    expect_equal(len(sessions()), 1, "sessions")
    return sessions()[0]


def test_state_folder():
    leave(None)
    expect_equal(stat.S_IMODE(os.stat(STATE).st_mode), 0o700, "mode")
    expect(re.fullmatch(r"h\d{8}-\d{6}-\d+-[0-9a-f]{4}", only_session()), "the id", only_session())
    expect_equal(the_report()["session"]["id"], only_session(), "in the report")
    clear_machine()
    with changed_environment(LEFTOVER_STATE_DIR=os.path.join(os.getcwd(), "own/state/")):
        leave(None)
        expect_equal((len(os.listdir("own/state")), sessions()), (1, []), "LEFTOVER_STATE_DIR")
    os.makedirs("runtime")
    with changed_environment(XDG_RUNTIME_DIR=os.path.join(os.getcwd(), "runtime")):
        leave(None)
        expect_equal((len(os.listdir("runtime/leftover")), sessions()), (1, []), "XDG_RUNTIME_DIR")


def test_state_folder_of_others():
    os.makedirs("open", mode=0o755)
    os.symlink("open", "link")
    for name in ("open", "link", "link/", "file", "/dev/null/x"):
        if name == "file":
            with open(name, "w", encoding="utf-8"):
                pass
        path = name if name.startswith("/") else os.path.join(os.getcwd(), name)
        with changed_environment(LEFTOVER_STATE_DIR=path):
            leave(None)
        expect_equal(len(sessions()), 1, f"{name} is passed over")
        expect_equal(os.listdir("open"), [], "and left alone")


def test_nowhere_to_record():
    clear_machine()
    with open(STATE, "w", encoding="utf-8"):
        pass
    done = run(LEAK, None)
    expect_equal((done.returncode, done.stderr), (0, ""), "the program goes on")
    os.unlink(STATE)
    os.unlink("/dev/shm/sem.ends")


def test_odd_text():
    os.makedirs(b"odd\xff\n\x1b")
    os.chdir(b"odd\xff\n\x1b")
    clear_machine()
    done = run([ENDS, "return", "0", b"\xc3\x28 \xe2\x80\xae \xf0\x9f\x92\xa9 \"\\\t\x07"], None)
    expect_equal(done.returncode, 0, "status")
    report = the_report()
    words = report["session"]["command"]
    expect_equal(words[3], "\ufffd( \u202e \U0001f4a9 \"\\\t\x07", "an argument")
    expect(report["session"]["cwd"].endswith("/odd\ufffd\n\x1b"), "cwd", report["session"]["cwd"])
    with open(glob.glob("*.json")[0], "rb") as file:
        raw = file.read()
    expect(not set(raw) & (set(range(32)) - {10}) and b"\xe2\x80\xae" not in raw, "nothing steers a terminal")


def test_session_facts():
    elsewhere = "/tmp/elsewhere"
    os.mkdir(elsewhere)
    leave(None, [ENDS, "exit", "3"], cwd=elsewhere)
    os.chdir(elsewhere)
    report = the_report()
    session = report["session"]
    expect_equal(session["command"], [ENDS, "exit", "3"], "command")
    expect_equal((session["cwd"], session["exit"], session["complete"]), (elsewhere, {"code": 3}, True), "session")
    host = os.uname()
    expect_equal(session["host"], {"name": host.nodename, "kernel": host.release, "machine": host.machine}, "host")
    expect(0 <= session["duration_seconds"] < 20, "duration", session["duration_seconds"])
    process = report["processes"][0]
    expect_equal(process["counts"]["semaphore"], {"created": 1, "released": 0, "peak": 1}, "counts")
    expect_equal((process["executable"], process["instrumented"]), (ENDS, True), "process")
    leak = report["leaks"][0]
    expect_equal((leak["pid"], leak["thread_name"]), (process["pid"], "ends"), "creator")
    expect_equal(leak["details"]["inode"], os.stat("/dev/shm/sem.ends").st_ino, "inode")
    expect_equal((leak["details"]["path"], leak["details"]["bytes"]), ("/dev/shm/sem.ends", 32), "details")
    paths = {module["id"]: module["path"] for module in report["modules"]}
    stack = [stack for stack in report["stacks"] if stack["id"] == leak["stack"]][0]
    places = [paths[frame["module"]] for frame in stack["native"] if frame["module"]]
    expect_equal((places[0], places[1]), (SHIM, ENDS), "the call and its caller")
    expect(BUILD in SHIM and environment()["LD_PRELOAD"] == SHIM, "the shim under test")


run_cases(globals())
