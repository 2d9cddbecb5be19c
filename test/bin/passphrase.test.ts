import { PassThrough } from "node:stream";
import { expect } from "chai";
import { asFault } from "../../base/fault.ts";
import { readHidden } from "../../bin/passphrase.ts";

describe("a passphrase that is typed", () => {
  const typed = async (keys: string) => {
    const input = new PassThrough();
    const read = readHidden(input);
    input.write(keys);
    return read;
  };

  it("is a line", async () => {
    expect((await typed("correct horse battery\r")).reveal()).to.equal("correct horse battery");
  });

  for (const [name, keys] of [
    ["Ctrl-D", "\x04"],
    ["Ctrl-C", "corr\x03"],
    ["nothing but Enter", "\r"],
  ] as const)
    it(`is refused, not waited for without end, after ${name}`, async () => {
      const fault = await typed(keys).then<never, Error>(() => expect.fail("taken"), asFault);
      expect(fault.message).to.match(/no passphrase/);
    });
});
