import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { DiskTurns, isNoAnswer } from "../../recorder/disk-turns.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

const ANSWER_MS = 10_000;

describe("what is asked of a disk", () => {
  let clock: VirtualClock;
  let told: boolean[];
  let isOnly: boolean;
  let begun: string[];

  beforeEach(() => {
    clock = new VirtualClock();
    told = [];
    isOnly = false;
    begun = [];
  });
  afterEach(() => expect(clock.pending).to.equal(0));

  const turnsOf = (count = 2): DiskTurns =>
    new DiskTurns({
      clock,
      count,
      answerMs: ANSWER_MS,
      givesUp: () => !isOnly,
      told: (hangs) => void told.push(hangs),
    });

  /** An operation that is answered when it is told so. */
  function operation(name: string): { act: () => Promise<string>; answer: (error?: Error) => void } {
    const answered = Promise.withResolvers<string>();
    return {
      act: () => {
        begun.push(name);
        return answered.promise;
      },
      answer: (error) => (error === undefined ? answered.resolve(name) : answered.reject(error)),
    };
  }
  /** What became of it so far. */
  function outcome(done: Promise<unknown>): { is: string } {
    const found = { is: "waits" };
    done.then(
      (result) => (found.is = String(result)),
      (error: unknown) => (found.is = isNoAnswer(error) ? "no answer" : (error as Error).message),
    );
    return found;
  }

  it("is a few things at a time, in order; results and errors are handed on", async () => {
    const turns = turnsOf();
    const [a, b, c, d] = ["a", "b", "c", "d"].map(operation) as [Op, Op, Op, Op];
    const found = [a, b, c, d].map(({ act }) => outcome(turns.run(act)));
    await setImmediate();
    expect(begun).to.deep.equal(["a", "b"]);
    b.answer(new Error("EIO"));
    await setImmediate();
    expect(begun).to.deep.equal(["a", "b", "c"]);
    for (const one of [a, c, d]) one.answer();
    await setImmediate();
    expect(found.map(({ is }) => is)).to.deep.equal(["a", "EIO", "c", "d"]);
    expect(told).to.deep.equal([]);
  });

  it("hangs when one is not answered in time: all that wait are told so, what is asked for then at once", async () => {
    const turns = turnsOf();
    const [a, b, c, d] = ["a", "b", "c", "d"].map(operation) as [Op, Op, Op, Op];
    const found = [outcome(turns.run(a.act))];
    await clock.advance(5000);
    found.push(outcome(turns.run(b.act)), outcome(turns.run(c.act)));
    await clock.advance(4999);
    expect(found.map(({ is }) => is)).to.deep.equal(["waits", "waits", "waits"]);
    await clock.advance(1);
    found.push(outcome(turns.run(d.act)));
    await setImmediate();
    expect(found.map(({ is }) => is)).to.deep.equal(Array(4).fill("no answer"));
    expect(begun).to.deep.equal(["a", "b"]);
    expect(told).to.deep.equal([true]);
    a.answer();
    await setImmediate();
    // Not while anything of it is under way.
    expect(told).to.deep.equal([true]);
    b.answer();
    await setImmediate();
    expect(told).to.deep.equal([true, false]);
    const again = outcome(turns.run(d.act));
    d.answer();
    await setImmediate();
    expect(again.is).to.equal("d");
  });

  it("is undone where it was done after it was given up, before anything else is asked for", async () => {
    const turns = turnsOf();
    const a = operation("a");
    const undone = Promise.withResolvers<void>();
    const found = outcome(
      turns.run(a.act, (result) => {
        begun.push(`undo ${result}`);
        return undone.promise;
      }),
    );
    await clock.advance(ANSWER_MS);
    expect(found.is).to.equal("no answer");
    a.answer();
    await setImmediate();
    expect([begun, told]).to.deep.equal([["a", "undo a"], [true]]);
    undone.reject(new Error("EIO"));
    await setImmediate();
    expect(told).to.deep.equal([true, false]);
  });

  it("is closed in the end, however long the disk hangs, and nobody waits for it", async () => {
    const turns = turnsOf(1);
    const [a, early, late] = ["a", "early", "late"].map(operation) as [Op, Op, Op];
    const closing = (one: Op): Promise<void> => turns.eventually(async () => void (await one.act()));
    outcome(turns.run(a.act));
    const found = [outcome(closing(early))];
    await clock.advance(ANSWER_MS);
    found.push(outcome(closing(late)));
    await setImmediate();
    expect([begun, found.map(({ is }) => is)]).to.deep.equal([["a"], ["undefined", "undefined"]]);
    a.answer();
    await setImmediate();
    early.answer();
    await setImmediate();
    late.answer();
    await setImmediate();
    expect(begun).to.deep.equal(["a", "early", "late"]);
  });

  it("is waited for where there is no other disk, until it is to be closed", async () => {
    isOnly = true;
    const turns = turnsOf();
    const [a, b, c] = ["a", "b", "c"].map(operation) as [Op, Op, Op];
    const found = [a, b, c].map(({ act }) => outcome(turns.run(act)));
    await clock.advance(3 * ANSWER_MS);
    expect([told, found.map(({ is }) => is)]).to.deep.equal([[true], ["waits", "waits", "waits"]]);
    a.answer();
    await setImmediate();
    expect([begun, found[0]?.is]).to.deep.equal([["a", "b", "c"], "a"]);
    turns.stop();
    await setImmediate();
    expect(found.map(({ is }) => is)).to.deep.equal(["a", "no answer", "no answer"]);
    b.answer();
    c.answer();
    await setImmediate();
    expect(told).to.deep.equal([true, false]);
  });

  it("is not taken for unanswered where this process was held up itself", async () => {
    const turns = turnsOf();
    const a = operation("a");
    const found = outcome(turns.run(a.act));
    clock.holdUp(ANSWER_MS * 100);
    // The first look is late; the answer is heard before the second one.
    const looked = clock.advance(1);
    a.answer();
    await looked;
    expect([told, found.is]).to.deep.equal([[], "a"]);
  });

  type Op = ReturnType<typeof operation>;
});
