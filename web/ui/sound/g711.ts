/** What each byte of mu-law (`ulaw`) or A-law (`alaw`) stands for, from -1 to 1 (ITU-T G.711). */
const LEVELS = { ulaw: levelsOf(muLaw), alaw: levelsOf(aLaw) } as const;

export type G711 = keyof typeof LEVELS;

export function isG711(codec: string): codec is G711 {
  return Object.hasOwn(LEVELS, codec);
}

/** The samples of each channel; of several, bytes take turns (RFC 3551 4.1). */
export function decodeG711(codec: G711, bytes: Uint8Array, channels: number): readonly Float32Array<ArrayBuffer>[] {
  const levels = LEVELS[codec];
  return Array.from({ length: channels }, (_, channel) => {
    const samples = new Float32Array(Math.floor(bytes.length / channels));
    for (let index = 0; index < samples.length; index += 1)
      samples[index] = levels[bytes[index * channels + channel] ?? 0] ?? 0;
    return samples;
  });
}

function levelsOf(of: (byte: number) => number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, byte) => of(byte) / 32_768);
}

/** All bits are sent inverted; 132 is added before the segment is found. */
function muLaw(sent: number): number {
  const byte = ~sent;
  const magnitude = (((byte & 0x0f) * 8 + 132) << ((byte >> 4) & 7)) - 132;
  return (byte & 0x80) === 0 ? magnitude : -magnitude;
}

/** Every other bit is sent inverted. */
function aLaw(sent: number): number {
  const byte = sent ^ 0x55;
  const segment = (byte >> 4) & 7;
  const step = (byte & 0x0f) * 16 + 8;
  const magnitude = segment === 0 ? step : (step + 256) << (segment - 1);
  return (byte & 0x80) === 0 ? -magnitude : magnitude;
}
