"""Stacks of shapes that only Python 3 has."""
import asyncio
import concurrent.futures
import gc
import multiprocessing
import sys

import harness
from harness import check, expect, finish


def inner():
    check("innermost of yield from")
    got = yield 1
    check("resumed innermost of yield from")
    return got


def middle():
    return (yield from inner())


def outermost():
    result = yield from middle()
    check("after yield from")
    yield result


generator = outermost()
next(generator)
generator.send(5)
list(generator)
for thrown in (ValueError, GeneratorExit):
    generator = outermost()
    next(generator)
    try:
        generator.throw(thrown)
    except BaseException:
        check("thrown into a chain")


def catching():
    try:
        yield 1
    except ValueError:
        check("generator catches")
        yield 2


def delegating():
    yield from catching()


generator = delegating()
next(generator)
generator.throw(ValueError())


async def coroutine(n):
    check("coroutine")
    await asyncio.sleep(0)
    check("coroutine resumed")
    if n:
        await coroutine(n - 1)
    return n


async def async_generator():
    yield check("asynchronous generator")
    await asyncio.sleep(0)
    yield check("asynchronous generator resumed")


class Manager:
    async def __aenter__(self):
        await asyncio.sleep(0)
        check("__aenter__")

    async def __aexit__(self, *ignored):
        await asyncio.sleep(0)
        check("__aexit__")


async def main():
    check("main coroutine")
    await coroutine(2)
    await asyncio.gather(coroutine(1), coroutine(0), coroutine(2))
    async for _ in async_generator():
        check("async for")
    [check("asynchronous comprehension") async for _ in async_generator()]
    [await coroutine(0) for _ in range(2)]
    async with Manager():
        check("async with")
    loop = asyncio.get_event_loop()
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        await loop.run_in_executor(pool, check, "executor")
    loop.call_soon(check, "call_soon")
    await asyncio.sleep(0)
    task = asyncio.ensure_future(coroutine(3))
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        check("cancelled")


loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
loop.run_until_complete(main())
loop.close()


def größe(n):
    return check("function of Latin-1 letters")


def δοκιμή(n):
    return größe(n)


δοκιμή(1)


class Δ:
    def مرحبا(self):
        return check("method of UCS-2 letters")

    def 𝔘𝔫𝔦𝔠𝔬𝔡𝔢(self):
        return self.مرحبا()


Δ().𝔘𝔫𝔦𝔠𝔬𝔡𝔢()


def annotated(a: int = check("default argument"), *, b: str = "x") -> check("annotation"):
    return f"{check('f-string')}" f"{1:{check('format') and 10}}"


annotated()

MODERN = [
    ((3, 8), "if (n := check('walrus')):\n  check('after walrus')"),
    ((3, 10), "match [1, 2]:\n  case [1, x] if check('guard'):\n    check('case')\n  case _:\n    pass"),
    ((3, 11), "try:\n  raise ExceptionGroup('g', [ValueError()])\nexcept* ValueError:\n  check('except*')"),
    ((3, 12), "def f[T](x: T) -> T:\n  check('generic')\n  return x\nf(1)\n"
              "type A = check('type alias')\nA.__value__\n"
              "class C[T]:\n  check('generic class')\n  x = [check('inlined comprehension') for _ in range(2)]"),
]
for least, source in MODERN:
    if sys.version_info >= least:
        exec(compile(source, "modern", "exec"), {"check": check})


def collected():
    """A collection may start while the frame of the function that is called is still being set up."""
    def on_collection(phase, info):
        if phase == "start":
            gc.callbacks.clear()
            check("in a collection")
            gc.callbacks.append(on_collection)

    def with_cells(a, b):
        c, d, e = [a], [b], [a]
        return lambda: (a, b, c, d, e)

    def generator_with_cells(a, b):
        yield lambda: (a, b)

    kept = []
    old = gc.get_threshold()
    gc.callbacks.append(on_collection)
    for threshold in range(1, 12):
        gc.set_threshold(threshold)
        kept.append(with_cells(threshold, kept))
        kept += generator_with_cells(threshold, kept)
        kept += [lambda: i for i in range(3)]
    gc.set_threshold(*old)
    gc.callbacks.clear()


collected()


def spawned(argument):
    harness.failures = 0
    check("spawned")
    return harness.failures


def multiprocess():
    for method in ("spawn", "forkserver"):
        context = multiprocessing.get_context(method)
        with context.Pool(1) as pool:
            expect(method, pool.map(spawned, range(2)), [0, 0])


if __name__ == "__main__":
    multiprocess()
    sys.exit(finish())
