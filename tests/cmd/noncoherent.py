#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tests `dmamap replay --noncoherent`: recordings, syncs of parts, lines that elements share, SKIP_CPU_SYNC."""
import os

import tap
from tap import case, equal, iommu_line, map_line, numbers, sg_line, some, trace, unmap_line, unsg_line

GIB4 = 1 << 32
RECORDED = {'lazy': 2419, 'strict': 2433, 'direct': 2367, 'bounce': 2405}
ROUTES = [('auto', ()), ('direct', ()), ('bounce', ()), ('iommu', ('--invalidate', 'strict')),
          ('iommu', ('--invalidate', 'lazy')), ('ops', ())]
DIRS = ('TO_DEVICE', 'FROM_DEVICE', 'BIDIRECTIONAL')


def noncoherent(*args, code=0):
    return tap.replay('--noncoherent', *args, code=code)


def add_recording(name, route, more):
    path = os.path.join(tap.TRACES, f'nvme-e1000e-{name}.txt.gz')

    def check():
        report, said = noncoherent('--route', route, *more, path)
        equal(said, '')
        some(report, maps=RECORDED[name], mismatches=0, map_failures=0, first_failure=None)
        assert report['bytes_verified'] > report['bytes_mapped'], report
    check.__doc__ = f'the {name} recording, {" ".join(("--route", route) + more)}'
    case(check)


for _name in RECORDED:
    for _route, _more in ROUTES:
        add_recording(_name, _route, _more)


def add_mmio(route, more):
    def check():
        report, _ = noncoherent('--route', route, *more, os.path.join(tap.TRACES, 'mmio-6.18.txt'))
        refused = 10 if route == 'bounce' else 0
        some(report, maps=37 - refused, mismatches=0, map_failures=0, refused_mmio=refused, syncs=8)
    check.__doc__ = f'mmio-6.18.txt, {" ".join(("--route", route) + more)}'
    case(check)


for _route, _more in ROUTES:
    add_mmio(_route, _more)


def sync(kind, address, size, direction):
    return f'dma_sync_single_for_{kind}: {tap.DEV} dir={direction} dma_addr={address:x} size={size}'


def add_syncs(direction):
    def check():
        for at in (GIB4 + 0x5040, GIB4 + 0x5037):
            parts = ((0, 6000), (100, 50), (90, 100), (5000, 1000), (100, 50), (0, 64), (5999, 1), (0, 6000))
            lines = [map_line(at, 6000, at, direction)]
            for start, size in parts:
                lines += [sync('cpu', at + start, size, direction), sync('device', at + start, size, direction)]
            for start, size in parts[1:3]:
                lines += [sync('device', at + start, size, direction)]
            lines += [sync('cpu', at, 6000, direction), unmap_line(at, 6000, direction)]
            for route, more in ROUTES[1:]:
                report, said = noncoherent('--route', route, *more, trace(*lines))
                equal(said, '')
                some(report, mismatches=0, syncs=19, shared_lines=0)
    check.__doc__ = f'syncs of parts at addresses inside of lines, {direction}'
    case(check)


for _direction in DIRS:
    add_syncs(_direction)


def shared_trace(direction):
    """One page in pieces that meet inside of lines: 3 lines shared; then a piece and the whole page around it."""
    page, sizes = GIB4 + 0x3000, [100, 28, 1000, 64, 2904]
    phys = [page + sum(sizes[:n]) for n in range(5)]
    lines = [sg_line(phys, sizes, phys, direction), unsg_line(phys, direction)]
    both = [page + 0x1000, page + 0x1100]
    return trace(*lines, sg_line(both, [4096, 200], both, direction), unsg_line(both, direction))


@case
def shared_lines():
    """Lines with bytes of two elements are counted where the device may write, and lose nothing."""
    # 100: line 1. 128: a border of lines. 1128: line 17. 1192: line 18. In the second list the four lines of the piece.
    for direction, count in zip(DIRS, (0, 3 + 4, 3 + 4)):
        for route, more in ROUTES[1:]:
            report, said = noncoherent('--route', route, *more, shared_trace(direction))
            equal(said, '')
            some(report, maps=2, unmaps=2, mismatches=0, shared_lines=count)
            some(tap.replay('--route', route, *more, shared_trace(direction))[0], shared_lines=0, mismatches=0)


@case
def mixed_list():
    """A list of which a part bounces."""
    phys = [0x5000, 0x5800, GIB4 + 0x3000, GIB4 + 0x3064]
    for direction in DIRS:
        path = trace(sg_line(phys, [100, 2000, 100, 3996], phys, direction), unsg_line(phys, direction))
        report, said = noncoherent('--route', 'direct', '--mask', '32', path)
        equal(said, '')
        some(report, maps=1, mismatches=0, bounced_maps=1, shared_lines=0 if direction == 'TO_DEVICE' else 1)


@case
def small_pieces():
    """Pieces of a list that are small enough to bounce beside others that are not, with syncs of all and of parts."""
    sizes = [100, 3000, 70, 90, 700]
    phys = [GIB4 + 0x3000 + sum(sizes[:n]) for n in range(5)]
    for direction in DIRS[1:]:
        full = f'{tap.DEV} dir={direction} dma_addrs={numbers(phys)} sizes={numbers(sizes)}'
        turn = [sg_line(phys, sizes, phys, direction), f'dma_sync_sg_for_cpu: {full}', f'dma_sync_sg_for_device: {full}',
                sync('cpu', phys[1], 300, direction), sync('device', phys[1], 300, direction),
                f'dma_sync_sg_for_cpu: {full}', unsg_line(phys, direction)]
        for route, more in ROUTES[1:]:
            report, said = noncoherent('--route', route, *more, trace(*turn * 30))
            equal(said, '')
            some(report, maps=30, unmaps=30, syncs=150, mismatches=0, shared_lines=30 * 4)


@case
def single_bytes():
    """A byte that is stored again is stored, even if it was there before."""
    at = GIB4 + 0x40
    path = trace(map_line(at, 1, at, 'BIDIRECTIONAL'), *[sync('device', at, 1, 'BIDIRECTIONAL')] * 2000)
    for route in ('direct', 'bounce', 'iommu', 'ops'):
        some(noncoherent('--route', route, path)[0], syncs=2000, mismatches=0)


@case
def list_parts():
    """Syncs of parts of lists, of merged ones too."""
    a, b, iova = GIB4 + 0x1010, GIB4 + 0x5000, 0xfff00000
    for direction in DIRS:
        path = trace(iommu_line(iova, a - 0x10, 0x1000), iommu_line(iova + 0x1000, b, 0x1000),
                     sg_line([iova + 0x10], [0x17f0], [a, b], direction), sync('cpu', iova + 0x1000, 0x200, direction),
                     sync('device', iova + 0x1010, 0x20, direction), sync('cpu', iova + 0xff0, 0x30, direction),
                     sync('device', iova + 0xff0, 0x30, direction), sync('cpu', iova + 0x10, 0x17f0, direction),
                     unsg_line([a, b], direction))
        for route, more in ROUTES[1:]:
            report, said = noncoherent('--route', route, *more, path)
            equal(said, '')
            some(report, maps=1, unmaps=1, mismatches=0, inferred_lengths=0, syncs=8)


@case
def skip_cpu_sync():
    """Lines that the driver promised to sync itself are not used before it did."""
    at = GIB4 + 0x40
    for direction in DIRS:
        one, out = map_line(at, 3000, at, direction, 'SKIP_CPU_SYNC'), unmap_line(at, 3000, direction, 'SKIP_CPU_SYNC')
        full = sync('device', at, 3000, direction)
        for route, more in ROUTES[1:]:
            args = ('--route', route, *more)
            some(noncoherent(*args, trace(one, out))[0], mismatches=0, bytes_verified=0)
            some(noncoherent(*args, trace(one, sync('device', at + 50, 100, direction), out))[0], mismatches=0,
                 bytes_verified=0)
            report, _ = noncoherent(*args, trace(one, full, sync('cpu', at, 3000, direction), full,
                                                 sync('cpu', at, 3000, direction), out))
            some(report, mismatches=0, syncs=4)
            assert report['bytes_verified'] >= 6000, report


@case
def allocations():
    """Coherent memory needs no sync here either; syncs of pages are not made, because the pages are coherent."""
    virt = 'virt_addr=(____ptrval____)'
    path = trace(f'dma_alloc: {tap.DEV} dma_addr=10000 size=5000 {virt} flags=GFP_KERNEL attrs=',
                 f'dma_alloc_pages: {tap.DEV} dir=TO_DEVICE dma_addr=20000 size=4096 {virt} flags=none attrs=',
                 sync('device', 0x20000, 4096, 'TO_DEVICE'),
                 f'dma_free: {tap.DEV} dir=BIDIRECTIONAL dma_addr=10000 size=5000 {virt} attrs=',
                 f'dma_free_pages: {tap.DEV} dir=TO_DEVICE dma_addr=20000 size=4096 {virt} attrs=')
    for route, more in ROUTES[1:]:
        some(noncoherent('--route', route, *more, path)[0], maps=2, unmaps=2, mismatches=0, syncs=0,
             bytes_verified=4 * 9096)


@case
def deterministic():
    """Lines move at random, but the same each time."""
    first, second = (noncoherent(shared_trace('BIDIRECTIONAL'))[0] for _ in range(2))
    equal({**first, 'events_per_second': 0}, {**second, 'events_per_second': 0})


@case
def with_a_pool():
    """The pool's figures are those of coherent machines."""
    path = os.path.join(tap.TRACES, 'nvme-e1000e-bounce.txt.gz')
    one, _ = tap.replay('--route', 'bounce', '--bounce-pool', '64M', path)
    two, _ = noncoherent('--route', 'bounce', '--bounce-pool', '64M', path)
    for field in ('bounced_maps', 'bounce_peak_bytes', 'pool_needed_bytes', 'pool_needed_is_bound', 'maps', 'bytes_verified'):
        equal(two[field], one[field], field)


tap.main()
