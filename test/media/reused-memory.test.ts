import { expect } from "chai";
import * as fc from "fast-check";
import { ReusedMemory } from "../../media/reused-memory.ts";

function overlap(one: Buffer, other: Buffer): boolean {
  if (one.buffer !== other.buffer) return false;
  return one.byteOffset < other.byteOffset + other.length && other.byteOffset < one.byteOffset + one.length;
}

describe("memory that is used again", () => {
  it("is never with two at a time, whatever is taken and given back", () => {
    const step = fc.record({
      bytes: fc.integer({ min: 1, max: 200_000 }),
      /** It is not known before that it is so much. */
      found: fc.option(fc.integer({ min: 1, max: 200_000 })),
      back: fc.option(fc.nat(50)),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const memory = new ReusedMemory();
        const taken: Buffer[] = [];
        for (const { bytes, found, back } of steps) {
          const rest = found === null ? undefined : memory.takeRest(Math.max(bytes, found));
          const [returnedMeanwhile] =
            rest !== undefined && back !== null ? taken.splice(back % (taken.length + 1), 1) : [];
          if (returnedMeanwhile !== undefined) memory.give(returnedMeanwhile);
          const piece = rest === undefined ? memory.take(bytes) : memory.cut(rest, bytes);
          expect(piece.length).to.equal(bytes);
          expect(taken.some((other) => overlap(other, piece))).to.equal(false);
          taken.push(piece);
          const [returned] = back === null ? [] : taken.splice(back % taken.length, 1);
          if (returned === undefined) continue;
          memory.give(returned);
          // The second time it is not ours to give.
          memory.give(returned);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("is used again", () => {
    const memory = new ReusedMemory();
    const first = memory.take(5000);
    memory.give(first);
    const again = memory.take(8000);
    expect(overlap(again, first)).to.equal(true);
    expect(overlap(memory.take(8000), again)).to.equal(false);
  });

  it("is one block for many small pieces, and used again when all of them are back", () => {
    const memory = new ReusedMemory();
    const pieces = Array.from({ length: 40 }, () => memory.take(10_000));
    const blocks = [...new Set(pieces.map(({ buffer }) => buffer))];
    expect(blocks).to.have.length(2);
    const [last, ...others] = pieces.filter(({ buffer }) => buffer === blocks[0]);
    for (const piece of others) memory.give(piece);
    const whole = (): ArrayBufferLike => memory.take(200_000).buffer;
    expect(whole()).not.to.equal(blocks[0]);
    memory.give(last as Buffer);
    expect(whole()).to.equal(blocks[0]);
  });

  it("gives who does not know yet how much it takes all that is free, and what it does not take to the next", () => {
    const memory = new ReusedMemory();
    const first = memory.take(5000);
    const rest = memory.takeRest(1000);
    expect(rest.buffer).to.equal(first.buffer);
    expect(rest.length).to.equal(256 * 1024 - 5000);
    const cut = memory.cut(rest, 700);
    expect([cut.byteOffset, cut.length]).to.deep.equal([5000, 700]);
    const next = memory.take(100);
    expect([next.buffer === first.buffer, next.byteOffset]).to.deep.equal([true, 5700]);
    expect(memory.takeRest(300_000).length).to.equal(512 * 1024);
  });

  it("is never used again, with all of its block, where somebody may still look at it", () => {
    const memory = new ReusedMemory();
    const [lost, beside] = [memory.take(1000), memory.take(1000)];
    memory.lose(lost);
    for (const piece of [lost, beside]) memory.give(piece);
    const later = Array.from({ length: 1000 }, () => memory.take(1000));
    expect(later.filter(({ buffer }) => buffer === lost.buffer)).to.deep.equal([]);
  });

  it("does not take what is not its own", () => {
    const memory = new ReusedMemory();
    const foreign = Buffer.allocUnsafeSlow(4096);
    memory.give(foreign);
    expect(memory.take(4096).buffer).not.to.equal(foreign.buffer);
  });

  it("keeps no more than its bound for later", () => {
    const memory = new ReusedMemory();
    const pieces = Array.from({ length: 9 }, () => memory.take(1024 * 1024));
    for (const piece of pieces) memory.give(piece);
    const again = new Set(Array.from({ length: 9 }, () => memory.take(1024 * 1024).buffer));
    expect(pieces.filter((piece) => again.has(piece.buffer))).to.have.length(4);
  });
});
