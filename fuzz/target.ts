import { Fault, type FaultKind, isFault } from "../base/fault.ts";
import { Random } from "./random.ts";

/** A reader of foreign bytes, and what must be true of it whatever they are. */
export interface Target {
  /** Of its folder in `fuzz/seeds`. */
  readonly name: string;
  /** Longer inputs are not tried. */
  readonly maxBytes: number;
  /** What the format is made of: words to put in, and to exchange. */
  readonly words: readonly string[];
  /** How it refuses what it does not like. */
  readonly refusals: readonly FaultKind[];
  /** Reads `input`. A Fault of one of `refusals` is as good as success; anything else that is thrown is a finding. */
  readonly run: (input: Buffer) => void | Promise<void>;
}

/** Of a target, what most leave as it is. */
export function target(
  o: Pick<Target, "name" | "run"> & Partial<Omit<Target, "words">> & { readonly words?: string },
): Target {
  return { maxBytes: 4096, refusals: ["invalid"], ...o, words: o.words?.split(" ") ?? [] };
}

/** What is wrong with how `input` was read; undefined: nothing. */
export async function findingOf({ run, refusals }: Target, input: Buffer): Promise<Error | undefined> {
  try {
    const running = run(input);
    if (running !== undefined) await running;
    return undefined;
  } catch (error) {
    if (error instanceof Fault && refusals.includes(error.kind)) return undefined;
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Throws unless it is true. */
export function holds(fact: boolean, what: string): asserts fact {
  if (!fact) throw new Error(`does not hold: ${what}`);
}

/** Reads a part of an input that the rest does not depend on: refused is fine, and the rest goes on. */
export function orRefused(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!isFault(error, "invalid")) throw error;
  }
}

/** Into so many pieces an input is cut: short ones byte by byte, and long ones in no more time than it takes to read them. */
const PIECES = 64;

/** `input` cut into pieces in a way that depends on nothing but `input`; the pieces are copies. */
export function cutUp(input: Buffer): readonly Buffer[] {
  const random = new Random(input.reduce((sum, byte) => Math.imul(sum ^ byte, 0x01000193), 0x811c9dc5));
  const least = Math.ceil(input.length / PIECES);
  const most = least + random.few(Math.max(1, input.length));
  const found: Buffer[] = [];
  for (let at = 0; at < input.length; ) {
    const length = Math.max(1, least, random.below(most));
    found.push(Buffer.from(input.subarray(at, at + length)));
    at += length;
  }
  return found;
}
