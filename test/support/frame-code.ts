/** Where the code stands and how it is made, read from the description in sim/frame-code.ts and not taken from its code. */
const BLOCK = 16;
const COLUMNS = 16;
const ROWS = 2;
const MIDDLE_GRAY = 124;
/** How far from the middle a block must be to count, so that a gray mess is no number. */
const CLEAR = 40;

/**
 * The numbers that a simulated camera burnt into its frames. `raw`: frames of one size as `ffmpeg -f rawvideo -pix_fmt gray`
 * writes them. Throws where a frame shows no number, or one whose checksum is wrong: the picture was damaged on its way.
 */
export function framesOf(raw: Buffer, width: number, height: number): readonly number[] {
  const frameBytes = width * height;
  if (raw.length % frameBytes !== 0)
    throw new Error(`${raw.length} bytes are no whole number of frames of ${width}x${height}`);
  return Array.from({ length: raw.length / frameBytes }, (_, index) =>
    numberOf(raw.subarray(index * frameBytes, (index + 1) * frameBytes), width, height, index),
  );
}

function numberOf(frame: Buffer, width: number, height: number, index: number): number {
  const firstRow = Math.floor(height / BLOCK) - ROWS;
  let bits = "";
  for (let block = 0; block < COLUMNS * ROWS; block += 1) {
    const x = (1 + (block % COLUMNS)) * BLOCK;
    const y = (firstRow + Math.floor(block / COLUMNS)) * BLOCK;
    const gray = grayOf(frame, width, x, y);
    if (Math.abs(gray - MIDDLE_GRAY) < CLEAR)
      throw new Error(
        `frame ${index} of what was decoded: block ${block} of its number is neither bright nor dark (${gray})`,
      );
    bits += gray > MIDDLE_GRAY ? "1" : "0";
  }
  const bytes = (bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2));
  const wanted = crc8(bytes.slice(0, 3));
  if (bytes[3] !== wanted)
    throw new Error(`frame ${index} of what was decoded: the checksum of its number is ${bytes[3]}, not ${wanted}`);
  return Number.parseInt(bits.slice(0, 24), 2);
}

/** Mean of the inner half of a block, which survives a lossy encoder in between. */
function grayOf(frame: Buffer, width: number, left: number, top: number): number {
  let sum = 0;
  for (let y = top + BLOCK / 4; y < top + (3 * BLOCK) / 4; y += 1)
    for (let x = left + BLOCK / 4; x < left + (3 * BLOCK) / 4; x += 1) sum += frame[y * width + x] ?? 0;
  return Math.round(sum / (BLOCK / 2) ** 2);
}

/** x^8 + x^2 + x + 1, begun with 0x5a, bit by bit. */
function crc8(bytes: readonly number[]): number {
  let rest = 0x5a;
  for (const byte of bytes)
    for (let bit = 7; bit >= 0; bit -= 1) {
      const out = ((rest >> 7) & 1) ^ ((byte >> bit) & 1);
      rest = ((rest << 1) & 0xff) ^ (out === 1 ? 0x07 : 0);
    }
  return rest;
}
