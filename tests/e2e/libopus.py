"""libopus itself, as a telephone would use it, for what ffmpeg can't be asked for."""

import ctypes
import struct

_lib = ctypes.CDLL("libopus.so.0")
for _name in ("opus_encoder_create", "opus_decoder_create"):
    getattr(_lib, _name).restype = ctypes.c_void_p
VOIP = 2048
CTL = {"bitrate": 4002, "vbr": 4006, "fec": 4012, "loss": 4014, "dtx": 4016, "channels": 4022}


class Encoder:
    """Of 20 ms frames at 48 kHz; options as CTL names them."""

    def __init__(self, channels=1, **options):
        error = ctypes.c_int()
        self.channels = channels
        self.state = ctypes.c_void_p(
            _lib.opus_encoder_create(48000, channels, VOIP, ctypes.byref(error)))
        for name, value in options.items():
            assert _lib.opus_encoder_ctl(self.state, CTL[name], ctypes.c_int(value)) == 0, name

    def encode(self, samples):
        """A payload of 960 samples of each channel, alternating."""
        pcm = struct.pack(f"<{len(samples)}h", *samples)
        out = ctypes.create_string_buffer(1400)
        n = _lib.opus_encode(self.state, pcm, len(samples) // self.channels, out, len(out))
        assert n > 0, n
        return out.raw[:n]


class Decoder:
    """To one channel at some rate."""

    def __init__(self, rate=8000):
        error = ctypes.c_int()
        self.rate = rate
        self.state = ctypes.c_void_p(_lib.opus_decoder_create(rate, 1, ctypes.byref(error)))

    def decode(self, payload):
        out = ctypes.create_string_buffer(2 * self.rate * 120 // 1000)
        n = _lib.opus_decode(self.state, payload, len(payload), out, len(out) // 2, 0)
        assert n > 0, n
        return list(struct.unpack(f"<{n}h", out.raw[:2 * n]))


def is_stereo(payload):
    """RFC 6716 3.1."""
    return bool(payload[0] & 4)
