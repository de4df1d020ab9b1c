#!/usr/bin/env python3
"""Prints cases for tests/shielded-asyncio.c, with what asyncio makes of each.

usage: record.py NUMBER SEED > cases.  Times are in milliseconds.

Of 20,000 cases two differ: three requests come in the very rounds in which the call ends, and here
the first of them wakes the caller, which then gets the third one as a new request.
"""

import asyncio
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'conformance'))
from oracle import VirtualLoop

FIELDS = 'pre limit nested first second mode outer after t1 t2 t3'.split()


async def call_shielded(seconds, coroutine):
    """What gtx_call_shielded() does, in asyncio: a request that comes meanwhile is made again at the end."""
    async def limited():
        async with asyncio.timeout(seconds):
            await coroutine()

    task = asyncio.create_task(limited())
    requested = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            requested = True
    if requested:
        me = asyncio.current_task()
        me.cancel()
        me.uncancel()
    task.result()


def outcome(error):
    if error is None:
        return 'ok'
    return {'CancelledError': 'cancelled', 'TimeoutError': 'timed-out'}.get(type(error).__name__, 'failed')


def limit(ms):
    return None if ms == 0 else ms / 1000


class Case:
    def __init__(self, values):
        self.words = []
        self.loop = VirtualLoop()
        self.__dict__.update(zip(FIELDS, values))

    def note(self, what, error):
        self.words.append('%d:%s:%s' % (self.loop.ms, what, outcome(error)))

    async def attempt(self, what, awaitable):
        try:
            await awaitable
            error = None
        except BaseException as e:
            error = e
        self.note(what, error)
        return error

    async def leaf(self):
        await asyncio.sleep(self.first / 1000)

    async def cleanup(self):
        first = call_shielded(limit(self.nested), self.leaf) if self.nested >= 0 else self.leaf()
        error = await self.attempt('first', first)
        if error:
            await self.attempt('second', asyncio.sleep(self.second / 1000))
        if self.mode == 2:
            raise ValueError
        if self.mode == 0 and error:
            raise error

    async def block(self):
        async with asyncio.timeout(limit(self.outer)):
            error = await self.attempt('call', call_shielded(limit(self.limit), self.cleanup))
            error = await self.attempt('after', asyncio.sleep(self.after / 1000)) or error
            if error:
                raise error

    async def victim(self):
        if self.pre:
            asyncio.current_task().cancel()
        await self.attempt('block', self.block())
        await self.attempt('zero', asyncio.sleep(0))
        self.words.append('cancelling:%d' % asyncio.current_task().cancelling())

    async def main(self):
        task = asyncio.create_task(self.victim())
        for time in (self.t1, self.t2, self.t3):
            if time >= 0:
                await asyncio.sleep(time / 1000 - self.loop.time())
                task.cancel()
        await self.attempt('end', task)

    def run(self):
        self.loop.run_until_complete(self.main())
        self.loop.close()
        return ' '.join(self.words)


def invent(rng):
    def moment():
        return rng.randrange(0, 11) * 10

    requests = sorted(moment() if rng.random() < 0.7 else -1 for i in range(3))
    return [rng.random() < 0.2, rng.choice([0, moment()]), rng.choice([-1, -1, 0, moment()]), moment(), moment(),
            rng.randrange(3), rng.choice([0, 0, moment()]), moment(), *requests]


def main():
    rng = random.Random(int(sys.argv[2]))
    for i in range(int(sys.argv[1])):
        values = [int(value) for value in invent(rng)]
        print(*values, '|', Case(values).run())


main()
