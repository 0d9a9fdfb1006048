"""Speech that a computer speaks: two voices that no one takes for each other.

    path = speak("caller", "the text", folder)      # a WAV of 16 kHz, mono, 16 bit
"""

import os
import subprocess

RATE = 16000
VOICES = {"caller": ("en-gb", "-s", "155", "-p", "40"),
          "callee": ("en-us+f3", "-s", "150", "-p", "65")}
TEXTS = {
    "caller": "Good morning, this is the caller. I should like to order seven blue chairs and four "
              "lamps.",
    "callee": "Hello, this is the extension. We have yellow curtains and the finest shelves in "
              "town.",
}


def speak(who, folder, text=None):
    """Writes who.wav in a folder; its path."""
    path = os.path.join(folder, f"{who}.wav")
    spoken = subprocess.run(["espeak-ng", "-v", *VOICES[who], "--stdout", text or TEXTS[who]],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True).stdout
    subprocess.run(["sox", "-D", "-t", "wav", "--ignore-length", "-", "-r", str(RATE), "-c", "1", "-b",
                    "16", path, "norm", "-6"],
                   input=spoken, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    return path
