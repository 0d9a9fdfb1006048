"""Whether known speech arrived, and how well.

    python3 score.py SENT.wav RECEIVED.wav [--channel left|right] [--json]

Exit status 0 when it did: see Score.faults(). As a module: score(sent, received, rate).

What was sent is looked for in what was received, in pieces of 200 ms, and each piece is put where
it fits best, a little earlier or later than the piece before it: a jitter buffer may have shifted
it. Then it is judged in segments of 10 ms, short enough that one lost packet spoils one whole.
Everything is compared in the telephone band (300 to 3400 Hz), after one gain for the whole, so
that a codec, a resampler or a quieter line are no fault, but noise, gaps, other words and another
speaker are.
"""

import argparse
import dataclasses
import json
import sys
import wave

import numpy

RATE = 16000            # of comparison: 8 kHz would leave half a sample of misalignment
PIECE = RATE // 5       # 200 ms
SEGMENT = RATE // 100   # 10 ms
SLACK = RATE * 3 // 50  # how much a piece may move against the one before it: 60 ms
BAND_HZ = (300, 3400)
SPEECH_DB = -20.0       # a segment this far below the loudest is not judged: codecs differ there
PIECE_FIT = 0.7         # a piece that correlates so much is where it belongs
SEGMENT_FIT = 0.4       # a segment that correlates less did not arrive


@dataclasses.dataclass
class Score:
    """What was found; the text of faults() is empty when speech arrived."""
    correlation: float   # of all pieces with speech, energy-weighted, 0 to 1
    snr_db: float        # mean over segments with speech, each held between -10 and 35 dB
    coverage: float      # share of segments with speech that arrived
    dropouts: int        # runs of segments with speech that did not
    longest_gap_ms: int  # speech in the longest of them
    delay_ms: float      # from the start of the received recording to the first piece
    drift_ms: float      # how much later the last piece came than the first said
    level_db: float      # received against sent

    def faults(self, correlation=0.85, snr_db=5.0, coverage=0.96, level_db=12.0):
        """What falls short of the limits, as sentences."""
        found = []
        if self.correlation < correlation:
            found.append(f"correlation {self.correlation:.2f} is below {correlation}")
        if self.snr_db < snr_db:
            found.append(f"segmental SNR {self.snr_db:.1f} dB is below {snr_db}")
        if self.coverage < coverage:
            found.append(f"only {100 * self.coverage:.1f} % arrived: {self.dropouts} gap(s), the "
                         f"longest of {self.longest_gap_ms} ms")
        if abs(self.level_db) > level_db:
            found.append(f"level changed by {self.level_db:+.1f} dB")
        return found

    def line(self):
        return (f"correlation {self.correlation:.3f}, SNR {self.snr_db:.1f} dB, "
                f"{100 * self.coverage:.1f} % arrived, {self.dropouts} drop-out(s), "
                f"level {self.level_db:+.1f} dB")


NOTHING = Score(0.0, -10.0, 0.0, 1, 0, 0.0, 0.0, -99.0)


# --- reading ---

def read_wav(path, channel=None):
    """(samples as floats in -1…1, rate); channel "left", "right", or None for their mean. A file
    whose head promises more than is there (kill -9) is read as far as it goes."""
    with wave.open(path, "rb") as file:
        channels, rate = file.getnchannels(), file.getframerate()
        assert file.getsampwidth() == 2, f"{path}: not 16 bit"
        data = file.readframes(file.getnframes())
    data = data[:len(data) - len(data) % (2 * channels)]
    samples = numpy.frombuffer(data, dtype="<i2").reshape(-1, channels) / 32768.0
    if channel is None:
        return samples.mean(axis=1), rate
    return samples[:, {"left": 0, "right": channels - 1}[channel]], rate


def to_band(samples, rate):
    """At RATE, telephone band only, by way of the spectrum."""
    samples = numpy.asarray(samples, dtype=float)
    if len(samples) == 0:
        return samples
    length = max(1, round(len(samples) * RATE / rate))
    spectrum = numpy.fft.rfft(samples)
    hz = numpy.arange(len(spectrum)) * rate / len(samples)
    spectrum[(hz < BAND_HZ[0]) | (hz > BAND_HZ[1])] = 0
    wanted = numpy.zeros(length // 2 + 1, dtype=complex)
    kept = min(len(wanted), len(spectrum))
    wanted[:kept] = spectrum[:kept]
    return numpy.fft.irfft(wanted, length) * length / len(samples)


# --- finding ---

def correlate(piece, samples):
    """Normalised correlation of a piece at each place of samples where all of it fits."""
    size = len(samples) + len(piece) - 1
    size = 1 << (size - 1).bit_length()
    product = numpy.fft.irfft(numpy.fft.rfft(samples, size) *
                              numpy.conj(numpy.fft.rfft(piece, size)), size)
    places = len(samples) - len(piece) + 1
    energy = numpy.concatenate(([0.0], numpy.cumsum(samples ** 2)))
    under = energy[len(piece):] - energy[:places]
    scale = numpy.sqrt(numpy.maximum(under, 1e-9) * max(float(piece @ piece), 1e-12))
    return product[:places] / scale


def find_whole(sent, received):
    """Where the whole of what was sent begins in what was received; may be before its start."""
    size = 1 << (len(sent) + len(received)).bit_length()
    product = numpy.fft.irfft(numpy.fft.rfft(received, size) *
                              numpy.conj(numpy.fft.rfft(sent, size)), size)
    at = int(numpy.argmax(product))
    return at - size if at > len(received) else at


def place_pieces(sent, received, start):
    """[(begin in sent, begin in received, correlation)] for each piece with speech."""
    begins = range(0, len(sent) - PIECE + 1, PIECE)
    energy = [float(sent[at:at + PIECE] @ sent[at:at + PIECE]) for at in begins]
    floor = max(energy, default=0.0) * 10 ** ((SPEECH_DB - 10) / 10)
    padded = numpy.concatenate((numpy.zeros(SLACK + PIECE), received,
                                numpy.zeros(SLACK + PIECE + len(sent))))
    placed, shift = [], start
    for begin, power in zip(begins, energy):
        if power <= max(floor, 1e-9):
            continue
        around = begin + shift + PIECE  # in padded, SLACK before where it should be
        window = padded[max(around, 0):max(around, 0) + PIECE + 2 * SLACK]
        if len(window) < PIECE + 2 * SLACK:
            placed.append((begin, begin + shift, 0.0))
            continue
        fits = correlate(sent[begin:begin + PIECE], window)
        best = int(numpy.argmax(fits))
        at = max(around, 0) + best - SLACK - PIECE
        placed.append((begin, at, float(fits[best])))
        if fits[best] >= PIECE_FIT:
            shift = at - begin
    return placed


# --- judging ---

def judge_segments(sent, received, placed, gain):
    """(SNR in dB, correlation) of each segment with speech, as two arrays."""
    powers, errors, fits = [], [], []
    for begin, at, _ in placed:
        for offset in range(0, PIECE, SEGMENT):
            clean = gain * sent[begin + offset:begin + offset + SEGMENT]
            heard = received[max(at + offset, 0):max(at + offset, 0) + SEGMENT]
            if at + offset < 0 or len(heard) < SEGMENT:
                heard = numpy.zeros(SEGMENT)
            power = float(clean @ clean)
            powers.append(power)
            errors.append(float((heard - clean) @ (heard - clean)))
            fits.append(float(clean @ heard) / (power * float(heard @ heard) + 1e-15) ** 0.5)
    powers, errors, fits = numpy.array(powers), numpy.array(errors), numpy.array(fits)
    loud = powers > powers.max() * 10 ** (SPEECH_DB / 10)
    return 10 * numpy.log10((powers[loud] + 1e-12) / (errors[loud] + 1e-12)), fits[loud]


def find_gaps(arrived):
    """(runs of segments that did not arrive, segments in the longest of them)."""
    runs, longest, length = 0, 0, 0
    for there in arrived:
        length = 0 if there else length + 1
        runs += length == 1
        longest = max(longest, length)
    return runs, longest


def score(sent, received, sent_rate, received_rate=None):
    """Compares samples in -1…1; a Score."""
    sent = to_band(sent, sent_rate)
    received = to_band(received, received_rate or sent_rate)
    if len(received) < PIECE or float(received @ received) / len(received) < 1e-9:
        return NOTHING
    placed = place_pieces(sent, received, find_whole(sent, received))
    assert placed, "there is no speech in what was sent"

    weight = numpy.array([float(sent[b:b + PIECE] @ sent[b:b + PIECE]) for b, _, _ in placed])
    fits = numpy.array([max(fit, 0.0) for _, _, fit in placed])
    found = [place for place in placed if place[2] >= PIECE_FIT]
    gain = fit_gain(sent, received, found)
    snr_db, segment_fits = judge_segments(sent, received, placed, gain)
    arrived = segment_fits >= SEGMENT_FIT
    runs, longest = find_gaps(arrived)
    delays = [at - begin for begin, at, _ in found or placed]
    return Score(correlation=float((fits * weight).sum() / weight.sum()),
                 # Clipped as is usual: one gap must not outweigh all the rest.
                 snr_db=float(numpy.clip(snr_db, -10, 35).mean()),
                 coverage=float(arrived.mean()), dropouts=runs,
                 longest_gap_ms=longest * 1000 * SEGMENT // RATE,
                 delay_ms=1000.0 * delays[0] / RATE,
                 drift_ms=1000.0 * (delays[-1] - delays[0]) / RATE,
                 level_db=float(20 * numpy.log10(max(gain, 1e-5))))


def fit_gain(sent, received, found):
    """The one factor that makes what was sent most like what was received."""
    product = energy = 0.0
    for begin, at, _ in found:
        clean, heard = sent[begin:begin + PIECE], received[max(at, 0):at + PIECE]
        if len(heard) == len(clean):
            product += float(clean @ heard)
            energy += float(clean @ clean)
    return product / energy if energy else 1e-5


def score_files(sent, received, channel=None):
    sent_samples, sent_rate = read_wav(sent)
    received_samples, received_rate = read_wav(received, channel)
    return score(sent_samples, received_samples, sent_rate, received_rate)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("sent")
    options.add_argument("received")
    options.add_argument("--channel", choices=("left", "right"))
    options.add_argument("--json", action="store_true")
    args = options.parse_args()
    result = score_files(args.sent, args.received, args.channel)
    if args.json:
        print(json.dumps(dataclasses.asdict(result) | {"faults": result.faults()}))
    else:
        print(result.line())
        for fault in result.faults():
            print(f"  {fault}")
    return 1 if result.faults() else 0


if __name__ == "__main__":
    sys.exit(main())
