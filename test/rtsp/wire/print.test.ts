import { expect } from "chai";
import { isFault } from "../../../base/fault.ts";
import { frameInterleaved, printRequest, printResponse } from "../../../rtsp/wire/print.ts";

const text = (bytes: Buffer): string => bytes.toString("latin1");

describe("an RTSP message is printed", () => {
  it("as a request", () => {
    const printed = printRequest({ method: "OPTIONS", uri: "*", headers: [["CSeq", "1"]] });
    expect(text(printed)).to.equal("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n");
  });

  it("as a response, with the length of its body", () => {
    const printed = printResponse({ status: 200, headers: [["CSeq", "1"]], body: Buffer.from("v=0\r\n") });
    expect(text(printed)).to.equal("RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 5\r\n\r\nv=0\r\n");
  });

  it("without a length where the body is empty", () => {
    expect(text(printResponse({ status: 454, headers: [], body: Buffer.alloc(0) }))).to.equal(
      "RTSP/1.0 454 Session Not Found\r\n\r\n",
    );
  });

  it("with some reason for every status, for clients that insist on one", () => {
    expect(text(printResponse({ status: 599, headers: [] }))).to.match(/^RTSP\/1\.0 599 \S+\r\n/);
  });

  it("never with a line break that came in from elsewhere", () => {
    for (const end of ["\r", "\n", "\r\n", "\r\nSession: 1", "\n\nOPTIONS * RTSP/1.0", "\u010a"]) {
      for (const print of [
        () => printRequest({ method: "OPTIONS", uri: `rtsp://h/${end}`, headers: [] }),
        () => printRequest({ method: `OPTIONS${end}`, uri: "*", headers: [] }),
        () => printResponse({ status: 200, headers: [["Location", `rtsp://h/${end}`]] }),
        () => printResponse({ status: 200, headers: [[`X${end}`, "1"]] }),
      ])
        expect(print)
          .to.throw()
          .and.satisfy((thrown: unknown) => isFault(thrown, "internal"));
    }
  });

  it("as an interleaved packet behind its channel and length", () => {
    expect([...frameInterleaved(3, Buffer.of(9, 8, 7))]).to.deep.equal([0x24, 3, 0, 3, 9, 8, 7]);
    const longest = frameInterleaved(255, Buffer.alloc(65_535));
    expect(longest).to.have.length(65_539);
    expect([...longest.subarray(0, 4)]).to.deep.equal([0x24, 255, 0xff, 0xff]);
  });

  it("as no packet that is longer than its length field can say", () => {
    expect(() => frameInterleaved(0, Buffer.alloc(65_536))).to.throw(RangeError);
  });
});
