#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tests `dmamap bench`: its form, and the instruction counts, which must not pass their limits. No times are tested."""
import json
import os
import re
import shutil

import tap
from tap import case, equal


def vectors():
    with open('/proc/cpuinfo', encoding='ascii', errors='replace') as file:
        return ' avx2' in file.read()


# Other compilers, and other levels of optimization, may need a fifth more.
SLACK = 1 if os.environ.get('DMAMAP_COMPILER', 'gcc 3') == 'gcc 3' else 1.2

# Instructions of one operation at the most: what was measured and a little more. A change that needs more must say why.
LIMITS = {
    'direct-4k': 40,
    'bounce-64': 720,
    'bounce-4k': 1130,
    'strict-4k': 235,
    'lazy-4k': 237,
    'sg-32': 1000,
    'sg-32-strict': 908,
    'bar-16g': 400,
    'window-4k': 41,
    'iova-4k': 138,
    'iova-mixed-100': 3110,
    'iova-mixed-100k': 3650,
    'link-4k': 522,
    'link-1': 1930,
    'link-512': 2430 if vectors() else 13000,
}
FIELDS = ['name', 'what', 'limit', 'min_ns', 'median_ns', 'p90_ns', 'instructions', 'two_threads']


def bench(*args):
    run = tap.dmamap('bench', '--json', *args)
    equal(run.returncode, 0, f'exit code, said {run.stderr!r}')
    return json.loads(run.stdout)


def plain_build():
    """Valgrind is there, and the program is one that it can run: optimised, and no sanitizer in it."""
    with open(tap.DMAMAP, 'rb') as file:
        return shutil.which('valgrind') and not re.search(rb'__(asan|tsan|msan)_init', file.read())


@case
def lists():
    """--list names every operation that is measured, in order."""
    listed = [line.split()[0] for line in tap.dmamap('bench', '--list').stdout.decode().splitlines()]
    report = bench('--no-time', '--no-instructions', '--no-memory')
    equal([op['name'] for op in report['operations']], listed, 'operations')


@case
def nothing_measured():
    """What was not measured is null."""
    report = bench('--no-time', '--no-instructions', '--no-memory', 'strict-4k')
    equal(list(report), ['schema', 'operations', 'memory'], 'fields')
    equal(report['schema'], 'dmamap.bench/1', 'schema')
    equal(list(report['operations'][0]), FIELDS, 'fields of an operation')
    equal([report['operations'][0][key] for key in FIELDS[3:]], [None] * 5, 'figures')
    equal(report['memory'], None, 'memory')


@case
def times():
    """Times are in order: the best slice, the median, the 90th percentile."""
    report = bench('--rounds', '3', '--no-instructions', '--no-memory', 'direct-4k', 'store', 'lazy-4k')
    for op in report['operations']:
        if not 0 < op['min_ns'] <= op['median_ns'] <= op['p90_ns']:
            raise AssertionError(str(op))


@case
def table():
    """The table has a row for each operation, and says what the machine can do."""
    text = tap.dmamap('bench', '--rounds', '3', '--no-instructions', '--no-memory', 'direct-4k', 'copy-4k').stdout.decode()
    equal([line.split()[0] for line in text.splitlines() if line.split()[:1] in (['direct-4k'], ['copy-4k'])],
          ['direct-4k', 'copy-4k'], 'rows')
    if 'own limits' not in text:
        raise AssertionError(text)


@case
def instructions():
    """No operation takes more instructions than its limit."""
    if not plain_build():
        return
    report = bench('--no-time', '--no-memory', *LIMITS)
    over = {op['name']: op['instructions'] for op in report['operations']
            if op['instructions'] is None or op['instructions'] > SLACK * LIMITS[op['name']]}
    equal(over, {}, 'operations over their limit, or not counted')


@case
def memory():
    """A live 4 KiB mapping takes at most 9 bytes, emptied tables do not stay, an idle domain takes at most 16 KiB."""
    figures = bench('--no-time', '--no-instructions', 'store')['memory']
    window = 4096  # of the one CPU that maps: its table
    if (figures['bytes_per_mapping'] > 9 or figures['idle_domain_bytes'] > 16384
            or figures['table_bytes_after'] > 1.1 * figures['table_bytes_needed'] + window):
        raise AssertionError(str(figures))


@case
def usage():
    """What is not an operation, an option or a number is refused with a hint."""
    for args, hint in ((['stric-4k'], b'strict-4k'), (['--round', '2'], b'3 to 1000'), (['--rounds', '3x'], b'3 to 1000'),
                       (['nothing-like-it'], b'--list'), (['--no-times'], b'--no-time')):
        run = tap.dmamap('bench', *args)
        equal(run.returncode, 2, f'exit code of {args}')
        if hint not in run.stderr or run.stdout:
            raise AssertionError(f'{args}: {run.stderr!r}')


tap.main()
