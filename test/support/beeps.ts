import { expect } from "chai";

/** Of a simulated camera's sound. */
const RATE_HZ = 8000;
const LOUD = 1000;
/** So long nothing is heard between two beeps. */
const SILENT_SAMPLES = RATE_HZ / 4;

/** Where beeps begin in 16-bit samples: at each full second of a simulated camera, as sim/tone.ts describes it. */
export function beepsOf(samples: Buffer): readonly number[] {
  const beeps: number[] = [];
  let silent = 0;
  for (let index = 0; index < Math.floor(samples.length / 2); index += 1) {
    const isLoud = Math.abs(samples.readInt16LE(index * 2)) > LOUD;
    if (isLoud && silent >= SILENT_SAMPLES) beeps.push(index);
    silent = isLoud ? 0 : silent + 1;
  }
  return beeps;
}

/** At least so many seconds of sound without a sample missing or too many. */
export function expectSeconds(samples: Buffer, atLeast: number): void {
  expect(samples.length / 2 / RATE_HZ, "seconds of sound").to.be.at.least(atLeast);
  const beeps = beepsOf(samples);
  expect(beeps.length, "beeps").to.be.at.least(Math.floor(atLeast));
  const [first = 0] = beeps;
  expect(beeps).to.deep.equal(beeps.map((_, index) => first + index * RATE_HZ));
}
