import { expect } from "chai";
import * as fc from "fast-check";
import { isFault } from "../../base/fault.ts";

/** What texts of protocols are made of, and what does not belong there. */
const MARKS = [" ", ";", ",", "=", ":", "-", "/", '"', "\t", "\0", "\r", "\n", "0", "9", "a", "Z", "$"];

/** Texts that were right before some of their characters were changed, taken out, put in, or said again. */
export function garbled(seeds: readonly string[]): fc.Arbitrary<string> {
  const character = fc.oneof(fc.constantFrom(...MARKS), fc.string({ minLength: 1, maxLength: 1 }));
  const change = fc.record({ at: fc.nat(200), remove: fc.nat(4), put: fc.array(character, { maxLength: 3 }) });
  return fc
    .tuple(fc.constantFrom(...seeds), fc.array(change, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 3 }))
    .map(([seed, changes, times]) => {
      let text = seed.repeat(times);
      for (const { at, remove, put } of changes) {
        const place = at % (text.length + 1);
        text = text.slice(0, place) + put.join("") + text.slice(place + remove);
      }
      return text;
    });
}

/** What `read` makes of it; undefined where it refuses, which it must do with a Fault `invalid`. */
export function orRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    expect(isFault(error, "invalid"), String(error)).to.equal(true);
    return undefined;
  }
}
