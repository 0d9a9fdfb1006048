"""The judge of speech is judged: what arrived well passes, audio damaged on purpose does not."""

import os
import sys
import tempfile

import numpy

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from score import read_wav, score  # noqa: E402
from speech import speak  # noqa: E402
from rtp import decode, encode  # noqa: E402

RATE = 16000
FRAME = RATE // 50


def speech(who="caller"):
    with tempfile.TemporaryDirectory() as folder:
        return read_wav(speak(who, folder))[0]


def silence(seconds):
    return numpy.zeros(int(RATE * seconds))


def noise(size, level):
    return numpy.random.default_rng(1).normal(0, level, size)


def lose(samples, share, conceal=False):
    """Frames of 20 ms lost at random: silence, or the frame before them once more."""
    out, chance = samples.copy(), numpy.random.default_rng(7)
    for at in range(FRAME, len(out) - FRAME, FRAME):
        if chance.random() < share:
            out[at:at + FRAME] = 0.7 * out[at - FRAME:at] if conceal else 0
    return out


def g711(samples):
    """By way of A-law at 8 kHz: what a telephone makes of it."""
    narrow = numpy.clip(numpy.round(samples[::2] * 32768), -32768, 32767).astype(int)
    return numpy.array(decode(encode(narrow.tolist(), "PCMA"), "PCMA")) / 32768


def level_of(samples):
    return float(numpy.sqrt((samples ** 2).mean()))


def passes(result):
    assert not result.faults(), (result.line(), result.faults())


def fails(result, word=""):
    assert result.faults(), f"passed: {result.line()}"
    assert any(word in fault for fault in result.faults()), (word, result.faults())


def test_the_same_passes():
    sent = speech()
    result = score(sent, sent, RATE)
    passes(result)
    assert result.correlation > 0.999 and result.snr_db > 30 and result.coverage == 1, result


def test_what_a_telephone_does_passes():
    sent = speech()
    result = score(sent, g711(sent), RATE, RATE // 2)
    passes(result)
    assert result.coverage == 1, result


def test_later_and_quieter_passes_and_is_measured():
    sent = speech()
    result = score(sent, numpy.concatenate((silence(1.5), 0.5 * sent, silence(2))), RATE)
    passes(result)
    assert abs(result.delay_ms - 1500) < 2, result
    assert abs(result.level_db + 6) < 0.2, result


def test_a_step_of_the_delay_in_a_pause_passes_and_is_measured():
    sent = numpy.concatenate((speech(), silence(0.3), speech("callee")))
    middle = len(speech()) + RATE // 10
    result = score(sent, numpy.concatenate((sent[:middle], silence(0.04), sent[middle:])), RATE)
    passes(result)
    assert abs(result.drift_ms - 40) < 2, result


def test_a_little_noise_passes_and_much_does_not():
    sent = speech()
    loudness = level_of(sent)
    passes(score(sent, sent + noise(len(sent), loudness * 0.03), RATE))
    fails(score(sent, sent + noise(len(sent), loudness * 3), RATE), "SNR")


def test_silence_fails():
    sent = speech()
    fails(score(sent, silence(10), RATE), "arrived")
    fails(score(sent, silence(0), RATE), "arrived")


def test_noise_alone_fails():
    sent = speech()
    fails(score(sent, noise(len(sent), level_of(sent)), RATE), "correlation")


def test_other_words_fail():
    fails(score(speech(), speech("callee"), RATE), "correlation")


def test_a_tone_fails():
    sent = speech()
    tone = 0.3 * numpy.sin(2 * numpy.pi * 440 / RATE * numpy.arange(len(sent)))
    fails(score(sent, tone, RATE), "correlation")


def test_crossed_channels_fail_and_right_ones_pass():
    caller, callee = speech(), speech("callee")
    size = max(len(caller), len(callee))
    left = numpy.concatenate((caller, numpy.zeros(size - len(caller))))
    right = numpy.concatenate((callee, numpy.zeros(size - len(callee))))
    passes(score(caller, left, RATE))
    passes(score(callee, right, RATE))
    fails(score(caller, right, RATE), "correlation")
    fails(score(callee, left, RATE), "correlation")


def test_another_speaker_on_top_fails():
    caller, callee = speech(), speech("callee")
    size = min(len(caller), len(callee))
    fails(score(caller[:size], caller[:size] + callee[:size], RATE), "correlation")


def test_five_per_cent_of_loss_fails_concealed_or_not():
    sent = speech()
    fails(score(sent, lose(sent, 0.05), RATE), "arrived")
    fails(score(sent, lose(sent, 0.05, conceal=True), RATE), "arrived")


def test_a_tenth_of_a_second_missing_is_found():
    sent = speech()
    loudest = int(numpy.argmax(numpy.convolve(sent ** 2, numpy.ones(RATE // 5), "same")))
    damaged = sent.copy()
    damaged[loudest - RATE // 20:loudest + RATE // 20] = 0
    result = score(sent, damaged, RATE)
    assert result.dropouts >= 1 and 50 <= result.longest_gap_ms <= 120, result


def test_half_of_it_fails():
    sent = speech()
    fails(score(sent, sent[:len(sent) // 2], RATE), "arrived")
    fails(score(sent, sent[len(sent) // 2:], RATE), "arrived")


def test_the_wrong_speed_fails():
    sent = speech()
    faster = numpy.interp(numpy.arange(0, len(sent), 1.05), numpy.arange(len(sent)), sent)
    fails(score(sent, faster, RATE))


def test_clipped_to_the_bone_fails():
    sent = speech()
    fails(score(sent, numpy.sign(sent) * 0.5, RATE))
