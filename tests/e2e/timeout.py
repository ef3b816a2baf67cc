#!/usr/bin/env python3
# ctest: timeout=300
"""run --timeout: what still runs then is written down, then ended, all of it, whatever it does about that."""

import json
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox

BUILD = sandbox.enter()

from cases import expect, expect_equal, run_cases, wait_for
from machine import Machine, shared_names
from tool import Tool, line_of, state_of

TOOL = Tool(BUILD)
MACHINE = Machine()


def timed_out(*options, **how):
    """The report of a run that times out, and the run."""
    report, done = TOOL.report(*options, **how)
    expect_equal(done.returncode, 124, f"status, {done.stderr}")
    expect_equal(report["session"]["timed_out"], True, "timed_out")
    expect_equal(MACHINE.new_processes(), {}, "processes that live on")
    return report, done


def test_in_time():
    for words, status in ((["true"], 0), (["sh", "-c", "exit 3"], 3)):
        report, done = TOOL.report("--timeout", "60", *words)
        expect_equal((done.returncode, done.stderr), (status, ""), "status and output")
        expect_equal((report["session"]["timed_out"], report["hang"]), (False, None), "report")


def test_what_hangs_is_said_first():
    script = "import time\ndef stuck():\n    time.sleep(1000)\nprint('out', flush=True)\nstuck()"
    done = TOOL.run("--timeout", "1", sys.executable, "-c", script)
    lines = done.stderr.splitlines()
    expect_equal((done.returncode, done.stdout), (124, "out\n"), "status and output")
    expect("timed out, and was ended after 1" in lines[0] and "1 process, 1 thread" in lines[0], "first line", lines[0])
    expect("sleeps in stuck, line 3 of <string>" in lines[1] or "sleeps in stuck, line 3" in lines[1], "second line", lines[1])
    report, done = timed_out("--timeout", "0.7", sys.executable, "-c", script)
    frames = [frame["function"] for frame in report["hang"]["processes"][0]["threads"][0]["python"]]
    expect_equal(frames, ["stuck", "<module>"], "frames")
    expect_equal(report["session"]["exit"], {"signal": "SIGTERM"}, "how it ended")
    expect("timed out after 0.7 s" in done.stderr, "one line with -o", done.stderr)
    expect_equal(TOOL.run("-q", "--timeout", "0.3", "sleep", "1000").stderr, "", "nothing with -q")


def test_bad_values():
    for value in ("0", "-1", "soon"):
        done = TOOL.run("--timeout", value, "true")
        expect_equal((done.returncode, done.stderr.count("\n")), (125, 1), f"--timeout {value}")


IGNORES = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
time.sleep(1000)
"""


def test_one_that_ignores_term():
    begin = time.monotonic()
    report, _ = timed_out("--timeout", "1", "--kill-after", "0.5", sys.executable, "-c", IGNORES)
    expect_equal(report["session"]["exit"], {"signal": "SIGKILL"}, "how it ended")
    expect_equal(len(report["hang"]["processes"]), 2, "both were seen")
    expect(time.monotonic() - begin > 1.4, "it had its time")


FORKS = """
import os, signal, time
def again(number, frame):
    if os.fork() == 0:
        os.setsid()
signal.signal(signal.SIGTERM, again)
while True:
    time.sleep(0.01)
    if os.fork() == 0: os._exit(0)
    os.wait()
"""


def test_one_that_forks_meanwhile():
    timed_out("--timeout", "1", "--kill-after", "0.5", sys.executable, "-c", FORKS)


def test_orphans_too():
    report, _ = timed_out("--timeout", "1", "sh", "-c", "setsid sleep 1000 & (sleep 1000 &) ; sleep 1000")
    expect_equal(len(report["hang"]["processes"]), 4, "processes")


def test_one_that_is_stopped():
    report, _ = timed_out("--timeout", "1", "--kill-after", "1", "sh", "-c", "kill -STOP $$")
    threads = report["hang"]["processes"][0]["threads"]
    expect_equal(threads[0]["state"], "T", "state")


def test_clean():
    script = ("import multiprocessing, time; from multiprocessing import shared_memory as s;"
              "context = multiprocessing.get_context('spawn'); lock = context.Lock();"
              "memory = s.SharedMemory(create=True, size=4096);"
              "process = context.Process(target=time.sleep, args=(1000,)); process.start(); process.join()")
    with open("job.py", "w", encoding="utf-8") as file:
        file.write(f"if __name__ == '__main__':\n    {script}\n")
    report, done = timed_out("--timeout", "3", "--clean", sys.executable, "job.py")
    expect_equal(shared_names(), [], "names that stay")
    expect("leaked" not in done.stdout + done.stderr, "nobody complains", done.stderr)
    expect("wait4 for pid" in report["hang"]["processes"][0]["threads"][0]["waiting_on"], "what it waited for")
    expect_equal(report["session"]["mode"], "clean", "mode")
    expect_equal(os.listdir(MACHINE.state), [], "records that stay")


def test_why_is_said_before_what_is_cleaned_up():
    words = ["sh", "-c", "sleep 1000 & exec sleep 1000"]
    done = TOOL.run("--timeout", "1", "--clean", *words)
    lines = done.stderr.splitlines()
    expect("timed out, and was ended" in lines[0], "first what hangs", lines[0])
    places = [next((number for number, line in enumerate(lines) if line.startswith(start)), None)
              for start in ("sleep (", "leftover: terminated process", "leftover: cleaned up 1 thing", "error: 1 process")]
    expect(None not in places and places == sorted(places), "then the stacks, the cleaning, what there was", places, done.stderr)
    expect_equal(done.stderr.count("timed out, and was ended"), 1, "said once")
    done = TOOL.run("--timeout", "1", "--clean", "-o", "report.json", *words)
    expect(done.stderr.startswith("leftover: timed out after 1 s\nleftover: terminated process"), "likewise with -o", done.stderr)
    expect_equal(done.stderr.count("timed out"), 1, "said once with -o")
    done = TOOL.run("--timeout", "1", "--clean", "--format", "json", *words)
    report = json.loads(done.stderr[done.stderr.index("{"):])
    expect_equal(len(report["hang"]["processes"]), 2, "another format has all in one")


def test_as_pid_1():
    words = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    done = subprocess.run(words + TOOL.words("--timeout", "1", "sh", "-c", "sleep 1000 & sleep 1000"), capture_output=True,
                          text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    expect_equal(done.returncode, 124, f"status, {done.stderr}")
    expect("timed out" in done.stderr, "text", done.stderr)


def test_impatience():
    """A second word from the user kills what does not want to end."""
    if os.path.exists("deaf"):
        os.unlink("deaf")
    run = TOOL.start("--timeout", "0.5", "--kill-after", "100", "sh", "-c",
                     "trap '' TERM; echo $$ >deaf; while :; do sleep 1; done & exec sleep 1000")
    program = int(line_of("deaf", "it runs, and ignores SIGTERM"))

    def ended():
        # Not once it is gone: two more while leftover writes its report would be meant for that.
        if state_of(program) and state_of(program)[0] != "Z":
            run.send_signal(signal.SIGTERM)
            time.sleep(0.2)
        return run.poll() is not None
    wait_for(ended, "it ends")
    run.communicate()
    expect_equal(run.returncode, 124, "status")
    expect_equal(MACHINE.new_processes(), {}, "processes that live on")


run_cases(globals())
