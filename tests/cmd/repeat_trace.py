#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Prints a recording many times over, each repetition as further devices in another PCI domain.

usage: repeat_trace.py TRACE[.gz] EVENTS >big.txt

Stops after EVENTS events at a whole repetition. For measuring by hand:

    repeat_trace.py examples/traces/nvme-e1000e-lazy.txt.gz 1000000 >/tmp/big.txt
    /usr/bin/time -v dmamap replay --no-verify --json /tmp/big.txt
"""
import gzip
import sys


def main():
    path, events = sys.argv[1], int(sys.argv[2])
    opener = gzip.open if path.endswith('.gz') else open
    with opener(path, 'rt', encoding='utf-8') as file:
        lines = file.readlines()
    header = [line for line in lines if line.startswith('#')]
    body = [line for line in lines if not line.startswith('#')]
    text = ''.join(body)
    sys.stdout.write(''.join(header))
    for domain in range((events + len(body) - 1) // len(body)):
        sys.stdout.write(text.replace(' 0000:', f' {domain:04x}:'))


main()
