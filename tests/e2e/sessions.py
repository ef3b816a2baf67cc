#!/usr/bin/env python3
"""Sessions in the background and in turn: --detach, --keep, --on-complete, --max-sessions; ps, wait, stop."""

import json
import os
import pty
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import sandbox
from cases import changed_environment, expect, expect_equal, run_cases, wait_for
from machine import Machine
from sessions import Sessions, text_of
from tool import Tool, line_of, state_of

TOOL = Tool(sandbox.enter())
SESSIONS = Sessions(TOOL)
LASTING = f"/tmp/leftover-{os.geteuid()}"

# Runs until somebody writes a line into ./go, and ends with that.
HELD = ["sh", "-c", 'echo $$ >pid.tmp; mv pid.tmp "pid.$0"; read code <go; exit $code']


def held(name):
    return HELD + [name]


def release(code=0):
    with open("go", "w", encoding="utf-8") as pipe:
        pipe.write(f"{code}\n")


def test_detach():
    os.mkfifo("go")
    done = SESSIONS.detach("--session", "job", "--label", "team=x", "--", *held("job"))
    expect_equal((done.returncode, done.stdout, done.stderr), (0, "job\n", ""), "the id, as soon as it runs")
    pid = int(line_of("pid.job", "it runs"))
    session = SESSIONS.ps()["job"]
    expect_equal((session["state"], session["pid"], session["labels"], session["exit"]),
                 ("running", pid, {"team": "x"}, {"running": True}), "ps")
    expect_equal((session["processes"], session["threads"], session["stdout"]), (1, 1, f"{LASTING}/job/stdout.log"), "counts")
    expect(session["resident_bytes"] > 0 and session["elapsed_seconds"] > 0, "measured", session)
    expect_equal(os.getsid(pid) == os.getsid(0), False, "a terminal session of its own")
    expect_equal(stat.S_IMODE(os.stat(LASTING).st_mode), 0o700, "mode")
    expect_equal(TOOL.run("--detach", "--session", "job", "true").returncode, 125, "the name is taken")
    waiting = subprocess.Popen([TOOL.path, "wait", "job"])
    release(7)
    expect_equal(waiting.wait(), 7, "wait ends as it did")
    expect_equal(SESSIONS.wait("job"), 7, "also afterwards")
    expect("job" not in SESSIONS.ps(), "it lives no more")
    session = SESSIONS.ps("--all")["job"]
    expect_equal((session["state"], session["exit"], session["processes"]), ("ended", {"code": 7}, 0), "but is known")
    expect_equal(SESSIONS.detach("--session", "job", "true").returncode, 0, "and its name is free")
    expect_equal(SESSIONS.wait("job"), 0, "the new one")


def test_what_does_not_start_leaves_nothing():
    before = sorted(os.listdir(LASTING))
    with open("script", "w", encoding="utf-8") as file:
        file.write("#!/no/such/interpreter\n")
    os.chmod("script", 0o755)
    for command, status in (("no-such-command", 127), ("/etc/passwd", 126), ("./script", 126)):
        done = SESSIONS.detach("--session", "none", "--capture", "logs/deep", "--on-complete", "touch called", command)
        expect_equal((done.returncode, done.stdout, len(done.stderr.splitlines())), (status, "", 1), command)
        expect_equal(sorted(os.listdir(LASTING)), before, "no session")
        expect_equal(sorted(os.listdir(".")), ["script"], "no files")


def test_signals_and_unknown_ones():
    SESSIONS.detach("--session", "killed", "--", "sh", "-c", "kill -TERM $$")
    expect_equal(SESSIONS.wait("killed"), -signal.SIGTERM, "by the same signal")
    expect_equal(SESSIONS.ps("--all")["killed"]["exit"], {"signal": "SIGTERM"}, "ps")
    done = SESSIONS.call("wait", "nobody")
    expect_equal((done.returncode, len(done.stderr.splitlines())), (125, 1), "unknown")
    expect_equal(SESSIONS.call("stop", "nobody").returncode, 2, "unknown")
    expect_equal(SESSIONS.call("stop", "killed").returncode, 2, "not live")
    expect_equal(SESSIONS.call("wait", "../killed").returncode, 125, "no path")


def test_keep():
    with changed_environment(LEFTOVER_STATE_DIR=os.path.abspath("state")):
        done = TOOL.run("--keep", "--session", "kept", "--gate", "sh", "-c", "echo out; sleep 1000 >/dev/null 2>&1 & exit 0")
        expect_equal((done.returncode, done.stdout), (23, "out\n"), "in the foreground")
        expect_equal(SESSIONS.wait("kept"), 23, "as run ended, not the program")
        expect_equal(SESSIONS.ps("--all")["kept"]["exit"], {"code": 0}, "as the program ended")
        expect_equal(os.path.exists("state/kept"), False, "not where a login ends")
        shown = SESSIONS.call("report", f"{LASTING}/kept")
        expect("sleep 1000" in shown.stdout, "report", shown)
    Machine().clear()


def test_leftover_is_killed():
    """The program goes on; its session is listed as such, waits for nobody and can be stopped."""
    os.mkfifo("go")
    SESSIONS.detach("--session", "orphan", "--", *held("orphan"))
    pid = int(line_of("pid.orphan", "it runs"))
    launcher = state_of(pid)[1]
    waiting = subprocess.Popen([TOOL.path, "wait", "orphan"], stderr=subprocess.DEVNULL)
    os.kill(launcher, signal.SIGKILL)
    expect_equal(waiting.wait(), 125, "nobody knows how it will end")
    session = wait_for(lambda: [s for s in SESSIONS.ps().values() if not s["supervised"]], "listed as such")[0]
    expect_equal((session["id"], session["state"], session["processes"]), ("orphan", "running", 1), "what it is")
    expect("running alone" in SESSIONS.call("ps").stdout, "in words")
    done = SESSIONS.call("stop", "orphan")
    expect_equal(done.returncode, 0, "it can be stopped")
    wait_for(lambda: state_of(pid) is None, "it is gone")
    expect("orphan" not in SESSIONS.ps(), "and is over")


def test_on_complete():
    command = "env | grep ^LEFTOVER_ | sort >called; echo x >>times; sleep 1000 >/dev/null 2>&1 & exit 5"
    env = {**os.environ, "LEFTOVER_REPORT": "old"}
    done = TOOL.run("--session", "one", "--on-complete", command, "-o", "r.json", "sh", "-c", "exit 4", env=env)
    expect_equal(done.returncode, 4, "its status changes nothing")
    expect("exited with 5" in done.stderr and len(done.stderr.splitlines()) == 1, "but is said", done.stderr)
    expect_equal(text_of("called").split(), ["LEFTOVER_EXIT_CODE=4", "LEFTOVER_LEAKS=0",
                                             f"LEFTOVER_REPORT={os.path.abspath('r.json')}", "LEFTOVER_SESSION=one"], "told")
    expect_equal(text_of("times"), "x\n", "once")
    done = TOOL.run("-q", "--grace", 0, "--on-complete", "env | grep ^LEFTOVER_ | sort >called; env | grep -c leftover.so",
                    "sh", "-c", "sleep 1000 >/dev/null 2>&1 & kill -9 $$")
    expect_equal((done.returncode, done.stdout), (-9, "0\n"), "not preloaded")
    words = text_of("called").split()
    expect_equal([word for word in words if "SESSION" not in word], ["LEFTOVER_EXIT_SIGNAL=SIGKILL", "LEFTOVER_LEAKS=1"], "killed")
    Machine().clear()


def test_at_most_so_many():
    os.mkfifo("go")
    with changed_environment(LEFTOVER_STATE_DIR=os.path.abspath("state")):
        first = TOOL.start("--session", "a", *held("a"))
        line_of("pid.a", "it runs")
        done = TOOL.run("--max-sessions", 1, "touch", "started")
        expect_equal((done.returncode, len(done.stderr.splitlines())), (125, 1), "refused")
        expect(not os.path.exists("started"), "not started")
        expect_equal(TOOL.run("--max-sessions", 2, "true").returncode, 0, "room for another one")
        # In the order in which they came, whoever is killed while he waits.
        waiting = []
        for name in "bcde":
            waiting.append(TOOL.start("--max-sessions", 1, "--wait", "sh", "-c", f"echo {name} >>order"))
            wait_for(lambda: os.path.isdir("state/.queue") and len(os.listdir("state/.queue")) == len(waiting), "it queues")
        waiting[0].kill()
        waiting[2].send_signal(signal.SIGINT)
        expect_equal(waiting[2].wait(), -signal.SIGINT, "one can give up")
        release()
        expect_equal([process.wait() for process in waiting], [-9, 0, -2, 0], "ends")
        expect_equal(text_of("order").split(), ["c", "e"], "order")
        expect_equal(first.wait(), 0, "the first")
        expect_equal(os.listdir("state"), [], "nothing stays")
        expect_equal(TOOL.run("--wait", "true").returncode, 125, "--wait for what?")


def test_ten_jobs():
    """Never more than three at once, ten callbacks, ten right outcomes, all output, nothing left."""
    machine = Machine()
    job = ('import os, sys, time\n'
           'n = int(sys.argv[1])\n'
           'os.mkdir(f"live/{n}")\n'
           'open("counts", "a").write(f"{len(os.listdir(\'live\'))}\\n")\n'
           'print("out", n); print("err", n, file=sys.stderr)\n'
           'time.sleep(0.1)\n'
           'os.rmdir(f"live/{n}")\n'
           'sys.exit(n)\n')
    os.mkdir("live")
    starts = [TOOL.start("--detach", "--max-sessions", 3, "--wait", "--session", f"job{n}", "--grace", 0, "--on-complete",
                         "echo $LEFTOVER_SESSION $LEFTOVER_EXIT_CODE >>called", "--", "/usr/bin/python3", "-c", job, str(n))
              for n in range(10)]
    for n, start in enumerate(starts):
        out, err = start.communicate()
        expect_equal((start.returncode, out, err), (0, f"job{n}\n", ""), "started in its turn")
    expect_equal([SESSIONS.wait(f"job{n}") for n in range(10)], list(range(10)), "outcomes")
    expect(max(map(int, text_of("counts").split())) <= 3, "at most three at once", text_of("counts"))
    expect_equal(sorted(text_of("called").splitlines()), [f"job{n} {n}" for n in range(10)], "callbacks")
    for n in range(10):
        expect_equal((text_of(f"{LASTING}/job{n}/stdout.log"), text_of(f"{LASTING}/job{n}/stderr.log")),
                     (f"out {n}\n", f"err {n}\n"), "output")
    wait_for(lambda: not machine.new_processes(), "nothing is left")
    expect_equal(SESSIONS.ps(), {}, "no session lives")


def test_stop():
    machine = Machine()
    program = ("import os, signal, time\n"
               "from multiprocessing import resource_tracker, shared_memory\n"
               "s = shared_memory.SharedMemory(create=True, size=9)\n"
               "resource_tracker.unregister(s._name, 'shared_memory')\n"
               "signal.signal(signal.SIGTERM, lambda *_: (open('tidied', 'w').close(), os._exit(3)))\n"
               "os.system('sleep 1000 >/dev/null 2>&1 & true')\n"
               "open('ready', 'w').write('x\\n')\n"
               "time.sleep(1000)\n")
    SESSIONS.detach("--session", "s1", "--", "/usr/bin/python3", "-c", program)
    line_of("ready", "it is ready")
    session = SESSIONS.ps()["s1"]
    expect_equal((session["shared_memory"], session["processes"] >= 2), (1, True), "what it has")
    done = SESSIONS.call("stop", "s1")
    expect_equal((done.returncode, "nothing is left" in done.stdout), (0, True), "stop")
    expect(os.path.exists("tidied"), "its own clean-up has run")
    expect_equal((os.listdir("/dev/shm"), machine.new_processes()), ([], {}), "nothing is left")
    expect_equal(SESSIONS.wait("s1"), 3, "its outcome")
    SESSIONS.detach("--session", "s2", "--", "sh", "-c", "trap '' TERM; echo >deaf; while :; do sleep 0.1; done")
    line_of("deaf", "it takes no TERM")
    begin = time.monotonic()
    expect_equal(SESSIONS.call("stop", "s2", "--kill-after", 0.2).returncode, 0, "killed")
    expect(time.monotonic() - begin < 15, "soon")
    expect_equal((SESSIONS.wait("s2"), machine.new_processes()), (-9, {}), "nothing is left")


BY_HAND = """
import multiprocessing, time
if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    locks = [multiprocessing.Lock() for _ in range(5)]
    worker = multiprocessing.Process(target=time.sleep, args=(1000,))
    worker.start()
    open("by-hand", "w").write("x\\n")
    time.sleep(1000)
"""


INNER = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")


def test_in_a_pid_namespace_below():
    """Dumped and stopped from outside, where its processes have other pids; not from beside, but in words."""
    made = "import ctypes, time; ctypes.CDLL(None).sem_open(b'/inner', 64, 0o600, 1); print('ready', flush=True); time.sleep(1000)"
    job = subprocess.Popen([*INNER, *TOOL.words("--session", "inner", "/usr/bin/python3", "-c", made)], text=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        expect_equal(job.stdout.readline(), "ready\n", "it runs")
        done = SESSIONS.call("dump", "inner", "--format", "json")
        expect_equal((done.returncode, done.stderr), (0, ""), "dump from outside")
        report = json.loads(done.stdout)
        [process] = [one for one in report["hang"]["processes"] if one["command"][1:] == ["-c", made]]
        with open(f"/proc/{process['pid']}/status", encoding="utf-8") as file:
            pids = next(line for line in file if line.startswith("NSpid")).split()[1:]
        expect(len(pids) >= 2 and pids[-1] != str(process["pid"]), "the pid that it has here", pids)
        expect_equal([frame["function"] for frame in process["threads"][0]["python"]], ["<module>"], "its stack")
        expect("semaphore" in report["summary"]["by_kind"], "what it holds", report["summary"])
        for command, status in (("dump", 2), ("stop", 1)):
            done = subprocess.run([*INNER, TOOL.path, command, "inner"], capture_output=True, text=True, check=False, timeout=60)
            expect_equal((done.returncode, done.stdout, len(done.stderr.splitlines())), (status, "", 1), f"{command} from beside")
            expect("'inner' runs in another pid namespace" in done.stderr and f"'leftover {command} inner' in there" in done.stderr,
                   "what, where, and what to do", done.stderr)
        done = SESSIONS.call("stop", "inner")
        expect_equal((done.returncode, job.wait(timeout=30)), (0, 128 + signal.SIGTERM), f"stop from outside, {done.stderr}")
        expect_equal((os.path.exists("/dev/shm/sem.inner"), SESSIONS.ps()), (False, {}), "nothing is left")
    finally:
        job.kill()
        job.communicate(timeout=30)
        if os.path.exists("/dev/shm/sem.inner"):
            os.unlink("/dev/shm/sem.inner")


def test_stop_by_hand():
    """A session that has no leftover, and removes its own records if it can."""
    machine = Machine()
    with open("by_hand.py", "w", encoding="utf-8") as file:
        file.write(BY_HAND)
    program = subprocess.Popen(["/usr/bin/python3", "by_hand.py"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, env=dict(os.environ, LD_PRELOAD=os.path.join(os.path.dirname(TOOL.path), "libleftover.so"), LEFTOVER_OPTIONS="report=hand.json"))
    line_of("by-hand", "it is ready")
    (name, session), = SESSIONS.ps().items()
    expect_equal((session["pid"], session["semaphores"]), (program.pid, 5), "what it has")
    done = SESSIONS.call("stop", name)
    expect_equal((done.returncode, "nothing is left" in done.stdout), (0, True), f"stop: {done.stderr}")
    expect_equal(program.wait(timeout=30), -15, "by TERM")
    expect_equal((os.listdir("/dev/shm"), machine.new_processes()), ([], {}), "nothing is left")
    expect_equal(SESSIONS.ps(), {}, "no session either")


def test_ps_of_many_kinds():
    os.mkfifo("go")
    with changed_environment(LEFTOVER_STATE_DIR=os.path.abspath("state")):
        running = TOOL.start("--session", "here", "--label", "evil=\x1b[31m", "-o", "r.json", *held("\x1b]0;here"))
        wait_for(lambda: "here" in SESSIONS.ps(), "it runs")
        text = SESSIONS.call("ps")
        expect("\x1b" not in text.stdout and "\\x1b]0;here" in text.stdout, "nothing steers the terminal", text.stdout)
        expect_equal(SESSIONS.ps()["here"]["report"], os.path.abspath("r.json"), "report")
        os.mkdir("open", 0o755)
    with changed_environment(LEFTOVER_STATE_DIR=os.path.abspath("open")):
        done = SESSIONS.call("ps")
        expect("other users" in done.stderr and done.returncode == 0, "what cannot be trusted is not read", done)
    release()
    running.wait()


def test_watch():
    watching = subprocess.Popen([TOOL.path, "ps", "--watch", "--format", "json"], stdout=subprocess.PIPE, text=True)
    for _ in range(2):
        expect_equal(json.loads(watching.stdout.readline()), {"sessions": []}, "one list after the other, a line each")
    watching.send_signal(signal.SIGINT)
    expect_equal(watching.wait(), 0, "ends well")

    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        os.execv(TOOL.path, [TOOL.path, "ps", "--watch"])
    seen = b""
    while b"COMMAND" not in seen:
        seen += os.read(terminal, 4096)
    os.write(terminal, b"\x03")
    try:
        while True:
            more = os.read(terminal, 4096)
            if not more:
                break
            seen += more
    except OSError:
        pass
    expect_equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, "Ctrl+C ends it")
    expect(seen.startswith(b"\x1b[?1049h") and seen.rstrip().endswith(b"\x1b[?1049l"), "the screen is as it was", seen)
    expect(b"\x1b[2J" not in seen, "nothing flickers")


os.makedirs(LASTING, mode=0o700, exist_ok=True)
run_cases(globals())
