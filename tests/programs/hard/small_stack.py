# A handler in C that interrupts Python opens something, on an alternate stack that has no room for much more.
import ctypes
import mmap
import os
import signal

libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
libc.getauxval.restype = ctypes.c_ulong

AT_MINSIGSTKSZ = 51
SA_ONSTACK = 0x08000000
PAGE = 4096


class Stack(ctypes.Structure):
    _fields_ = [("address", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]


class Action(ctypes.Structure):
    _fields_ = [("handler", ctypes.c_void_p), ("mask", ctypes.c_ulong * 16), ("flags", ctypes.c_int), ("restorer", ctypes.c_void_p)]


def count():
    return len(os.listdir("/proc/self/fd"))


def main():
    room = libc.mmap(None, 5 * PAGE, mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    print(libc.mprotect(room, PAGE, 0))
    size = (libc.getauxval(AT_MINSIGSTKSZ) or 2048) + 2000
    print(libc.sigaltstack(ctypes.byref(Stack(room + PAGE, 0, size)), None))
    # Called as a handler, with an argument that it does not have.
    opens = ctypes.cast(libc.inotify_init, ctypes.c_void_p).value
    print(libc.sigaction(signal.SIGUSR1, ctypes.byref(Action(opens, (ctypes.c_ulong * 16)(), SA_ONSTACK, None)), None))
    before = count()
    for _ in range(6):
        libc["raise"](signal.SIGUSR1)
    print("opened", count() - before)


main()
