import type { Area, Picture } from "./picture.ts";

/**
 * Letters as strokes on a grid of 4 by 6, top left first: each word is a line through points of two digits, x and y. Our own
 * drawing, after the lettering on road signs.
 */
const STROKES: Readonly<Record<string, string>> = {
  A: "0602204246 0444",
  B: "00063645443303 0030414233",
  C: "4130100105163645",
  D: "00062644422000",
  E: "40000646 0333",
  F: "400006 0333",
  G: "41301001051636454323",
  H: "0006 4046 0343",
  I: "0006",
  J: "3035261605",
  K: "0006 400346",
  L: "000646",
  M: "0600234046",
  N: "06004640",
  O: "103041453616050110",
  P: "06003041423303",
  Q: "103041453616050110 2446",
  R: "06003041423303 2346",
  S: "413010010213334445361605",
  T: "0040 2026",
  U: "000516364540",
  V: "002640",
  W: "0016233640",
  X: "0046 4006",
  Y: "002340 2326",
  Z: "00400646",
  0: "103041453616050110",
  1: "112026",
  2: "01103041420646",
  3: "0110304142334445361605 1333",
  4: "36300444",
  5: "400002324345361605",
  6: "4130100105163645443303",
  7: "004016",
  8: "103041423313020110 1304051636454433",
  9: "0516364541301001021343",
  ".": "0606",
  ",": "0607",
  ":": "0202 0505",
  "-": "0323",
  "/": "0630",
  "#": "1016 3036 0242 0444",
  "'": "0001",
  "(": "10010516",
  ")": "00111506",
  "+": "1115 0323",
  "&": "46120110213205162644",
};
/** For what has no strokes: an empty box. */
const BOX = "0030360600";

const GRID_HEIGHT = 6;
/** In units of the grid. */
const STROKE_RADIUS = 0.42;
const HALO = 0.55;
const LETTER_GAP = 1.9;
const BLANK = 2.2;
/** Every digit takes the place of the widest, so that numbers do not dance. */
const DIGIT_WIDTH = 4;

const WHITE = 235;
const BLACK = 20;

/** A letter at one size: how much white, and how much dark around it, by pixel, 0–255. */
interface Mask {
  readonly width: number;
  readonly height: number;
  readonly white: Uint8Array;
  readonly dark: Uint8Array;
}

type Point = readonly [x: number, y: number];

/** Letters of one height, in pixels. */
export class Font {
  readonly height: number;
  /** Pixels around a letter that its dark edge needs. */
  readonly margin: number;
  readonly #unit: number;
  readonly #masks = new Map<string, Mask>();

  constructor(height: number) {
    this.height = height;
    this.#unit = height / GRID_HEIGHT;
    this.margin = Math.ceil((STROKE_RADIUS + HALO) * this.#unit);
  }

  /** Left edges of the letters of a text, and of what would come after it. */
  places(text: string): readonly number[] {
    const edges = [0];
    let edge = 0;
    for (const letter of text) {
      edge += (letter === " " ? BLANK : widthOf(letter) + LETTER_GAP) * this.#unit;
      edges.push(Math.round(edge));
    }
    return edges;
  }

  /** What a letter at this place covers. */
  area(letter: string, x: number, y: number): Area {
    const { width, height } = this.#mask(letter);
    return { x: x - this.margin, y: y - this.margin, width, height };
  }

  /** Draws one letter, white with a dark edge; `x` and `y` are the corner of its box, without the edge. */
  draw(picture: Picture, letter: string, x: number, y: number): void {
    if (letter === " ") return;
    const { width, height, white, dark } = this.#mask(letter);
    for (let row = 0; row < height; row += 1)
      for (let column = 0; column < width; column += 1) {
        const at = row * width + column;
        picture.blend(x - this.margin + column, y - this.margin + row, BLACK, dark[at] as number);
        picture.blend(x - this.margin + column, y - this.margin + row, WHITE, white[at] as number);
      }
    picture.touch(this.area(letter, x, y));
  }

  #mask(letter: string): Mask {
    const known = this.#masks.get(letter);
    if (known !== undefined) return known;
    const width = Math.ceil(widthOf(letter) * this.#unit) + 2 * this.margin;
    const height = Math.ceil(this.height) + 2 * this.margin;
    const mask = { width, height, white: new Uint8Array(width * height), dark: new Uint8Array(width * height) };
    const lines = linesOf(letter);
    for (let row = 0; row < height; row += 1)
      for (let column = 0; column < width; column += 1) {
        const point: Point = [(column + 0.5 - this.margin) / this.#unit, (row + 0.5 - this.margin) / this.#unit];
        const away = Math.min(...lines.map((line) => distance(point, line)));
        const at = row * width + column;
        mask.white[at] = this.#coverage(away - STROKE_RADIUS);
        mask.dark[at] = 0.7 * this.#coverage(away - STROKE_RADIUS - HALO / 2);
      }
    this.#masks.set(letter, mask);
    return mask;
  }

  /** Of a pixel, by how far its middle is outside of a shape. */
  #coverage(outside: number): number {
    return Math.round(255 * Math.max(0, Math.min(1, 0.5 - outside * this.#unit)));
  }
}

/** Text as it can be drawn: capitals without accents. */
export function drawable(text: string): string {
  return text
    .normalize("NFD")
    .replaceAll(/\p{M}|[\u{10000}-\u{10ffff}]/gu, "")
    .toUpperCase();
}

function widthOf(letter: string): number {
  if (/\d/.test(letter)) return DIGIT_WIDTH;
  return Math.max(...linesOf(letter).flatMap((line) => line.map(([x]) => x)));
}

function linesOf(letter: string): readonly (readonly Point[])[] {
  return (STROKES[letter] ?? BOX)
    .split(" ")
    .map((line) => (line.match(/\d\d/g) ?? []).map((pair): Point => [Number(pair[0]), Number(pair[1])]));
}

/** From a point to a line through points. */
function distance([x, y]: Point, line: readonly Point[]): number {
  let nearest = Number.POSITIVE_INFINITY;
  for (let index = 1; index < line.length; index += 1) {
    const [fromX, fromY] = line[index - 1] as Point;
    const [toX, toY] = line[index] as Point;
    const [dx, dy] = [toX - fromX, toY - fromY];
    const length = dx * dx + dy * dy;
    const along = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - fromX) * dx + (y - fromY) * dy) / length));
    nearest = Math.min(nearest, Math.hypot(x - fromX - along * dx, y - fromY - along * dy));
  }
  return nearest;
}
