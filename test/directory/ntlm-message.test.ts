import { createHash } from "node:crypto";
import { expect } from "chai";
import { array, assert, nat, property, tuple } from "fast-check";
import { claimedName, isNtlmMessage, ntlmBinding, readNtlmMessage } from "../../directory/ntlm-message.ts";
import { FIRST_MESSAGE, lastMessage } from "../support/ntlm.ts";

const BOUND = Buffer.alloc(16, 3);

const CASES = [
  ["a first message", FIRST_MESSAGE, { type: "negotiate" }],
  ["names in UTF-16", lastMessage({ user: "Zoë" }), { type: "v2", domain: "SITE", user: "Zoë", binding: undefined }],
  ["names in ASCII", lastMessage({ oem: true }), { type: "v2", domain: "SITE", user: "alice", binding: undefined }],
  ["no domain", lastMessage({ domain: "" }), { type: "v2", domain: "", user: "alice", binding: undefined }],
  ["a binding", lastMessage({ binding: BOUND }), { type: "v2", domain: "SITE", user: "alice", binding: BOUND }],
  [
    "zeros in place of a binding",
    lastMessage({ binding: Buffer.alloc(16) }),
    { type: "v2", domain: "SITE", user: "alice", binding: undefined },
  ],
  ["version 1", lastMessage({ v1: true }), { type: "v1" }],
  ["nobody, by a flag", lastMessage({ anonymous: true }), { type: "anonymous" }],
  ["nobody, by name", lastMessage({ user: "" }), { type: "anonymous" }],
  ["a challenge, which is not for us", Buffer.from("NTLMSSP\0\x02\0\0\0", "latin1"), undefined],
  ["nothing", Buffer.alloc(0), undefined],
  ["the beginning alone", Buffer.from("NTLMSSP\0"), undefined],
  ["a first message that is too long", Buffer.concat([FIRST_MESSAGE, Buffer.alloc(1000)]), undefined],
  ["a last message that is too long", Buffer.concat([lastMessage(), Buffer.alloc(8000)]), undefined],
  ["a name with what separates names", lastMessage({ user: "SITE\\alice" }), undefined],
  ["a name with a line end", lastMessage({ user: "alice\nKK" }), undefined],
  ["a name of no code page that is known", lastMessage({ user: "Zo\u00eb", oem: true }), undefined],
  ["a name that is too long", lastMessage({ user: "a".repeat(300) }), undefined],
] as const;

describe("messages of NTLM", () => {
  for (const [title, message, expected] of CASES)
    it(`are read: ${title}`, () => expect(readNtlmMessage(message)).to.deep.equal(expected));

  it("throw nothing, whatever stands in them, at whatever length", () => {
    const good = lastMessage({ binding: BOUND });
    assert(
      property(nat(good.length), array(tuple(nat(good.length - 1), nat(255))), (length, changes) => {
        const bytes = Buffer.from(good);
        for (const [at, byte] of changes) bytes[at] = byte;
        readNtlmMessage(bytes.subarray(0, length));
        isNtlmMessage(bytes.subarray(0, length));
      }),
    );
  });

  it("say whose they are, for the audit log", () => {
    expect(claimedName(lastMessage())).to.equal("SITE\\alice");
    expect(claimedName(lastMessage({ domain: "", user: "alice@site.test" }))).to.equal("alice@site.test");
    expect(claimedName(FIRST_MESSAGE)).to.equal(undefined);
  });

  it("are bound by the MD5 of what GSS-API calls channel bindings", () => {
    const data = Buffer.from("tls-server-end-point:abc");
    const struct = Buffer.concat([Buffer.alloc(16), Buffer.from([data.length, 0, 0, 0]), data]);
    expect(ntlmBinding(data)).to.deep.equal(createHash("md5").update(struct).digest());
  });
});
