#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tests `dmamap replay --format' with every name, on every recording, strict and lazy."""
import os
import re

import tap
from tap import case, equal, some

NAMES = tap.dmamap('replay', '--list-formats').stdout.decode().split()
RECORDINGS = [os.path.join(tap.TRACES, f'nvme-e1000e-{name}.txt.gz') for name in ('strict', 'lazy', 'direct', 'bounce')]
STRICT = RECORDINGS[0]
MMIO = os.path.join(tap.TRACES, 'mmio-6.18.txt')
# What a format cannot change.
MAPS, UNMAPS = 2433 + 2419 + 2367 + 2405, 1905 + 1891 + 1837 + 1875


def replay(name, policy, *args):
    report, said = tap.replay('--route', 'iommu', '--format', name, '--invalidate', policy, *args)
    equal(said, '')
    some(report, format=name, route='iommu', map_failures=0, mismatches=0)
    return report


def check(name):
    """All recordings at once: nothing fails, the data agrees, and strict reaches nothing stale."""
    tables = name != 'command'
    for policy in ('strict', 'lazy'):
        report = replay(name, policy, *RECORDINGS)
        some(report, maps=MAPS, unmaps=UNMAPS, stale_checked=UNMAPS)
        equal(report['table_peak_bytes'] > 0, tables, 'table_peak_bytes')
        equal(report['invalidations'] > 0, tables, 'invalidations')
        if policy == 'strict' or not tables:
            equal(report['stale_reached'], 0, 'stale_reached')
    some(replay(name, 'strict', MMIO), maps=37, unmaps=25, stale_reached=0)


def check_lazy(name):
    """Lazy needs far fewer invalidations; with the clock of a nearly idle machine not so few."""
    for args, times in (((), 20), (('--clock', 'trace'), 5)):
        strict, lazy = [replay(name, policy, *args, STRICT)['invalidations'] for policy in ('strict', 'lazy')]
        assert lazy * times <= strict, f'{args}: {lazy} lazy, {strict} strict'


def add(function, name, what):
    def run():
        function(name)
    run.__doc__ = f'{name}: {what}'
    case(run)


for _name in NAMES:
    add(check, _name, 'all recordings and MMIO, strict and lazy')
    if _name != 'command':
        add(check_lazy, _name, 'lazy saves invalidations')


@case
def names():
    """The list is complete, has no name twice, and begins with the default."""
    equal(len(set(NAMES)), len(NAMES))
    equal(NAMES[0], tap.replay(STRICT)[0]['format'])
    for name in ('vtd-ss', 'vtd-fs', 'amdv1', 'lpae-s1', 'lpae-s2', 'lpae-s1-16k', 'lpae-s1-64k', 'lpae-s2-16k',
                 'lpae-s2-64k', 'riscv-sv39', 'riscv-sv48', 'riscv-sv57', 'command'):
        assert name in NAMES, name
    with open(os.path.join(tap.ROOT, 'docs', 'man', 'dmamap-replay.1'), encoding='utf-8') as file:
        text = file.read()
    for name in NAMES:
        assert re.search(f'Cm {name}( ,)?\n', text), f'the manual page does not have {name}'


@case
def larger_pages():
    """Recorded addresses keep their offset in the larger page, on both sides."""
    lines = [tap.map_line(0x123456789, 100, 0x123456789), tap.map_line(0x2000fff0, 0x20020, 0x2000fff0)]
    for name, mask in (('lpae-s1', 0xfff), ('lpae-s1-16k', 0x3fff), ('lpae-s2-64k', 0xffff)):
        out = tap.path_of(f'{name}.txt')
        replay(name, 'strict', '--trace-out', out, tap.trace(*lines))
        with open(out, encoding='ascii') as file:
            text = file.read()
        found = re.findall(r'dma_map_phys: .* dma_addr=([0-9a-f]+) size=\d+ phys_addr=([0-9a-f]+)', text)
        equal([(int(dma, 16) & mask, int(phys, 16) & mask) for dma, phys in found],
              [(0x123456789 & mask,) * 2, (0x2000fff0 & mask,) * 2], name)


@case
def pools_of_larger_pages():
    """The pool that would have done is in whole pages of the machine, and exact: a page less does not do."""
    lines = [tap.map_line(0x100000 + n * 0x10000, 20 + n % 12, 0x12000000 + n * 0x10020, direction='FROM_DEVICE')
             for n in range(100)]
    path = tap.trace(*lines)
    for name, page in (('lpae-s1', 4096), ('lpae-s1-16k', 16384), ('lpae-s2-64k', 65536)):
        args = ('--route', 'iommu', '--noncoherent', '--format', name)
        bound = tap.replay(*args, path)[0]
        some(bound, bounced_maps=100, pool_needed_is_bound=True)
        found = tap.replay(*args, '--bounce-pool', '64M', path)[0]
        some(found, bounced_maps=100, pool_needed_is_bound=False, pool_needed_bytes=100 * page)
        assert bound['pool_needed_bytes'] >= 100 * page, bound
        some(tap.replay(*args, '--bounce-pool', str(100 * page), path)[0], map_failures=0)
        some(tap.replay(*args, '--bounce-pool', str(99 * page), path, code=1)[0], map_failures=1)
    run = tap.dmamap('replay', '--bounce-pool', '20K', '--format', 'lpae-s1-16k', path)
    equal((run.returncode, run.stdout), (2, b''))
    assert b'pages are 16K' in run.stderr, run.stderr


@case
def privileged():
    """Privileged mappings are used by privileged requests, where the format tells them apart."""
    path = tap.trace(tap.map_line(0x5000, 64, 0x5000, attrs='PRIVILEGED'), tap.map_line(0x7000, 64, 0x7000),
                     tap.unmap_line(0x5000, 64, attrs='PRIVILEGED'))
    for name in ('lpae-s1', 'lpae-s2', 'vtd-fs', 'riscv-sv48'):
        some(replay(name, 'strict', path), maps=2, unmaps=1, stale_blocked=1)


@case
def other_routes():
    """Off the IOMMU there is no format."""
    equal(tap.replay('--route', 'direct', '--format', 'command', MMIO)[0]['format'], None)


@case
def unknown():
    """A name that is none is refused, with what was probably meant."""
    run = tap.dmamap('replay', '--format', 'vtd-sss', MMIO)
    equal((run.returncode, run.stdout), (2, b''))
    assert b'did you mean vtd-ss?' in run.stderr, run.stderr
    run = tap.dmamap('replay', '--format', '???', MMIO)
    assert b'command' in run.stderr, run.stderr


tap.main()
