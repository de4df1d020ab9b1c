# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same with asyncio: main.py [--uvloop] BENCH N [M]."""

import asyncio
import sys
import time

SPAWNED_AT_ONCE = 1000
GATHERED_AT_ONCE = 10
CONTENDERS = 100
HOUR = 3600


def print_clocks():
    """A line of nanoseconds: processor time of this process, and real time."""
    print(time.clock_gettime_ns(time.CLOCK_PROCESS_CPUTIME_ID),
          time.clock_gettime_ns(time.CLOCK_MONOTONIC), flush=True)


def random_sleep(i):
    return i * 7919 % 1000003 / 1000003


async def nothing():
    pass


async def let_others_run():
    await asyncio.sleep(0)


async def gather_many(n, at_once, coroutine):
    for _ in range(0, n, at_once):
        await asyncio.gather(*[asyncio.create_task(coroutine()) for _ in range(at_once)])


async def spawn(n, m):
    await gather_many(n, SPAWNED_AT_ONCE, nothing)


async def gather(n, m):
    await gather_many(n, GATHERED_AT_ONCE, let_others_run)


async def spawn_await(n, m):
    for _ in range(n):
        await asyncio.create_task(nothing())


async def yield_(n, m):
    async def again_and_again():
        for _ in range(0, n, m):
            await asyncio.sleep(0)
    await asyncio.gather(*[asyncio.create_task(again_and_again()) for _ in range(m)])


async def call(n, m):
    for _ in range(n):
        await nothing()


async def group(n, m):
    for _ in range(0, n, GATHERED_AT_ONCE):
        async with asyncio.TaskGroup() as tasks:
            for _ in range(GATHERED_AT_ONCE):
                tasks.create_task(let_others_run())


async def queue(n, m):
    async def play(there, back):
        for _ in range(n):
            await back.put(await there.get())
    there, back = asyncio.Queue(1), asyncio.Queue(1)
    task = asyncio.create_task(play(there, back))
    await there.put(1)
    await play(back, there)
    await task


async def lock(n, m):
    shared = asyncio.Lock()

    async def contend():
        for _ in range(0, n, CONTENDERS):
            async with shared:
                await asyncio.sleep(0)
    await asyncio.gather(*[asyncio.create_task(contend()) for _ in range(CONTENDERS)])


async def timeout(n, m):
    for _ in range(n):
        async with asyncio.timeout(10):
            await asyncio.sleep(0)


async def to_thread(n, m):
    def return_at_once():
        pass
    for _ in range(n):
        await asyncio.to_thread(return_at_once)


async def gtask(n, m):
    """What comes in the next turn of the loop, by way of a callback."""
    loop = asyncio.get_running_loop()
    for _ in range(n):
        future = loop.create_future()
        loop.call_soon(future.set_result, True)
        await future


async def sleepers(n, m):
    await asyncio.gather(*[asyncio.create_task(asyncio.sleep(random_sleep(i))) for i in range(n)])


async def create_waiting(n, coroutine):
    tasks = [asyncio.create_task(coroutine()) for _ in range(n)]
    await asyncio.sleep(0)
    return tasks


waiting = []


async def prepare_crowd(n, m):
    waiting.extend(await create_waiting(m, lambda: asyncio.sleep(HOUR)))


async def prepare_cancel(n, m):
    waiting.extend(await create_waiting(n, lambda: asyncio.sleep(HOUR)))


async def cancel(n, m):
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    waiting.clear()


async def prepare_park(n, m):
    event = asyncio.Event()
    waiting.extend(await create_waiting(n, event.wait))


async def park(n, m):
    sys.stdin.read()


BENCHES = {
    'spawn': (None, spawn),
    'spawn-await': (None, spawn_await),
    'yield': (None, yield_),
    'call': (None, call),
    'queue': (None, queue),
    'gtask': (None, gtask),
    'crowd': (prepare_crowd, gtask),
    'sleepers': (None, sleepers),
    'park': (prepare_park, park),
    'cancel': (prepare_cancel, cancel),
    'gather': (None, gather),
    'group': (None, group),
    'timeout': (None, timeout),
    'lock': (None, lock),
    'to-thread': (None, to_thread),
}


async def main(bench, n, m):
    prepare, work = BENCHES[bench]
    if prepare:
        await prepare(n, m)
    print_clocks()
    await work(n, m)
    print_clocks()


arguments = sys.argv[1:]
loop_factory = None
if arguments[:1] == ['--uvloop']:
    import uvloop
    loop_factory = uvloop.new_event_loop
    del arguments[0]
if not arguments:
    print('\n'.join(BENCHES))
else:
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main(arguments[0], int(arguments[1]), int(arguments[2]) if arguments[2:] else 0))
