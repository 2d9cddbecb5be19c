import { expect } from "chai";
import { sameLists } from "../../base/remember.ts";

describe("a list that is made anew each time", () => {
  const [a, b, c] = [{ name: "a" }, { name: "b" }, { name: "c" }];

  it("is the one that came before with the same things in it", () => {
    const same = sameLists<object>();
    const first = same([a, b, c]);
    expect(same([a, b, c])).to.equal(first);
  });

  it("is another one with one thing more, less, elsewhere, or only like the one before", () => {
    const same = sameLists<object>();
    const first = same([a, b, c]);
    for (const other of [
      [a, b],
      [a, b, c, c],
      [a, c, b],
      [a, b, { name: "c" }],
      [b, c],
    ]) {
      const given = same(other);
      expect(given).to.equal(other);
      expect(given).not.to.equal(first);
    }
    expect(same([a, b, c])).to.equal(first);
  });

  it("is remembered beside seven others, and no longer", () => {
    const same = sameLists<object>();
    const first = same([a, b]);
    for (let others = 0; others < 7; others += 1) same([a, {}]);
    expect(same([a, b])).to.equal(first);
    for (let others = 0; others < 8; others += 1) same([a, {}]);
    expect(same([a, b])).not.to.equal(first);
  });

  it("may be empty", () => {
    expect(sameLists<object>()([])).to.deep.equal([]);
  });
});
