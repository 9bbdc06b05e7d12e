#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Tests what the command does with wrong arguments, unreadable inputs and outputs, and with none at all."""
import gzip
import os
import pty
import subprocess

import tap
from tap import case, equal

LAZY = os.path.join(tap.TRACES, 'nvme-e1000e-lazy.txt.gz')
MMIO = os.path.join(tap.TRACES, 'mmio-6.18.txt')


def refused(code, *args, stdin=None):
    """Nothing on standard output, this exit code; what was said."""
    run = tap.dmamap(*args, stdin=stdin)
    equal((run.returncode, run.stdout), (code, b''), args)
    assert run.stderr.startswith(b'dmamap: '), run.stderr
    return run.stderr.decode()


@case
def no_verb():
    """Without arguments: help on standard error, code 2."""
    run = tap.dmamap()
    equal((run.returncode, run.stdout), (2, b''))
    assert b'Verbs:' in run.stderr


@case
def general_help():
    """-h, --help and help print the same, examples first."""
    texts = {tap.dmamap(arg).stdout for arg in ('-h', '--help', 'help')}
    equal(len(texts), 1)
    text = texts.pop().decode()
    assert text.index('Examples:') < text.index('Usage:') < text.index('Verbs:')


@case
def version():
    """-V and --version print name and version."""
    for arg in ('-V', '--version'):
        run = tap.dmamap(arg)
        equal((run.returncode, run.stdout, run.stderr), (0, b'dmamap 0.1.0\n', b''))


@case
def suggestions():
    """What was probably meant is suggested: verbs, options, values."""
    assert 'did you mean replay?' in refused(2, 'repaly')
    assert 'did you mean routes?' in refused(2, 'route')
    assert 'did you mean replay?' in refused(2, 'help', 'repla')
    assert 'did you mean --version?' in refused(2, '--verison')
    assert 'did you mean --trace-out?' in refused(2, 'replay', '--trace-ot=x', MMIO)
    assert 'did you mean iommu?' in refused(2, 'replay', '--route', 'iomu', MMIO)
    assert 'did you mean strict?' in refused(2, 'replay', '--invalidate', 'stricd', MMIO)


@case
def no_suggestion():
    """What is near to nothing gets the list of what there is."""
    assert 'auto, direct, bounce, iommu, ops' in refused(2, 'replay', '--route', 'xyzzy', MMIO)
    text = refused(2, 'xyzzy')
    assert 'did you mean' not in text and 'routes' in text and 'replay' in text


@case
def bad_values():
    """Options with impossible values, or without one, are named."""
    for bits in ('0', '65', '-1', 'x', '', '12x', '999999999999999999999'):
        assert '--mask' in refused(2, 'replay', '--mask', bits, MMIO)
    for option in ('--route', '--invalidate', '--clock', '--trace-dialect'):
        assert option in refused(2, 'replay', option, '', MMIO)
    assert '--route needs a value' in refused(2, 'replay', MMIO, '--route')
    for size in ('', '0', '0K', 'x', '64x', '64MB', '64 M', '-64M', '+64M', ' 64M', '5000', '0x1000', '4095', 'M', '1.5M',
                 '99999999999999999999', '17179869184G'):
        text = refused(2, 'replay', '--bounce-pool', size, MMIO)
        assert f'--bounce-pool: {size} is not a size' in text and '64M' in text, text
    assert '--bounce-pool needs a value' in refused(2, 'replay', MMIO, '--bounce-pool')
    assert '--noncoherent takes no value' in refused(2, 'replay', '--noncoherent=1', MMIO)
    assert '--json takes no value' in refused(2, 'replay', '--json=1', MMIO)


@case
def narrow_mask():
    """A mask with which the route cannot work is a usage error that says why."""
    assert 'mask-unsupported' in refused(2, 'replay', '--route', 'direct', '--mask', '12', MMIO)


@case
def pool_too_large():
    """A pool that the machine has no place for, below 4 GiB and below the mask, is a usage error."""
    for args in (('4G',), ('1000G',), ('17179869183G',), ('64M', '--mask', '24')):
        text = refused(2, 'replay', '--route', 'bounce', '--bounce-pool', *args, MMIO)
        assert 'do not fit below 4 GiB and the mask' in text, text


@case
def bad_combinations():
    """No trace; standard input twice; JSON and a trace on one output; a trace onto itself."""
    assert 'which trace?' in refused(2, 'replay')
    assert 'only once' in refused(2, 'replay', '-', '-')
    assert 'standard output' in refused(2, 'replay', '--json', '--trace-out', '-', MMIO)
    copy = tap.trace('dma_free: x', name='itself.txt')
    assert 'is being replayed' in refused(2, 'replay', '--trace-out', copy, copy)


@case
def unreadable():
    """Missing file, folder, empty file, something else: code 3, and the message names it."""
    assert 'no-such-file' in refused(3, 'replay', '/no-such-file')
    assert tap.ROOT in refused(3, 'replay', tap.ROOT)
    empty = tap.path_of('empty')
    with open(empty, 'wb'):
        pass
    text = refused(3, 'replay', empty)
    assert empty in text and 'empty' in text and 'expected' in text, text
    text = refused(3, 'replay', os.path.join(tap.ROOT, 'LICENSE'))
    assert 'not a trace' in text and 'expected' in text, text
    assert 'standard input' in refused(3, 'replay', '-', stdin=b'')


@case
def second_unreadable():
    """An unreadable trace after a good one is not passed over."""
    refused(3, 'replay', MMIO, '/no-such-file')
    refused(3, 'replay', '--json', MMIO, '/no-such-file')


@case
def broken_gzip():
    """A compressed file that ends early is unreadable, and no figures are given."""
    with open(LAZY, 'rb') as file:
        data = file.read()
    path = tap.path_of('broken.gz')
    with open(path, 'wb') as file:
        file.write(data[:len(data) // 2])
    assert path in refused(3, 'replay', '--json', path)


@case
def full_disk():
    """Output that cannot be written is an internal error, for the report and for the trace."""
    for args in (['routes'], ['routes', '--json'], ['replay', MMIO], ['replay', '--json', MMIO], ['--help'],
                 ['replay', '--trace-out', '-', MMIO]):
        with open('/dev/full', 'wb') as full:
            run = subprocess.run([tap.DMAMAP, *args], stdout=full, stderr=subprocess.PIPE, check=False)
        equal(run.returncode, 4, args)
        assert b'cannot be written' in run.stderr, run.stderr
    run = tap.dmamap('replay', '--trace-out', '/dev/full', MMIO)
    equal((run.returncode, b'/dev/full' in run.stderr), (4, True))
    refused(4, 'replay', '--trace-out', '/no-such-folder/x', MMIO)


def on_terminal(*args, **env):
    """What the command writes to a terminal as standard output."""
    master, slave = pty.openpty()
    settings = {key: value for key, value in os.environ.items() if key != 'NO_COLOR'}
    settings.update({'TERM': 'xterm'}, **env)
    with subprocess.Popen([tap.DMAMAP, *args], stdout=slave, env=settings) as process:
        os.close(slave)
        out = b''
        while True:
            try:
                chunk = os.read(master, 65536)
            except OSError:
                break
            if not chunk:
                break
            out += chunk
        equal(process.wait(), 0)
    os.close(master)
    return out


@case
def colour():
    """Colour on a terminal only, unless NO_COLOR or a dumb terminal says otherwise; never in JSON."""
    assert b'\033[' in on_terminal('routes')
    assert b'\033[' in on_terminal('replay', MMIO)
    assert b'\033[' not in on_terminal('routes', NO_COLOR='1')
    assert b'\033[' in on_terminal('routes', NO_COLOR='')
    assert b'\033[' not in on_terminal('routes', TERM='dumb')
    assert b'\033[' not in on_terminal('replay', '--json', MMIO)


@case
def progress_bar():
    """A bar for large inputs on a terminal, none in a pipe."""
    with gzip.open(LAZY, 'rb') as file:
        big = file.read() * 8
    path = tap.path_of('big.txt')
    with open(path, 'wb') as file:
        file.write(big)
    equal(tap.dmamap('replay', '--no-verify', '--json', path).stderr, b'')
    master, slave = pty.openpty()
    with subprocess.Popen([tap.DMAMAP, 'replay', '--no-verify', '--json', path], stdout=subprocess.DEVNULL,
                          stderr=slave) as process:
        os.close(slave)
        out = b''
        while True:
            try:
                out += os.read(master, 65536)
            except OSError:
                break
        equal(process.wait(), 0)
    os.close(master)
    assert b'%' in out and out.endswith(b'\r'), out[-80:]


tap.main()
