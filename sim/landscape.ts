import { BLOCK, Picture } from "./picture.ts";

type Rgb = readonly [red: number, green: number, blue: number];

interface Palette {
  readonly skyTop: Rgb;
  readonly skyLow: Rgb;
  readonly sun: Rgb;
  readonly far: Rgb;
  readonly near: Rgb;
  readonly stone: Rgb;
  readonly shade: Rgb;
  readonly water: Rgb;
  readonly train: Rgb;
}

/** Hours and seasons, so that cameras side by side are told apart at a glance. */
const PALETTES: readonly Palette[] = [
  // Morning.
  palette("#4d8fc9 #cfe6ee #fff6d0 #7fa8b8 #4f7f6b #b9a58c #8a7762 #3f7391 #c8402f"),
  // Sunset.
  palette("#4a3a6e #f2a05e #ffe3a0 #7a4f72 #4a3350 #a8785f #6f4a45 #5b4468 #2f6f8f"),
  // Spring.
  palette("#5fb0a8 #e6f0c8 #fffbe0 #86b58d #4c8a4f #c2b08f #8f7d60 #3d8178 #d98a1f"),
  // Night.
  palette("#0f1b3a #3b4f86 #e8ecf5 #26345e #17223f #56607c #38415c #1c2a52 #d9b23a"),
  // Autumn.
  palette("#7a8fa6 #ecd9b8 #fff1cf #b08a64 #9a5b2f #a89a8c #766a60 #5a6f7c #356a4a"),
  // Fog.
  palette("#8a9aa8 #d5dce0 #f6f8f8 #a3b1b8 #6c7f86 #b0b3b0 #82878a #6f858f #7a3550"),
];

/** Positions below are those of a picture of this size; others are stretched. */
const DESIGN = { width: 640, height: 360 } as const;
const HORIZON = 250;
const SUN = { x: 478, y: 104, radius: 33 } as const;
const PIER = { every: 91, width: 19 } as const;
const WATER_LINE = 306;
/** Of the roadway, in design pixels; its top is at {@link trackRow}. */
const DECK_HEIGHT = 13;
const CAR = { width: 30, gap: 3, count: 4, height: 13 } as const;

/** A picture that moves over another one: how opaque it is, by pixel, 0–255. */
export interface Sprite {
  readonly picture: Picture;
  readonly opacity: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** The row of macroblocks in which the train runs: all of it in one, so that little is to be sent. */
export function trackRow(height: number): number {
  return Math.round((height * 0.56) / BLOCK);
}

/** What does not move: hills, a viaduct over a river, and the sky in bands of a macroblock each. */
export function drawLandscape(width: number, height: number, which: number): Picture {
  const colors = paletteOf(which);
  const picture = new Picture(width, height);
  const deck = ((trackRow(height) + 1) * BLOCK * DESIGN.height) / height;
  paint(picture, (x, y, band) => {
    const [u, v] = [(x / width) * DESIGN.width, (y / height) * DESIGN.height];
    const bandAt = Math.min(1, (((band + 0.5) * BLOCK) / height) * (DESIGN.height / HORIZON));
    let color = mix(colors.skyTop, colors.skyLow, bandAt);
    color = mix(color, colors.sun, within(Math.hypot(u - SUN.x, v - SUN.y) - SUN.radius));
    color = mix(color, colors.far, within(200 - v + 20 * Math.sin(u / 83 + 0.6) + 9 * Math.sin(u / 31)));
    color = mix(color, colors.near, within(258 - v + 17 * Math.sin(u / 112 + 2.4) + 5 * Math.sin(u / 37 + 1)));
    color = mix(color, colors.water, within(WATER_LINE - v));
    return viaduct(color, u, v, deck, colors);
  });
  picture.settle();
  return picture;
}

/** A deck with a parapet, on piers with round arches between them. */
function viaduct(behind: Rgb, u: number, v: number, deck: number, { stone, shade }: Palette): Rgb {
  const middle = ((((u + 30) % PIER.every) + PIER.every) % PIER.every) - PIER.every / 2;
  const radius = (PIER.every - PIER.width) / 2;
  const spring = deck + DECK_HEIGHT + radius;
  // Outside of the opening between two piers, and not above the deck or in the water.
  const opening = v < spring ? radius - Math.hypot(middle, v - spring) : radius - Math.abs(middle);
  const wall = Math.max(opening, deck - v, v - WATER_LINE - 4);
  const ring = Math.max(Math.max(opening - 5, -opening), deck + DECK_HEIGHT - 8 - v, v - spring);
  let color = mix(behind, stone, within(wall));
  color = mix(color, shade, within(Math.max(ring, wall)));
  return mix(color, shade, within(Math.max(Math.abs(v - deck - 2.2) - 2.2, wall)));
}

/** An engine and its cars, seen from the side. */
export function drawTrain(which: number): Sprite {
  const colors = paletteOf(which);
  const width = CAR.count * (CAR.width + CAR.gap);
  const picture = new Picture(width, BLOCK);
  const opacity = new Uint8Array(picture.stride * BLOCK);
  const place = (x: number): number => (x % (CAR.width + CAR.gap)) - CAR.width / 2;
  const body = (x: number, y: number): number => rounded(place(x), y - 8, CAR.width / 2, CAR.height / 2, 3);
  paint(picture, (x, y) => {
    const engine = x > width - CAR.width - CAR.gap;
    const color = engine ? colors.train : mix(colors.train, [245, 245, 240], 0.75);
    const windows = rounded(((place(x) + 40) % 7) - 3.5, y - 6, 2.2, 2.4, 1);
    const glass: Rgb = [52, 60, 76];
    return mix(mix(color, glass, within(windows)), colors.train, within(11 - y));
  });
  for (let y = 0; y < BLOCK; y += 1)
    for (let x = 0; x < width; x += 1)
      opacity[y * picture.stride + x] = Math.round(255 * within(body(x + 0.5, y + 0.5)));
  return { picture, opacity, width, height: BLOCK };
}

/** Lays a sprite over a picture; `x` and `y` must be even. */
export function overlay(onto: Picture, { picture, opacity, width, height }: Sprite, x: number, y: number): void {
  for (let row = 0; row < height; row += 1)
    for (let column = Math.max(0, -x); column < Math.min(width, onto.width - x); column += 1) {
      const alpha = (opacity[row * picture.stride + column] as number) / 255;
      if (alpha === 0) continue;
      const to = (y + row) * onto.stride + x + column;
      onto.luma[to] = blend(onto.luma[to], picture.luma[row * picture.stride + column], alpha);
      if (((row | column) & 1) === 1) continue;
      const half = ((y + row) / 2) * (onto.stride / 2) + (x + column) / 2;
      const from = (row / 2) * (picture.stride / 2) + column / 2;
      onto.blue[half] = blend(onto.blue[half], picture.blue[from], alpha);
      onto.red[half] = blend(onto.red[half], picture.red[from], alpha);
    }
  onto.touch({ x, y, width, height });
}

/** The two colors of the frame-number code, as luma, blue, red. */
export function codeColors(which: number): readonly [dark: [number, number, number], bright: [number, number, number]] {
  const { water } = paletteOf(which);
  const [, blue, red] = yuvOf(water);
  return [
    [34, Math.round(blue), Math.round(red)],
    [214, 128, 128],
  ];
}

function paletteOf(which: number): Palette {
  return PALETTES[which % PALETTES.length] as Palette;
}

function palette(words: string): Palette {
  const [skyTop, skyLow, sun, far, near, stone, shade, water, train] = words.split(" ").map((word): Rgb => {
    const value = Number.parseInt(word.slice(1), 16);
    return [value >> 16, (value >> 8) & 0xff, value & 0xff];
  }) as [Rgb, Rgb, Rgb, Rgb, Rgb, Rgb, Rgb, Rgb, Rgb];
  return { skyTop, skyLow, sun, far, near, stone, shade, water, train };
}

/** Fills a picture with what `color` says of each pixel's middle and of its row of macroblocks. */
function paint(picture: Picture, color: (x: number, y: number, band: number) => Rgb): void {
  const { stride, columns, rows } = picture;
  const sums = { blue: new Float32Array(picture.blue.length), red: new Float32Array(picture.red.length) };
  for (let y = 0; y < rows * BLOCK; y += 1)
    for (let x = 0; x < columns * BLOCK; x += 1) {
      const [luma, blue, red] = yuvOf(color(x + 0.5, y + 0.5, Math.floor(y / BLOCK)));
      const half = (y >> 1) * (stride / 2) + (x >> 1);
      picture.luma[y * stride + x] = Math.round(luma);
      sums.blue[half] = (sums.blue[half] as number) + blue / 4;
      sums.red[half] = (sums.red[half] as number) + red / 4;
    }
  for (let at = 0; at < sums.blue.length; at += 1) {
    picture.blue[at] = Math.round(sums.blue[at] as number);
    picture.red[at] = Math.round(sums.red[at] as number);
  }
}

/** BT.709, limited range. */
function yuvOf([red, green, blue]: Rgb): readonly [number, number, number] {
  const luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return [
    16 + (219 / 255) * luma,
    128 + ((224 / 255) * (blue - luma)) / 1.8556,
    128 + ((224 / 255) * (red - luma)) / 1.5748,
  ];
}

function mix(from: Rgb, to: Rgb, part: number): Rgb {
  if (part <= 0) return from;
  if (part >= 1) return to;
  return [blend(from[0], to[0], part), blend(from[1], to[1], part), blend(from[2], to[2], part)];
}

function blend(from = 0, to = 0, part = 0): number {
  return from + (to - from) * part;
}

/** How much of a pixel is inside of a shape, by how far its middle is outside. */
function within(outside: number): number {
  return Math.max(0, Math.min(1, 0.5 - outside));
}

/** Distance to a box with round corners around the origin. */
function rounded(x: number, y: number, halfWidth: number, halfHeight: number, radius: number): number {
  const [dx, dy] = [Math.abs(x) - halfWidth + radius, Math.abs(y) - halfHeight + radius];
  return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - radius;
}
