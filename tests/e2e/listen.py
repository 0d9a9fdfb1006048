"""How clean a tone came out of a stream: signal to noise in short windows of what a receiver plays.

    stream = timeline(packets, lambda p: decode(p.payload, "PCMA"))   # by timestamps, gaps silent
    assert share_of_clean(stream, 700) > 0.95
"""

import numpy

WINDOW = 160  # samples: 20 ms at 8 kHz


def timeline(packets, decode, clock=8000, rate=8000):
    """Samples where their timestamps say, as a receiver plays them; what nobody sent is silence."""
    packets = sorted(packets, key=lambda p: (p.ts - packets[0].ts + 2**31) % 2**32)
    first, out = packets[0].ts, numpy.zeros(0)
    for packet in packets:
        at = ((packet.ts - first) % 2**32) * rate // clock
        samples = numpy.array(decode(packet), dtype=float)
        if at > len(out) + 60 * rate:
            continue  # another timeline altogether
        if at + len(samples) > len(out):
            out = numpy.concatenate([out, numpy.zeros(at + len(samples) - len(out))])
        out[at:at + len(samples)] = samples
    return out


def windows(samples, hz, rate=8000, size=None):
    """SNR in dB of one window after another: of a tone of any phase and loudness to all else; -20
    where there is hardly any."""
    size = size or WINDOW * rate // 8000
    rows = numpy.asarray(samples[:len(samples) // size * size], dtype=float).reshape(-1, size)
    angle = 2 * numpy.pi * hz * numpy.arange(size) / rate
    basis = numpy.stack([numpy.cos(angle), numpy.sin(angle), numpy.ones(size)], axis=1)
    fit = rows @ numpy.linalg.pinv(basis).T @ basis.T
    signal, rest = numpy.mean(fit ** 2, axis=1), numpy.mean((rows - fit) ** 2, axis=1)
    snr = 10 * numpy.log10(numpy.maximum(signal, 1e-3) / numpy.maximum(rest, 1e-3))
    return [float(db) for db in numpy.where(signal < 100.0 ** 2, -20.0, snr)]


def share_of_clean(samples, hz, rate=8000, least_db=20.0):
    """Share of windows in which the tone stands that far above all else."""
    found = windows(samples, hz, rate)
    return sum(db >= least_db for db in found) / len(found) if found else 0.0
