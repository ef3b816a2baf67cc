"""A training job that is killed in the midst of its work, as schedulers do it. See demo.sh."""

import multiprocessing
import os
import signal
import time

STEPS = 3


def train(rank, locks, progress):
    for step in range(STEPS):
        with locks[rank]:
            time.sleep(0.1)
        with progress.get_lock():
            progress.value += 1
        if rank == 0:
            print(f"  epoch 1, step {step + 1} of 1000", flush=True)
    time.sleep(600)


def make_locks(context, count):
    return [context.Lock() for _ in range(count)]


def load_dataset(context):
    try:
        from multiprocessing import shared_memory
    except ImportError:  # before Python 3.8
        return None
    return shared_memory.SharedMemory(create=True, size=8 * 1024 * 1024)


def main():
    context = multiprocessing.get_context("spawn")
    locks = make_locks(context, 8)
    progress = context.Value("i", 0)
    dataset = load_dataset(context)
    workers = [context.Process(target=train, args=(rank, locks, progress)) for rank in range(4)]
    for worker in workers:
        worker.start()
    while progress.value < STEPS * len(workers):
        time.sleep(0.01)
    print("  ... and now the scheduler ends the job: SIGTERM", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)
    dataset.close()


if __name__ == "__main__":
    main()
