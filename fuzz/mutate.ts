import type { Random } from "./random.ts";

/** Numbers at the edges of what fields hold, as text and as bytes. */
const EDGES: readonly number[] = [0, 1, 2, 127, 128, 255, 256, 32_767, 32_768, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1];
const EDGE_TEXTS = ["-1", "+1", "00", "0x10", "1e9", "99999999999999999999", "NaN", "", "0.0000000001"];
const BYTES: readonly number[] = [0, 1, 9, 10, 13, 32, 34, 36, 44, 47, 58, 59, 61, 92, 127, 128, 255];

interface Around {
  readonly random: Random;
  /** What the format is made of. */
  readonly words: readonly Buffer[];
  /** Other inputs. */
  readonly corpus: readonly Buffer[];
}

type Mutation = (input: Buffer, around: Around) => Buffer;

const put = (input: Buffer, at: number, remove: number, bytes: Buffer): Buffer =>
  Buffer.concat([input.subarray(0, at), bytes, input.subarray(at + remove)]);

function stretch(input: Buffer, random: Random): readonly [at: number, length: number] {
  const length = Math.min(input.length, random.few(Math.max(1, input.length)));
  return [random.below(input.length - length + 1), length];
}

const change: Mutation = (input, { random }) => {
  const out = Buffer.from(input);
  const at = random.below(out.length);
  const byte = out[at] ?? 0;
  out[at] = [byte ^ (1 << random.below(8)), random.below(256), random.pick(BYTES) ?? 0][random.below(3)] ?? 0;
  return out;
};

const insert: Mutation = (input, { random }) => {
  const bytes = Buffer.from(Array.from({ length: random.few(16) }, () => random.pick(BYTES) ?? 0));
  return put(input, random.below(input.length + 1), 0, bytes);
};

const remove: Mutation = (input, { random }) => {
  const [at, length] = stretch(input, random);
  return put(input, at, length, Buffer.alloc(0));
};

const cut: Mutation = (input, { random }) => input.subarray(0, random.below(input.length + 1));

const repeat: Mutation = (input, { random }) => {
  const [at, length] = stretch(input, random);
  const times = 2 ** random.below(12);
  return put(input, at, 0, Buffer.concat(Array.from({ length: times }, () => input.subarray(at, at + length))));
};

const move: Mutation = (input, { random }) => {
  const [at, length] = stretch(input, random);
  return put(input, random.below(input.length + 1), random.below(2) * length, input.subarray(at, at + length));
};

const word: Mutation = (input, { random, words }) => {
  const bytes = random.pick(words) ?? Buffer.alloc(0);
  return put(input, random.below(input.length + 1), random.below(2) * bytes.length, bytes);
};

/** A word in the place of another one. */
const exchange: Mutation = (input, around) => {
  const { random, words } = around;
  const old = random.pick(words);
  const at = old === undefined ? -1 : input.indexOf(old, random.below(input.length));
  return old === undefined || at < 0
    ? word(input, around)
    : put(input, at, old.length, random.pick(words) ?? Buffer.alloc(0));
};

/** A number that is written in digits. */
const digits: Mutation = (input, { random }) => {
  const from = random.below(input.length);
  const found = /\d+/.exec(input.toString("latin1", from));
  if (found === null) return input;
  const text = random.below(3) === 0 ? (random.pick(EDGE_TEXTS) ?? "") : `${random.pick(EDGES)}`;
  return put(input, from + found.index, found[0].length, Buffer.from(text));
};

/** A number of one, two or four bytes. */
const field: Mutation = (input, { random }) => {
  const size = [1, 2, 4][random.below(3)] ?? 1;
  const out = Buffer.from(input);
  if (out.length < size) return out;
  const at = random.below(out.length - size + 1);
  const value = random.below(2) === 0 ? (random.pick(EDGES) ?? 0) : out.readUIntBE(at, size) + random.below(17) - 8;
  out.writeUIntBE(((value % 256 ** size) + 256 ** size) % 256 ** size, at, size);
  return out;
};

const splice: Mutation = (input, { random, corpus }) => {
  const other = random.pick(corpus) ?? input;
  return Buffer.concat([
    input.subarray(0, random.below(input.length + 1)),
    other.subarray(random.below(other.length + 1)),
  ]);
};

const MUTATIONS = [change, change, insert, remove, cut, repeat, move, word, word, exchange, digits, field, splice];

/** `input` with one change or some, at most `maxBytes` long. */
export function mutated(input: Buffer, maxBytes: number, around: Around): Buffer {
  let out = input;
  for (let left = around.random.few(8); left > 0; left -= 1) {
    const mutation = around.random.pick(MUTATIONS) ?? change;
    out = (out.length === 0 ? insert : mutation)(out, around).subarray(0, maxBytes);
  }
  return Buffer.from(out);
}
