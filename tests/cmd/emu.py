#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tests `dmamap emu`: every scenario behind every IOMMU, what moved, what was blocked and why, and the command's form."""
import json

import tap
from tap import case, equal

STEPS = ['device', 'result', 'ok', 'bytes', 'dma_addr', 'what', 'detail']
# What each scenario's steps come to behind an IOMMU.
RESULTS = {
    'copy': ['moved', 'moved', 'blocked'],
    'direction': ['blocked', 'moved'],
    'mask': ['moved'],
    'p2p-bar': ['moved', 'blocked'],
    'p2p-nvme': ['moved', 'moved', 'blocked'],
}


def emu(*args):
    run = tap.dmamap('emu', '--json', *args)
    equal(run.returncode, 0, f'exit code of {args}, which said {run.stderr!r}')
    return json.loads(run.stdout)


def results(scenario):
    return [step['result'] for step in scenario['steps']]


def wanted(kind, name):
    if kind == 'none':
        if name == 'direction':
            return []
        if name == 'mask':
            return ['refused', 'moved']
        return [result.replace('blocked', 'reached') for result in RESULTS[name]]
    return RESULTS[name] + (['refused'] if (kind, name) in (('vtd', 'p2p-bar'), ('smmuv3', 'p2p-bar')) else [])


def check(kind):
    report = emu('--iommu', kind)
    equal((report['schema'], report['iommu']), ('dmamap.emu/1', kind), 'head')
    equal({s['name']: results(s) for s in report['scenarios']},
          {name: wanted(kind, name) for name in RESULTS}, f'results behind {kind}')
    for scenario in report['scenarios']:
        equal(scenario['ok'], True, scenario['name'])
        equal(scenario['limit'] is not None, (kind, scenario['name']) == ('none', 'direction'), 'limit')
        for step in scenario['steps']:
            equal(list(step), STEPS, 'fields of a step')


@case
def without_an_iommu():
    """Without an IOMMU everything is reached that is not bounced or refused."""
    check('none')


@case
def behind_vtd():
    """Behind VT-d every scenario comes out as it must."""
    check('vtd')


@case
def behind_virtio():
    """Behind the virtio IOMMU every scenario comes out as it must."""
    check('virtio')


@case
def behind_smmuv3():
    """Behind SMMUv3 every scenario comes out as it must."""
    check('smmuv3')


@case
def behind_amd():
    """Behind AMD-Vi every scenario comes out as it must; what is blocked shows in the data alone."""
    check('amd')


@case
def faults_are_explained():
    """A blocked access is told with its device, address and reason, and with the mapping that was there."""
    scenario, = emu('--iommu', 'vtd', '--scenario', 'p2p-nvme')['scenarios']
    blocked = scenario['steps'][-1]
    for words in (blocked['device'], f"0x{int(blocked['dma_addr'], 16):016x}", 'refused: write-denied',
                  'FROM_DEVICE mapping of 32768 bytes of MMIO, unmapped'):
        if words not in blocked['detail']:
            raise AssertionError(f"no {words!r} in {blocked['detail']!r}")
    equal(scenario['steps'][1]['detail'].split(',')[0], 'checksums 0x4f62d89f and 0x4f62d89f', 'checksums')


@case
def beyond_the_output_width():
    """A BAR beyond what VT-d can lead to is refused, with the reason."""
    scenario, = emu('--scenario', 'p2p-bar')['scenarios']
    step = scenario['steps'][-1]
    equal((step['result'], step['dma_addr'], step['detail'].split()[0]), ('refused', None, 'output-width'), 'the refusal')


@case
def table_and_list():
    """The table names each step, --list each scenario."""
    text = tap.dmamap('emu', '--scenario', 'copy').stdout.decode()
    for words in ('copy, IOMMU vtd', 'read from RAM into the device', 'a write after the unmap'):
        if words not in text:
            raise AssertionError(text)
    listed = [line.split()[0] for line in tap.dmamap('emu', '--list').stdout.decode().splitlines()]
    equal(listed, list(RESULTS), 'list')


@case
def usage():
    """Wrong words are refused with a hint."""
    for args, hint in ((['--iommu', 'vt-d'], b'vtd'), (['--scenario', 'p2p'], b'p2p-nvme'), (['copy'], b'copy'),
                       (['--scenarios', 'copy'], b'--scenario')):
        run = tap.dmamap('emu', *args)
        equal(run.returncode, 2, f'exit code of {args}')
        if hint not in run.stderr or run.stdout:
            raise AssertionError(f'{args}: {run.stderr!r}')


@case
def no_qemu():
    """Where QEMU is missing, the message names it, and the exit code is 4."""
    run = tap.dmamap('emu', '--scenario', 'copy', env={'PATH': '/nonexistent'})
    equal(run.returncode, 4, 'exit code')
    if b'qemu-system-x86_64' not in run.stderr:
        raise AssertionError(repr(run.stderr))


tap.main()
