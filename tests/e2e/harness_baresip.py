"""A baresip that does what a test says, speaks from a file and keeps what it heard.

    with Island("10.77.2") as island, Baresip(island, "1001@10.77.2.1", password="secret",
                                              codecs="opus") as alice:
        alice.wait_registered()
        alice.wait("CALL_INCOMING")
        alice.accept()
        alice.say("alice.wav")      # silence until then
        alice.press("5")
        alice.digits()              # what arrived
        alice.heard_paths()         # the WAV files of what was heard
        alice.hang_up()

It is steered through its ctrl_tcp module: netstrings of JSON. baresip 1.0 wants speech at the rate
SPEECH_HZ, mono, 16 bit, and hangs up where it ends, so a long silence is put after it.
"""

import glob
import json
import os
import queue
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import wave

SPEECH_HZ = 16000
LEAD_S = 0.6   # baresip stumbles over the change of its source: not over words
TAIL_S = 60
CONTROL_PORT = 4444
MODULES = "/usr/lib/baresip/modules"
# codec -> (its module, its name in an account)
CODECS = {"PCMU": ("g711", "PCMU"), "PCMA": ("g711", "PCMA"), "G722": ("g722", "G722/16000/1"),
          "opus": ("opus", "opus/48000/2"), "GSM": ("gsm", "GSM"), "AMR": ("amr", "AMR"),
          "AMR-WB": ("amr", "AMR-WB"), "G726-32": ("g726", "G726-32"),
          "L16/16000": ("l16", "L16/16000/1")}

CONFIG = """
poll_method epoll
sip_listen {address}:{port}
call_local_timeout 120
call_max_calls 8
audio_source aufile,{folder}/silence.wav
audio_player aubridge,{name}
audio_alert aubridge,{name}alert
ausrc_srate {rate}
ausrc_channels 1
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
audio_buffer 20-160
rtp_ports {low}-{high}
rtp_stats yes
jitter_buffer_delay 2-20
module_path {modules}
{codec_modules}
module aufile.so
module aubridge.so
module sndfile.so
module stdio.so
snd_path {folder}
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen {address}:{control}
opus_bitrate 28000
statmode_default off
"""


class Baresip:
    """One user agent on an island."""

    def __init__(self, island, account, password=None, codecs="PCMA", register=True,
                 transport="udp", modules=(), contacts=(), account_keys=""):
        self.island, self.account = island, account
        self.name = account.split("@")[0]
        self.folder = tempfile.mkdtemp(prefix=f"baresip-{self.name}-")
        self.events, self.past = queue.Queue(), []
        self.codecs = [codecs] if isinstance(codecs, str) else list(codecs)
        self.modules, self.contacts, self.account_keys = modules, contacts, account_keys
        self.port = island.sip_port
        self.said = 0
        self._write_speech("silence")
        self._write_config()
        self._write_account(password, register, transport)
        self.log_path = f"{self.folder}/log"
        with open(self.log_path, "wb") as log:
            self.process = island.spawn(["baresip", "-4", "-f", self.folder], stdout=log,
                                        stderr=log, stdin=subprocess.PIPE)
        try:
            self.control = self._connect()
        except BaseException:
            self.close()
            raise
        threading.Thread(target=self._read, daemon=True).start()

    # --- its folder ---

    def _write_speech(self, name, speech=None):
        path = f"{self.folder}/{name}.wav"
        with wave.open(path, "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(SPEECH_HZ)
            if speech:
                out.writeframes(bytes(2 * round(SPEECH_HZ * LEAD_S)))
                with wave.open(speech, "rb") as file:
                    assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == \
                        (SPEECH_HZ, 1, 2), f"{speech}: not {SPEECH_HZ} Hz, mono, 16 bit"
                    out.writeframes(file.readframes(file.getnframes()))
            out.writeframes(bytes(2 * SPEECH_HZ * TAIL_S))
        return path

    def _write_config(self):
        modules = dict.fromkeys(CODECS[codec][0] for codec in self.codecs)
        with open(f"{self.folder}/config", "w", encoding="utf-8") as file:
            file.write(CONFIG.format(
                address=self.island.there, folder=self.folder, name=self.name, rate=SPEECH_HZ,
                low=self.island.media_ports[0], high=self.island.media_ports[1], modules=MODULES, control=CONTROL_PORT + self.port - 5060, port=self.port,
                codec_modules="\n".join(f"module {module}.so" for module in modules)))
            file.write("".join(f"module_app {module}.so\n" for module in self.modules))

    def _write_account(self, password, register, transport):
        names = ",".join(CODECS[codec][1] for codec in self.codecs)
        user, domain = self.account.split("@")
        line = (f"<sip:{user}@{domain};transport={transport}>;answermode=manual;"
                f"audio_codecs={names};regint={600 if register else 0}")
        if password:
            line += f";auth_user={user};auth_pass={password}"
        line += self.account_keys
        contacts = "".join(f"{contact}\n" for contact in self.contacts)
        for name, text in (("accounts", line + "\n"), ("contacts", contacts)):
            with open(f"{self.folder}/{name}", "w", encoding="utf-8") as file:
                file.write(text)

    # --- its control connection ---

    def _connect(self, timeout=10.0):
        deadline = time.monotonic() + timeout
        target = (self.island.there, CONTROL_PORT + self.port - 5060)
        while time.monotonic() < deadline:
            try:
                return socket.create_connection(target, timeout=1)
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise AssertionError(f"baresip {self.name} is not there:\n{self.log()}")

    def _read(self):
        self.control.settimeout(None)
        buffer = b""
        while True:
            try:
                data = self.control.recv(65536)
            except OSError:
                return
            if not data:
                return
            buffer += data
            while b":" in buffer:
                size, rest = buffer.split(b":", 1)
                if len(rest) <= int(size):
                    break
                message = json.loads(rest[:int(size)])
                buffer = rest[int(size) + 1:]
                message["at"] = time.monotonic()
                self.past.append(message)
                self.events.put(message)

    def command(self, command, params=""):
        """Sends one command; its answer is an event without a type."""
        text = json.dumps({"command": command, "params": params, "token": command}).encode()
        self.control.sendall(b"%d:%s," % (len(text), text))

    # --- what a person does ---

    def dial(self, uri):
        self.command("dial", uri)

    def accept(self):
        self.command("accept")

    def hang_up(self):
        """Returns when its files are complete."""
        self.command("hangup")
        self.wait("CALL_CLOSED")
        time.sleep(0.2)

    def say(self, speech):
        """Speaks a WAV file from now on, once."""
        self.said += 1
        self.command("ausrc", f"aufile,{self._write_speech(f'speech-{self.said}', speech)}")

    def press(self, digits, pause_s=0.3):
        for digit in digits:
            self.command("sndcode", digit)
            time.sleep(0.15)
            self.command("sndcode", "\x04")  # the key goes up again
            time.sleep(pause_s)

    # --- what happened ---

    def wait(self, kind, timeout=10.0):
        """The next event of a type; others before it are passed over."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                event = self.events.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                said = [event.get("type") or event.get("data") for event in self.past]
                raise AssertionError(f"baresip {self.name}: no {kind} within {timeout} s, but "
                                     f"{said}\n{self.log()}") from None
            if event.get("type") == kind:
                return event

    def wait_registered(self, timeout=10.0):
        """By its log: the event may have been sent before we were there to hear it."""
        deadline = time.monotonic() + timeout
        while "registered successfully" not in self.log():
            assert time.monotonic() < deadline and self.process.poll() is None, \
                f"baresip {self.name} has not registered within {timeout} s\n{self.log()}"
            time.sleep(0.05)

    def digits(self):
        """Digits that arrived, in order."""
        return "".join(event["param"] for event in self.past
                       if event.get("type") == "CALL_DTMF_START")

    def heard_paths(self):
        """The WAV files of what was heard, the oldest first: a call may have several."""
        return sorted(glob.glob(f"{self.folder}/dump-*-dec.wav"), key=os.path.getmtime)

    def said_paths(self):
        """What went into its encoder: baresip's resampling is not the gateway's fault."""
        return sorted(glob.glob(f"{self.folder}/dump-*-enc.wav"), key=os.path.getmtime)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def close(self, keep=False):
        """Ends it; keep: leaves its folder."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if hasattr(self, "control"):
            self.control.close()
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
