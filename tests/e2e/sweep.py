#!/usr/bin/env python3
"""sweep: what dead sessions and lone Python workers left on the machine is listed, cleaned up if asked, and
nothing else is touched."""

# ctest: timeout=600

import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
import pythons
import sandbox
from cases import expect, expect_equal, run_cases, wait_for
from tool import Tool, line_of, state_of

TOOL = Tool(sandbox.enter())

MAIN = """
import multiprocessing as mp, os, signal, sys, time
def work(ready, deaf):
    if deaf: signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ready.release()
    time.sleep(10000)
if __name__ == "__main__":
    method, count, deaf = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    context = mp.get_context(method)
    ready = context.Semaphore(0)
    locks = [context.Lock() for _ in range(10)]
    workers = [context.Process(target=work, args=(ready, n < deaf)) for n in range(count)]
    for worker in workers: worker.start()
    for worker in workers: ready.acquire()
    with open(sys.argv[4] + ".new", "w") as out:
        out.write(" ".join(str(w.pid) for w in workers) + "\\n")
    os.rename(sys.argv[4] + ".new", sys.argv[4])
    time.sleep(10000)
"""


def start(python, method, count, name, deaf=0, before=()):
    """A program with that many workers; its process, and its workers' pids once all of them work."""
    with open("main.py", "w", encoding="utf-8") as file:
        file.write(MAIN)
    main = subprocess.Popen([*before, python, "main.py", method, str(count), str(deaf), name], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    return main, [int(pid) for pid in line_of(name, "all workers work").split()]


def kill(process):
    process.kill()
    process.wait()


def sweep(*options):
    done = subprocess.run([TOOL.path, "sweep", "--format", "json", *options], check=False, capture_output=True, text=True)
    expect(done.returncode in (0, 1), "it works", done)
    found = json.loads(done.stdout)
    expect_equal(found["schema"], "leftover.sweep/1", "schema")
    return found, done


def pids(found):
    return sorted(item["pid"] for item in found["leftovers"] if item["kind"] == "process")


def shown(found):
    return sorted(item["name"] for item in found["leftovers"] if item["kind"] != "process")


def is_gone(pid):
    return state_of(pid) in (None, ("Z", 1)) or state_of(pid)[0] == "Z"


def workers_in(found, servers=()):
    """Without trackers, and without fork servers, which end by themselves a moment after their program."""
    return sorted(item["pid"] for item in found["leftovers"] if item["kind"] == "process" and
                  item["pid"] not in servers and not any("_tracker import" in word for word in item["command"]))


def end_all(*processes):
    for process in processes:
        kill(process)
    sweep("--clean", "--kill-after", "0")


def test_nothing():
    found, done = sweep()
    expect_equal((found["leftovers"], found["reclaimed_bytes"], done.returncode), ([], 0, 0), "nothing")
    done = subprocess.run([TOOL.path, "sweep"], check=False, capture_output=True, text=True)
    expect_equal((done.stdout, done.returncode), ("leftover: nothing is left over\n", 0), "in words")


def test_fifty_three_orphans():
    every = [path for path, _ in pythons.pythons()]
    plan = [(every[0], "spawn", 25), (every[-1], "forkserver", 16), (every[len(every) // 2], "spawn", 12)]
    mains, orphans = [], []
    for number, (python, method, count) in enumerate(plan):
        main, workers = start(python, method, count, f"workers{number}", deaf=1 if number == 2 else 0)
        mains.append(main)
        orphans += workers
    alive, own_workers = start(sys.executable, "spawn", 2, "alive")
    # Whose parent is pid 1, and whose program lives all the same.
    lone, lone_workers = start(sys.executable, "spawn", 2, "lone", before=("setsid", "--fork"))
    lone.wait()
    before, _ = sweep()
    expect_equal(before["leftovers"], [], "while their programs live, nothing")

    servers = {state_of(pid)[1] for pid in orphans} - {main.pid for main in mains}
    for main in mains:
        kill(main)
    found, done = sweep()
    expect_equal(done.returncode, 1, "something is left over")
    listed = workers_in(found, servers)
    expect_equal(len(orphans), 53, "53 of them")
    expect_equal(listed, sorted(orphans), "exactly those")
    for item in found["leftovers"]:
        if item["pid"] in orphans:
            expect(item["resident_bytes"] > 1_000_000 and item["age_seconds"] >= 0 and item["reason"], "facts", item)
            expect_equal((item["action"], item["result"]), ("terminate", None), "what would be done")
    expect(all(state_of(pid) is not None for pid in orphans), "nothing was touched")

    cleaned, done = sweep("--clean", "--kill-after", "1")
    expect_equal(done.returncode, 0, done.stderr)
    wait_for(lambda: all(is_gone(pid) for pid in orphans), "they are gone")
    expect(cleaned["reclaimed_bytes"] > 53_000_000, "memory is freed", cleaned["reclaimed_bytes"])
    expect(any(item["action"] == "kill" for item in cleaned["leftovers"]), "the deaf one was killed")
    expect(all(state_of(pid) is not None for pid in own_workers + lone_workers), "others run on")
    expect(alive.poll() is None, "others run on")
    again, done = sweep("--clean")
    expect_equal((again["leftovers"], done.returncode), ([], 0), "a second time there is nothing to do")
    os.kill(state_of(lone_workers[0])[1], signal.SIGKILL)
    end_all(alive)


def test_who_waits_for_an_orphan():
    """It keeps the pipe of a pipeline open: who reads it waits for ever."""
    with open("main.py", "w", encoding="utf-8") as file:
        file.write(MAIN)
    reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    main = subprocess.Popen([sys.executable, "main.py", "spawn", "1", "0", "piped"], stdin=subprocess.DEVNULL,
                            stdout=reader.stdin, stderr=subprocess.DEVNULL, start_new_session=True)
    reader.stdin.close()
    worker = int(line_of("piped", "it works"))
    kill(main)
    expect(reader.poll() is None, "who reads goes on waiting")
    found, _ = sweep()
    held = next(item["holds"] for item in found["leftovers"] if item["pid"] == worker)
    expect_equal(held, [f"pipe:{reader.pid} (cat)"], "is told")
    text = subprocess.run([TOOL.path, "sweep"], check=False, capture_output=True, text=True).stdout
    expect(f"holds pipe:{reader.pid} (cat)" in text, "in words too", text)
    sweep("--clean")
    reader.wait(timeout=60)


def test_names_that_nobody_has_open():
    made = []
    for name in ("sem.mp-abcdefgh", "psm_0a1b2c3d", "torch_12_34", "my-own", "sem.mine"):
        with open("/dev/shm/" + name, "wb") as file:
            file.write(b"x" * 32)
        made.append(name)
    with open("/dev/shm/psm_used", "wb") as used:
        used.write(b"x")
        used.flush()
        found, _ = sweep()
        expect_equal(shown(found), ["/mp-abcdefgh", "/psm_0a1b2c3d", "/torch_12_34"], "made-up names nobody has open")
        sweep("--clean")
        expect_equal(sorted(os.listdir("/dev/shm")), ["my-own", "psm_used", "sem.mine"], "only those are removed")
    for name in os.listdir("/dev/shm"):
        os.unlink("/dev/shm/" + name)


def test_used_in_another_pid_namespace():
    with open("/dev/shm/psm_elsewhere", "wb") as file:
        file.write(b"x")
    holder = subprocess.Popen(["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", sys.executable, "-c",
                               "import time; f = open('/dev/shm/psm_elsewhere'); open('holds', 'w').write('yes\\n'); time.sleep(1000)"])
    line_of("holds", "it has it open")
    sweep("--clean")
    expect(os.path.exists("/dev/shm/psm_elsewhere"), "what is used elsewhere stays")
    kill(holder)
    os.unlink("/dev/shm/psm_elsewhere")


def test_session_killed_with_its_leftover():
    main, workers = start(sys.executable, "spawn", 3, "workers", before=TOOL.words("--session", "killed"))
    launcher = main.pid
    live = subprocess.run([TOOL.path, "ps", "--format", "json"], check=True, capture_output=True, text=True)
    program = json.loads(live.stdout)["sessions"][0]["pid"]
    found, _ = sweep()
    expect_equal(found["leftovers"], [], "a live session is nobody's business")
    os.kill(launcher, signal.SIGKILL)
    main.wait()
    found, done = sweep()
    expect_equal([(item["session"], item["pid"], item["action"]) for item in found["leftovers"]],
                 [("killed", program, None)], "without its leftover it is listed as such")
    expect_equal(done.returncode, 0, "and not left over")
    sweep("--clean")
    expect(state_of(program) is not None and state_of(workers[0]) is not None, "nor touched")

    os.kill(program, signal.SIGKILL)
    wait_for(lambda: is_gone(program), "it is dead")
    found, done = sweep()
    expect_equal(done.returncode, 1, "now it is")
    expect(set(workers) <= set(pids(found)), "the workers", found)
    names = {"sem." + item["name"][1:] for item in found["leftovers"] if item["kind"] == "semaphore"}
    expect_equal(names, {name for name in os.listdir("/dev/shm") if name.startswith("sem.")}, "the semaphores")
    expect_equal({item["session"] for item in found["leftovers"]}, {"killed"}, "whose they are")
    sweep("--clean")
    wait_for(lambda: all(is_gone(pid) for pid in workers), "they are gone")
    expect_equal([name for name in os.listdir("/dev/shm") if name.startswith("sem.")], [], "the names too")
    sweep("--clean")
    state = f"/tmp/leftover-{os.geteuid()}"
    expect_equal([name for name in os.listdir(state) if name.startswith("killed")], [], "and the records")


def test_pattern():
    one, workers = start(sys.executable, "spawn", 1, "workers")
    kill(one)
    found, _ = sweep("--pattern", "spawn_main")
    expect_equal(pids(found), workers, "the worker alone")
    found, _ = sweep("--pattern", "no such thing")
    expect_equal(found["leftovers"], [], "nothing has that")
    done = subprocess.run([TOOL.path, "sweep", "--pattern", "("], check=False, capture_output=True, text=True)
    expect_equal(done.returncode, 2, "a bad pattern")
    expect("--pattern" in done.stderr, "said", done.stderr)
    end_all()


def test_another_users():
    debian = "/usr/bin/python3"  # others are in places that are not everybody's
    if not sandbox.has_other_users() or not os.path.exists(debian):
        return
    os.chmod(".", 0o777)
    main, workers = start(debian, "spawn", 1, "workers",
                          before=("setpriv", "--reuid", "1234", "--regid", "1234", "--clear-groups"))
    kill(main)
    wait_for(lambda: state_of(workers[0])[1] == 1, "adopted")
    found, _ = sweep()
    expect_equal(found["leftovers"], [], "another user's is not ours")
    found, _ = sweep("--all-users", "--clean")
    expect(workers[0] in pids(found), "unless asked for", found)
    wait_for(lambda: is_gone(workers[0]), "it is gone")


run_cases(globals())
