#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tests `dmamap replay --bounce-pool`: one pool, its peak, what fails first when it is too small, what would have done."""
import os
import random
import threading

import tap
from tap import case, equal, map_line, sg_line, some, trace, unmap_line, unsg_line

GIB4 = 1 << 32
PAGE = 4096
SEED = int(os.environ.get('DMAMAP_TEST_SEED') or random.randrange(1 << 32))


def recording(name):
    return os.path.join(tap.TRACES, f'nvme-e1000e-{name}.txt.gz')


RECORDED = {'lazy': 2419, 'strict': 2433, 'direct': 2367, 'bounce': 2405}


def bounce(size, *args, code=0, stdin=None):
    return tap.replay('--route', 'bounce', '--bounce-pool', str(size), *args, code=code, stdin=stdin)


def check_needed(*args):
    """The size that a replay asks for suffices, a page less does not; what it said."""
    needed = bounce(PAGE, *args, code=1)[0]['pool_needed_bytes']
    some(bounce(needed, *args)[0], map_failures=0, mismatches=0, first_failure=None, pool_needed_bytes=needed,
         pool_needed_is_bound=False)
    if needed > PAGE:
        report, _ = bounce(needed - PAGE, *args, code=1)
        assert report['map_failures'] and report['first_failure']['reason'].startswith('bounce-'), report
        equal(report['pool_needed_bytes'], needed)
    return needed


def add_recording(name):
    def large():
        report, said = bounce('64M', recording(name))
        equal(said, '')
        some(report, route='bounce', maps=RECORDED[name], map_failures=0, mismatches=0, first_failure=None,
             pool_needed_is_bound=False)
        assert 1 << 20 <= report['bounce_peak_bytes'] <= report['pool_needed_bytes'] < 2 << 20, report
        equal(bounce('65536K', recording(name))[0]['bounce_peak_bytes'], report['bounce_peak_bytes'])

    def small():
        needed = check_needed(recording(name))
        equal(needed, bounce('64M', recording(name))[0]['pool_needed_bytes'])

    def mask():
        report, said = tap.replay('--mask', '32', recording(name))
        equal(said, '')
        some(report, maps=RECORDED[name], map_failures=0, mismatches=0, first_failure=None)
        equal(report['pool_needed_bytes'] is None, report['route'] == 'iommu')
        report, _ = tap.replay('--mask', '32', '--route', 'direct', '--bounce-pool', '64M', recording(name))
        some(report, maps=RECORDED[name], map_failures=0, mismatches=0)
        assert report['bounce_peak_bytes'] > 1 << 20 and report['pool_needed_bytes'] < 2 << 20, report

    large.__doc__ = f'{name}: a pool of 64 MiB holds everything, and its peak is told'
    small.__doc__ = f'{name}: the size that would have done does, and a page less does not'
    mask.__doc__ = f'{name}: a mask of 32 bits'
    for function in (large, small, mask):
        case(function)


def add_bound(name):
    def check():
        with open(recording(name), 'rb') as file:
            data = file.read()
        exact = bounce('64M', recording(name))[0]['pool_needed_bytes']
        for size, code in (('64M', 0), ('256K', 1)):
            report, _ = bounce(size, '-', code=code, stdin=data)
            equal(report['pool_needed_is_bound'], True)
            bound = report['pool_needed_bytes']
            assert exact <= bound <= 64 << 20, (exact, bound)
            some(bounce(bound, recording(name))[0], map_failures=0, mismatches=0)
        some(tap.replay('--route', 'bounce', recording(name))[0], pool_needed_is_bound=True)
    check.__doc__ = f'{name}: on standard input the size is an upper bound, and suffices'
    case(check)


for _name in RECORDED:
    add_recording(_name)
    add_bound(_name)


@case
def first_failure():
    """The first map that failed: line, device, size, reason; in the table too."""
    path = trace(map_line(GIB4, 4096, GIB4), unmap_line(GIB4, 4096), map_line(GIB4, 8192, GIB4, dev='nic'),
                 map_line(GIB4, 9000, GIB4, dev='nic'))
    report, said = bounce('8K', path, code=1)
    some(report, map_failures=1, maps=2, pool_needed_bytes=5 * PAGE, pool_needed_is_bound=False,
         first_failure={'line': 7, 'device': 'nic', 'size': 9000, 'reason': 'bounce-too-large'})
    assert f'{path}:7: nic: map failed: bounce-too-large' in said, said
    some(bounce('20K', path)[0], map_failures=0, first_failure=None, pool_needed_bytes=5 * PAGE)
    text = tap.dmamap('replay', '--route', 'bounce', '--bounce-pool', '8K', path).stdout.decode()
    assert 'first failure: line 7, nic, 9000 bytes: bounce-too-large' in text and '20,480' in text, text
    os.rename(path, path + '.second')
    first, second = trace(map_line(GIB4, 4096, GIB4), unmap_line(GIB4, 4096)), path + '.second'
    text = tap.dmamap('replay', '--route', 'bounce', '--bounce-pool', '8K', first, second).stdout.decode()
    assert f'first failure: {second}, line 7, nic, 9000 bytes: bounce-too-large' in text, text


@case
def other_failures():
    """A failure that no pool would have prevented is told as well, and asks for none."""
    path = trace(map_line(1 << 40, 4096, 1 << 40, attrs='MMIO'), map_line(GIB4, 4096, GIB4))
    report, _ = tap.replay('--route', 'direct', '--mask', '32', '--bounce-pool', '1M', path, code=1)
    some(report, map_failures=1, pool_needed_bytes=PAGE,
         first_failure={'line': 4, 'device': tap.DEV, 'size': 4096, 'reason': 'beyond-mask'})
    report, _ = tap.replay('--route', 'bounce', trace(map_line(0x5000, 1 << 50, 0x5000)), code=1)
    some(report, map_failures=1, pool_needed_bytes=None, pool_needed_is_bound=None,
         first_failure={'line': 4, 'device': tap.DEV, 'size': 1 << 50, 'reason': None})


@case
def no_pool():
    """Where nothing bounced there is nothing to say of pools."""
    path = trace(map_line(GIB4, 4096, GIB4))
    for route in ('direct', 'iommu', 'ops'):
        some(tap.replay('--route', route, '--bounce-pool', '64K', path)[0], map_failures=0, bounce_peak_bytes=0,
             first_failure=None, pool_needed_bytes=None, pool_needed_is_bound=None)


@case
def one_pool():
    """With --bounce-pool there is one pool, however many devices there are; without it there are more."""
    lines = [map_line(GIB4 + (n << 26), 20 << 20, GIB4 + (n << 26), dev=f'dev{n}') for n in range(8)]
    report, _ = tap.replay('--no-verify', '--route', 'bounce', trace(*lines))
    some(report, maps=8, map_failures=0, bounce_peak_bytes=160 << 20)
    report, _ = bounce('64M', '--no-verify', trace(*lines), code=1)
    some(report, maps=3, map_failures=5, bounce_peak_bytes=60 << 20, pool_needed_bytes=160 << 20)
    some(bounce('160M', '--no-verify', trace(*lines))[0], maps=8, map_failures=0)


@case
def lists():
    """Lists take what their elements need; one that does not fit leaves nothing behind."""
    phys = [GIB4 + (n << 16) for n in range(5)]
    path = trace(sg_line(phys, [3000, 4096, 100, 2048, 9000], phys), unsg_line(phys), sg_line(phys[:2], [64, 64], phys[:2]))
    report, _ = bounce('8K', path, code=1)
    some(report, map_failures=1, maps=1, unmaps=0, bounce_peak_bytes=8192)
    equal(report['first_failure']['size'], 18244)
    check_needed(path)


@case
def fragments():
    """A pool with enough free slots that lie apart: more is needed than was in use at a time."""
    at = [GIB4 + (n << 20) for n in range(40)]
    lines = [map_line(a, 2048, a) for a in at[:16]] + [unmap_line(a, 2048) for a in at[0:16:2]]
    path = trace(*lines, map_line(at[20], 6000, at[20]))
    report, _ = bounce('32K', path, code=1)
    some(report, map_failures=1, bounce_peak_bytes=32 << 10)
    equal(report['first_failure']['reason'], 'bounce-fragmented')
    assert report['pool_needed_bytes'] > 32 << 10, report
    check_needed(path)


@case
def too_large():
    """What no pool below 4 GiB can hold has no answer."""
    path = trace(*[map_line(GIB4 + (n << 30), 1 << 30, GIB4 + (n << 30)) for n in range(5)])
    some(bounce('1M', '--no-verify', path, code=1)[0], map_failures=5, bounce_peak_bytes=0)


@case
def several_traces():
    """One pool for all traces of the call: what the first left mapped is still there."""
    one, two = (trace(map_line(GIB4, 64 << 10, GIB4), name=name) for name in ('one.txt', 'two.txt'))
    some(bounce('64K', one)[0], map_failures=0, pool_needed_bytes=64 << 10)
    report, _ = bounce('64K', one, two, code=1)
    some(report, map_failures=1, maps=1, pool_needed_bytes=128 << 10)
    check_needed(one, two)


@case
def pipe():
    """A pipe cannot be read twice: a bound, as on standard input."""
    fifo = tap.path_of('fifo')
    os.mkfifo(fifo)
    with open(trace(map_line(GIB4, 4096, GIB4), map_line(GIB4, 100, GIB4)), 'rb') as file:
        data = file.read()

    def feed():
        with open(fifo, 'wb') as out:
            out.write(data)
    thread = threading.Thread(target=feed)
    thread.start()
    report, _ = bounce('4K', fifo, code=1)
    thread.join()
    some(report, map_failures=1, pool_needed_is_bound=True)
    some(bounce(report['pool_needed_bytes'], trace(map_line(GIB4, 4096, GIB4), map_line(GIB4, 100, GIB4)))[0],
         map_failures=0)


def random_trace(rng, name):
    """Maps and unmaps of sizes far apart, singles and lists, so that pools fragment."""
    lines, live = [], []
    for n in range(400):
        at = GIB4 + n * (1 << 22)
        if live and rng.randrange(5) < 2:
            lines.append(live.pop(rng.randrange(len(live))))
        elif rng.randrange(5):
            size = rng.choice([1, 100, 2048, 2049, 4095, 4096, 4097, 9000, 65536, rng.randrange(1, 300000)])
            lines.append(map_line(at, size, at))
            live.append(unmap_line(at, size))
        else:
            phys = [at + (k << 17) for k in range(rng.randrange(1, 9))]
            lines.append(sg_line(phys, [rng.choice([64, 4096, 5000, 65536]) for _ in phys], phys))
            live.append(unsg_line(phys))
    return trace(*lines, name=name)


def add_random(number):
    def check():
        path = random_trace(random.Random(SEED + number), f'random{number}.txt')
        needed = check_needed('--no-verify', path)
        with open(path, 'rb') as file:
            data = file.read()
        for size in (PAGE, needed // 2 // PAGE * PAGE):
            report, _ = bounce(size, '--no-verify', '-', code=1, stdin=data)
            assert report['pool_needed_bytes'] >= needed, (size, report)
            if report['pool_needed_bytes'] < 1 << 30:
                some(bounce(report['pool_needed_bytes'], '--no-verify', path)[0], map_failures=0)
    check.__doc__ = f'random trace {number}: the exact size and the bound'
    case(check)


print(f'# seed {SEED}')
for _number in range(4):
    add_random(_number)
tap.main()
