import { expect } from "chai";
import * as fc from "fast-check";
import { MOST_ACCOUNTS } from "../../auth/known-accounts.ts";
import { MINUTE } from "../../base/units.ts";
import { LockoutGuard } from "../../directory/lockout-guard.ts";
import { VirtualClock } from "../support/virtual-clock.ts";

describe("the guard against lock-out", () => {
  for (const [name, threshold, passes] of [
    ["two fewer than lock", 5, 3],
    ["one at least", 2, 1],
    ["three where the directory does not say", undefined, 3],
    ["all where none lock", 0, 40],
  ] as const)
    it(`passes on ${name}`, () => {
      const guard = new LockoutGuard(new VirtualClock(), MOST_ACCOUNTS);
      guard.follow({ threshold, windowMs: 30 * MINUTE });
      let passed = 0;
      for (let attempt = 0; attempt < 40; attempt += 1)
        if (guard.admits("alice", `guess ${attempt}`)) {
          passed += 1;
          guard.failed("alice", `guess ${attempt}`);
          guard.done("alice");
        }
      expect(passed).to.equal(passes);
      expect(guard.admits("bob", "another person's")).to.equal(true);
    });

  it("passes no wrong password on twice, and counts anew after a right one and after the window", async () => {
    const clock = new VirtualClock();
    const guard = new LockoutGuard(clock, MOST_ACCOUNTS);
    guard.follow({ threshold: 5, windowMs: 30 * MINUTE });
    guard.failed("alice", "old password");
    expect(guard.admits("alice", "old password")).to.equal(false);
    expect(guard.admits("alice", "another")).to.equal(true);
    guard.done("alice");
    for (const guess of ["a", "b"]) guard.failed("alice", guess);
    expect(guard.admits("alice", "right")).to.equal(false);
    await clock.advance(30 * MINUTE);
    expect(guard.admits("alice", "right")).to.equal(true);
    guard.failed("alice", "a");
    guard.succeeded("alice");
    expect(guard.admits("alice", "a")).to.equal(true);
  });

  it("counts what the directory is being asked for: guesses that are sent at once get through no better", () => {
    const guard = new LockoutGuard(new VirtualClock(), MOST_ACCOUNTS);
    guard.follow({ threshold: 5, windowMs: 30 * MINUTE });
    const passed = Array.from({ length: 10 }, (_, guess) => guard.admits("alice", `guess ${guess}`));
    expect(passed.filter((one) => one)).to.have.length(3);
    guard.done("alice");
    expect(guard.admits("alice", "another")).to.equal(true);
  });

  it("forgets nobody's wrong passwords for those of all others: guesses at one are no more where every account is tried", () => {
    const guard = new LockoutGuard(new VirtualClock(), MOST_ACCOUNTS);
    guard.follow({ threshold: 5, windowMs: 30 * MINUTE });
    for (const guess of ["a", "b", "c"]) guard.failed("alice", guess);
    // As many as there can be, with alice.
    for (let person = 1; person < MOST_ACCOUNTS; person += 1) guard.failed(`person ${person}`, "a");
    expect(guard.admits("alice", "d")).to.equal(false);
    expect(guard.admits("bob", "his own")).to.equal(true);
  });

  it("remembers no more people than it is told, and of those who failed last", () => {
    const guard = new LockoutGuard(new VirtualClock(), 2);
    for (const person of ["alice", "bob", "carol"]) guard.failed(person, "a");
    expect(["alice", "bob", "carol"].map((person) => guard.admits(person, "a"))).to.deep.equal([true, false, false]);
  });

  it("never lets the directory lock an account, whenever and whatever is tried", () => {
    const attempt = fc.record({
      afterMs: fc.nat(40 * MINUTE),
      password: fc.constantFrom("a", "b", "c", "d", "e", "f", "g"),
    });
    return fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 3, max: 10 }),
        fc.array(attempt, { maxLength: 60 }),
        async (threshold, attempts) => {
          const clock = new VirtualClock();
          const guard = new LockoutGuard(clock, MOST_ACCOUNTS);
          guard.follow({ threshold, windowMs: 30 * MINUTE });
          // As AD counts: anew only when there has been no failure for the whole window.
          let [count, lastAt] = [0, Number.NEGATIVE_INFINITY];
          for (const { afterMs, password } of attempts) {
            await clock.advance(afterMs);
            if (!guard.admits("alice", password)) continue;
            guard.failed("alice", password);
            count = clock.now() - lastAt < 30 * MINUTE ? count + 1 : 1;
            lastAt = clock.now();
            expect(count).to.be.lessThan(threshold);
          }
        },
      ),
    );
  });
});
