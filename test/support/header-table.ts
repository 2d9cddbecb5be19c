import { expect } from "chai";
import * as fc from "fast-check";
import { garbled, orRefused } from "./garbled.ts";

/** A header as it comes, as we print it, and what it says. */
export type Row<T> = readonly [name: string, wire: string, canonical: string, value: T];

/** The tests that every header has: its table in both directions, round trips, and what is not right. */
export function testHeader<T>(o: {
  readonly rows: readonly Row<T>[];
  readonly refused: readonly (readonly [name: string, wire: string])[];
  readonly values: fc.Arbitrary<T>;
  readonly parse: (text: string) => T;
  readonly print: (value: T) => string;
}): void {
  const { rows, refused, values, parse, print } = o;
  for (const [name, wire, canonical, value] of rows)
    it(`is read and printed: ${name}`, () => {
      expect(parse(wire)).to.deep.equal(value);
      expect(print(value)).to.equal(canonical);
      expect(parse(canonical)).to.deep.equal(value);
    });
  for (const [name, wire] of refused)
    it(`is refused: ${name}`, () => expect(orRefused(() => parse(wire))).to.equal(undefined));
  it("comes back as it was printed", () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(parse(print(value))).to.deep.equal(value);
      }),
    );
  });
  it("is read or refused, whatever it holds, and what was read can be printed", () => {
    const texts = fc.oneof(garbled(rows.map((row) => row[1])), fc.string({ unit: "binary", maxLength: 300 }));
    fc.assert(
      fc.property(texts, (text) => {
        const value = orRefused(() => parse(text));
        if (value !== undefined) expect(print(value)).to.be.a("string");
      }),
      { numRuns: 500 },
    );
  });
}
