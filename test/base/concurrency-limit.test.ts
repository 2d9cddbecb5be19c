import { expect } from "chai";
import { ConcurrencyLimit } from "../../base/concurrency-limit.ts";

describe("a limit of concurrency", () => {
  it("runs so many at a time, in their order, also behind one that fails", async () => {
    const limit = new ConcurrencyLimit(2);
    const begun: number[] = [];
    const works = Array.from({ length: 5 }, (_, index) => {
      const work = Promise.withResolvers<number>();
      const run = limit.run(() => {
        begun.push(index);
        return work.promise;
      });
      run.catch(() => undefined);
      return { ...work, run };
    });
    const at = (index: number): (typeof works)[number] => works[index] as (typeof works)[number];
    expect(begun).to.deep.equal([0, 1]);
    at(1).reject(new Error("it fails"));
    await at(1).run.catch(() => undefined);
    expect(begun).to.deep.equal([0, 1, 2]);
    at(0).resolve(0);
    expect(await at(0).run).to.equal(0);
    expect(begun).to.deep.equal([0, 1, 2, 3]);
    for (const index of [2, 3, 4]) at(index).resolve(index);
    expect(await Promise.all([2, 3, 4].map((index) => at(index).run))).to.deep.equal([2, 3, 4]);
    expect(begun).to.deep.equal([0, 1, 2, 3, 4]);
  });
});
