#!/usr/bin/env python3
# ctest: timeout=300 transparency
"""Servers: they start, serve, reload, crash and stop as they do by themselves."""

import collections
import glob
import os
import pwd
import re
import shutil
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness
from harness import full, plainly, prepared, seen, subject, write

harness.enter()

import sandbox
from cases import PATIENCE, wait_for
from tool import children_of, name_of


def read(path):
    with open(path, encoding="utf-8", errors="replace") as text:
        return text.read()


def ended(process):
    """The status of a server that was told to stop."""
    return process.wait(timeout=PATIENCE)


def answers(words, **how):
    """Waits until a command that asks the server succeeds."""
    wait_for(lambda: plainly(words, **how).returncode == 0, " ".join(words))


def pid_in(path):
    """The server's own pid, which below leftover is not the one we started."""
    wait_for(lambda: os.path.exists(path) and read(path).strip(), path)
    return int(read(path).split()[0])


def counted(lines):
    """Log lines without their order."""
    return "\n".join(f"{count} {line}" for line, count in sorted(collections.Counter(lines).items()))


POSTGRES = (sorted(glob.glob("/usr/lib/postgresql/*/bin")) or ["/usr/lib/postgresql"])[-1]


@subject("postgresql", needs=[f"{POSTGRES}/postgres"])
def postgresql(way, parts):
    if not sandbox.has_other_users():
        raise harness.Skip("PostgreSQL refuses root, and there are no others here")
    nobody = pwd.getpwnam("nobody")
    me = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    data = os.path.abspath("data")
    tool = [os.path.join(POSTGRES, name) for name in ("initdb", "postgres", "pgbench", "psql", "pg_isready")]
    initdb, postgres, pgbench, psql, ready = tool
    where = ["-h", "/tmp", "-p", "5499", "-U", "tester"]

    def ask(query):
        return seen(way.run([psql, *where, "-X", "-A", "-t", "-d", "postgres", "-c", query], **me))

    def start():
        server = way.start([postgres, "-D", data, "-p", "5499", "-k", "/tmp", "-h", ""], **me)
        answers([ready, *where, "-d", "postgres"])
        return server, pid_in(f"{data}/postmaster.pid")

    def bench(*options):
        done = way.run([pgbench, *where, "-n", *options, "postgres"], **me)
        kept = [line for line in done.stdout.splitlines() if "processed" in line or "failed" in line]
        return f"{done.returncode} {kept}"

    done = way.run([initdb, "-D", data, "-U", "tester", "-A", "trust", "--no-sync", "--locale=C.UTF-8"], **me)
    parts["initdb"] = seen(done)
    with open(f"{data}/postgresql.conf", "a", encoding="utf-8") as conf:
        conf.write("fsync = off\nmax_connections = 30\nshared_buffers = 16MB\n"
                   "dynamic_shared_memory_type = posix\nmin_parallel_table_scan_size = 0\n"
                   "parallel_setup_cost = 0\nparallel_tuple_cost = 0\n")
    server, postmaster = start()
    parts["fill"] = bench("-i", "-q")
    parts["new connections"] = bench("-C", "-c", "4", "-j", "2", "-t", "200" if full() else "40")
    parts["same connections"] = bench("-c", "4", "-t", "200")
    parts["parallel query"] = ask("explain (costs off) select sum(aid) from pgbench_accounts") + \
        ask("select count(*), sum(aid) from pgbench_accounts")
    parts["settings"] = ask("show shared_memory_type; select 1/0")
    backend = way.start([psql, *where, "-X", "-d", "postgres", "-c", "select pg_sleep(600)"], **me)
    wait_for(lambda: "1" in plainly([psql, *where, "-XAt", "-d", "postgres", "-c", "select count(*) from pg_stat_activity "
                                     "where query like 'select pg_sleep%'"]).stdout, "a backend to kill")
    victim = plainly([psql, *where, "-XAt", "-d", "postgres", "-c",
                      "select pid from pg_stat_activity where query like 'select pg_sleep%'"]).stdout
    os.kill(int(victim), signal.SIGKILL)
    parts["crash: client"] = ended(backend)
    answers([psql, *where, "-XAt", "-d", "postgres", "-c", "select 1"])
    parts["crash: recovered"] = ask("select count(*) from pgbench_branches")
    os.kill(postmaster, signal.SIGINT)
    parts["fast stop"] = ended(server)
    parts["files after a fast stop"] = os.path.exists(f"{data}/postmaster.pid")
    server, postmaster = start()
    os.kill(postmaster, signal.SIGQUIT)
    parts["immediate stop"] = ended(server)
    server, postmaster = start()
    parts["after recovery"] = ask("select count(*) from pgbench_tellers")
    os.kill(postmaster, signal.SIGINT)
    parts["second fast stop"] = ended(server)
    wanted = ("FATAL", "PANIC", "ERROR", "terminated by signal", "WARNING", "could not")
    # How many are still connected when it stops, or come while it starts or recovers, is a matter of time.
    chance = ("the database system is", "due to administrator command", "could not send data to client")
    parts["log"] = counted(re.sub(r"^.*?(?=[A-Z]+: )|PID \d+", "", line) for line in read("stderr").splitlines()
                           if any(word in line for word in wanted) and not any(word in line for word in chance))


@subject("redis", needs=["redis-server", "redis-cli", "redis-benchmark"])
def redis(way, parts):
    folder = os.getcwd()
    server_words = ["redis-server", "--port", "6399", "--bind", "127.0.0.1", "--dir", folder, "--save", "",
                    "--pidfile", f"{folder}/pid", "--enable-debug-command", "yes"]
    cli = ["redis-cli", "-p", "6399"]

    def ask(*words):
        return seen(way.run([*cli, *words]))

    def background(command, field):
        parts[command] = ask(command)
        wait_for(lambda: f"{field}:0" in plainly([*cli, "info", "persistence"]).stdout, command)

    server = way.start(server_words)
    answers([*cli, "ping"])
    parts["set"] = ask("set", "key", "value")
    parts["fill"] = ask("debug", "populate", "20000")
    background("bgsave", "rdb_bgsave_in_progress")
    parts["saved"] = re.findall("rdb_last_bgsave_status:.*|rdb_saves:.*", ask("info", "persistence"))
    background("bgrewriteaof", "aof_rewrite_in_progress")
    parts["rewritten"] = re.findall("aof_last_bgrewrite_status:.*", ask("info", "persistence"))
    done = way.run(["redis-benchmark", "-p", "6399", "-q", "-n", "20000" if full() else "4000", "-c", "20", "--threads", "2",
                    "-t", "set,get,lpush,mset"])
    parts["benchmark"] = f"{done.returncode} {re.findall('(?m)^.*ERR.*$', done.stdout + done.stderr)}"
    parts["shutdown"] = ask("shutdown", "save")
    parts["stopped"] = ended(server)
    server = way.start(server_words)
    answers([*cli, "ping"])
    parts["kept"] = ask("get", "key") + ask("exists", "key:100")
    os.kill(pid_in(f"{folder}/pid"), signal.SIGTERM)
    parts["terminated"] = ended(server)
    log = [re.sub(r"^\d+:(\w) .*? [*#.-] ", r"\1 ", line) for line in read("stdout").splitlines()]
    parts["log"] = counted(re.sub(r"\d+(\.\d+)?", "N", line) for line in log
                           if not re.search("Fork CoW|PID|Memory|memory|clients|AOF|DB loaded|keys", line))


NGINX = """
worker_processes 4;
daemon off;
pid {folder}/pid;
error_log stderr notice;
user nobody nogroup;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{ listen 127.0.0.1:8099 reuseport; location / {{ root {folder}/pages; }} location /say {{ return 200 "{word}"; }} }}
}}
"""


def load(way, url):
    """What ab counted; wrk's count depends on the speed, so only its errors are kept."""
    found = {}
    if shutil.which("ab"):
        done = way.run(["ab", "-q", "-n", "4000" if full() else "800", "-c", "16", url])
        found["ab"] = [done.returncode] + re.findall("(?:Complete|Failed|Non-2xx).*", done.stdout)
    if shutil.which("wrk"):
        done = way.run(["wrk", "-t2", "-c16", "-d1s", url])
        found["wrk"] = [done.returncode] + re.findall("(?:Socket errors|Non-2xx).*", done.stdout)
    return found


@subject("nginx", needs=["nginx", "curl"])
def nginx(way, parts):
    folder = os.getcwd()
    os.makedirs("pages")
    write("pages/index.html", "<p>page</p>\n" * 100)
    conf = write("nginx.conf", NGINX.format(folder=folder, word="first"))
    words = ["nginx", "-p", folder, "-c", conf]
    page = "http://127.0.0.1:8099/index.html"

    def get(path):
        return plainly(["curl", "-s", "-i", f"http://127.0.0.1:8099/{path}"]).stdout

    parts["test"] = seen(way.run([*words, "-t"]))
    server = way.start(words)
    answers(["curl", "-s", "-o", "/dev/null", page])
    master = pid_in("pid")
    parts["workers"] = wait_for(lambda: len(children_of(master)) == 4, "four workers")
    parts["page"] = re.sub("(?m)^(Date|Last-Modified|ETag):.*$", "", get("index.html"))
    parts["load"] = load(way, page)
    write("nginx.conf", NGINX.format(folder=folder, word="second"))
    old = set(children_of(master))
    parts["reload"] = seen(way.run([*words, "-s", "reload"]), lambda text: re.sub(r"(?m)^\S+ \S+|\d+#\d+:", "", text))
    wait_for(lambda: len(set(children_of(master)) - old) == 4 and not set(children_of(master)) & old, "new workers")
    parts["reloaded"] = "second" in get("say")
    parts["load again"] = load(way, page)
    os.kill(min(children_of(master)), signal.SIGKILL)
    parts["a worker again"] = wait_for(lambda: len(set(children_of(master)) - old) == 4, "the killed worker's successor")
    parts["load after a crash"] = load(way, page)
    os.kill(master, signal.SIGQUIT)
    parts["stopped"] = ended(server)
    lines = [re.sub(r"^\S+ \S+ |\d+#\d+: |\*\d+ ", "", line) for line in read("stderr").splitlines()]
    parts["log"] = counted(re.sub(r"\d{2,}", "N", line) for line in lines if "[notice]" not in line)


APACHE = """
ServerRoot {folder}
ServerName localhost
PidFile {folder}/pid
Listen 127.0.0.1:8098
LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
LoadModule cgi_module /usr/lib/apache2/modules/mod_cgi.so
LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so
User nobody
Group nogroup
StartServers 4
DocumentRoot {folder}/pages
ScriptAlias /cgi {folder}/cgi
ErrorLog {folder}/errors
Mutex sem
"""


@subject("apache prefork", needs=["/usr/sbin/apache2", "/usr/lib/apache2/modules/mod_mpm_prefork.so", "curl"])
def apache(way, parts):
    folder = os.getcwd()
    os.makedirs("pages")
    os.makedirs("cgi")
    write("pages/index.html", "<p>page</p>\n" * 100)
    write("cgi/env", "#!/bin/sh\necho Content-type: text/plain\necho\nenv | grep -v -e PORT= -e UNIQUE | sort\n", 0o755)
    conf = write("apache.conf", APACHE.format(folder=folder))
    words = ["/usr/sbin/apache2", "-d", folder, "-f", conf]
    page = "http://127.0.0.1:8098/index.html"
    parts["test"] = seen(way.run([*words, "-t"]))
    server = way.start([*words, "-DFOREGROUND"])
    answers(["curl", "-s", "-o", "/dev/null", page])
    master = pid_in("pid")
    parts["page"] = plainly(["curl", "-s", page]).stdout
    parts["cgi"] = plainly(["curl", "-s", "http://127.0.0.1:8098/cgi/env"]).stdout
    parts["load"] = load(way, page)
    old = set(children_of(master))
    parts["graceful"] = seen(way.run([*words, "-k", "graceful"]))
    wait_for(lambda: not set(children_of(master)) & old and len(children_of(master)) >= 4, "new children")
    parts["load again"] = load(way, page)
    os.kill(master, signal.SIGTERM)
    parts["stopped"] = ended(server)
    parts["errors"] = counted(re.sub(r"\[[^]]*\d{2,}[^]]*\] ", "", line) for line in read("errors").splitlines())


SSHD = """
Port 2299
ListenAddress 127.0.0.1
HostKey {folder}/host
PidFile {folder}/pid
AuthorizedKeysFile {folder}/user.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin yes
PrintMotd no
PrintLastLog no
Subsystem sftp internal-sftp
"""


@subject("sshd", needs=["/usr/sbin/sshd", "ssh", "ssh-keygen", "sftp"])
def sshd(way, parts):
    if not sandbox.has_other_users():
        raise harness.Skip("sshd wants to change users, and there are no others here")
    folder = os.getcwd()
    os.makedirs("/run/sshd", exist_ok=True)
    for name in ("host", "user"):
        prepared(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name])
    conf = write("sshd.conf", SSHD.format(folder=folder))
    options = ["-F", "/dev/null", "-i", f"{folder}/user", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR",
               "-o", f"UserKnownHostsFile={folder}/known"]

    def ssh(*words, **how):
        return seen(way.run(["ssh", *options, "-p", "2299", "root@127.0.0.1", *words], **how), ports)

    def ports(text):
        return re.sub(r"127\.0\.0\.1 \d+|/dev/pts/\d+", "PORT", text)

    server = way.start(["/usr/sbin/sshd", "-D", "-e", "-f", conf])
    master = pid_in("pid")
    parts["command"] = ssh("echo out; echo err >&2; exit 3")
    parts["environment"] = ssh("env | sort")
    parts["input"] = ssh("wc -c; sha256sum < /usr/bin/env")
    parts["terminal"] = ssh("-tt", "tty >/dev/null && echo a terminal; stty size; kill -TERM $$")
    parts["killed"] = ssh("kill -9 $$")
    write("batch", f"put {folder}/sshd.conf /tmp/work/copy\nls -1 {folder}/host.pub\nrm /tmp/work/copy\n")
    parts["sftp"] = seen(way.run(["sftp", *options, "-P", "2299", "-b", "batch", "root@127.0.0.1"]))
    parts["scp"] = seen(way.run(["scp", *options, "-P", "2299", "root@127.0.0.1:/usr/bin/env", f"{folder}/copy"]))
    for number in range(20 if full() else 5):
        parts[f"churn {number}"] = ssh("true")
    os.kill(master, signal.SIGHUP)
    wait_for(lambda: name_of(master) == "sshd" and read("stderr").count("Server listening") >= 2, "restarted")
    parts["after SIGHUP"] = ssh("echo again")
    os.kill(master, signal.SIGTERM)
    parts["stopped"] = ended(server)
    parts["log"] = counted(re.sub(r"port \d+|SHA256:\S+|session \d+|\[\d+\]|pid \d+", "N", line)
                           for line in read("stderr").splitlines())


harness.main()
