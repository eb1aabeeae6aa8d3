// The microphone, and sounds that the browser decodes: both become WAV in memory.

const MOST_RECORDED_S = 12;
const LEVEL_EVERY_MS = 100;

/** Return 16-bit mono WAV of a decoded sound, of at most so many seconds. */
export function toWav(sound, mostSeconds) {
  const rate = sound.sampleRate;
  const n = Math.min(sound.length, Math.round(mostSeconds * rate));
  const channels = Array.from({ length: sound.numberOfChannels }, (_, number) => sound.getChannelData(number));
  const view = new DataView(new ArrayBuffer(44 + 2 * n));
  const text = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, 36 + 2 * n, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, 2 * n, true);
  for (let i = 0; i < n; i++) {
    let sum = 0;
    for (const channel of channels) sum += channel[i];
    const value = Math.max(-1, Math.min(1, sum / channels.length));
    view.setInt16(44 + 2 * i, Math.round(32767 * value), true);
  }
  return new Blob([view], { type: "audio/wav" });
}

/** Decode a file by what the browser knows, and return it as WAV. */
export async function decodeToWav(file, mostSeconds) {
  const context = new AudioContext();
  try {
    return toWav(await context.decodeAudioData(await file.arrayBuffer()), mostSeconds);
  } finally {
    await context.close();
  }
}

/** Record from the microphone until it is ended or twelve seconds are over. */
export class Recorder {
  /** Begin; `onLevel(dbfs, seconds)` is called ten times a second. */
  static async start(onLevel) {
    // What cleans speech damages music.
    const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    return new Recorder(stream, onLevel);
  }

  constructor(stream, onLevel) {
    this.stream = stream;
    this.context = new AudioContext();
    const analyser = this.context.createAnalyser();
    analyser.fftSize = 4096;
    this.context.createMediaStreamSource(stream).connect(analyser);
    const block = new Float32Array(analyser.fftSize);
    const parts = [];
    this.recorder = new MediaRecorder(stream);
    this.recorder.ondataavailable = (event) => parts.push(event.data);
    this.done = new Promise((resolve) => {
      this.recorder.onstop = () => resolve(new Blob(parts, { type: this.recorder.mimeType }));
    });
    const began = performance.now();
    this.timer = setInterval(() => {
      analyser.getFloatTimeDomainData(block);
      const power = block.reduce((sum, value) => sum + value * value, 0) / block.length;
      const seconds = (performance.now() - began) / 1000;
      onLevel(Math.max(-60, 10 * Math.log10(power + 1e-12)), seconds);
      if (seconds >= MOST_RECORDED_S) this.end();
    }, LEVEL_EVERY_MS);
    this.recorder.start();
  }

  /** End the recording; `done` resolves to what was recorded. */
  end() {
    clearInterval(this.timer);
    if (this.recorder.state !== "inactive") this.recorder.stop();
    for (const track of this.stream.getTracks()) track.stop();
    if (this.context.state !== "closed") this.context.close();
  }
}
