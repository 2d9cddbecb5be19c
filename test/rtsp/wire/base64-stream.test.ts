import { expect } from "chai";
import { isFault } from "../../../base/fault.ts";
import { Base64Stream } from "../../../rtsp/wire/base64-stream.ts";

const MESSAGES = ["OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n", "a", "bc", "def"];

describe("base64 that comes in pieces", () => {
  it("is decoded wherever it is cut, with padding in the middle and line ends", () => {
    const text = MESSAGES.map((message) => Buffer.from(message).toString("base64")).join("\r\n");
    for (let size = 1; size <= text.length; size += 1) {
      const stream = new Base64Stream();
      const pieces = text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
      const decoded = pieces.map((piece) => stream.push(Buffer.from(piece)).toString());
      expect(decoded.join(""), `${size} at a time`).to.equal(MESSAGES.join(""));
    }
  });

  for (const text of ["OPTIONS * RTSP/1.0", "QQ=QQQ==", "====", "Q===", "QQ==\0\0\0\0", "QUJD$"])
    it(`is refused when it is ${JSON.stringify(text)}`, () => {
      let fault: unknown;
      try {
        new Base64Stream().push(Buffer.from(text));
      } catch (error) {
        fault = error;
      }
      expect(isFault(fault, "invalid")).to.equal(true);
    });
});
