#!/usr/bin/env python3
# ctest: timeout=300 transparency
"""What services are made of: prefork servers in Python, PHP, MariaDB, Open MPI, Boost's shared memory."""

import glob
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from harness import plainly, prepared, seen, subject, write

harness.enter()

from cases import PATIENCE, wait_for
from machine import message_queues, remove_sysv, shared_names, sysv_objects
from tool import children_of, state_of

PYTHON = "/usr/bin/python3"


def read(path):
    with open(path, encoding="utf-8", errors="replace") as text:
        return text.read()


def pid_in(path):
    wait_for(lambda: os.path.exists(path) and read(path).strip(), path)
    return int(read(path).split()[0])


def found(way, left):
    """The kinds of what was reported as left over; by itself nobody reports, and it is what the program leaves."""
    if not way.watched:
        return sorted(left)
    return sorted({leak["kind"] for report in way.reports() for leak in report["leaks"] if leak["severity"] != "note"})


APPLICATION = """
import multiprocessing, os, subprocess, tempfile, threading
LOCK = multiprocessing.Lock()
def application(environment, start):
    path = environment["PATH_INFO"]
    if path == "/die":
        os.kill(os.getpid(), 9)
    if path == "/work":
        with LOCK, tempfile.NamedTemporaryFile() as file:
            file.write(subprocess.check_output(["echo", "worked"]))
            file.seek(0)
            answer = file.read().decode()
    else:
        answer = str(threading.active_count() > 0)
    start("200 OK", [("Content-Type", "text/plain")])
    return [answer.encode()]
"""
ASK = """
import http.client, sys
for path in sys.argv[2:]:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
        connection.request("GET", path)
        print(path, connection.getresponse().read())
    except (OSError, http.client.HTTPException):
        print(path, "no answer")  # a reset or an end: that is chance
"""


def prefork(way, parts, words, port, pid_file, reload, stop):
    """Workers that die, that are replaced, a reload, and an orderly end."""
    write("app.py", APPLICATION)
    server = way.start(words)

    def ask(*paths):
        return plainly([PYTHON, "-c", ASK, str(port), *paths]).stdout

    wait_for(lambda: "True" in ask("/"), "the server answers")
    parts["answers"] = ask(*["/"] * 10, "/work", *["/"] * 10)
    parts["a worker dies"] = ask("/die")
    wait_for(lambda: "True" in ask("/"), "another one takes its place")
    master = pid_in(pid_file)
    before = set(children_of(master))
    os.kill(master, reload)
    wait_for(lambda: not before & set(children_of(master)) and "True" in ask("/"), "all workers are new")
    parts["after the reload"] = ask("/", "/work")
    os.kill(master, stop)
    parts["status"] = server.wait(timeout=PATIENCE)
    parts["left over"] = found(way, [])


@subject("gunicorn", needs=["gunicorn", PYTHON])
def gunicorn(way, parts):
    prefork(way, parts, ["gunicorn", "-w", "2", "-b", "127.0.0.1:8399", "--pid", "pid", "--chdir", os.getcwd(), "app:application"],
            8399, "pid", signal.SIGHUP, signal.SIGTERM)


@subject("uwsgi", needs=["uwsgi", PYTHON, "/usr/lib/uwsgi/plugins/python3_plugin.so"], quick=False)
def uwsgi(way, parts):
    # Its master executes itself at a reload, and keeps its pid.
    prefork(way, parts, ["uwsgi", "--plugin", "python3", "--http-socket", "127.0.0.1:8398", "--master", "--processes", "2",
                         "--enable-threads", "--wsgi-file", "app.py", "--pidfile", "pid", "--die-on-term",
                         "--worker-reload-mercy", "2"], 8398, "pid", signal.SIGHUP, signal.SIGTERM)


PHP = """<?php
$memory = shmop_open(0x1234, "c", 0644, 100); shmop_write($memory, "hi", 0); echo shmop_read($memory, 0, 2), "\\n";
shmop_delete($memory);
$semaphore = sem_get(77, 1, 0666, 1); sem_acquire($semaphore);
for ($i = 0; $i < 5; $i++) { $pid = pcntl_fork(); if ($pid == 0) { exit($i); } $all[] = $pid; }
foreach ($all as $pid) { pcntl_waitpid($pid, $status); echo pcntl_wexitstatus($status); }
sem_release($semaphore); sem_remove($semaphore);
$queue = msg_get_queue(99); msg_send($queue, 1, "x"); msg_receive($queue, 1, $type, 100, $message); echo $message, "\\n";
msg_remove_queue($queue);
unlink(tempnam("/tmp", "php")); $file = tmpfile(); fwrite($file, "x"); fclose($file);
echo shell_exec("echo shell"); $process = proc_open(["cat"], [["pipe", "r"], ["pipe", "w"]], $pipes);
fwrite($pipes[0], "in\\n"); fclose($pipes[0]); echo stream_get_contents($pipes[1]); echo proc_close($process), "\\n";
pcntl_signal(SIGUSR1, function ($number) { echo "signal $number\\n"; });
posix_kill(posix_getpid(), SIGUSR1); pcntl_signal_dispatch();
if ($argv[1] == "leave") { shmop_open(0x99, "c", 0644, 10); tempnam("/tmp", "kept"); exit(8); }
exit(7);
"""


@subject("php", needs=["php"])
def php(way, parts):
    """Its extensions call past every preloaded library."""
    if "shmop" not in plainly(["php", "-m"]).stdout:
        raise harness.Skip("no System V extensions here")
    write("a.php", PHP)
    parts["runs"] = seen(way.run(["php", "a.php", "nothing"]))
    parts["nothing left"] = [found(way, []), sysv_objects()]
    parts["leaves"] = seen(way.run(["php", "a.php", "leave"]))
    # By hand nobody looks at what the kernel tells of such memory.
    missed = {"sysv_shared_memory"} if way.name == "hand" else set()
    parts["left"] = sorted({*found(way, ["sysv_shared_memory", "temporary_file"]), *missed})
    parts["there"] = [kind for kind, _ in sysv_objects()]
    for kind, number in sysv_objects():
        remove_sysv(kind, number)
    for path in glob.glob("/tmp/kept*"):
        os.unlink(path)


@subject("mariadb", needs=["mariadbd", "mariadb", "mariadb-install-db"], quick=False)
def mariadb(way, parts):
    data, socket = os.path.abspath("data"), "/tmp/mariadb.sock"

    def ask(query, how=way.run):
        return seen(how(["mariadb", "--no-defaults", "-S", socket, "-uroot", "-N", "-e", query]))

    def start():
        server = way.start(["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={socket}", "--skip-networking",
                            "--user=root", f"--pid-file={data}/pid", "--innodb-buffer-pool-size=32M"])
        wait_for(lambda: ask("select 1", plainly).startswith("status 0"), "the server answers")
        return server, pid_in(f"{data}/pid")

    parts["install"] = way.run(["mariadb-install-db", "--no-defaults", f"--datadir={data}", "--user=root",
                                "--auth-root-authentication-method=normal", "--skip-test-db"]).returncode
    server, pid = start()
    parts["fill"] = ask("create database t; create table t.a (i int primary key auto_increment, x varchar(99)); "
                        "insert into t.a (x) values ('a'), ('b'); select count(*) from t.a")
    for turn in range(12):
        parts[f"connection {turn}"] = ask(f"insert into t.a (x) select concat(x, '{turn}') from t.a limit 40; create temporary "
                                          "table t.z engine=aria as select * from t.a; select count(*) from t.z")
    os.kill(pid, signal.SIGKILL)
    server.wait(timeout=PATIENCE)
    server, pid = start()
    parts["after a crash"] = ask("select count(*) from t.a; check table t.a")
    os.kill(pid, signal.SIGTERM)
    parts["status"] = server.wait(timeout=PATIENCE)
    parts["errors"] = [line for line in read("stderr").splitlines() if "[ERROR]" in line]
    # The crash leaves a socket, whose name the next server takes.
    parts["left over"] = [kind for kind in found(way, ["thread"]) if kind != "socket_file"]
    parts["socket"] = os.path.exists(socket)


MPI = """
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
int main(int count, char **words) {
    int rank, sum, mine;
    MPI_Init(&count, &words);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    mine = rank + 1;
    MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (rank == 0) printf("%d\\n", sum);
    fflush(stdout);
    MPI_Barrier(MPI_COMM_WORLD);
    if (count > 1) { if (rank == 1) raise(SIGKILL); for (;;) pause(); }
    MPI_Finalize();
    return 0;
}
"""


@subject("openmpi", needs=["mpirun", "mpicc"], quick=False)
def openmpi(way, parts):
    write("program.c", MPI)
    prepared(["mpicc", "-g", "-o", "program", "program.c"])
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    start = ["mpirun", "--oversubscribe", "-n", "3", "./program"]
    parts["sum"] = seen(way.run(start, env=environment))
    done = way.run([*start, "killed"], env=environment)
    parts["a rank is killed"] = [done.returncode, done.stdout, "signal 9" in done.stderr]
    parts["left"] = [shared_names(), [kind for kind in found(way, []) if kind != "zombie"]]


BOOST = """
#include <boost/interprocess/ipc/message_queue.hpp>
#include <boost/interprocess/managed_shared_memory.hpp>
#include <boost/interprocess/sync/named_mutex.hpp>
#include <iostream>
#include <sys/wait.h>
#include <unistd.h>
namespace ipc = boost::interprocess;
int main(int count, char **) {
    ipc::managed_shared_memory memory(ipc::create_only, "memory", 65536);
    ipc::named_mutex mutex(ipc::create_only, "mutex");
    ipc::message_queue queue(ipc::create_only, "queue", 10, 8);
    int *sum = memory.construct<int>("sum")(0);
    for (int child = 0; child < 3; child++)
        if (fork() == 0) {
            for (int i = 0; i < 100; i++) { mutex.lock(); ++*sum; mutex.unlock(); }
            long one = 1;
            queue.send(&one, 8, 0);
            _exit(0);
        }
    for (int child = 0; child < 3; child++) {
        long one; ipc::message_queue::size_type size; unsigned priority;
        queue.receive(&one, 8, size, priority);
    }
    while (wait(nullptr) > 0) {}
    std::cout << *sum << std::endl;
    if (count > 1) return 0;
    ipc::shared_memory_object::remove("memory");
    ipc::named_mutex::remove("mutex");
    ipc::message_queue::remove("queue");
}
"""


@subject("boost.interprocess", needs=["g++", "/usr/include/boost/interprocess/managed_shared_memory.hpp"], quick=False)
def boost(way, parts):
    write("program.cpp", BOOST)
    prepared(["g++", "-g", "-o", "program", "program.cpp", "-pthread", "-lrt"])
    parts["sum"] = seen(way.run(["./program"]))
    parts["nothing left"] = [found(way, []), shared_names()]
    parts["leaves"] = seen(way.run(["./program", "leave"]))
    parts["left"] = [found(way, ["semaphore", "shared_memory"]), shared_names()]
    for name in shared_names():
        os.unlink(os.path.join("/dev/shm", name))


harness.main()
