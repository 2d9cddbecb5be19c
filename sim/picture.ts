/** Edge of a macroblock, in pixels. */
export const BLOCK = 16;

/** A rectangle in pixels. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A picture in three planes, 4:2:0, padded to whole macroblocks, that knows which of them were drawn on. */
export class Picture {
  readonly width: number;
  readonly height: number;
  /** Macroblocks in a row, and rows of them. */
  readonly columns: number;
  readonly rows: number;
  /** Bytes in a row of luma; rows of chroma have half as many. */
  readonly stride: number;
  readonly luma: Uint8Array;
  readonly blue: Uint8Array;
  readonly red: Uint8Array;
  /** By macroblock: 1 where something was drawn since the last {@link settle}. */
  readonly touched: Uint8Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.columns = Math.ceil(width / BLOCK);
    this.rows = Math.ceil(height / BLOCK);
    this.stride = this.columns * BLOCK;
    const pixels = this.stride * this.rows * BLOCK;
    this.luma = new Uint8Array(pixels).fill(16);
    this.blue = new Uint8Array(pixels / 4).fill(128);
    this.red = new Uint8Array(pixels / 4).fill(128);
    this.touched = new Uint8Array(this.columns * this.rows);
  }

  settle(): void {
    this.touched.fill(0);
  }

  /** Marks what was drawn on. Areas may reach beyond the picture. */
  touch({ x, y, width, height }: Area): void {
    const right = Math.min(this.columns - 1, Math.floor((x + width - 1) / BLOCK));
    const bottom = Math.min(this.rows - 1, Math.floor((y + height - 1) / BLOCK));
    for (let row = Math.max(0, Math.floor(y / BLOCK)); row <= bottom; row += 1)
      for (let column = Math.max(0, Math.floor(x / BLOCK)); column <= right; column += 1)
        this.touched[row * this.columns + column] = 1;
  }

  /** Copies an area from a picture of the same size. Its corners are rounded outwards to whole chroma samples. */
  restore(from: Picture, area: Area): void {
    const left = Math.max(0, area.x & ~1);
    const top = Math.max(0, area.y & ~1);
    const right = Math.min(this.stride, (area.x + area.width + 1) & ~1);
    const bottom = Math.min(this.rows * BLOCK, (area.y + area.height + 1) & ~1);
    if (right <= left || bottom <= top) return;
    for (let y = top; y < bottom; y += 1) {
      const row = y * this.stride;
      this.luma.set(from.luma.subarray(row + left, row + right), row + left);
      if ((y & 1) === 1) continue;
      const half = (y / 2) * (this.stride / 2);
      this.blue.set(from.blue.subarray(half + left / 2, half + right / 2), half + left / 2);
      this.red.set(from.red.subarray(half + left / 2, half + right / 2), half + left / 2);
    }
    this.touch({ x: left, y: top, width: right - left, height: bottom - top });
  }

  /** Fills one macroblock. */
  fillBlock(column: number, row: number, [luma, blue, red]: readonly [number, number, number]): void {
    for (let y = 0; y < BLOCK; y += 1) {
      const at = (row * BLOCK + y) * this.stride + column * BLOCK;
      this.luma.fill(luma, at, at + BLOCK);
      if ((y & 1) === 1) continue;
      const half = ((row * BLOCK + y) / 2) * (this.stride / 2) + (column * BLOCK) / 2;
      this.blue.fill(blue, half, half + BLOCK / 2);
      this.red.fill(red, half, half + BLOCK / 2);
    }
    this.touched[row * this.columns + column] = 1;
  }

  /** Blends gray of the given luma over one pixel; `alpha` 0–255. */
  blend(x: number, y: number, luma: number, alpha: number): void {
    if (alpha === 0 || x < 0 || y < 0 || x >= this.stride || y >= this.rows * BLOCK) return;
    const at = y * this.stride + x;
    this.luma[at] = mix(this.luma[at] as number, luma, alpha);
    const half = (y >> 1) * (this.stride / 2) + (x >> 1);
    // Four pixels share a chroma sample: each takes its part of the color away.
    this.blue[half] = mix(this.blue[half] as number, 128, alpha >> 2);
    this.red[half] = mix(this.red[half] as number, 128, alpha >> 2);
  }
}

function mix(from: number, to: number, alpha: number): number {
  return Math.round(from + ((to - from) * alpha) / 255);
}
