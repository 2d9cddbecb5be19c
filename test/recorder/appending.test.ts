import { setImmediate } from "node:timers/promises";
import { expect } from "chai";
import { Appending } from "../../recorder/appending.ts";

describe("the bringing of fragments to the volumes", () => {
  it("does eight at a time to one, and the others in their order; a volume that hangs holds up no other", async () => {
    const appending = new Appending();
    const begun: string[] = [];
    const hanging = Promise.withResolvers<void>();
    const one = (volume: string, index: number, work: Promise<void>): Promise<void> =>
      appending.run(volume, () => {
        begun.push(`${volume} ${index}`);
        return work;
      });
    const runs = Array.from({ length: 10 }, (_, index) => one("hangs", index, hanging.promise));
    for (let index = 0; index < 10; index += 1) await one("sound", index, Promise.resolve());
    const of = (volume: string): readonly string[] => begun.filter((name) => name.startsWith(volume));
    const first = (count: number, volume: string): readonly string[] =>
      Array.from({ length: count }, (_, index) => `${volume} ${index}`);
    expect(of("sound")).to.deep.equal(first(10, "sound"));
    await setImmediate();
    expect(of("hangs")).to.deep.equal(first(8, "hangs"));
    hanging.resolve();
    await Promise.all(runs);
    expect(of("hangs")).to.deep.equal(first(10, "hangs"));
  });
});
