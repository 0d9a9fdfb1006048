"""Telephones that we did not write, with codecs that few have: each heard by the other."""

from test_phones import converse

# Coders of voices keep the voice, not the wave; other words, or noise, correlate by 0.1.
CELP = {"correlation": 0.5, "snr_db": -2.0, "coverage": 0.6}


def test_amr_and_g726():
    converse("AMR", "G726-32", "chain", **CELP)


def test_gsm_and_amr_wide_band():
    converse("GSM", "AMR-WB", "chain", **CELP)


def test_linear_samples_and_pcma():
    converse("L16/16000", "PCMA", "chain")


for test in (test_amr_and_g726, test_gsm_and_amr_wide_band, test_linear_samples_and_pcma):
    test.timeout_s = 150  # of all attempts
