#!/usr/bin/env python3
# ctest: timeout=300
"""Bad input: one clear line for each thing that is wrong, the right exit code, nothing lost, no crash."""

import glob
import json
import os
import random
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "support"))
import sandbox
from scale import SCALE

BUILD = sandbox.enter()

from cases import changed_environment, expect, expect_equal, run_cases
from machine import Machine
from tool import Tool, line_of

TOOL = Tool(BUILD)
SHIM = os.path.join(BUILD, "libleftover.so")
MACHINE = Machine()
STATE = "/tmp/state"
GOOD = "/tmp/good.json"
RECORDS = "/tmp/records"
ROUNDS = int(60 * SCALE)

LEAKER = """
import multiprocessing, os, sys, time
from multiprocessing import shared_memory
context = multiprocessing.get_context("fork")
def work():
    handle = os.open("/dev/shm/bad-" + str(os.getpid()), os.O_CREAT | os.O_RDWR)
    os.ftruncate(handle, 4096)
    import mmap
    mmap.mmap(handle, 4096)
    time.sleep(600)
memory = shared_memory.SharedMemory(create=True, size=100)
workers = [context.Process(target=work) for _ in range(2)]
for worker in workers: worker.start()
while len(os.listdir("/dev/shm")) < 3: time.sleep(0.01)
open(sys.argv[1], "w").write("%d\\n" % os.getpid())
time.sleep(600)
"""


def report(*paths, **how):
    return subprocess.run([TOOL.path, "report", *map(str, paths)], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60, check=False, **how)


def text_of(data):
    return data.decode("utf-8")  # also a test: all that it says is UTF-8


def write(path, content):
    with open(path, "wb" if isinstance(content, bytes) else "w") as file:
        file.write(content)
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def expect_refused(done, path, *words):
    """Exit status 2, and one line that names what it is about."""
    lines = text_of(done.stderr).splitlines()
    expect_equal((done.returncode, len(lines)), (2, 1), f"{path}: status and lines: {lines}")
    expect(lines[0].startswith("leftover: ") and all(word in lines[0] for word in (str(path), *words)), "the line",
           lines[0])


def make_corpus():
    """A report, and the records of a session whose every process was killed, leftover first."""
    os.makedirs(STATE, mode=0o700)
    with changed_environment(LEFTOVER_STATE_DIR=STATE):
        run = subprocess.Popen(TOOL.words("--session", "killed", sys.executable, "-c", LEAKER, "/tmp/pid"),
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        main = int(line_of("/tmp/pid", "it has made its things"))
        run.kill()
        run.wait()
        os.kill(main, signal.SIGKILL)
    shutil.copytree(os.path.join(STATE, "killed"), RECORDS)
    done = report(RECORDS, "-o", GOOD)
    expect_equal((done.returncode, done.stderr), (0, b""), "the records of a killed session are read")


def test_records_of_the_killed():
    """Everything was killed, leftover as well: what is left is found, and told again and again."""
    make_corpus()
    with open(GOOD, encoding="utf-8") as file:
        good = json.load(file)
    names = sorted(leak["name"] for leak in good["leaks"] if leak["kind"] == "shared_memory")
    expect_equal(names, sorted("/" + name for name in os.listdir("/dev/shm")), "shared memory")
    pids = sorted(leak["details"]["pid"] for leak in good["leaks"] if leak["kind"] == "process")
    expect_equal(pids, sorted(MACHINE.new_processes()), "processes")


def test_no_such_thing():
    expect_refused(report("no-such-file.json"), "no-such-file.json", "No such file")
    os.makedirs("empty")
    expect_refused(report("empty"), "empty")
    write("plain.txt", "text\n")
    expect_refused(report("plain.txt/inside"), "plain.txt/inside")
    os.makedirs("unrelated")
    write("unrelated/notes.txt", "notes\n")
    expect_refused(report("unrelated"), "unrelated")


def test_no_reports():
    for content in ("", "\n", "{", "[1, 2]", "null", "17", '"text"', '{"schema": 1}', '{"schema": "other/1"}',
                    '{"schema": "leftover.report/99"}', '{"a": 1}', "{" * 100000, "[" * 1000000, b"\xff\xfe\x00{}",
                    '{"schema": "leftover.report/1", "leaks": 7}', '{"schema": "leftover.report/1", "leaks": [7]}',
                    '{"schema": "leftover.report/1"}', '{"schema": "leftover.report/1"} more', "<?xml version='1.0'?>", b"\x00" * 1000,
                    b"\x1b[31m\x07{", b"\x7fELF" + b"\x00" * 100):
        path = write("bad.json", content)
        done = report(path)
        expect_refused(done, path)
        expect(b"\x1b" not in done.stderr and b"\x07" not in done.stderr, "nothing for a terminal", done.stderr)


def test_missing_fields():
    """The line names what is missing, and where."""
    done = report(write("bad.json", '{"schema": "leftover.report/1"}'))
    expect_refused(done, "bad.json", "session: missing")
    with open(GOOD, encoding="utf-8") as file:
        content = json.load(file)
    for field in ("session", "processes", "leaks", "stacks", "modules"):
        some = {key: value for key, value in content.items() if key != field}
        expect_refused(report(write("bad.json", json.dumps(some))), "bad.json", f"{field}: missing")
    for field in ("kind", "severity", "status", "name", "pid"):
        leaks = [dict(leak) for leak in content["leaks"]]
        del leaks[1][field]
        done = report(write("bad.json", json.dumps(dict(content, leaks=leaks))))
        expect_refused(done, "bad.json", f"leaks[1].{field}: missing")


def test_torn_report():
    whole = read(GOOD)
    for size in (1, 10, len(whole) // 3, len(whole) // 2, len(whole) - 20):
        expect_refused(report(write("torn.json", whole[:size])), "torn.json")


def test_strange_names():
    """What a report holds cannot move a terminal's cursor."""
    with open(GOOD, encoding="utf-8") as file:
        content = json.load(file)
    for leak in content["leaks"]:
        leak["name"] = "/\x1b[2J\x07\r\n\u202e" + "x" * 5000
        leak["kind"] = "semaphore"
    done = report(write("strange.json", json.dumps(content)))
    expect_equal(done.returncode, 0, "it is a report")
    text = text_of(done.stdout)
    expect(not any(letter in text for letter in "\x1b\x07\r\u202e"), "nothing for a terminal", text[:300])


def test_foreign_records():
    for content in (b"", b"\x00" * 65536, b"not a record at all\n" * 100, os.urandom(5000), b"\x7fELF" + b"\x01" * 4096):
        path = write("1.record", content)
        expect_refused(report(path), path)


def damaged(chance, whole):
    """A copy that is torn, or partly overwritten."""
    data = bytearray(whole)
    how = chance.randrange(4)
    if how == 0:
        return bytes(data[:chance.randrange(len(data))])
    if how == 1:
        begin = chance.randrange(len(data))
        return bytes(data[:begin]) + b"\x00" * (len(data) - begin)
    # Where there is something: in the first pages more often than anywhere.
    end = chance.choice((256, 4096, 65536, len(data)))
    for _ in range(chance.choice((1, 4, 64))):
        at = chance.randrange(min(end, len(data)))
        if how == 2:
            data[at] ^= 1 << chance.randrange(8)
        else:
            data[at:at + 8] = chance.choice((b"\xff" * 8, b"\x00" * 8, os.urandom(8)))
    return bytes(data[:len(whole)])


def test_damaged_records():
    """Whatever is in it: no crash, JSON as ever, and what the other records hold is still there."""
    records = sorted(glob.glob(os.path.join(RECORDS, "*.record")), key=os.path.getsize)
    expect(len(records) >= 2, "some records", os.listdir(RECORDS))
    seed = int.from_bytes(os.urandom(4), "little")
    chance = random.Random(seed)
    refused = 0
    for number in range(ROUNDS):
        shutil.rmtree("session", ignore_errors=True)
        shutil.copytree(RECORDS, "session")
        victim = os.path.join("session", os.path.basename(chance.choice(records)))
        write(victim, damaged(chance, read(victim)))
        done = report("session", GOOD, "--format", "json", "-o", "out.json")
        what = f"round {number}, seed {seed}, {victim}"
        lines = text_of(done.stderr).splitlines()
        if done.returncode not in (0, 2) or any(not line.startswith("leftover: ") for line in lines):
            keep = "/tmp/damaged.record"
            shutil.copy(victim, keep)
        expect(done.returncode in (0, 2), f"{what}: status", done.returncode, lines[-5:])
        expect(len(lines) <= 3 and all(line.startswith("leftover: ") for line in lines), f"{what}: lines", lines)
        expect(lines or done.returncode == 0, f"{what}: a line when something is wrong")
        refused += done.returncode == 2
        with open("out.json", encoding="utf-8") as file:
            merged = json.load(file)
        names = {leak["name"] for leak in merged["leaks"] if leak["kind"] == "shared_memory"}
        expect(names >= {"/" + name for name in os.listdir("/dev/shm")}, f"{what}: the good report is still there", names)
    expect(refused > 0, "some were refused")


def test_session_file_gone():
    """Only the records are left of the session's folder, or only one of them."""
    shutil.copytree(RECORDS, "some")
    for file in os.listdir("some"):
        if not file.endswith(".record"):
            os.unlink(os.path.join("some", file))
    done = report("some", "--format", "json", "-o", "out.json")
    expect_equal(done.returncode, 0, "without the session's own file")
    for path in glob.glob("some/*.record"):
        done = report(path)
        expect(done.returncode in (0, 2) and len(done.stderr.splitlines()) <= 1, "one record", done)


def test_good_beside_bad():
    with open(GOOD, encoding="utf-8") as file:
        count = json.load(file)["summary"]["leaks"]
    write("bad.json", "{")
    done = report("bad.json", GOOD, "no-such.json", "--format", "json", "-o", "out.json")
    lines = text_of(done.stderr).splitlines()
    expect_equal((done.returncode, len(lines)), (2, 2), f"a line for each: {lines}")
    with open("out.json", encoding="utf-8") as file:
        expect_equal(json.load(file)["summary"]["leaks"], count, "the rest is rendered")


def test_unreadable():
    if os.geteuid() != 0:
        print("  skipped: not root")
        return
    path = write("/tmp/closed.json", read(GOOD))
    os.chmod(path, 0)
    done = report(path, preexec_fn=lambda: (os.setgid(65534), os.setuid(65534)))
    expect_refused(done, path, "Permission denied")


def test_output_that_cannot_be_written():
    for path in ("/no/such/folder/out.json", "/dev/full", "/"):
        expect_refused(report(GOOD, "--format", "json", "-o", path), path)
    done = subprocess.run(f"{TOOL.path} report {GOOD} --format json > /dev/full", shell=True, stdin=subprocess.DEVNULL,
                          capture_output=True, check=False)
    expect_equal(done.returncode, 2, "standard output that is full")
    done = subprocess.run(["bash", "-c", f"{TOOL.path} report {GOOD} | true; echo ${{PIPESTATUS[0]}}"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    expect_equal((done.stdout.strip() in ("0", "141", "2"), "terminate" in done.stderr), (True, False), str(done))
    # What can be told before, is: the program does not run for nothing.
    for path, out in (("/no/such/folder/out.json", ""), ("/dev/full", "out\n")):
        done = TOOL.run("-o", path, "sh", "-c", "echo out")
        expect_equal((done.returncode, done.stdout), (125, out), f"run -o {path}: {done.stderr}")
        lines = done.stderr.splitlines()
        expect(len(lines) == 1 and lines[0].startswith("leftover: ") and path in lines[0], "one line", lines)


def test_state_folder_of_somebody_else():
    if os.geteuid() != 0:
        print("  skipped: not root")
        return
    os.makedirs("/tmp/theirs", mode=0o700)
    os.chown("/tmp/theirs", 65534, 65534)
    os.makedirs("/tmp/open", mode=0o700)
    os.chmod("/tmp/open", 0o777)
    write("/tmp/file", "")
    for path in ("/tmp/theirs", "/tmp/open", "/tmp/file", "/proc/no"):
        with changed_environment(LEFTOVER_STATE_DIR=path):
            done = TOOL.run("echo", "hi")
            lines = done.stderr.splitlines()
            expect_equal((done.returncode, done.stdout, len(lines)), (125, "", 1), f"{path}: {lines}")
            expect(lines[0].startswith("leftover: ") and path in lines[0], "the line", lines[0])
            # By hand nothing is said, and the program runs.
            environment = dict(os.environ, LD_PRELOAD=SHIM, LEFTOVER_OPTIONS="report=/tmp/hand.json")
            done = subprocess.run(["echo", "hi"], env=environment, capture_output=True, text=True, check=False)
            expect_equal((done.returncode, done.stdout, done.stderr), (0, "hi\n", ""), f"{path}, by hand")


def test_no_such_program():
    for name, status in (("no-such-program", 127), ("./no/such/program", 127), ("/tmp", 126), ("/etc/passwd", 126)):
        done = TOOL.run("-o", "report.json", name)
        lines = done.stderr.splitlines()
        expect_equal((done.returncode, done.stdout, len(lines)), (status, "", 1), f"{name}: {lines}")
        expect(lines[0].startswith("leftover: ") and name in lines[0], "the line", lines[0])


def test_full_disk():
    """A state folder on a full file system: the program runs as ever."""
    os.makedirs("/tmp/full")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k,mode=0700", "tmpfs", "/tmp/full"], check=True)
    try:
        with changed_environment(LEFTOVER_STATE_DIR="/tmp/full"):
            done = TOOL.run("-o", "report.json", sys.executable, "-c",
                            "import multiprocessing as m\nfor i in range(50): m.get_context('fork').Lock()\n"
                            "import os\nif os.fork() == 0: os._exit(0)\nprint(os.wait()[1])")
        expect(done.returncode in (0, 125), "status", done)
        if done.returncode == 0:
            expect_equal(done.stdout, "0\n", "output")
        lines = done.stderr.splitlines()
        expect(len(lines) <= 1 and all(line.startswith("leftover: ") for line in lines), "lines", lines)
    finally:
        subprocess.run(["umount", "/tmp/full"], check=True)


run_cases(globals())
