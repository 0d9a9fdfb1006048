"""Codecs of another's making: ffmpeg, fed with the payloads of RTP packets in the form of files."""

import struct
import subprocess

from rtp import chunks, sine

AMR_BITS = (95, 103, 118, 134, 148, 159, 204, 244, 39)
WIDE_BITS = (132, 177, 253, 285, 317, 365, 397, 461, 477, 40)


def _ffmpeg(arguments, data):
    done = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", *arguments], input=data,
                          capture_output=True, check=False, timeout=20)
    assert done.stdout, f"ffmpeg {' '.join(arguments)}: {done.stderr.decode()[-300:]}"
    return done.stdout


def amr_storage(payload, bits, octet_align):
    """Frames of an RFC 4867 payload as in files, and its mode request."""
    value, left = int.from_bytes(payload, "big"), len(payload) * 8
    at = 0

    def take(n):
        nonlocal at
        at += n
        assert at <= left, "payload cut short"
        return value >> (left - at) & ((1 << n) - 1)

    request = take(8) >> 4 if octet_align else take(4)
    types, more = [], 1
    while more:
        entry = take(8) >> 2 if octet_align else take(6)
        more, kind = entry >> 5, entry >> 1 & 15
        types.append((kind, entry & 1))
    frames = []
    for kind, good in types:
        size = bits[kind] if kind < len(bits) else 0
        whole = (size + 7) // 8 * 8
        body = take(whole) if octet_align else take(size) << (whole - size)
        frames.append(bytes([kind << 3 | good << 2]) + body.to_bytes(whole // 8, "big"))
    return frames, request


def _ogg_crc(data):
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04c11db7 if crc & 0x80000000 else crc << 1) & 0xffffffff
    return crc


def _ogg(packets, step):
    out, granule = b"", 0
    for i, packet in enumerate(packets):
        granule += step if i > 1 else 0
        flags = 2 if i == 0 else 4 if i == len(packets) - 1 else 0
        lacing = [255] * (len(packet) // 255) + [len(packet) % 255]
        head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, granule, 1, i, 0, len(lacing))
        page = head + bytes(lacing) + packet
        out += page[:22] + struct.pack("<I", _ogg_crc(page)) + page[26:]
    return out


def _ogg_packets(data):
    """Those of the one stream in it, RFC 3533 6."""
    packets, rest, at = [], b"", 0
    while at < len(data):
        lacing = data[at + 27:at + 27 + data[at + 26]]
        at += 27 + len(lacing)
        for size in lacing:
            rest, at = rest + data[at:at + size], at + size
            if size < 255:
                packets, rest = [*packets, rest], b""
    return packets


def _speex_file(payloads, rate):
    wide = rate == 16000
    header = b"Speex   1".ljust(28, b"\0") + struct.pack(
        "<13I", 1, 80, rate, int(wide), 4, 1, 0xffffffff, rate // 50, 0, 1, 0, 0, 0)
    return _ogg([header, struct.pack("<II", 0, 0), *payloads], rate // 50)


def hear(codec, payloads, rate=8000, octet_align=False):
    """Samples at `rate` of what the payloads hold."""
    name, _, clock = codec.partition("/")
    raw = b"".join(payloads)
    forms = {
        "G729": ["-f", "g729"], "GSM": ["-f", "gsm"], "G722": ["-f", "g722"],
        "iLBC": ["-f", "ilbc"], "AMR": ["-f", "amr"], "AMR-WB": ["-f", "amr"],
        "speex": ["-f", "ogg"],
        "L16": ["-f", "s16be", "-ac", "1", "-ar", clock or "8000"],
    }
    if "G726" in name:
        kind = "g726" if name.startswith("AAL2") else "g726le"
        form = ["-f", kind, "-code_size", str(int(name[-2:]) // 8)]
    else:
        form = forms[name]
    if name == "iLBC":
        raw = (b"#!iLBC20\n" if len(payloads[0]) % 38 == 0 else b"#!iLBC30\n") + raw
    elif name in ("AMR", "AMR-WB"):
        wide = name == "AMR-WB"
        raw = b"#!AMR-WB\n" if wide else b"#!AMR\n"
        for payload in payloads:
            frames, _ = amr_storage(payload, WIDE_BITS if wide else AMR_BITS, octet_align)
            raw += b"".join(frames)
    elif name == "speex":
        raw = _speex_file(payloads, int(clock or 8000))
    out = _ffmpeg([*form, "-i", "pipe:0", "-f", "s16le", "-ac", "1", "-ar", str(rate), "pipe:1"],
                  raw)
    return list(struct.unpack(f"<{len(out) // 2}h", out))


def _amr_payload(frame, bits, octet_align):
    """RFC 4867 4.3, 4.4: one frame as in files, and no mode request."""
    kind, size = frame[0] >> 3, bits[frame[0] >> 3]
    if octet_align:
        return bytes([0xf0, kind << 3 | 4]) + frame[1:]
    body = int.from_bytes(frame[1:], "big") >> (len(frame) * 8 - 8 - size)
    value, n = (15 << 6 | kind << 1 | 1) << size | body, 10 + size
    return (value << (-n % 8)).to_bytes((n + 7) // 8, "big")


def _amr(hz, seconds, wide, octet_align):
    """By the encoders of GStreamer, whose output is frames one after the other."""
    bits, rate = (WIDE_BITS, 16000) if wide else (AMR_BITS, 8000)
    tone = sine(hz, seconds, rate=rate)
    done = subprocess.run(
        ["gst-launch-1.0", "-q", "fdsrc", "!", "rawaudioparse", "format=pcm", "pcm-format=s16le",
         f"sample-rate={rate}", "num-channels=1", "!", "voamrwbenc" if wide else "amrnbenc", "!",
         "fdsink"], input=struct.pack(f"<{len(tone)}h", *tone), capture_output=True, check=True,
        timeout=20)
    frames, at = [], 0
    while at < len(done.stdout):
        size = 1 + (bits[done.stdout[at] >> 3] + 7) // 8
        frames.append(done.stdout[at:at + size])
        at += size
    return [_amr_payload(frame, bits, octet_align) for frame in frames]


def say(codec, hz, seconds, octet_align=False):
    """Payloads of 20 ms of a tone; None: nobody else here can encode it."""
    if codec in ("AMR", "AMR-WB"):
        return _amr(hz, seconds, codec == "AMR-WB", octet_align)
    tone = sine(hz, seconds)
    pcm = struct.pack(f"<{len(tone)}h", *tone)
    source = ["-f", "s16le", "-ar", "8000", "-ac", "1", "-i", "pipe:0"]
    if codec == "GSM":
        return chunks(_ffmpeg([*source, "-c:a", "libgsm", "-f", "gsm", "pipe:1"], pcm), 33)
    if codec == "G722":
        return chunks(_ffmpeg([*source, "-ar", "16000", "-c:a", "g722", "-f", "g722", "pipe:1"],
                              pcm), 160)
    if "G726" in codec:
        kind = "g726" if codec.startswith("AAL2") else "g726le"
        rate = int(codec[-2:])
        return chunks(_ffmpeg([*source, "-c:a", kind, "-b:a", f"{rate}k", "-f", kind, "pipe:1"],
                              pcm), rate * 20 // 8)
    if codec in ("opus", "speex", "speex/16000"):
        rate = 16000 if codec == "speex/16000" else 8000
        out = _ffmpeg([*source, "-ar", "48000" if codec == "opus" else str(rate), "-c:a",
                       f"lib{codec.partition('/')[0]}", "-f", "ogg", "pipe:1"], pcm)
        return _ogg_packets(out)[2:]
    if codec in ("L16", "L16/16000"):  # wider ones need packets of other times
        clock = codec.partition("/")[2] or "8000"
        return chunks(_ffmpeg([*source, "-ar", clock, "-f", "s16be", "pipe:1"], pcm),
                      int(clock) // 50 * 2)
    return None
