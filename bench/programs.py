"""Other people's programs under load: a database that forks for every transaction, a web server, a
pool of Python workers, a build. Their time, and the processor time of all their processes together,
which other work on the machine hardly changes."""

import glob
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

from machine import Spent, run, sandbox

AIM = 1.03
PATIENCE = 60


class Missing(Exception):
    """What is not on this machine."""


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            raise Missing(f"{os.path.basename(program)} is not installed")


def until(condition, what):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"gave up waiting for {what}")
        time.sleep(0.01)


def succeeds(words, **how):
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False, **how).returncode == 0


def pid_in(path):
    """A server's own pid: below leftover it is not the one we started."""
    def there():
        return os.path.exists(path) and os.path.getsize(path) > 0
    until(there, path)
    with open(path, encoding="utf-8") as text:
        return int(text.readline())


class Server:
    """Runs for as long as the `with` lasts, in either way."""

    def __init__(self, words, pid_path, stop, **how):
        self._words, self._pid_path, self._stop, self._how = words, pid_path, stop, how

    def __enter__(self):
        with open("/tmp/work/server.log", "wb") as log:
            self._process = subprocess.Popen(self._words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._how)
        return self

    def __exit__(self, *_):
        os.kill(pid_in(self._pid_path), self._stop)
        self._process.wait(timeout=PATIENCE)
        if os.path.exists(self._pid_path):
            os.remove(self._pid_path)


def postgresql(box, quick):
    """pgbench with a new connection, and so a new process of the server's, for each transaction."""
    folders = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not folders:
        raise Missing("postgresql is not installed")
    initdb, postgres, pgbench, ready = (os.path.join(folders[-1], name) for name in ("initdb", "postgres", "pgbench", "pg_isready"))
    need(pgbench)
    if not sandbox.has_other_users():
        raise Missing("PostgreSQL refuses root, and there are no other users here")
    nobody = pwd.getpwnam("nobody")
    how = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "env": box.for_user(nobody), "cwd": "/tmp"}
    data = "/tmp/postgres"
    where = ["-h", "/tmp", "-p", "5499", "-U", "bench"]
    transactions = 200 if quick else 600

    def server(prefix):
        return Server([*prefix, postgres, "-D", data, "-p", "5499", "-k", "/tmp", "-h", ""], f"{data}/postmaster.pid",
                      signal.SIGINT, **how)

    def is_up():
        return succeeds([ready, *where, "-d", "postgres"], **how)

    run([initdb, "-D", data, "-U", "bench", "-A", "trust", "--no-sync", "--locale=C.UTF-8"], **how)
    with open(f"{data}/postgresql.conf", "a", encoding="utf-8") as conf:
        conf.write("fsync = off\nautovacuum = off\nshared_buffers = 32MB\nmax_wal_size = 1GB\n")
    with server([]):
        until(is_up, "PostgreSQL")
        run([pgbench, *where, "-i", "-q", "postgres"], **how)

    def measure(prefix):
        with Spent() as spent:
            with server(prefix):
                until(is_up, "PostgreSQL")
                said = run([*prefix, pgbench, *where, "-n", "-C", "-c", "2", "-j", "1", "-t", str(transactions // 2), "postgres"],
                           **how)
        rate = float(re.search(r"tps = ([\d.]+)", said)[1])
        return {"wall": 1e3 / rate, "cpu": spent.cpu * 1e3 / transactions}

    return measure


NGINX = """
worker_processes 2;
daemon off;
pid /tmp/nginx/pid;
error_log stderr warn;
user nobody nogroup;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {0}/body; proxy_temp_path {0}/proxy; fastcgi_temp_path {0}/fastcgi;
    uwsgi_temp_path {0}/uwsgi; scgi_temp_path {0}/scgi;
    server {{ listen 127.0.0.1:8099; location / {{ root {0}; }} }}
}}
"""


def nginx(box, quick):
    """wrk asks two workers for a page."""
    need("nginx", "wrk")
    folder = "/tmp/nginx"
    os.makedirs(folder)
    os.chmod(folder, 0o755)
    for name, text in {"index.html": "<p>page</p>\n" * 100, "conf": NGINX.format(folder)}.items():
        with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    url = "http://127.0.0.1:8099/index.html"
    seconds = 1 if quick else 3

    def answers():
        try:
            socket.create_connection(("127.0.0.1", 8099), timeout=1).close()
        except OSError:
            return False
        return True

    def measure(prefix):
        with Spent() as spent:
            with Server([*prefix, "nginx", "-p", folder, "-c", f"{folder}/conf"], f"{folder}/pid", signal.SIGQUIT,
                        env=box.environment):
                until(answers, "nginx")
                said = run([*prefix, "wrk", "-t1", "-c16", f"-d{seconds}s", url], env=box.environment)
        requests = int(re.search(r"(\d+) requests in", said)[1])
        rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])
        return {"wall": 1e3 / rate, "cpu": spent.cpu * 1e3 / requests}

    return measure


POOL = """
import multiprocessing

def task(number):
    return sum(i * i for i in range(number % 2000 + 1000))

if __name__ == "__main__":
    with multiprocessing.Pool(4) as pool:
        assert len(pool.map(task, range(1000), chunksize=1)) == 1000
        pool.close()
        pool.join()
"""


def command(box, words, **how):
    """Milliseconds of a command that ends by itself."""
    def measure(prefix):
        with Spent() as spent:
            run([*prefix, *words], env=box.environment, **how)
        return {"wall": spent.wall * 1e3, "cpu": spent.cpu * 1e3}
    return measure


def pool(box, _quick):
    """Four workers, 1,000 tasks, start and end included."""
    with open("/tmp/work/pool.py", "w", encoding="utf-8") as script:
        script.write(POOL)
    return command(box, [sys.executable, "/tmp/work/pool.py"])


MAKEFILE = """
parts := $(patsubst %.c,%.o,$(sort $(wildcard part*.c)))
program: $(parts)
\tcc -o $@ $(parts)
%.o: %.c
\tcc -O1 -c -o $@ $<
"""


def build(box, quick):
    """make, cc and what they start."""
    need("make", "cc")
    folder = "/tmp/work/build"
    os.makedirs(folder)
    for number in range(20 if quick else 40):
        with open(f"{folder}/part{number}.c", "w", encoding="utf-8") as part:
            part.write("#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n" + "".join(
                f"int f{number}_{i}(int x) {{ char s[32]; snprintf(s, sizeof s, \"%d\", x); return atoi(s) + (int)strlen(s); }}\n"
                for i in range(20)) + ("int main(void) { return f0_0(1) - 2; }\n" if number == 0 else ""))
    with open(f"{folder}/Makefile", "w", encoding="utf-8") as makefile:
        makefile.write(MAKEFILE)
    return command(box, ["make", "-B", "-s", "-j2"], cwd=folder)


PROGRAMS = {
    "pgbench -C, one transaction": (postgresql, 10),
    "nginx and wrk, one request": (nginx, 10),
    "CPython pool of 1,000 tasks": (pool, 20),
    "build with make -j2": (build, 8),
}


def measure(box, report, quick):
    report.section("programs", "plain", "leftover", "", "ratio", "aim")
    for name, (prepare, rounds) in PROGRAMS.items():
        try:
            report.doing(f"{name}: preparing")
            once = prepare(box, quick)
        except Missing as missing:
            report.skipped(name, str(missing))
            continue
        best = box.alternate(2 if quick else rounds, once, lambda what, name=name: report.doing(f"{name}: {what}"))
        report.pair(name, best["plain"]["wall"], best["leftover"]["wall"], AIM, "ms")
        report.pair(f"  its processor time ({name.split()[0]})", best["plain"]["cpu"], best["leftover"]["cpu"], AIM, "ms")
