import { isoOf, type UnixMillis } from "../base/units.ts";
import { CODE, codeBits, codeRow } from "./frame-code.ts";
import { drawable, Font } from "./glyphs.ts";
import { codeColors, drawLandscape, drawTrain, overlay, type Sprite, trackRow } from "./landscape.ts";
import { BLOCK, Picture } from "./picture.ts";

/** Even, so that the train's colors move with it. */
const TRAIN_STEP = 2;
/** Pixels that the train stays out of sight. */
const TRAIN_PAUSE = 60;

/**
 * What a simulated camera sees: a landscape with a train on its viaduct, and over it name, UTC date and time, and the number of
 * the frame, once for people and once for machines. What changes from frame to frame is as little as that allows.
 */
export class Scene {
  readonly picture: Picture;
  readonly #background: Picture;
  readonly #train: Sprite;
  readonly #colors: ReturnType<typeof codeColors>;
  readonly #clock: Line;
  readonly #date: Line;
  readonly #number: Line;
  readonly #note: Line;
  #bits: readonly boolean[] = [];
  #trainAt = 0;

  /** `which`: one of a few hours and seasons. */
  constructor(o: { readonly width: number; readonly height: number; readonly name: string; readonly which: number }) {
    const { width, height } = o;
    this.#background = drawLandscape(width, height, o.which);
    this.#train = drawTrain(o.which);
    this.#colors = codeColors(o.which);
    const scale = Math.max(0.62, width / 640);
    const [large, small] = [new Font(22 * scale), new Font(11 * scale)];
    const [left, top] = [BLOCK + 2, Math.round(14 * scale) + 2];
    const name = drawable(o.name);
    const edges = large.places(name);
    for (const [index, letter] of name.split("").entries()) {
      const x = left + (edges[index] ?? 0);
      if (x < width * 0.6) large.draw(this.#background, letter, x, top);
    }
    this.picture = new Picture(width, height);
    this.picture.restore(this.#background, {
      x: 0,
      y: 0,
      width: this.picture.stride,
      height: this.picture.rows * BLOCK,
    });
    const line = (font: Font, sample: string, y: number, x?: number): Line =>
      new Line(font, this.picture, this.#background, x ?? width - left - (font.places(sample).at(-1) ?? 0), y);
    this.#clock = line(large, "00:00:00", top);
    this.#date = line(small, "0000-00-00 UTC", Math.round(top + 35 * scale));
    this.#note = line(small, "", Math.round(top + 35 * scale), left);
    this.#number = line(small, "#", codeRow(height) * BLOCK - Math.round(11 * scale) - 3, left);
  }

  /** Draws frame `number`, which is seen at that time. `note`: where the camera looks, at most 30 characters. */
  draw(number: number, at: UnixMillis, note = ""): void {
    const [date = "", time = ""] = isoOf(at).split("T");
    this.#clock.set(time.slice(0, 8));
    this.#date.set(`${date} UTC`);
    this.#number.set(`#${String(number).padStart(7, "0")}`);
    this.#note.set(drawable(note));
    this.#drawCode(number);
    this.#drawTrain(number);
  }

  #drawCode(number: number): void {
    const bits = codeBits(number);
    const row = codeRow(this.picture.height);
    for (const [index, bit] of bits.entries())
      if (bit !== this.#bits[index])
        this.picture.fillBlock(
          1 + (index % CODE.columns),
          row + Math.floor(index / CODE.columns),
          this.#colors[bit ? 1 : 0],
        );
    this.#bits = bits;
  }

  #drawTrain(number: number): void {
    const { width, height } = this.#train;
    const y = trackRow(this.picture.height) * BLOCK;
    const way = this.picture.width + width + TRAIN_PAUSE;
    const x = ((number * TRAIN_STEP) % (way - (way % 2))) - width - (width % 2);
    this.picture.restore(this.#background, { x: this.#trainAt, y, width: width + 2, height });
    overlay(this.picture, this.#train, x, y);
    this.#trainAt = x;
  }
}

/** A line of text that changes in place. */
class Line {
  readonly #font: Font;
  readonly #picture: Picture;
  readonly #background: Picture;
  readonly #x: number;
  readonly #y: number;
  #text = "";

  constructor(font: Font, picture: Picture, background: Picture, x: number, y: number) {
    this.#font = font;
    this.#picture = picture;
    this.#background = background;
    this.#x = x;
    this.#y = y;
  }

  /** Draws the letters that differ. Those of one place are equally wide unless the text's length changes. */
  set(text: string): void {
    const all = text.length !== this.#text.length;
    const edges = this.#font.places(text);
    for (const [index, edge] of this.#font.places(this.#text).entries()) {
      const letter = this.#text[index];
      if (letter !== undefined && (all || letter !== text[index]))
        this.#picture.restore(this.#background, this.#font.area(letter, this.#x + edge, this.#y));
    }
    for (const [index, letter] of text.split("").entries())
      if (all || letter !== this.#text[index])
        this.#font.draw(this.#picture, letter, this.#x + (edges[index] ?? 0), this.#y);
    this.#text = text;
  }
}
