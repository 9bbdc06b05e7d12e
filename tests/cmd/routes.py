#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tests `dmamap routes`: the JSON row by row, the table, the exit code."""
import json
import re

import tap
from tap import case, equal

ROUTES = ['direct', 'direct-forced-bounce', 'arch-direct', 'iommu-strict', 'iommu-lazy', 'ops-phys', 'ops-page',
          'ops-page-only', 'direct-mask32', 'direct-range-map', 'direct-coherent']
FIELDS = ['route', 'memory', 'direction', 'result', 'reason', 'dma_addr', 'took', 'method', 'bounced', 'cache_synced',
          'sanitized', 'traced', 'data', 'unmap_method', 'unmap_traced', 'after_unmap']
# (route, memory): what took it, methods of map and unmap.
TOOK = {
    ('direct', 'ram'): ('direct', None), ('direct', 'mmio'): ('direct', None),
    ('direct-forced-bounce', 'ram'): ('direct', None), ('direct-forced-bounce', 'mmio'): ('direct', None),
    ('direct-mask32', 'ram'): ('direct', None), ('direct-mask32', 'mmio'): ('direct', None),
    ('direct-range-map', 'ram'): ('direct', None), ('direct-range-map', 'mmio'): ('direct', None),
    ('direct-coherent', 'ram'): ('direct', None), ('direct-coherent', 'mmio'): ('direct', None),
    ('arch-direct', 'ram'): ('arch', None), ('arch-direct', 'mmio'): ('ops', 'map_phys'),
    ('iommu-strict', 'ram'): ('iommu', None), ('iommu-strict', 'mmio'): ('iommu', None),
    ('iommu-lazy', 'ram'): ('iommu', None), ('iommu-lazy', 'mmio'): ('iommu', None),
    ('ops-phys', 'ram'): ('ops', 'map_phys'), ('ops-phys', 'mmio'): ('ops', 'map_phys'),
    ('ops-page', 'ram'): ('ops', 'map_page'), ('ops-page', 'mmio'): ('ops', 'map_resource'),
    ('ops-page-only', 'ram'): ('ops', 'map_page'), ('ops-page-only', 'mmio'): ('ops', None),
}
REFUSED = {('direct-forced-bounce', 'mmio'): 'mmio-cannot-bounce', ('ops-page-only', 'mmio'): 'no-method',
           ('direct-mask32', 'mmio'): 'beyond-mask'}
BOUNCED = [('direct-forced-bounce', 'ram'), ('direct-mask32', 'ram')]

_run = tap.dmamap('routes', '--json')
_report = json.loads(_run.stdout)


def wanted(row):
    """The row as it must be, where the contract says so; None: anything of its type."""
    key = row['route'], row['memory']
    ram, took, method = row['memory'] == 'ram', *TOOK[key]
    out = {'took': took, 'method': method, 'bounced': key in BOUNCED, 'sanitized': ram,
           'traced': True}
    if not ram or row['route'] == 'direct-coherent':
        out['cache_synced'] = False
    elif took != 'ops':
        out['cache_synced'] = True
    if key in REFUSED:
        out.update(result='error', reason=REFUSED[key], dma_addr=None, data='none', unmap_method=None,
                   unmap_traced=None, after_unmap='none')
    else:
        unmap = method and method.replace('map_', 'unmap_')
        out.update(result='ok', reason=None, data='ok', unmap_method=unmap, unmap_traced=True,
                   after_unmap='blocked' if row['route'] == 'iommu-strict' else 'reached')
    return out


@case
def clean():
    """Every row keeps the contract: exit code 0, nothing on standard error."""
    equal(_run.returncode, 0, 'exit code')
    equal(_run.stderr, b'', 'standard error')


@case
def schema():
    """The schema's name, 66 rows, every field in every row."""
    equal(list(_report), ['schema', 'format', 'rows'])
    equal(_report['format'], 'vtd-ss')
    equal(_report['schema'], 'dmamap.routes/1')
    equal(len(_report['rows']), 66)
    for row in _report['rows']:
        equal(list(row), FIELDS)


@case
def formats():
    """With every IOMMU every row keeps the contract; behind one that takes commands even a lazy unmap holds at once."""
    for name in tap.dmamap('replay', '--list-formats').stdout.decode().split():
        run = tap.dmamap('routes', '--format', name, '--json')
        equal((run.returncode, run.stderr), (0, b''), name)
        report = json.loads(run.stdout)
        equal(report['format'], name)
        for row in report['rows']:
            strict = row['route'] == 'iommu-strict' or (row['route'] == 'iommu-lazy' and name == 'command')
            equal(row, {**row, **wanted(row), **({'after_unmap': 'blocked'} if strict else {})}, name)
    run = tap.dmamap('routes', '--format', 'amdv')
    equal((run.returncode, run.stdout), (2, b''))
    assert b'did you mean amdv1?' in run.stderr, run.stderr


@case
def combinations():
    """Each route with each kind of memory in each direction, once."""
    got = [(row['route'], row['memory'], row['direction']) for row in _report['rows']]
    equal(got, [(route, memory, direction) for route in ROUTES for memory in ('ram', 'mmio')
                for direction in ('TO_DEVICE', 'FROM_DEVICE', 'BIDIRECTIONAL')])


def add_row_case(row):
    def check():
        want = wanted(row)
        equal({key: row[key] for key in want}, want)
        for key in ('bounced', 'cache_synced', 'sanitized', 'traced'):
            equal(type(row[key]), bool, key)
        if row['result'] == 'ok':
            assert re.fullmatch(r'0x[0-9a-f]+', row['dma_addr']), row['dma_addr']
    check.__doc__ = f'{row["route"]}, {row["memory"]}, {row["direction"]}'
    case(check)


for _row in _report['rows']:
    add_row_case(_row)


@case
def mask32():
    """What a device with 32 address lines is given lies below 4 GiB."""
    addresses = [int(row['dma_addr'], 16) for row in _report['rows'] if row['route'] == 'direct-mask32' and row['dma_addr']]
    equal(len(addresses), 3)
    assert max(addresses) < 1 << 32, addresses


@case
def range_map():
    """Both windows translate: the device has other addresses than the CPU, which the direct route shows."""
    address = {(row['route'], row['memory']): int(row['dma_addr'], 16) for row in _report['rows'] if row['dma_addr']}
    for memory, shift in (('ram', 0x7f000000), ('mmio', -0xa0000000)):
        equal(address['direct-range-map', memory] - address['direct', memory], shift, memory)


@case
def deterministic():
    """Two runs print the same."""
    equal(tap.dmamap('routes', '--json').stdout, _run.stdout)


@case
def table():
    """The table has a line for each row, no escape sequences in a pipe, and says why something was refused."""
    run = tap.dmamap('routes')
    text = run.stdout.decode('ascii')
    equal(run.returncode, 0)
    equal(len(text.splitlines()), 67)
    assert '\033' not in text
    equal(text.count('mmio-cannot-bounce'), 3)
    equal(text.count('no-method'), 3)
    equal(text.count('beyond-mask'), 3)


@case
def usage():
    """Arguments and unknown options are refused with code 2, help is shown with 0."""
    for args in (['routes', 'x'], ['routes', '--jsno'], ['routes', '-x'], ['routes', '--json=1']):
        run = tap.dmamap(*args)
        equal((run.returncode, run.stdout), (2, b''), args)
    assert b'did you mean --json?' in tap.dmamap('routes', '--jsno').stderr
    for args in (['routes', '-h'], ['routes', '--help'], ['help', 'routes']):
        run = tap.dmamap(*args)
        equal((run.returncode, run.stderr), (0, b''), args)
        assert b'Usage: dmamap routes' in run.stdout


tap.main()
