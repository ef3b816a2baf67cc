"""tidy.py METHOD: pools, queues, managers and shared memory, all of it put away again."""

import concurrent.futures
import multiprocessing
import sys

try:
    from multiprocessing import shared_memory
except ImportError:  # before 3.8
    shared_memory = None


def square(number):
    return number * number


def fill(queue, name, lock):
    if name is not None:
        memory = shared_memory.SharedMemory(name=name)
        with lock:
            memory.buf[0] += 1
        memory.close()
    queue.put("filled")


def use_shared_memory(context):
    memory = shared_memory and shared_memory.SharedMemory(create=True, size=100)
    queue = context.Queue()
    lock = context.Lock()
    workers = [context.Process(target=fill, args=(queue, memory and memory.name, lock)) for _ in range(2)]
    for worker in workers:
        worker.start()
    print([queue.get() for _ in workers])
    for worker in workers:
        worker.join()
    if memory:
        print(memory.buf[0])
        memory.close()
        memory.unlink()


def main():
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(2) as pool:
        print(pool.map(square, range(5)))
        pool.close()
        pool.join()
    if sys.version_info >= (3, 7):
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as executor:
            print(sorted(executor.map(square, range(3))))
    use_shared_memory(context)
    with context.Manager() as manager:
        shared = manager.dict(answer=42)
        print(dict(shared))


if __name__ == "__main__":
    main()
