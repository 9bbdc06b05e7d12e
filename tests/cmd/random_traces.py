#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Random traces: replayed over every route without a mismatch, and their replays replayed alike.

The seed is printed and taken from DMAMAP_TEST_SEED, the number of traces from DMAMAP_TEST_ROUNDS.
"""
import os
import random

import tap
from tap import case, equal, map_line, numbers, sg_line, some, trace, unmap_line, unsg_line

SEED = int(os.environ.get('DMAMAP_TEST_SEED') or random.randrange(1 << 32))
ROUNDS = int(os.environ.get('DMAMAP_TEST_ROUNDS') or 8)
ROUTES = [('direct', ()), ('bounce', ()), ('iommu', ('--invalidate', 'strict')), ('iommu', ('--invalidate', 'lazy')),
          ('ops', ())]
DIRS = ['TO_DEVICE', 'FROM_DEVICE', 'BIDIRECTIONAL']
# What a replayed replay must have in common with the replay.
SAME = ['route', 'devices', 'maps', 'unmaps', 'syncs', 'bytes_mapped', 'live_at_end', 'peak_live', 'inferred_lengths']


class Machine:
    """Writes what a kernel without IOMMU would have traced, and remembers what lives."""

    def __init__(self, rng):
        self.rng, self.lines, self.live, self.lists, self.elements = rng, [], [], {}, {}
        self.counts = dict.fromkeys(['maps', 'unmaps', 'bytes_mapped'], 0)

    def place(self):
        """A page somewhere, often one that was used before."""
        return self.rng.choice([0x100000, 0x2000000, 0x90000000, 0x140000000, 0x200000000]) + \
            0x1000 * self.rng.randrange(64)

    def size(self):
        return self.rng.choice([1, 8, 64, 512, 1522, 4096, 9000, 65536, self.rng.randrange(1, 20000)])

    def enter(self, size, lines, unmap):
        self.lines.append(lines)
        self.live.append(unmap)
        self.counts['maps'] += 1
        self.counts['bytes_mapped'] += size

    def single(self):
        dev, direction = self.device(), self.rng.choice(DIRS)
        at, size = self.place() + self.rng.choice([0, 0, 0x40, 0xe12]), self.size()
        attrs = self.rng.choice(['', '', 'NO_WARN', 'WEAK_ORDERING', 'SKIP_CPU_SYNC'])
        self.enter(size, map_line(at, size, at, direction, attrs, dev), unmap_line(at, size, direction, attrs, dev))

    def sg(self):
        dev, direction, phys, sizes = self.device(), self.rng.choice(DIRS), [], []
        at = self.place()
        for _ in range(self.rng.randrange(1, 40)):
            kind = self.rng.randrange(6)
            if kind == 0 or not phys:
                at = self.place() + self.rng.choice([0, 0, 0x200])
            elif kind == 1:
                at = self.rng.choice(phys)
            else:
                at += sizes[-1]
            phys.append(at)
            sizes.append(self.rng.choice([0x1000, 0x1000, 0x2000, 0x5000, self.size()]))
        unmap = unsg_line(phys, direction, dev=dev)
        self.enter(sum(sizes), sg_line(phys, sizes, phys, direction, dev=dev), unmap)
        self.lists[unmap] = f'{dev} dir={direction} dma_addrs={numbers(phys)} sizes={numbers(sizes)}'
        self.elements[unmap] = list(zip(phys, sizes))

    def alloc(self):
        dev, at, size = self.device(), 0x300000000 + 0x100000 * len(self.lines), self.size()
        tail = f'dma_addr={at:x} size={size} virt_addr=(____ptrval____)'
        self.enter(size, f'dma_alloc: {dev} dir=BIDIRECTIONAL {tail} flags=GFP_KERNEL attrs=',
                   f'dma_free: {dev} dir=BIDIRECTIONAL {tail} attrs=')

    def sync(self):
        unmap, kind = self.rng.choice(self.live or ['']), self.rng.choice(['cpu', 'device'])
        if unmap in self.lists and self.rng.randrange(2):
            self.lines.append(f'dma_sync_sg_for_{kind}: {self.lists[unmap]}')
        elif unmap in self.lists:
            start, length = self.rng.choice(self.elements[unmap])
            self.part(' '.join(self.lists[unmap].split()[:2]), kind, start, length)
        if not unmap.startswith('dma_unmap_phys') or 'SKIP' in unmap:
            return
        dev, direction, addr, size = unmap.split()[1:5]
        start, length = int(addr.split('=')[1], 16), int(size.split('=')[1])
        self.part(f'{dev} {direction}', kind, start, length)

    def part(self, head, kind, start, length):
        """A sync of all of a range, or of some of it."""
        at = self.rng.randrange(length)
        part = self.rng.choice([(0, length), (at, self.rng.randrange(length - at) + 1)])
        self.lines.append(f'dma_sync_single_for_{kind}: {head} dma_addr={start + part[0]:x} size={part[1]}')

    def unmap(self):
        if self.live:
            self.lines.append(self.live.pop(self.rng.randrange(len(self.live))))
            self.counts['unmaps'] += 1

    def device(self):
        return f'0000:0{self.rng.randrange(1, 4)}:00.0'

    def run(self, steps):
        actions = [self.single, self.single, self.sg, self.alloc, self.sync, self.sync, self.unmap, self.unmap]
        for _ in range(steps):
            self.rng.choice(actions)()
        return trace(*self.lines, name='random.txt')


def check_round_trip(path, counts, route, more):
    out = tap.path_of('out.txt')
    first, said = tap.replay('--route', route, *more, '--trace-out', out, path)
    equal(said, '')
    some(first, mismatches=0, map_failures=0, unmatched_unmaps=0, skipped_lines=0, **counts)
    again, said = tap.replay('--route', route, *more, out)
    equal(said, '')
    equal({key: again[key] for key in SAME}, {**{key: first[key] for key in SAME}, 'inferred_lengths': 0})
    equal((again['mismatches'], again['skipped_lines']), (0, 0))
    return out


def add_round(number):
    def check():
        machine = Machine(random.Random(SEED + number))
        path = machine.run(400)
        for route, more in ROUTES:
            check_round_trip(path, machine.counts, route, more)
            report, said = tap.replay('--noncoherent', '--route', route, *more, path)
            equal(said, '')
            some(report, mismatches=0, map_failures=0, **machine.counts)
        # What the IOMMU merged replays over the other routes with the lengths it had.
        merged = tap.path_of('merged.txt')
        tap.replay('--route', 'iommu', '--trace-out', merged, path)
        for route, more in ROUTES:
            some(tap.replay('--route', route, *more, merged)[0], mismatches=0, map_failures=0, inferred_lengths=0,
                 **machine.counts)
    check.__doc__ = f'random trace {number}'
    case(check)


print(f'# seed {SEED}')
for _number in range(ROUNDS):
    add_round(_number)
tap.main()
