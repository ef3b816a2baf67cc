"""A machine of its own for a test script: own processes, own IPC objects, empty /tmp and /dev/shm.

    import os, sys
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "support"))
    import sandbox
    BUILD = sandbox.enter()

Nothing that the script leaves behind outlives it, and nothing that others do shows up in it. The
script is run again inside, with the same arguments; the first one is the build folder. There, pid 1
is a reaper and the script a child of it. The working folder is a fresh one in /tmp.
"""

import ctypes
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys

INSIDE = "LEFTOVER_TEST_SANDBOX"
SKIPPED = 77

# What would make leftover, the loader or a program behave as the user's machine wants it.
UNWANTED = ("LD_PRELOAD", "LD_LIBRARY_PATH", "XDG_RUNTIME_DIR", "DEBUGINFOD_URLS", "NO_COLOR", "COLUMNS")


def enter():
    """Returns the build folder. Outside of a sandbox it does not return."""
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} BUILD_DIR")
    if os.environ.get(INSIDE) != "1":
        _unshare()
    del os.environ[INSIDE]
    build = os.path.abspath(sys.argv[1])
    if os.getpid() == 1:
        _become_reaper()
    return build


def has_other_users():
    """Whether files can be given to, and programs run as, somebody else."""
    with open("/proc/self/uid_map", encoding="utf-8") as text:
        return os.geteuid() == 0 and text.read().split() == ["0", "0", "4294967295"]


def own_network():
    """Ports of its own: nobody else's server is met, and nobody else meets ours."""
    libc = ctypes.CDLL(None, use_errno=True)
    clone_newnet = 0x40000000
    if libc.unshare(clone_newnet) != 0:
        print("skipped: no network of its own here")
        sys.exit(SKIPPED)
    get_flags, set_flags, up = 0x8913, 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, get_flags, request))[1]
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", flags | up))


def _unshare():
    words = ["unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        words += ["--user", "--map-root-user"]
    if subprocess.run(words + ["true"], stdin=subprocess.DEVNULL, capture_output=True).returncode != 0:
        print("skipped: no namespaces for this user here")
        sys.exit(SKIPPED)
    environment = {name: value for name, value in os.environ.items()
                   if name not in UNWANTED and not name.startswith("LEFTOVER_")}
    environment[INSIDE] = "mount"
    script = os.path.abspath(sys.argv[0])
    arguments = [os.path.abspath(sys.argv[1])] + sys.argv[2:]
    here = os.path.abspath(__file__)
    os.execvpe(words[0], words + [sys.executable, here, script] + arguments, environment)


def _mount(*words):
    subprocess.run(["mount"] + list(words), check=True, stdin=subprocess.DEVNULL)


def _mount_fresh(folders):
    """Empty /tmp and /dev/shm; of what lies in them, `folders` stay."""
    kept = []
    root = os.path.realpath("/tmp") + os.sep
    for folder in folders:
        if folder.startswith(root) and not any(folder.startswith(other + os.sep) for other, _ in kept):
            handle = os.open(folder, os.O_PATH | os.O_DIRECTORY)
            kept.append((folder, handle))
    _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/tmp")
    for folder, handle in kept:
        os.makedirs(folder, exist_ok=True)
        # The file system that was covered is still there for who has it open.
        _mount("--no-canonicalize", "--bind", f"/proc/{os.getpid()}/fd/{handle}", folder)
        os.close(handle)
    _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/dev/shm")
    if not os.path.isdir("/dev/mqueue"):
        _add_mqueue_folder()
    if os.path.isdir("/dev/mqueue"):
        # The old mount shows the old namespace's queues.
        subprocess.run(["mount", "-t", "mqueue", "mqueue", "/dev/mqueue"], stdin=subprocess.DEVNULL,
                       capture_output=True, check=False)


def _add_mqueue_folder():
    """A machine without systemd may lack /dev/mqueue, and its /dev is not ours to change: this sandbox
    sees a layer over it. Without the right to make one, message queues cannot be listed."""
    layer = "/dev/shm"  # fresh, and covered by another one at the end
    for folder in ("upper", "work"):
        os.mkdir(os.path.join(layer, folder))
    terminals = os.open("/dev/pts", os.O_PATH | os.O_DIRECTORY)
    made = subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                           f"lowerdir=/dev,upperdir={layer}/upper,workdir={layer}/work", "/dev"],
                          stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode == 0
    if made:
        _mount("--no-canonicalize", "--bind", f"/proc/{os.getpid()}/fd/{terminals}", "/dev/pts")
        os.mkdir("/dev/mqueue")
    _mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/dev/shm")
    os.close(terminals)


def _become_reaper():
    child = os.fork()
    if child == 0:
        return
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def _main():
    """Runs as pid 1 of the new namespaces, and executes the script there."""
    script = sys.argv[1]
    build = sys.argv[2]
    source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    _mount_fresh(sorted({os.path.realpath(source), os.path.realpath(build)}, key=len))
    # In the background of a shell some are ignored.
    for name in ("SIGINT", "SIGQUIT", "SIGHUP", "SIGTERM", "SIGCHLD", "SIGPIPE"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    work = "/tmp/work"
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    os.chdir(work)
    os.environ[INSIDE] = "1"
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    os.execv(sys.executable, [sys.executable, script] + sys.argv[2:])


if __name__ == "__main__":
    _main()
