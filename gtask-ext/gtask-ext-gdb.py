# SPDX-License-Identifier: LGPL-2.1-or-later
"""Commands of gdb (12 or newer) that show the tasks of a program and where they
wait.  Nothing is called in the program: a core file will do."""

import os
import re

import gdb
import gdb.unwinder

# As in print.c: nobody reads deeper.
DEEPEST = 50


# ---- Reading the library's data ----

def static_block(function):
    """The scope of the file in which the library defines a function."""
    symbol = gdb.lookup_global_symbol(function)
    if symbol is not None:
        return symbol.symtab.static_block()
    names = [os.path.basename(o.filename or '') for o in gdb.objfiles()]
    if any(name.startswith('libgtask-ext-') for name in names):
        raise gdb.GdbError('gtask-ext was built without debug information, or it is not installed: '
                           'its data cannot be read')
    raise gdb.GdbError('gtask-ext is not loaded: the program does not use it, or has not started')


def member_of(pointer, type, member):
    """The struct in which `member` is what the pointer points to."""
    offset = next(field.bitpos // 8 for field in type.fields() if field.name == member)
    return gdb.Value(int(pointer) - offset).cast(type.pointer()).dereference()


def owners(handles, type, member):
    """The structs whose links are in a GtxHandleList."""
    link = handles['ring']['next']
    while link != handles['ring'].address:
        yield member_of(link, type, member)
        link = link['next']


def text_of(pointer):
    return pointer.string(errors='replace')


def address_of(value):
    return '0x%x' % int(value)


class Task:
    def __init__(self, value, scheduler):
        self.value = value
        self.scheduler = scheduler
        self.address = int(value.address)
        self.function = text_of(value['function'])
        self.fiber = value['step']['fiber']
        if value['name']:
            self.name = text_of(value['name'])
        elif value['number']:
            self.name = 'Task-%d' % int(value['number'])
        else:
            self.name = self.function

    def runs(self):
        return bool(self.fiber) and bool(self.fiber['resumer'])

    def look_at_waiter(self, tasks):
        """What it waits for (None: nothing), and the addresses of the futures in it."""
        if not self.value['waiter']:
            return None, []
        try:
            return Waiter(self.value['waiter'], self.scheduler).describe(tasks)
        except gdb.error as error:
            return 'what cannot be read (%s)' % error, []


def all_schedulers():
    if gdb.selected_thread() is None:
        raise gdb.GdbError('There is neither a process nor a core file to look into')
    block = static_block('gtx_scheduler_get')
    handles = gdb.lookup_symbol('all_schedulers', block)[0].value()
    return owners(handles, gdb.lookup_type('struct _GtxScheduler', block), 'link')


def all_tasks():
    """The tasks by their address, scheduler by scheduler, as they came."""
    schedulers = list(all_schedulers())
    block = static_block('gtx_scheduler_list_tasks')
    registry_type = gdb.lookup_type('Registry', block)
    task_type = gdb.lookup_type('struct _GtxTask', block)
    tasks = {}
    for scheduler in schedulers:
        if scheduler['base']['extension']:
            registry = scheduler['base']['extension'].cast(registry_type.pointer())
            for value in owners(registry['tasks'], task_type, 'link'):
                task = Task(value, scheduler)
                tasks[task.address] = task
    return tasks


# The first of GtxFutureState in which it is done.
FUTURE_DONE = 2


# ---- What a task waits for: each describe () and list_awaited () again ----

class Waiter:
    """A GtxWaiter.  What it is a part of is a type of the file that defines its kind."""

    def __init__(self, value, scheduler):
        self.value = value
        self.scheduler = scheduler
        self.kind = value['kind']['name'].string()
        self.block = gdb.block_for_pc(int(value['kind']['describe']))

    def as_type(self, name, member='waiter'):
        return member_of(self.value, gdb.lookup_type(name, self.block), member)

    def left(self, timer):
        if not timer['slot']:
            return ''
        now = self.scheduler['virtual_now'] if self.scheduler['jumper'] else self.scheduler['now']
        return ', %.3f s left' % (max(int(timer['deadline']) - int(now), 0) / 1e6)

    def describe(self, tasks):
        describe = DESCRIBERS.get(self.kind)
        text, futures = describe(self, tasks) if describe else ('something unknown here (%s)' % self.kind, [])
        is_pending = str(self.value['state']) == 'GTX_WAITER_PENDING'
        return text if is_pending else None, futures


def in_line(what, kind_of_waiter='GtxLineWaiter'):
    return lambda waiter, tasks: (what + ' ' + address_of(waiter.as_type(kind_of_waiter, 'base')['object']), [])


def watched(watches):
    return [int(watches['watches'][i]['future']) for i in range(int(watches['length']))]


def describe_await(waiter, tasks):
    awaited = waiter.as_type('Await')['awaited']
    if int(awaited['state']) & FUTURE_DONE:
        return None, []
    task = tasks.get(int(awaited))
    return ('task ' + task.name if task else 'future ' + address_of(awaited)), [int(awaited)]


def describe_distant(waiter, tasks):
    awaited = waiter.as_type('DistantAwait')['awaited']
    what = 'task' if int(awaited) in tasks else 'future'
    return '%s %s of another main context' % (what, address_of(awaited)), []


def describe_shielded(waiter, tasks):
    awaited = waiter.as_type('ShieldedWait')['awaited']
    if int(awaited['state']) & FUTURE_DONE:
        return None, []
    return 'the shielded task ' + tasks[int(awaited)].name, [int(awaited)]


def describe_pool(waiter, tasks):
    job = waiter.as_type('GtxJob')
    if int(job['state']) != 1:
        return 'a thread of a pool', []
    return 'thread %d of a pool, which runs it' % int(job['worker']['number']), []


def describe_sleep(waiter, tasks):
    return 'a sleep' + waiter.left(waiter.as_type('Sleep')['timer']), []


def describe_gathering(waiter, tasks):
    members = waiter.as_type('Gathering')['members']
    return 'a gathering of %d' % int(members['length']), watched(members)


def describe_wait(waiter, tasks):
    wait = waiter.as_type('Wait')
    what = ('all', 'the first', 'the first error')[int(wait['return_when'])]
    return ('%s of %d%s' % (what, int(wait['futures']['length']), waiter.left(wait['timer'])),
            watched(wait['futures']))


def describe_first(waiter, tasks):
    race = waiter.as_type('Race')
    what = 'the others' if race['is_ending'] else 'the first success' if race['wants_success'] else 'the first'
    return '%s of %d' % (what, int(race['futures']['length'])), watched(race['futures'])


def describe_next(waiter, tasks):
    each = waiter.as_type('Waiter')['each']
    n_left = int(each['futures']['length']) - int(each['n_done'])
    return 'the next of %d%s' % (n_left, waiter.left(each['timer'])), watched(each['futures'])


def describe_group(waiter, tasks):
    group = waiter.as_type('GroupWaiter')['group']
    children = owners(group['children'], gdb.lookup_type('GtxGroupChild', waiter.block), 'link')
    return ('a task group that is shutting down' if group['aborting'] else 'a task group',
            [int(child['task']) for child in children])


def describe_scope(waiter, tasks):
    at = waiter.as_type('GtxLineWaiter', 'base')['object']
    scope = at.cast(gdb.lookup_type('GtxScope', waiter.block).pointer())
    members = owners(scope['members'], gdb.lookup_type('Member', waiter.block), 'link')
    return 'scope ' + address_of(at), [int(member['candidate']['task']) for member in members]


def describe_semaphore(waiter, tasks):
    at = waiter.as_type('GtxLineWaiter', 'base')['object']
    what = at.cast(gdb.lookup_type('GtxSemaphore', waiter.block).pointer())['what']
    return text_of(what) if what else 'semaphore ' + address_of(at), []


def describe_descriptor(waiter, tasks):
    descriptor = waiter.as_type('DescriptorWaiter')
    wanted = descriptor['wanted']
    return '%s %d%s' % (text_of(wanted['what']), int(wanted['number']), waiter.left(descriptor['timer'])), []


def describe_unix_signal(waiter, tasks):
    interest = waiter.as_type('SignalWaiter')['interest']
    return 'Unix signal %d' % int(interest['signal']['signum']), []


def caller_of(value, at, of):
    """As in caller.c."""
    if value['line']:
        return '%s %s:%d' % (at, text_of(value['file']), int(value['line']))
    return '%s %s()' % (of, text_of(value['file']))


def describe_operation(waiter, tasks):
    operation = waiter.as_type('struct _GtxOperation')
    cancellable = operation['task']['cancellable']
    taken = cancellable and (cancellable['parent_instance']['parent_instance']['ref_count'] >
                             operation['n_references'])
    return ('the operation %s%s' % (caller_of(operation, 'started at', 'of'),
                                    '' if taken else ', which has taken no GCancellable')), []


def describe_call(waiter, tasks):
    call = waiter.as_type('Call')
    if call['has_begun']:
        return 'the thread ' + caller_of(call, 'started at', 'for'), []
    return 'a free thread ' + caller_of(call, 'at', 'for'), []


DESCRIBERS = {
    'future': describe_await,
    'future of another context': describe_distant,
    'shielded': describe_shielded,
    'pool': describe_pool,
    'sleep': describe_sleep,
    'gather': describe_gathering,
    'futures': describe_wait,
    'first': describe_first,
    'next to be done': describe_next,
    'group': describe_group,
    'descriptor': describe_descriptor,
    'stream': lambda waiter, tasks: ('a stream', []),
    'Unix signal': describe_unix_signal,
    'operation': describe_operation,
    'thread': describe_call,
    'GTask': lambda waiter, tasks: ('a GTask to complete', []),
    'signal': lambda waiter, tasks: ('a signal of an object', []),
    'next signal': lambda waiter, tasks: ('the next signal of an object', []),
    'lock': in_line('lock'),
    'turn to read': in_line('a turn to read under lock'),
    'turn to write': in_line('a turn to write under lock'),
    'event': in_line('event'),
    'scope': describe_scope,
    'semaphore': describe_semaphore,
    'condition': in_line('condition'),
    'item': in_line('an item of queue'),
    'room': in_line('room in queue'),
    'channel item': in_line('an item of channel', 'GtxSharedWaiter'),
    'channel room': in_line('room in channel', 'GtxSharedWaiter'),
    'subscription': in_line('an item of subscription', 'GtxSharedWaiter'),
}


# ---- The tree, as gtx_print_tasks () prints it ----

def describe_state(task, tasks):
    if task.value['runner']:
        return 'runs inside %s' % Task(task.value['runner'].dereference(), task.scheduler).name
    if not task.fiber and not task.value['waiter']:
        return 'has not begun'
    if task.runs():
        return 'runs'
    awaited = task.look_at_waiter(tasks)[0]
    return 'waits for ' + awaited if awaited else 'is ready'


def describe_task(task, tasks):
    text = task.name
    if task.name != task.function:
        text += ' (%s)' % task.function
    text += ': ' + describe_state(task, tasks)
    if task.value['must_cancel']:
        text += ', and is to be cancelled'
        if task.value['reason']:
            text += ': ' + task.value['reason'].string()
    return text


def list_awaited(task, tasks):
    """The tasks of the same scheduler that a task waits for."""
    awaited = [tasks.get(address) for address in task.look_at_waiter(tasks)[1]]
    return [other for other in awaited if other and other.scheduler.address == task.scheduler.address]


class Printer:
    def __init__(self, tasks):
        self.tasks = tasks
        self.shown = set()

    def print_tree(self, task, indent='', branch='', below='', depth=0):
        if task.address in self.shown:
            print('%s%s%s (see above)' % (indent, branch, task.name))
            return
        self.shown.add(task.address)
        print(indent + branch + describe_task(task, self.tasks))
        awaited = list_awaited(task, self.tasks)
        deeper = indent + below
        if depth + 1 == DEEPEST and awaited:
            print(deeper + '└─ …')
            return
        for other in awaited[:-1]:
            self.print_tree(other, deeper, '├─ ', '│  ', depth + 1)
        for other in awaited[-1:]:
            self.print_tree(other, deeper, '└─ ', '   ', depth + 1)

    def print_scheduler(self, tasks):
        awaited = {other.address for task in tasks for other in list_awaited(task, self.tasks)}
        for task in tasks:
            if task.address not in awaited:
                self.print_tree(task)
        # What is left waits in a ring, or deeper than was shown.
        for task in tasks:
            if task.address not in self.shown:
                self.print_tree(task)


# ---- The context of a suspended task ----

STACK_POINTERS = {'i386:x86-64': 'rsp', 'aarch64': 'sp'}
PROGRAM_COUNTERS = {'i386:x86-64': 'rip', 'aarch64': 'pc'}

# Where REG_R12 and so on are in a ucontext_t.
UCONTEXT_X86_64 = {'r12': 4, 'r13': 5, 'r14': 6, 'r15': 7, 'rbp': 10, 'rbx': 11, 'rsp': 15, 'rip': 16}


def saved_by_ucontext(context, architecture):
    machine = context['ucontext']['uc_mcontext']
    if architecture == 'i386:x86-64':
        return {name: int(machine['gregs'][i]) for name, i in UCONTEXT_X86_64.items()}
    registers = {'x%d' % i: int(machine['regs'][i]) for i in range(19, 31)}
    registers.update(sp=int(machine['sp']), pc=int(machine['pc']))
    # glibc goes on within swapcontext (), whose caller is in x1.
    if 'swapcontext' in gdb.execute('info symbol %d' % registers['pc'], to_string=True):
        registers['pc'] = registers['x30'] = int(machine['regs'][1])
    return registers


def saved_by_assembly(context, architecture):
    """What the head of context-….S says: the registers when the switch returns."""
    words = context['stack_pointer'].cast(gdb.lookup_type('unsigned long').pointer())
    if architecture == 'i386:x86-64':
        names = ('r12', 'r13', 'r14', 'r15', 'rbx', 'rbp', 'rip')
        registers = {name: int(words[1 + i]) for i, name in enumerate(names)}
        registers['rsp'] = int(words) + 64
        return registers
    registers = {'x%d' % (19 + i): int(words[i]) for i in range(12)}
    # Without its signature.
    registers['x30'] &= (1 << 48) - 1
    registers.update(sp=int(words) + 176, pc=registers['x30'])
    return registers


def saved_registers(fiber, architecture):
    if architecture not in STACK_POINTERS:
        raise gdb.GdbError('How %s keeps a context is not known here' % architecture)
    context = fiber['context']
    if any(field.name == 'ucontext' for field in context.type.fields()):
        return saved_by_ucontext(context, architecture)
    return saved_by_assembly(context, architecture)


class FrameId:
    def __init__(self, sp, pc):
        self.sp = sp
        self.pc = pc


class ContextUnwinder(gdb.unwinder.Unwinder):
    """While it is registered, the innermost frame of the selected thread looks as
    if the suspended fiber had called it."""

    def __init__(self, fiber):
        super().__init__('gtask-ext')
        architecture = gdb.selected_inferior().architecture().name()
        self.registers = saved_registers(fiber, architecture)
        self.sp = STACK_POINTERS[architecture]
        self.pc = PROGRAM_COUNTERS[architecture]
        self.place = self.place_of(gdb.newest_frame())

    def place_of(self, frame):
        return int(frame.read_register(self.sp)), int(frame.read_register(self.pc))

    def __call__(self, frame):
        if self.place_of(frame) != self.place:
            return None
        # As if on the fiber's stack: gdb wants callers to lie above.
        pointer = frame.read_register(self.sp).type
        top = gdb.Value(self.registers[self.sp] - 16).cast(pointer)
        info = frame.create_unwind_info(FrameId(top, frame.read_register(self.pc)))
        for name, value in self.registers.items():
            info.add_saved_register(name, gdb.Value(value).cast(frame.read_register(name).type))
        return info

    def count_frames(self):
        """Those of the thread's innermost function, and those of the fiber."""
        n_own = n_saved = 0
        frame = gdb.newest_frame()
        while frame:
            if self.place_of(frame) == self.place:
                n_own += 1
            else:
                n_saved += 1
            frame = frame.older()
        return n_own, n_saved

    def backtrace(self, options):
        level = gdb.selected_frame().level()
        gdb.unwinder.register_unwinder(None, self)
        try:
            with gdb.with_parameter('backtrace past-main', True):
                n_own, n_saved = self.count_frames()
                text = gdb.execute('backtrace -no-filters %s -%d' % (options, n_saved), to_string=True)
        finally:
            gdb.frame_unwinders.remove(self)
            gdb.invalidate_cached_frames()
            select_frame(level)
        return re.sub(r'(?m)^#(\d+) *', lambda match: '#%-3d' % (int(match[1]) - n_own), text)


def select_frame(level):
    frame = gdb.newest_frame()
    for _ in range(level):
        frame = frame.older()
    frame.select()


# ---- The commands ----

class Gtx(gdb.Command):
    """The tasks of gtask-ext."""

    def __init__(self):
        super().__init__('gtx', gdb.COMMAND_STACK, prefix=True)


class GtxTasks(gdb.Command):
    """List the tasks of all main contexts, and what each waits for.

Usage: gtx tasks

Below a task are those that it waits for.  What is left of a sleep is counted
from when the program last looked at the clock."""

    def __init__(self):
        super().__init__('gtx tasks', gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        tasks = all_tasks()
        by_scheduler = {}
        for task in tasks.values():
            by_scheduler.setdefault(int(task.scheduler.address), []).append(task)
        if not tasks:
            print('There are no tasks.')
        printer = Printer(tasks)
        for own in by_scheduler.values():
            if len(by_scheduler) > 1:
                print('Main context %s:' % address_of(own[0].scheduler['base']['context']))
            printer.print_scheduler(own)


class GtxBacktrace(gdb.Command):
    """Show where a suspended task waits.

Usage: gtx bt [-full] NAME

NAME is the task's name, or the address of its GtxTask.  With -full local
variables are shown as well."""

    def __init__(self):
        super().__init__('gtx bt', gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        option, _, rest = argument.partition(' ')
        options, name = (option, rest.strip()) if option == '-full' else ('', argument)
        if not name:
            raise gdb.GdbError('Which task? gtx bt NAME; "gtx tasks" lists their names')
        tasks = all_tasks()
        task = find_task(name, tasks)
        if not task.fiber:
            raise gdb.GdbError('Task %s has not begun: there is nothing to show' % task.name)
        if task.runs():
            raise gdb.GdbError('Task %s runs: it is in the backtrace of its thread '
                               '(thread apply all backtrace)' % task.name)
        # The fiber lies on its stack, and has a function.
        if not task.fiber['func']:
            raise gdb.GdbError('The stack of task %s is not in the core file' % task.name)
        text = ContextUnwinder(task.fiber).backtrace(options)
        print(describe_task(task, tasks))
        print(text, end='')


def find_task(name, tasks):
    found = [task for task in tasks.values() if name in (task.name, address_of(task.address))]
    if not found:
        raise gdb.GdbError('There is no task "%s"; "gtx tasks" lists them' % name)
    if len(found) > 1:
        lines = ['  gtx bt %s    %s' % (address_of(task.address), describe_task(task, tasks)) for task in found]
        raise gdb.GdbError('%d tasks have the name "%s"; say which:\n%s' % (len(found), name, '\n'.join(lines)))
    return found[0]


Gtx()
GtxTasks()
GtxBacktrace()
