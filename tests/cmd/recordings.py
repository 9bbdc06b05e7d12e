#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tests `dmamap replay` on the example traces: the counts on every route, and the trace of a replay replayed."""
import os
import subprocess

import tap
from tap import case, equal, some

# events, maps, unmaps, live at the end, allocations, the route that auto chooses
RECORDED = {
    'lazy': (12082, 2419, 1891, 528, 18, 'iommu'),
    'strict': (9031, 2433, 1905, 528, 18, 'iommu'),
    'direct': (4204, 2367, 1837, 530, 20, 'direct'),
    'bounce': (9929, 2405, 1875, 530, 20, 'bounce'),
}
ROUTES = [('auto', ()), ('direct', ()), ('bounce', ()), ('iommu', ('--invalidate', 'strict')),
          ('iommu', ('--invalidate', 'lazy')), ('ops', ())]
FIELDS = ['schema', 'route', 'events', 'skipped_lines', 'lost_events', 'devices', 'maps', 'unmaps', 'unmatched_unmaps',
          'trace_failures', 'refused_mmio', 'map_failures', 'syncs', 'bytes_mapped', 'bytes_verified', 'mismatches',
          'stale_checked', 'stale_blocked', 'stale_reached', 'live_at_end', 'peak_live', 'inferred_lengths',
          'truncated', 'bounced_maps', 'bounce_peak_bytes', 'invalidations', 'iova_peak_bytes', 'table_peak_bytes',
          'events_per_second', 'shared_lines', 'format', 'first_failure', 'pool_needed_bytes', 'pool_needed_is_bound']
MMIO = os.path.join(tap.TRACES, 'mmio-6.18.txt')
# What a replayed replay must have in common with the replay.
SAME = ['route', 'devices', 'maps', 'unmaps', 'syncs', 'bytes_mapped', 'live_at_end', 'peak_live', 'inferred_lengths']


def recording(name):
    return os.path.join(tap.TRACES, f'nvme-e1000e-{name}.txt.gz')


def check_route(report, maps, unmaps, allocs):
    """Figures that depend on the route alone."""
    on_iommu = report['route'] == 'iommu'
    equal(report['stale_checked'], unmaps if on_iommu else 0, 'stale_checked')
    equal(report['stale_blocked'] + report['stale_reached'], report['stale_checked'], 'stale sum')
    equal(report['bounced_maps'], maps - allocs if report['route'] == 'bounce' else 0, 'bounced_maps')
    for field in ('invalidations', 'iova_peak_bytes', 'table_peak_bytes'):
        equal(report[field] > 0, on_iommu, field)
    equal(report['bounce_peak_bytes'] > 0, report['route'] == 'bounce', 'bounce_peak_bytes')


def add_counts(name, route, more):
    events, maps, unmaps, live, allocs, auto = RECORDED[name]

    def check():
        report, said = tap.replay('--route', route, *more, recording(name))
        equal(said, '')
        some(report, schema='dmamap.replay/1', route=auto if route == 'auto' else route, events=events,
             skipped_lines=0, lost_events=0, devices=4, maps=maps, unmaps=unmaps, live_at_end=live,
             unmatched_unmaps=0, trace_failures=0, refused_mmio=0, map_failures=0, syncs=0, mismatches=0,
             inferred_lengths=0, truncated=0)
        assert 31_000_000 < report['bytes_mapped'] < 32_000_000, report['bytes_mapped']
        assert report['bytes_verified'] > report['bytes_mapped'], report['bytes_verified']
        check_route(report, maps, unmaps, allocs)
        if 'lazy' not in more:
            equal(report['stale_reached'], 0, 'stale_reached')
        elif route == 'iommu':
            assert report['stale_reached'] > 0
            assert report['invalidations'] < unmaps
    check.__doc__ = f'counts of the {name} recording, {" ".join(("--route", route) + more)}'
    case(check)


def same_again(path, args):
    out = tap.path_of('out.txt')
    first, _ = tap.replay(*args, '--trace-out', out, path)
    again, said = tap.replay(*args, out)
    equal(said, '')
    equal({key: again[key] for key in SAME}, {**{key: first[key] for key in SAME}, 'inferred_lengths': 0})
    equal((again['skipped_lines'], again['truncated'], again['mismatches']), (0, 0, 0))


def add_round_trip(name, path, route, more):
    def check():
        same_again(path, ('--route', route, *more))
    check.__doc__ = f'the trace of a replay replays alike: {name}, {" ".join(("--route", route) + more)}'
    case(check)


def add_mmio(route, more):
    def check():
        report, _ = tap.replay('--route', route, *more, MMIO)
        refused = 10 if route == 'bounce' else 0
        some(report, events=73, devices=3, maps=37 - refused, unmaps=25 - (8 if refused else 0), refused_mmio=refused,
             live_at_end=12 - (2 if refused else 0), trace_failures=3, map_failures=0, mismatches=0, syncs=8,
             unmatched_unmaps=0, skipped_lines=0)
        equal(report['bounced_maps'], 21 if route == 'bounce' else 0)
        if 'lazy' not in more:
            equal(report['stale_reached'], 0)
    check.__doc__ = f'mmio-6.18.txt, {" ".join(("--route", route) + more)}'
    case(check)


for _name in RECORDED:
    for _route, _more in ROUTES:
        add_counts(_name, _route, _more)
for _route, _more in ROUTES:
    add_mmio(_route, _more)
for _route, _more in ROUTES[1:]:
    for _name in RECORDED:
        add_round_trip(_name, recording(_name), _route, _more)
    add_round_trip('mmio-6.18', MMIO, _route, _more)


@case
def fields():
    """The report has exactly the documented fields, and all but one are deterministic."""
    first, _ = tap.replay(recording('lazy'))
    equal(list(first), FIELDS)
    second, _ = tap.replay(recording('lazy'))
    equal({**first, 'events_per_second': 0}, {**second, 'events_per_second': 0})
    with open(os.path.join(tap.ROOT, 'docs', 'json.md'), encoding='utf-8') as file:
        text = file.read()
    for field in FIELDS:
        assert f'`{field}`' in text, f'docs/json.md does not have {field}'


@case
def standard_input():
    """Standard input, compressed or not, file or pipe, gives what the file gives."""
    wanted = {**tap.replay(recording('strict'))[0], 'events_per_second': 0}
    plain = subprocess.run(['gzip', '-dc', recording('strict')], stdout=subprocess.PIPE, check=True).stdout
    with open(recording('strict'), 'rb') as file:
        equal({**tap.replay('-', stdin=file)[0], 'events_per_second': 0}, wanted)
    equal({**tap.replay('-', stdin=plain)[0], 'events_per_second': 0}, wanted)


@case
def several():
    """Several traces: counts are summed, devices and mappings stay apart, the route is theirs or mixed."""
    one, _ = tap.replay(recording('strict'))
    two, _ = tap.replay(recording('strict'), recording('strict'))
    equal(two['route'], 'iommu')
    for field in ('events', 'devices', 'maps', 'unmaps', 'bytes_mapped', 'bytes_verified', 'live_at_end',
                  'stale_checked', 'invalidations', 'iova_peak_bytes', 'table_peak_bytes'):
        equal(two[field], 2 * one[field], field)
    equal(two['mismatches'], 0)
    mixed, _ = tap.replay(recording('strict'), recording('direct'), recording('bounce'), MMIO)
    some(mixed, route='mixed', devices=15, maps=2433 + 2367 + 2405 + 37, unmaps=1905 + 1837 + 1875 + 25,
         mismatches=0, map_failures=0, stale_checked=1905, bounced_maps=2385)
    equal(tap.replay('--route', 'ops', recording('strict'), recording('direct'))[0]['route'], 'ops')


@case
def no_verify():
    """--no-verify: the same mappings, no access."""
    report, _ = tap.replay('--no-verify', recording('lazy'))
    some(report, maps=2419, unmaps=1891, live_at_end=528, bytes_verified=0, mismatches=0, stale_checked=0)


@case
def narrow_mask():
    """--mask 32 on the direct route: what lies above 4 GiB bounces, and the data agrees."""
    report, _ = tap.replay('--mask', '32', recording('direct'))
    some(report, maps=2367, mismatches=0, map_failures=0)
    assert report['bounced_maps'] > 2000, report['bounced_maps']
    some(tap.replay('--mask', '36', recording('direct'))[0], maps=2367, mismatches=0, bounced_maps=0)


@case
def linux_dialect():
    """--trace-dialect linux: no reasons, no skipped syncs, nothing of ours; and it can be read."""
    out = tap.path_of('linux.txt')
    first, _ = tap.replay('--route', 'bounce', '--trace-dialect', 'linux', '--trace-out', out, MMIO)
    with open(out, encoding='ascii') as file:
        text = file.read()
    assert 'reason=' not in text and 'route=' not in text
    again, _ = tap.replay('--route', 'bounce', out)
    for field in ('maps', 'unmaps', 'bytes_mapped', 'peak_live'):
        equal(again[field], first[field], field)


@case
def trace_on_stdout():
    """--trace-out -: the trace on standard output, the report on standard error."""
    run = tap.dmamap('replay', '--trace-out', '-', MMIO)
    equal(run.returncode, 0)
    assert run.stdout.startswith(b'# tracer: nop\n'), run.stdout[:40]
    assert b'WHAT' in run.stderr and b'no mismatch' in run.stderr
    out = tap.path_of('file.txt')
    tap.replay('--trace-out', out, MMIO)
    with open(out, 'rb') as file:
        hidden = b' virt_addr='
        equal([line.split(hidden)[0] for line in file.read().split(b'\n')],
              [line.split(hidden)[0] for line in run.stdout.split(b'\n')])


@case
def table():
    """The table names the trace, the route and the result, in plain text."""
    run = tap.dmamap('replay', recording('lazy'))
    text = run.stdout.decode('ascii')
    for part in ('nvme-e1000e-lazy.txt.gz', 'route iommu', 'strict invalidation', '2,419', '1,891', '528',
                 'no mismatch, no failure'):
        assert part in text, part
    assert '\033' not in text


tap.main()
