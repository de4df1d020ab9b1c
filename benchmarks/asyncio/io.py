# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reading and writing with asyncio: io.py [--uvloop] [--protocols] BENCH N [M]."""

import asyncio
import os
import shutil
import socket
import sys
import time

HOST = '127.0.0.1'
MESSAGE = bytes(64)
BLOCK = bytes(4096)
BULK = bytes(1024 * 1024)
BULK_READ_SIZE = 256 * 1024
BACKLOG = 4096
COPIED_AT_ONCE = 8
RESPONSE = b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, world!'


def print_clocks():
    """A line of nanoseconds: processor time of this process, and real time."""
    print(time.clock_gettime_ns(time.CLOCK_PROCESS_CPUTIME_ID),
          time.clock_gettime_ns(time.CLOCK_MONOTONIC), flush=True)


def port_of(server):
    return server.sockets[0].getsockname()[1]


def open_pipe():
    reading, writing = os.pipe()
    return os.fdopen(reading, 'rb', 0), os.fdopen(writing, 'wb', 0)


def datagram_socket():
    some = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    some.bind((HOST, 0))
    some.setblocking(False)
    return some


# ---- Streams ----

async def connect_streams(m, serve):
    """The ends of m connections, with serve() at the others."""
    server = await asyncio.start_server(serve, HOST, 0, backlog=BACKLOG)
    return [await asyncio.open_connection(HOST, port_of(server)) for _ in range(m)]


async def write_again_and_again(writer, n, some):
    for _ in range(n):
        writer.write(some)
        await writer.drain()


async def read_much(reader, much, at_once):
    while much > 0:
        much -= len(await reader.read(at_once))


async def stream_echo(n, m):
    async def send_back(reader, writer):
        while message := await reader.read(len(MESSAGE)):
            writer.write(message)
            await writer.drain()

    async def send_and_receive(reader, writer):
        for _ in range(0, n, m):
            writer.write(MESSAGE)
            await writer.drain()
            await reader.readexactly(len(MESSAGE))

    connections = await connect_streams(m, send_back)

    async def work():
        await asyncio.gather(*[send_and_receive(*connection) for connection in connections])
    return work


async def stream_bulk(n, m):
    end = asyncio.Event()

    async def read_bulk(reader, writer):
        await read_much(reader, n * len(BULK), BULK_READ_SIZE)
        end.set()

    (_, writer), = await connect_streams(1, read_bulk)

    async def work():
        await write_again_and_again(writer, n, BULK)
        await end.wait()
    return work


async def stream_http(n, m):
    async def answer_requests(reader, writer):
        try:
            while True:
                await reader.readuntil(b'\r\n\r\n')
                writer.write(RESPONSE)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer_requests, HOST, 0, backlog=BACKLOG)
    print(port_of(server), flush=True)
    return server.serve_forever


async def stream_pipe(n, m):
    loop = asyncio.get_running_loop()
    reading, writing = open_pipe()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), reading)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, writing)
    writer = asyncio.StreamWriter(transport, protocol, None, loop)

    async def work():
        await asyncio.gather(write_again_and_again(writer, n, BLOCK),
                             read_much(reader, n * len(BLOCK), len(BLOCK)))
    return work


async def socket_udp(n, m):
    """There are no streams of datagrams, but functions of the loop."""
    loop = asyncio.get_running_loop()
    ours, theirs = datagram_socket(), datagram_socket()

    async def send_back():
        while True:
            message, address = await loop.sock_recvfrom(theirs, len(MESSAGE))
            await loop.sock_sendto(theirs, message, address)

    async def work():
        beside = asyncio.create_task(send_back())
        for _ in range(n):
            await loop.sock_sendto(ours, MESSAGE, theirs.getsockname())
            await loop.sock_recvfrom(ours, len(MESSAGE))
        beside.cancel()
    return work


# ---- Protocols ----

class Connected(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport


async def connect_protocols(m, make, make_server):
    """m protocols, connected with such of a server."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(make_server, HOST, 0, backlog=BACKLOG)
    return [(await loop.create_connection(make, HOST, port_of(server)))[1] for _ in range(m)]


class SendBack(Connected):
    def data_received(self, data):
        self.transport.write(data)


class SendAndReceive(Connected):
    def __init__(self, n):
        self.left = n
        self.done = asyncio.get_running_loop().create_future()

    def send(self):
        self.left -= 1
        self.transport.write(MESSAGE)

    def data_received(self, data):
        assert len(data) == len(MESSAGE)
        if self.left > 0:
            self.send()
        else:
            self.done.set_result(None)


async def protocol_echo(n, m):
    clients = await connect_protocols(m, lambda: SendAndReceive(n // m), SendBack)

    async def work():
        for client in clients:
            client.send()
        await asyncio.gather(*[client.done for client in clients])
    return work


class Writer(Connected):
    """Writes some bytes n times, when it may."""

    def __init__(self, n, some):
        self.left = n
        self.some = some
        self.paused = False

    def write(self):
        while self.left > 0 and not self.paused:
            self.left -= 1
            self.transport.write(self.some)

    def pause_writing(self):
        self.paused = True

    def resume_writing(self):
        self.paused = False
        self.write()


class Reader(asyncio.BufferedProtocol):
    """Is done when it has read so much."""

    def __init__(self, much, at_once):
        self.left = much
        self.buffer = memoryview(bytearray(at_once))
        self.done = asyncio.get_running_loop().create_future()

    def get_buffer(self, size):
        return self.buffer

    def buffer_updated(self, n):
        self.left -= n
        if self.left == 0:
            self.done.set_result(None)


class PipeReader(asyncio.Protocol):
    """Pipes have no protocols with buffers."""

    def __init__(self, much):
        self.left = much
        self.done = asyncio.get_running_loop().create_future()

    def data_received(self, data):
        self.left -= len(data)
        if self.left == 0:
            self.done.set_result(None)


async def protocol_bulk(n, m):
    reader = Reader(n * len(BULK), BULK_READ_SIZE)
    writer, = await connect_protocols(1, lambda: Writer(n, BULK), lambda: reader)

    async def work():
        writer.write()
        await reader.done
    return work


async def protocol_pipe(n, m):
    loop = asyncio.get_running_loop()
    reading, writing = open_pipe()
    _, reader = await loop.connect_read_pipe(lambda: PipeReader(n * len(BLOCK)), reading)
    _, writer = await loop.connect_write_pipe(lambda: Writer(n, BLOCK), writing)

    async def work():
        writer.write()
        await reader.done
    return work


class AnswerRequests(Connected):
    request = b''

    def data_received(self, data):
        self.request += data
        if self.request.endswith(b'\r\n\r\n'):
            self.request = b''
            self.transport.write(RESPONSE)


async def protocol_http(n, m):
    server = await asyncio.get_running_loop().create_server(AnswerRequests, HOST, 0, backlog=BACKLOG)
    print(port_of(server), flush=True)
    return server.serve_forever


class SendDatagramsBack(Connected, asyncio.DatagramProtocol):
    def datagram_received(self, data, address):
        self.transport.sendto(data, address)


class SendDatagrams(Connected, asyncio.DatagramProtocol):
    def __init__(self, n, address):
        self.left = n
        self.address = address
        self.done = asyncio.get_running_loop().create_future()

    def send(self):
        self.left -= 1
        self.transport.sendto(MESSAGE, self.address)

    def datagram_received(self, data, address):
        if self.left > 0:
            self.send()
        else:
            self.done.set_result(None)


async def protocol_udp(n, m):
    loop = asyncio.get_running_loop()
    theirs, _ = await loop.create_datagram_endpoint(SendDatagramsBack, (HOST, 0))
    address = theirs.get_extra_info('sockname')
    _, ours = await loop.create_datagram_endpoint(lambda: SendDatagrams(n, address), (HOST, 0))

    async def work():
        ours.send()
        await ours.done
    return work


# ---- Files ----

def read_file():
    with open('file', 'rb') as file:
        return file.read()


async def load(n, m):
    async def load_again_and_again():
        for _ in range(0, n, m):
            assert len(await asyncio.to_thread(read_file)) == len(BLOCK)

    async def work():
        await asyncio.gather(*[load_again_and_again() for _ in range(m)])
    return work


async def copy_tree(n, m):
    places = asyncio.Semaphore(COPIED_AT_ONCE)

    async def copy_file(source, destination):
        await asyncio.to_thread(shutil.copy, source, destination)
        places.release()

    async def copy_folder(source, folder, copies):
        entries = await asyncio.to_thread(lambda: list(os.scandir(source)))
        await asyncio.to_thread(os.mkdir, folder)
        for entry in entries:
            destination = os.path.join(folder, entry.name)
            if entry.is_dir(follow_symlinks=False):
                await copy_folder(entry.path, destination, copies)
            else:
                await places.acquire()
                copies.create_task(copy_file(entry.path, destination))

    async def work():
        async with asyncio.TaskGroup() as copies:
            await copy_folder('tree', 'copy', copies)
    return work


# Each prepares, and returns the work.
STREAMS = {
    'echo': stream_echo,
    'bulk': stream_bulk,
    'idle': stream_http,
    'pipe': stream_pipe,
    'udp': socket_udp,
    'load': load,
    'copy-tree': copy_tree,
}

PROTOCOLS = {
    'echo': protocol_echo,
    'bulk': protocol_bulk,
    'idle': protocol_http,
    'pipe': protocol_pipe,
    'udp': protocol_udp,
}


async def main(prepare, n, m):
    work = await prepare(n, m)
    print_clocks()
    await work()
    print_clocks()


arguments = sys.argv[1:]
benches, loop_factory = STREAMS, None
if arguments[:1] == ['--uvloop']:
    import uvloop
    loop_factory = uvloop.new_event_loop
    del arguments[0]
if arguments[:1] == ['--protocols']:
    benches = PROTOCOLS
    del arguments[0]
if not arguments:
    print('\n'.join(benches))
else:
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main(benches[arguments[0]], int(arguments[1]), int(arguments[2]) if arguments[2:] else 0))
