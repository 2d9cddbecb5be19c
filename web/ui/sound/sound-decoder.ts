import { decodeG711, isG711 } from "./g711.ts";

/** As web/sound.ts describes it. */
export interface SoundFormat {
  readonly codec: string;
  readonly sampleRateHz: number;
  readonly channels: number;
  readonly config?: string;
}

/** Samples of each channel. */
export interface Piece {
  /** Of its first sample, in milliseconds since 1970. */
  readonly at: number;
  readonly sampleRateHz: number;
  readonly channels: readonly Float32Array<ArrayBuffer>[];
}

export interface SoundDecoder {
  decode(at: number, data: ArrayBuffer): void;
  close(): void;
}

/** G.711 by our own table, for browsers need not know it; everything else by WebCodecs. Rejects, with a sentence for people, where the browser has no decoder. */
export async function soundDecoder(
  format: SoundFormat,
  o: { readonly decoded: (piece: Piece) => void; readonly failed: () => void },
): Promise<SoundDecoder> {
  const { codec, sampleRateHz, channels, config } = format;
  if (isG711(codec))
    return {
      decode: (at, data) =>
        o.decoded({ at, sampleRateHz, channels: decodeG711(codec, new Uint8Array(data), channels) }),
      close: () => undefined,
    };
  const description =
    config === undefined ? {} : { description: Uint8Array.from(atob(config), (one) => one.charCodeAt(0)) };
  const asked: AudioDecoderConfig = { codec, sampleRate: sampleRateHz, numberOfChannels: channels, ...description };
  const isKnown = "AudioDecoder" in window && (await AudioDecoder.isConfigSupported(asked)).supported === true;
  if (!isKnown) throw new Error(`This browser cannot play ${NAMES[codec] ?? codec} sound.`);
  const decoder = new AudioDecoder({
    output(audio) {
      const planes = Array.from({ length: audio.numberOfChannels }, (_, planeIndex) => {
        const plane = new Float32Array(audio.numberOfFrames);
        audio.copyTo(plane, { planeIndex, format: "f32-planar" });
        return plane;
      });
      o.decoded({ at: audio.timestamp / 1000, sampleRateHz: audio.sampleRate, channels: planes });
      audio.close();
    },
    error: o.failed,
  });
  decoder.configure(asked);
  return {
    decode: (at, data) => decoder.decode(new EncodedAudioChunk({ type: "key", timestamp: at * 1000, data })),
    close() {
      if (decoder.state !== "closed") decoder.close();
    },
  };
}

/** What people call what browsers call otherwise. */
const NAMES: Readonly<Record<string, string>> = { "mp4a.40.2": "AAC", "mp4a.40.5": "HE-AAC", opus: "Opus" };
