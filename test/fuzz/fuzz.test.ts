import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect } from "chai";
import * as fc from "fast-check";
import { Fault } from "../../base/fault.ts";
import { targetsOf } from "../../fuzz/all-targets.ts";
import { Coverage } from "../../fuzz/coverage.ts";
import { Fuzzer, type FuzzerOptions } from "../../fuzz/fuzzer.ts";
import { inputsOf } from "../../fuzz/seeds.ts";
import { cutUp, findingOf, holds, target } from "../../fuzz/target.ts";

/** Batches of changed inputs of each target in every run of the tests; `npm run fuzz` goes on for longer. */
const STEPS = 8;

const targets = await targetsOf();

async function fuzzed(options: Omit<FuzzerOptions, "seed">, steps: number): Promise<Fuzzer> {
  const fuzzer = new Fuzzer({ ...options, seed: 1 });
  await fuzzer.start();
  for (let step = 0; step < steps && fuzzer.findings.length === 0; step += 1) await fuzzer.step();
  return fuzzer;
}

describe("what others send", () => {
  for (const { target: one } of targets) {
    it(`${one.name} is read as it must be: every input that is kept`, async () => {
      const inputs = inputsOf("seeds", one.name);
      expect(inputs).not.to.deep.equal([]);
      for (const [name, input] of inputs) expect(await findingOf(one, input), name).to.equal(undefined);
    });

    it(`${one.name} is read as it must be: changed inputs`, async () => {
      const corpus = inputsOf("seeds", one.name).map(([, input]) => input);
      const { findings } = await fuzzed({ target: one, corpus }, STEPS);
      expect(
        findings.map(({ input, error }) => `${JSON.stringify(input.toString("latin1"))}: ${error.stack}`),
      ).to.deep.equal([]);
    });
  }
});

/** Behind a lock whose letters have to be found one by one. */
function lock(input: Buffer): void {
  if (input[0] !== 0x46) return;
  if (input[1] !== 0x55) return;
  if (input[2] !== 0x5a) return;
  if (input[3] === 0x5b) throw new RangeError("inside");
}

describe("the fuzzer", () => {
  const locked = target({ name: "lock", run: lock, words: "F U Z [" });

  it("finds what is behind several conditions by what ran, and makes the input as short as it can be", async () => {
    const coverage = new Coverage((url) => url === import.meta.url);
    try {
      const { findings } = await fuzzed({ target: locked, corpus: [Buffer.from("nothing here")], coverage }, 400);
      expect(findings.map(({ input }) => input.toString())).to.deep.equal(["FUZ["]);
      expect(findings[0]?.error).to.be.instanceOf(RangeError);
    } finally {
      coverage.close();
    }
  });

  it("takes refusals that are meant for none, and everything else for a finding", async () => {
    const of = (thrown: unknown, more = {}) =>
      findingOf(
        target({
          name: "thrower",
          run() {
            throw thrown;
          },
          ...more,
        }),
        Buffer.alloc(0),
      );
    expect(await of(new Fault("invalid", "no"))).to.equal(undefined);
    expect(await of(new Fault("busy", "no"), { refusals: ["busy"] })).to.equal(undefined);
    expect(await of(new Fault("internal", "no"))).to.be.instanceOf(Fault);
    expect(await of(new TypeError("no"))).to.be.instanceOf(TypeError);
    expect(await of("no")).to.be.instanceOf(Error);
    expect(() => holds(false, "this")).to.throw("this");
  });

  it("tells a finding once, however often it is met", async () => {
    const never = target({ name: "never", run: () => holds(false, "anything") });
    const fuzzer = new Fuzzer({ target: never, seed: 1, corpus: [Buffer.from("a"), Buffer.from("b")] });
    await fuzzer.start();
    await fuzzer.step();
    expect(fuzzer.findings.map(({ input }) => input)).to.deep.equal([Buffer.alloc(0)]);
  });

  it("does the same for the same seed", async () => {
    const seen = async (seed: number): Promise<readonly string[]> => {
      const inputs: string[] = [];
      const noting = target({ name: "noting", run: (input) => void inputs.push(input.toString("hex")) });
      const fuzzer = new Fuzzer({ target: noting, seed, corpus: [Buffer.from("abc 123")] });
      await fuzzer.start();
      await fuzzer.step();
      return inputs;
    };
    expect(await seen(7)).to.deep.equal(await seen(7));
    expect(await seen(7)).not.to.deep.equal(await seen(8));
  });

  it("cuts inputs up without losing anything, and the same way each time", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1000 }), (bytes) => {
        const pieces = cutUp(Buffer.from(bytes));
        expect(Buffer.concat(pieces)).to.deep.equal(Buffer.from(bytes));
        expect(pieces).to.deep.equal(cutUp(Buffer.from(bytes)));
        expect(pieces.length).to.be.at.most(64);
      }),
    );
  });

  it("lists its targets, and refuses one that there is not", () => {
    const run = (...words: readonly string[]) =>
      spawnSync(process.execPath, [join(import.meta.dirname, "../../fuzz/run.ts"), ...words], { encoding: "utf8" });
    expect(run("--list").stdout.trim().split("\n")).to.deep.equal(targets.map((one) => one.target.name));
    expect(run("no-such-target").status).to.equal(2);
  });
});
