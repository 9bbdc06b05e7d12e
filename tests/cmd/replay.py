#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tests `dmamap replay` on small traces: matching, lists, syncs, dialects, damage, failures."""
import os
import re

import tap
from tap import case, equal, iommu_line, map_line, sg_line, some, trace, unmap_line, unsg_line

GIB4 = 1 << 32


def traced(*args):
    """The lines of the trace of a replay, without envelope."""
    out = tap.path_of('traced.txt')
    tap.replay('--trace-out', out, *args)
    with open(out, encoding='ascii') as file:
        return [line.split(': ', 1)[1].rstrip('\n') for line in file if not line.startswith('#')]


def values(line, key):
    """The numbers of a list in a line."""
    return [int(value, 16) for value in re.search(key + r'=\{([^}]*)\}', line).group(1).split(',')]


def lengths(path, *args):
    """Lengths of the elements of the first list, as the direct route shows them."""
    line = next(line for line in traced('--route', 'direct', *args, path) if line.startswith('dma_map_sg:'))
    return values(line, 'sizes')


@case
def header_only():
    """A header without events is a trace with none."""
    report, _ = tap.replay(trace())
    some(report, route='direct', events=0, devices=0, maps=0, skipped_lines=0)


@case
def verified():
    """What is counted as verified, in each direction, for live mappings and for unmapped ones."""
    for direction, mapped, unmapped in (('TO_DEVICE', 100, 200), ('FROM_DEVICE', 0, 100),
                                        ('BIDIRECTIONAL', 100, 300)):
        for route in ('direct', 'bounce', 'iommu', 'ops'):
            one = map_line(0x1234567, 100, 0x1234567, direction)
            report, _ = tap.replay('--route', route, trace(one))
            some(report, bytes_mapped=100, bytes_verified=mapped, live_at_end=1, peak_live=1)
            report, _ = tap.replay('--route', route, trace(one, unmap_line(0x1234567, 100, direction)))
            some(report, bytes_mapped=100, bytes_verified=unmapped, live_at_end=0, peak_live=1)


@case
def sizes_and_offsets():
    """Odd sizes at odd offsets, up to megabytes."""
    lines = []
    for number, size in enumerate((1, 2, 7, 8, 9, 63, 4095, 4096, 4097, 65536, 1 << 20, 3 << 20)):
        at = GIB4 + (number << 24) + 13 * number + 4090
        for direction in ('TO_DEVICE', 'FROM_DEVICE', 'BIDIRECTIONAL'):
            lines += [map_line(at, size, at, direction), unmap_line(at, size, direction)]
    for route in ('direct', 'bounce', 'iommu', 'ops'):
        some(tap.replay('--route', route, trace(*lines))[0], maps=36, unmaps=36, mismatches=0, map_failures=0)


@case
def address_zero():
    """0 is a DMA address: mappings there are matched, synced and unmapped like any other."""
    phys, alloc = GIB4 + 0x5000, f'dma_alloc: {tap.DEV} dir=BIDIRECTIONAL dma_addr=0 size=8192 virt_addr=000000004539154f '
    path = trace(
        map_line(0, 4096, phys, 'BIDIRECTIONAL'),
        f'dma_sync_single_for_cpu: {tap.DEV} dir=BIDIRECTIONAL dma_addr=0 size=64',
        unmap_line(0, 4096, 'BIDIRECTIONAL'),
        sg_line([0], [8192], [phys, phys + 4096]), unsg_line([phys, phys + 4096]),
        alloc + 'flags=GFP_KERNEL attrs=', alloc.replace('dma_alloc', 'dma_free') + 'attrs=')
    for route in ('direct', 'bounce', 'iommu', 'ops'):
        some(tap.replay('--route', route, path)[0], maps=3, unmaps=3, syncs=1, live_at_end=0, unmatched_unmaps=0,
             mismatches=0, map_failures=0, skipped_lines=0)


@case
def same_page_many_times():
    """One page mapped many times at one address: all live, each unmap takes one."""
    one, out = map_line(0x5000, 4096, 0x5000), unmap_line(0x5000, 4096)
    report, _ = tap.replay(trace(one, one, one, out, out))
    some(report, maps=3, unmaps=2, live_at_end=1, peak_live=3, unmatched_unmaps=0, mismatches=0)


@case
def size_decides():
    """Of several mappings at one address the one of the same size and direction is unmapped."""
    lines = [map_line(0x5000, 100, 0x5000), map_line(0x5000, 200, 0x5000),
             map_line(0x5000, 100, 0x5000, 'FROM_DEVICE'), unmap_line(0x5000, 200),
             unmap_line(0x5000, 100, 'FROM_DEVICE')]
    done = [line for line in traced(trace(*lines)) if line.startswith('dma_unmap')]
    equal([re.search('dir=.*?=', line).group() + re.search('size=[0-9]+', line).group() for line in done],
          ['dir=TO_DEVICE dma_addr=size=200', 'dir=FROM_DEVICE dma_addr=size=100'])


@case
def oldest_first():
    """Of equal mappings at one address the oldest is unmapped first."""
    one, out = map_line(0x5000, 100, 0x5000), unmap_line(0x5000, 100)
    lines = traced('--route', 'direct', trace(one, one, one, out, out))
    got = [re.search('dma_addr=([0-9a-f]+)', line).group(1) for line in lines]
    equal(len(set(got[:3])), 3)
    equal(got[3:], got[:2])


@case
def wrong_size():
    """An unmap with another size than the map still ends that mapping."""
    report, _ = tap.replay('--route', 'iommu', trace(map_line(0x5000, 1536, 0x5000), unmap_line(0x5000, 42)))
    some(report, unmaps=1, unmatched_unmaps=0, live_at_end=0)


@case
def older_than_the_trace():
    """Unmaps and frees of what is not in the trace are counted, and are no findings."""
    report, _ = tap.replay(trace(
        unmap_line(0x5000, 100), unsg_line([0x1000]),
        f'dma_free: {tap.DEV} dir=BIDIRECTIONAL dma_addr=7000 size=512 virt_addr=(____ptrval____) attrs=',
        f'dma_sync_single_for_cpu: {tap.DEV} dir=FROM_DEVICE dma_addr=9000 size=64'))
    some(report, unmatched_unmaps=3, unmaps=0, maps=0, syncs=0, map_failures=0, devices=1)


@case
def devices_apart():
    """An address of one device is not that of another."""
    other = '0000:02:00.0'
    report, _ = tap.replay(trace(map_line(0x5000, 100, 0x5000), unmap_line(0x5000, 100, dev=other),
                                 map_line(0x5000, 100, 0x5000, dev=other)))
    some(report, devices=2, maps=2, unmaps=0, unmatched_unmaps=1, live_at_end=2)


@case
def free_of_nothing():
    """A free of NULL is legal and means nothing."""
    report, _ = tap.replay(trace(
        f'dma_free: {tap.DEV} dir=BIDIRECTIONAL dma_addr=0 size=0 virt_addr=0000000000000000 attrs=',
        f'dma_free: {tap.DEV} dir=BIDIRECTIONAL dma_addr=0 size=4096 virt_addr=0000000000000000 attrs='))
    some(report, unmaps=0, unmatched_unmaps=0)


@case
def allocations():
    """Allocations of every kind and dialect are made, used by both sides, and freed."""
    virt = 'virt_addr=(____ptrval____)'
    lines = [f'dma_alloc: {tap.DEV} dma_addr=10000 size=100 {virt} flags=GFP_KERNEL attrs=',
             f'dma_alloc_pages: {tap.DEV} dir=0xffff8881 dma_addr=20000 size=4096 {virt} flags=none attrs=',
             f'dma_alloc_sgt: {tap.DEV} dir=FROM_DEVICE dma_addr=30000 size=8192 phys_addrs={{0x1000,0x9000}} '
             'flags=GFP_KERNEL attrs=',
             f'dma_alloc: {tap.DEV} dir=NONE dma_addr=40000 size=64 virt_addr=0000000000000000 flags=none attrs=',
             f'dma_free: {tap.DEV} dir=BIDIRECTIONAL dma_addr=10000 size=100 {virt} attrs=',
             f'dma_free_pages: {tap.DEV} dir=TO_DEVICE dma_addr=20000 size=4096 {virt} attrs=',
             f'dma_free_sgt: {tap.DEV} dir=FROM_DEVICE dma_addr=30000 size=8192 phys_addrs={{0x1000,0x9000}}']
    for route in ('direct', 'bounce', 'iommu', 'ops'):
        report, said = tap.replay('--route', route, trace(*lines))
        equal(said, '')
        some(report, events=7, maps=3, unmaps=3, trace_failures=1, live_at_end=0, bytes_mapped=12388,
             bytes_verified=4 * 12388, bounced_maps=0, mismatches=0, unmatched_unmaps=0)


@case
def older_dialects():
    """Page and resource events, and the names of newer attributes."""
    bar, ram = 0xe0000000, 0x140000000
    lines = [map_line(ram, 100, ram, event='dma_map_page'), unmap_line(ram, 100, event='dma_unmap_page'),
             map_line(bar, 8192, bar, 'BIDIRECTIONAL', event='dma_map_resource'),
             unmap_line(bar, 8192, 'BIDIRECTIONAL', event='dma_unmap_resource'),
             map_line(ram, 100, ram, attrs='CACHE_CLEAN'), map_line(ram, 100, ram, attrs='CACHELINES_OVERLAP|0x8000'),
             map_line(ram, 100, ram, attrs='WEAK_ORDERING|NO_WARN')]
    some(tap.replay(trace(*lines))[0], skipped_lines=0, maps=5, unmaps=2, mismatches=0, refused_mmio=0)
    some(tap.replay('--route', 'bounce', trace(*lines))[0], maps=4, unmaps=1, refused_mmio=1, unmatched_unmaps=0)
    line = next(line for line in traced(trace(*lines)) if 'MMIO' in line)
    assert line.startswith('dma_map_phys:'), line


@case
def failures_in_the_trace():
    """Maps that failed in the trace are not made."""
    report, _ = tap.replay(trace(
        map_line((1 << 64) - 1, 4096, 0x5000), f'dma_map_sg_err: {tap.DEV} dir=TO_DEVICE dma_addrs={{0x1000}} err=-5 attrs=',
        map_line((1 << 64) - 1, 4096, 0xe0000000, attrs='MMIO') + ' route=direct reason=mmio-cannot-bounce'))
    some(report, trace_failures=3, maps=0, map_failures=0, refused_mmio=0)


@case
def failures_here():
    """A map that fails here is a finding with line, reason and exit code 1; its unmap is not 'older than the trace'."""
    path = trace(map_line(1 << 40, 4096, 1 << 40, attrs='MMIO'), unmap_line(1 << 40, 4096, attrs='MMIO'))
    report, said = tap.replay('--route', 'direct', '--mask', '32', path, code=1)
    some(report, map_failures=1, maps=0, unmaps=0, unmatched_unmaps=0, live_at_end=0)
    assert f'{path}:4: {tap.DEV}: map failed: beyond-mask' in said, said


@case
def no_memory():
    """A mapping that no machine has memory for fails with its class named, and the replay goes on."""
    path = trace(map_line(0x5000, 4 << 20, 0x5000), map_line(0x6000, 13 << 20, 0x6000), map_line(GIB4, 1 << 50, GIB4),
                 unmap_line(GIB4, 1 << 50), map_line((1 << 64) - 4096, 1 << 20, (1 << 64) - 4096),
                 map_line(GIB4, 0, GIB4), map_line(GIB4, 64, GIB4))
    report, said = tap.replay(path, code=1)
    some(report, map_failures=4, maps=2, unmaps=0, unmatched_unmaps=0, mismatches=0)
    for number, text in ((5, 'no 3328 pages of RAM left in the class from 0x0 to 0xffffff'),
                         (6, 'in the class from 0x100000000'), (8, ''), (9, 'a range of that size')):
        assert re.search(f'{path}:{number}: [^\n]*{text}', said), said


@case
def classes():
    """Memory keeps its class and its offset in the page."""
    spots = [0x123456, 0xfff123, 0x1000800, 0xdeadbeef, GIB4 + 0x777, 1 << 41]
    for mask, cuts in (('64', (1 << 24, 1 << 32)), ('36', (1 << 24, 1 << 32, 1 << 36)), ('28', (1 << 24, 1 << 28, 1 << 32))):
        for attrs in ('', 'MMIO'):
            path = trace(*[map_line(spot, 16, spot, attrs=attrs) for spot in spots])
            got = [int(re.search('phys_addr=([0-9a-f]+)', line).group(1), 16)
                   for line in traced('--route', 'iommu', '--mask', mask, path) if line.startswith('dma_map')]
            equal([address & 0xfff for address in got], [spot & 0xfff for spot in spots])
            equal([[address >= cut for cut in cuts] for address in got], [[spot >= cut for cut in cuts] for spot in spots])


@case
def exact_lists():
    """As many DMA elements as CPU elements: the lengths are in the event."""
    phys = [0x101001200, 0x101003000, 0x101009000]
    path = trace(sg_line(phys, [0x300, 0x2000, 0x11], phys, 'FROM_DEVICE'), unsg_line(phys, 'FROM_DEVICE'))
    equal(lengths(path), [0x300, 0x2000, 0x11])
    for route in ('direct', 'bounce', 'iommu', 'ops'):
        some(tap.replay('--route', route, path)[0], maps=1, unmaps=1, bytes_mapped=0x2311, bytes_verified=0x2311,
             inferred_lengths=0, mismatches=0)


@case
def merged_lists():
    """Merged elements: lengths from the map lines before the event, whatever other CPUs do in between."""
    a, b, c, d = 0x101001000, 0x101005000, 0x101006000, 0x10a000000
    iova = 0xfff00000
    path = trace(
        iommu_line(iova, a, 0x3000), (1, iommu_line(0xffe00000, 0x17000, 0x1000)),
        (1, map_line(0xffe00010, 100, 0x17010)), iommu_line(iova + 0x3000, b, 0x3000),
        (1, iommu_line(iova + 0x3000, 0x99000, 0x1000)), iommu_line(iova + 0x6000, d, 0x1000),
        sg_line([iova + 0x200], [0x6000], [a + 0x200, b, c, d], 'BIDIRECTIONAL'), unsg_line([a + 0x200, b, c, d], 'BIDIRECTIONAL'))
    equal(lengths(path), [0x2e00, 0x1000, 0x2000, 0x200])
    some(tap.replay(path)[0], inferred_lengths=0, unmaps=1, maps=2, mismatches=0, bytes_mapped=0x6000 + 100)


@case
def merged_in_parts():
    """Several DMA elements, one of them merged; a page twice; overlapping elements."""
    a, b = 0x101001000, 0x101005000
    iova = 0xfff00000
    path = trace(
        iommu_line(iova, a, 0x1000), iommu_line(iova + 0x1000, b, 0x2000), iommu_line(iova + 0x3000, b, 0x1000),
        iommu_line(iova + 0x4000, a, 0x1000),
        sg_line([iova + 0x800, iova + 0x3000, iova + 0x4100], [0x2800, 0x400, 0x80], [a + 0x800, b, b, a + 0x100]))
    equal(lengths(path), [0x800, 0x2000, 0x400, 0x80])
    path = trace(
        iommu_line(iova, a, 0x2000), iommu_line(iova + 0x2000, a + 0x1000, 0x1000),
        sg_line([iova], [0x3000], [a, a + 0x1000]))
    assert lengths(path) in ([0x1000, 0x2000], [0x2000, 0x1000]), lengths(path)


@case
def merged_next_to_itself():
    """Elements that overlap one another, in several DMA elements, and an element that takes two map lines."""
    a, b, c, iova = 0x101001000, 0x101008000, 0x101010000, 0xfff00000
    path = trace(iommu_line(iova, a, 0x2000), iommu_line(iova + 0x2000, a, 0x1000), iommu_line(iova + 0x3000, c, 0x1000),
                 sg_line([iova, iova + 0x2400], [0x2000, 0x1c00], [a, a + 0x400, c]))
    equal(lengths(path), [0x2000, 0xc00, 0x1000])
    path = trace(iommu_line(iova, a, 0x2000), iommu_line(iova + 0x2000, a + 0x2000, 0x2000),
                 iommu_line(iova + 0x4000, b, 0x1000), sg_line([iova], [0x5000], [a, b]))
    equal(lengths(path), [0x4000, 0x1000])
    path = trace(iommu_line(iova, c, 0x1000), iommu_line(iova + 0x1000, a, 0x3000),
                 iommu_line(iova + 0x4000, a + 0x1000, 0x1000),
                 sg_line([iova, iova + 0x4000], [0x4000, 0x80], [c, a, a + 0x1000]))
    equal(lengths(path), [0x1000, 0x3000, 0x80])


@case
def reused_addresses():
    """Lines of an earlier mapping at the same I/O address do not mislead."""
    a, b, c, iova = 0x101001000, 0x101005000, 0x101008000, 0xfff00000
    path = trace(iommu_line(iova, a, 0x1000), iommu_line(iova + 0x1000, b, 0x2000),
                 sg_line([iova], [0x3000], [a, b]), unsg_line([a, b]),
                 iommu_line(iova, a, 0x2000), iommu_line(iova + 0x2000, c, 0x1000),
                 sg_line([iova], [0x3000], [a, c]))
    sizes = [values(line, 'sizes') for line in traced('--route', 'direct', path) if line.startswith('dma_map_sg:')]
    equal(sizes, [[0x1000, 0x2000], [0x2000, 0x1000]])


@case
def page_rule():
    """Merged elements without map lines: whole pages, the last one takes the rest, counted as inferred."""
    phys = [0x101001e00, 0x101005000, 0x101009000]
    path = trace(sg_line([0xfff00e00], [0x1a00], phys), unsg_line(phys))
    equal(lengths(path), [0x200, 0x1000, 0x800])
    some(tap.replay(path)[0], inferred_lengths=1, bytes_mapped=0x1a00, unmaps=1, mismatches=0)


@case
def truncated_lists():
    """A list that the kernel cut off maps what is listed, and is unmapped by the whole one."""
    phys = [0x101000000 + 0x2000 * number for number in range(300)]
    iova = 0xff000000
    path = trace(sg_line(phys[:128], [0x1000] * 128, phys[:128], nents=300, ents=300), unsg_line(phys))
    some(tap.replay(path)[0], truncated=1, maps=1, unmaps=1, bytes_mapped=128 * 4096, unmatched_unmaps=0, inferred_lengths=0)
    path = trace(*[iommu_line(iova + 0x1000 * number, at, 0x1000) for number, at in enumerate(phys)],
                 sg_line([iova], [300 * 4096], phys[:128], nents=300, ents=1), unsg_line(phys))
    some(tap.replay('--route', 'direct', path)[0], truncated=1, bytes_mapped=128 * 4096, unmaps=1, inferred_lengths=0)
    path = trace(sg_line([iova], [300 * 4096], phys[:128], nents=300, ents=1))
    some(tap.replay(path)[0], truncated=1, bytes_mapped=128 * 4096, inferred_lengths=1)


@case
def equal_lists():
    """Of equal live lists the oldest goes first; a prefix of a list is another list."""
    phys = [0x101001000, 0x101003000]
    one = sg_line(phys, [0x1000, 0x1000], phys)
    report, _ = tap.replay(trace(one, one, unsg_line(phys), unsg_line(phys[:1]), unsg_line(phys), unsg_line(phys)))
    some(report, maps=2, unmaps=2, unmatched_unmaps=2, live_at_end=0)


@case
def shared_frames():
    """Elements that share frames or follow one another do so here; others are not made to."""
    base = 0x101001000
    phys = [base + 0x100, base + 0x900, base + 0x1000, base + 0x8000, base + 0x100]
    path = trace(sg_line(phys, [0x200, 0x700, 0x1000, 0x1000, 0x200], phys))
    for direction in ('TO_DEVICE', 'FROM_DEVICE', 'BIDIRECTIONAL'):
        both = trace(sg_line(phys, [0x200, 0x700, 0x1000, 0x1000, 0x200], phys, direction), unsg_line(phys, direction))
        for route in ('direct', 'bounce', 'iommu', 'ops'):
            some(tap.replay('--route', route, both)[0], maps=1, unmaps=1, mismatches=0)
    got = values(traced(path)[0], 'phys_addrs')
    equal([address - got[0] for address in got[:3]], [0, 0x800, 0xf00])
    equal(got[4], got[0])
    assert abs(got[3] - got[2]) > 0x1000, got


@case
def exact_again():
    """Merged lists survive a round trip with exact lengths, neighbours and all."""
    base, iova = 0x101001000, 0xfff00000
    phys = [base, base + 0x2000, base + 0x3000, base + 0x9000, base + 0x5000]
    size = [0x2000, 0x1000, 0x1000, 0x1000, 0x123]
    path = trace(sg_line(phys, size, phys), unsg_line(phys), map_line(iova, 64, base), sg_line(phys[::-1], size[::-1], phys[::-1]))
    out = tap.path_of('again.txt')
    for invalidate in ('strict', 'lazy'):
        first, _ = tap.replay('--route', 'iommu', '--invalidate', invalidate, '--trace-out', out, path)
        again, _ = tap.replay('--route', 'iommu', '--invalidate', invalidate, out)
        for field in ('maps', 'unmaps', 'bytes_mapped', 'bytes_verified', 'inferred_lengths', 'live_at_end'):
            equal(again[field], first[field], field)
        equal(first['inferred_lengths'], 0)


def sync(kind, address, size, direction='FROM_DEVICE'):
    return f'dma_sync_single_for_{kind}: {tap.DEV} dir={direction} dma_addr={address:x} size={size}'


@case
def syncs():
    """Syncs of wholes and of parts, on every route, in every direction."""
    at = GIB4 + 0x5040
    for direction in ('TO_DEVICE', 'FROM_DEVICE', 'BIDIRECTIONAL'):
        path = trace(map_line(at, 6000, at, direction), sync('cpu', at, 6000, direction),
                     sync('device', at, 6000, direction), sync('cpu', at + 100, 50, direction),
                     sync('device', at + 100, 50, direction), sync('cpu', at + 90, 100, direction),
                     sync('device', at + 5000, 1000, direction), sync('device', at + 100, 50, direction),
                     sync('cpu', at, 6000, direction), sync('device', at, 6000, direction), unmap_line(at, 6000, direction))
        for route in ('direct', 'bounce', 'iommu', 'ops'):
            report, said = tap.replay('--route', route, path)
            equal(said, '')
            some(report, syncs=9, maps=1, unmaps=1, mismatches=0)


@case
def sync_counts():
    """What is compared at a sync is counted as verified."""
    at = GIB4
    one = map_line(at, 1000, at, 'FROM_DEVICE')
    some(tap.replay(trace(one, sync('cpu', at + 10, 100)))[0], bytes_verified=100)
    some(tap.replay(trace(one, sync('cpu', at + 10, 100), sync('device', at + 10, 100)))[0], bytes_verified=100)
    one = map_line(at, 1000, at)
    some(tap.replay(trace(one, sync('device', at + 10, 100, 'TO_DEVICE')))[0], bytes_verified=1100)


@case
def outside_syncs():
    """A sync that leaves its mapping is not made."""
    at = GIB4
    some(tap.replay(trace(map_line(at, 1000, at), sync('cpu', at + 900, 101), sync('cpu', at - 1, 2)))[0], syncs=0, events=3)


@case
def element_syncs():
    """Syncs at an address inside of any DMA element of a list: a call for each piece that is contiguous here."""
    a, b, c, iova = GIB4 + 0x1000, GIB4 + 0x5000, GIB4 + 0x9000, 0xfff00000
    lines = [iommu_line(iova, a, 0x1000), iommu_line(iova + 0x1000, b, 0x1000), iommu_line(iova + 0x8000, c, 0x1000)]
    lines += [sg_line([iova + 0x800, iova + 0x8000], [0x1400, 0x800], [a + 0x800, b, c])]
    # (part, number of calls where nothing is merged)
    parts = [((iova + 0x8010, 0x20), 1), ((iova + 0x8000, 0x800), 1), ((iova + 0x1000, 0x100), 1), ((iova + 0xff0, 0x20), 2),
             ((iova + 0x800, 0x1400), 2), ((iova + 0x8010, 0x800), 0), ((iova + 0x1bff, 2), 0), ((iova + 0x7fff, 1), 0)]
    for (at, size), calls in parts:
        for direction in ('TO_DEVICE', 'FROM_DEVICE', 'BIDIRECTIONAL'):
            path = trace(*[line.replace('TO_DEVICE', direction) for line in lines], sync('cpu', at, size, direction),
                         sync('device', at, size, direction), unsg_line([a + 0x800, b, c], direction))
            for route in ('direct', 'bounce', 'iommu', 'ops'):
                some(tap.replay('--route', route, path)[0], syncs=2 * calls, mismatches=0, inferred_lengths=0)
    path = trace(*lines, sync('device', iova + 0x8010, 0x20, 'TO_DEVICE'))
    phys = values(next(line for line in traced('--route', 'direct', path) if 'dma_map_sg' in line), 'phys_addrs')
    equal([line for line in traced('--route', 'direct', path) if 'sync' in line],
          [f'dma_sync_single_for_device: {tap.DEV} dir=TO_DEVICE dma_addr={phys[2] + 0x10:x} size=32'])


@case
def element_sync_counts():
    """What is compared is the part of the list that was synced, wherever it lies."""
    phys = [GIB4, GIB4 + 0x5000, GIB4 + 0x9000]
    one = sg_line(phys, [0x1000, 0x300, 0x800], phys, 'FROM_DEVICE')
    for at, size in ((phys[1], 0x300), (phys[1] + 5, 7), (phys[2] + 0x7ff, 1)):
        some(tap.replay(trace(one, sync('cpu', at, size)))[0], bytes_verified=size, syncs=1)


@case
def other_syncs():
    """Syncs of pages are made; those of MMIO and of coherent memory, which no driver makes, are not."""
    virt = 'virt_addr=(____ptrval____)'
    bar = 0xe0000000
    for event, calls in (('dma_alloc', 0), ('dma_alloc_pages', 2)):
        path = trace(f'{event}: {tap.DEV} dir=TO_DEVICE dma_addr=20000 size=4096 {virt} flags=none attrs=',
                     sync('device', 0x20010, 64, 'TO_DEVICE'), sync('cpu', 0x20000, 4096, 'TO_DEVICE'),
                     sync('cpu', 0x20001, 4096, 'TO_DEVICE'))
        for route in ('direct', 'bounce', 'iommu', 'ops'):
            some(tap.replay('--route', route, path)[0], maps=1, syncs=calls, mismatches=0)
    some(tap.replay(trace(map_line(bar, 8192, bar, attrs='MMIO'), sync('cpu', bar, 64)))[0], maps=1, syncs=0)


@case
def list_syncs():
    """Syncs of lists, merged ones too."""
    a, b, iova = 0x101001000, 0x101005000, 0xfff00000
    sg = f'dir=BIDIRECTIONAL dma_addrs={{0x{iova:x},0x0}} sizes={{0x1000,0x800}}'
    path = trace(iommu_line(iova, a, 0x1000), iommu_line(iova + 0x1000, b, 0x1000),
                 sg_line([iova], [0x1800], [a, b], 'BIDIRECTIONAL'), f'dma_sync_sg_for_cpu: {tap.DEV} {sg}',
                 f'dma_sync_sg_for_device: {tap.DEV} {sg}', unsg_line([a, b], 'BIDIRECTIONAL'))
    for route in ('direct', 'bounce', 'iommu', 'ops'):
        out = tap.path_of('sync.txt')
        report, _ = tap.replay('--route', route, '--trace-out', out, path)
        some(report, syncs=2, maps=1, unmaps=1, mismatches=0, bytes_verified=5 * 0x1800)
        some(tap.replay('--route', route, out)[0], syncs=2, inferred_lengths=0, mismatches=0)


@case
def skip_cpu_sync():
    """SKIP_CPU_SYNC at the unmap of a bounced mapping: nothing comes back, and that is no mismatch."""
    at = GIB4
    path = trace(map_line(at, 1000, at, 'FROM_DEVICE', attrs='SKIP_CPU_SYNC'), sync('cpu', at, 1000),
                 unmap_line(at, 1000, 'FROM_DEVICE', attrs='SKIP_CPU_SYNC'))
    some(tap.replay('--route', 'bounce', path)[0], mismatches=0, bytes_verified=1000)
    some(tap.replay('--route', 'direct', path)[0], mismatches=0, bytes_verified=2000)


@case
def auto_route():
    """auto: IOMMU lines before forced bounces before nothing; a bounce that was needed decides nothing."""
    one = map_line(0x5000, 64, 0x5000)
    bounced = f'swiotlb_bounced: dev_name: {tap.DEV} dma_mask=ffffffff dev_addr=102aa3000 size=4096 '
    iommu = iommu_line(0xfffff000, 0x5000, 0x1000)
    for lines, route in (((one,), 'direct'), ((one, bounced + 'NORMAL'), 'direct'), ((one, bounced + 'FORCE'), 'bounce'),
                         ((bounced + 'FORCE', one, iommu), 'iommu')):
        path = trace(*lines)
        equal(tap.replay(path)[0]['route'], route, lines)
        with open(path, 'rb') as file:
            equal(tap.replay('-', stdin=file.read())[0]['route'], route, lines)


@case
def clock():
    """Time stands still, unless --clock trace: then lazy invalidations happen when they are due."""
    lines = []
    for number in range(20):
        lines += [(0, 1 + number, map_line(GIB4, 64, GIB4)), (0, 1.5 + number, unmap_line(GIB4, 64))]
    path = trace(*lines)
    lazy = ('--route', 'iommu', '--invalidate', 'lazy')
    still, _ = tap.replay(*lazy, path)
    moving, _ = tap.replay(*lazy, '--clock', 'trace', path)
    some(still, invalidations=0, stale_reached=20)
    assert moving['invalidations'] >= 15, moving['invalidations']
    out = tap.path_of('clock.txt')
    for option, last in (('none', '0.000000'), ('trace', '19.500000')):
        tap.replay('--clock', option, '--trace-out', out, path)
        with open(out, encoding='ascii') as file:
            assert f' {last}: dma_unmap_phys:' in file.read().splitlines()[-1]


@case
def backwards():
    """Time stamps that go back do not move the clock back."""
    path = trace((0, 5.0, map_line(GIB4, 64, GIB4)), (1, 4.0, map_line(GIB4, 64, GIB4)), (0, 6.0, unmap_line(GIB4, 64)))
    some(tap.replay('--clock', 'trace', path)[0], maps=2, unmaps=1)


@case
def damage():
    """Damaged lines are skipped, counted and shown with file and line; the rest is replayed."""
    bad = map_line(0x5000, 64, 0x5000).replace('size=64', 'size=6x4')
    path = trace(map_line(0x5000, 64, 0x5000), bad, unmap_line(0x5000, 64))
    report, said = tap.replay(path)
    some(report, events=2, skipped_lines=1, maps=1, unmaps=1)
    assert f'{path}:5: skipped: size' in said, said
    _, said = tap.replay(trace(*[bad] * 12))
    equal(said.count('skipped:'), 5)
    assert '7 more skipped lines' in said, said


@case
def lost_events():
    """What the kernel lost is counted."""
    path = trace(map_line(0x5000, 64, 0x5000))
    with open(path, 'a', encoding='utf-8') as file:
        file.write('CPU:1 [LOST 23 EVENTS]\n')
    some(tap.replay(path)[0], lost_events=23, skipped_lines=0, events=1)


@case
def mmio_everywhere():
    """MMIO is mapped as MMIO on every route, whatever the unmap's attributes say."""
    bar = 0xe0000000
    for attrs in ('MMIO', ''):
        path = trace(map_line(bar, 8192, bar, 'BIDIRECTIONAL', 'MMIO'), unmap_line(bar, 8192, 'BIDIRECTIONAL', attrs))
        for route in ('direct', 'iommu', 'ops'):
            some(tap.replay('--route', route, path)[0], maps=1, unmaps=1, mismatches=0, bounced_maps=0)
        assert all('MMIO' in line for line in traced('--route', 'ops', path)), attrs
        report, _ = tap.replay('--route', 'bounce', path)
        some(report, maps=0, unmaps=0, refused_mmio=1, unmatched_unmaps=0, map_failures=0)


@case
def many_devices():
    """A recording repeated as further devices: every one is a device of its own."""
    script = os.path.join(tap.ROOT, 'tests', 'cmd', 'repeat_trace.py')
    path = tap.path_of('repeated.txt')
    source = os.path.join(tap.TRACES, 'nvme-e1000e-strict.txt.gz')
    equal(os.system(f'{script} {source} 90310 >{path}'), 0)
    report, _ = tap.replay('--no-verify', path)
    some(report, events=90310, devices=40, maps=24330, unmaps=19050, live_at_end=5280, inferred_lengths=0)


tap.main()
