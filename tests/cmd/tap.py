# SPDX-License-Identifier: BSD-2-Clause
"""What the tests of the command share: running it, traces made of a few lines, and TAP."""
import json
import os
import subprocess
import sys
import tempfile
import traceback

ROOT = os.environ['DMAMAP_SOURCE_ROOT']
DMAMAP = os.environ['DMAMAP']
TRACES = os.path.join(ROOT, 'examples', 'traces')
HEADER = '# tracer: nop\n#\n#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION\n'
DEV = '0000:01:00.0'

_cases = []
_work = tempfile.TemporaryDirectory(prefix='dmamap-test-')


def case(function):
    """Decorator: a test case, named by its first line of documentation."""
    _cases.append(function)
    return function


def main():
    failed = 0
    for number, function in enumerate(_cases, 1):
        name = function.__doc__.split('\n')[0].rstrip('.')
        try:
            function()
            print(f'ok {number} - {name}')
        except Exception:  # noqa: whatever it is, the case failed
            failed += 1
            print(f'not ok {number} - {name}')
            print(''.join('# ' + line + '\n' for line in traceback.format_exc().split('\n')), end='')
    print(f'1..{len(_cases)}')
    sys.exit(1 if failed else 0)


def path_of(name):
    return os.path.join(_work.name, name)


def equal(got, wanted, what=''):
    if got != wanted:
        raise AssertionError(f'{what}: got {got!r}, wanted {wanted!r}')


def dmamap(*args, stdin=None, env=None):
    """Run the command; standard input is bytes, a file, or empty."""
    settings = {**os.environ, **(env or {})}
    feed = {'input': stdin} if isinstance(stdin, bytes) else {'stdin': stdin or subprocess.DEVNULL}
    return subprocess.run([DMAMAP, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=settings, timeout=300,
                          check=False, **feed)


def replay(*args, code=0, stdin=None):
    """The JSON report of a replay, and what was said on standard error."""
    run = dmamap('replay', '--json', *args, stdin=stdin)
    said = run.stderr.decode()
    equal(run.returncode, code, f'exit code of {args}, which said {said!r}')
    return json.loads(run.stdout), said


def trace(*messages, name='trace.txt', header=HEADER):
    """A file with one line for each message; a message may be (CPU, message) or (CPU, seconds, message)."""
    lines = []
    for number, message in enumerate(messages):
        cpu, when = 0, number / 1e6 + 1
        if isinstance(message, tuple):
            cpu, message, when = (message[0], message[1], when) if len(message) == 2 else \
                (message[0], message[2], message[1])
        lines.append(f'            task-7       [{cpu:03d}] ..... {when:12.6f}: {message}\n')
    path = path_of(name)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(header + ''.join(lines))
    return path


def map_line(dma, size, phys, direction='TO_DEVICE', attrs='', dev=DEV, event='dma_map_phys'):
    return f'{event}: {dev} dir={direction} dma_addr={dma:x} size={size} phys_addr={phys:x} attrs={attrs}'


def unmap_line(dma, size, direction='TO_DEVICE', attrs='', dev=DEV, event='dma_unmap_phys'):
    return f'{event}: {dev} dir={direction} dma_addr={dma:x} size={size} attrs={attrs}'


def numbers(values):
    return '{' + ','.join(f'0x{value:x}' for value in values) + '}'


def sg_line(dma, sizes, phys, direction='TO_DEVICE', attrs='', dev=DEV, nents=None, ents=None):
    cut = ' [TRUNCATED]' if nents or ents else ''
    return (f'dma_map_sg: {dev} dir={direction} nents={len(phys)}/{nents or len(phys)} '
            f'ents={len(dma)}/{ents or len(dma)}{cut} dma_addrs={numbers(dma)} sizes={numbers(sizes)} '
            f'phys_addrs={numbers(phys)} attrs={attrs}')


def unsg_line(phys, direction='TO_DEVICE', attrs='', dev=DEV):
    return f'dma_unmap_sg: {dev} dir={direction} phys_addrs={numbers(phys)} attrs={attrs}'


def iommu_line(iova, phys, size):
    return f'map: IOMMU: iova=0x{iova:016x} - 0x{iova + size:016x} paddr=0x{phys:016x} size={size}'


def some(report, **wanted):
    """Assert these fields of a report."""
    equal({key: report[key] for key in wanted}, wanted, 'fields of the report')
