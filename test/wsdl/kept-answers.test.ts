import { expect } from "chai";
import { KeptAnswers } from "../../wsdl/kept-answers.ts";
import { many, sentAsKept, type } from "../../wsdl/schema.ts";
import { serialize, serializeKept } from "../../wsdl/serialize.ts";
import { string } from "../../wsdl/simple.ts";

const Answer = sentAsKept(type("tds:Answer", { Word: many(string) }));
const answer = (word: string) => ({ Word: [word, "<ä>"] });

describe("answers that are kept as they are sent", () => {
  const print = (all: KeptAnswers, value: ReturnType<typeof answer>) =>
    serializeKept("tds", "Answer", Answer, all, value);

  it("are what would be printed, and the very same bytes for the same value", () => {
    const all = new KeptAnswers();
    const value = answer("one");
    const { before, bytes, behind, prefixes } = print(all, value);
    const { xml, prefixes: used } = serialize("tds", "Answer", Answer, value);
    expect(before + bytes.toString() + behind).to.equal(xml);
    expect(prefixes).to.deep.equal(used);
    expect(print(all, value).bytes).to.equal(bytes);
    expect(print(all, answer("one")).bytes).not.to.equal(bytes);
  });

  it("are the newest 32, and no more", () => {
    const all = new KeptAnswers();
    const values = Array.from({ length: 33 }, (_, index) => answer(String(index)));
    const [, ...newest] = values;
    const printed = values.map((value) => print(all, value).bytes);
    expect(newest.map((value) => print(all, value).bytes)).to.have.ordered.members(printed.slice(1));
    const [first = answer("")] = values;
    const again = print(all, first).bytes;
    expect(again).not.to.equal(printed[0]);
    expect(print(all, first).bytes).to.equal(again);
  });
});
