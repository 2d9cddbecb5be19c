/** What a client says of itself in the last message of NTLM. */
export interface NtlmWords {
  readonly domain?: string;
  readonly user?: string;
  /** As MsvAvChannelBindings; none is sent if absent. */
  readonly binding?: Buffer;
  /** The length of the response of version 1, instead of one of version 2. */
  readonly v1?: boolean;
  /** Names in ASCII, as old clients and curl send them. */
  readonly oem?: boolean;
  readonly anonymous?: boolean;
  /** What stands where the proof does, 0-255. */
  readonly proof?: number;
}

/** NEGOTIATE_MESSAGE. */
export const FIRST_MESSAGE = Buffer.concat([Buffer.from("NTLMSSP\0\x01\0\0\0", "latin1"), Buffer.alloc(20)]);

/** AUTHENTICATE_MESSAGE (MS-NLMP 2.2.1.3), written by the specification and not by our reader. */
export function lastMessage(words: NtlmWords = {}): Buffer {
  const { domain = "SITE", user = "alice", binding, v1 = false, oem = false, anonymous = false, proof = 7 } = words;
  const pairs = binding === undefined ? [] : [Buffer.from([10, 0, binding.length, 0]), binding];
  const computer = Buffer.from([1, 0, 4, 0, 0x50, 0, 0x43, 0]);
  const v2 = Buffer.concat([
    Buffer.alloc(16, proof),
    Buffer.from([1, 1]),
    Buffer.alloc(26),
    computer,
    ...pairs,
    Buffer.alloc(8),
  ]);
  const text = (value: string) => Buffer.from(value, oem ? "latin1" : "utf16le");
  const response = anonymous ? Buffer.alloc(0) : v1 ? Buffer.alloc(24) : v2;
  const fields = [Buffer.alloc(24), response, text(domain), text(user), text("PC"), Buffer.alloc(16)];
  const head = Buffer.alloc(72);
  head.write("NTLMSSP\0\x03", "latin1");
  let at = head.length;
  for (const [index, { length }] of fields.entries()) {
    head.writeUInt16LE(length, 12 + 8 * index);
    head.writeUInt16LE(length, 14 + 8 * index);
    head.writeUInt32LE(at, 16 + 8 * index);
    at += length;
  }
  head.writeUInt32LE((oem ? 0x2 : 0x1) | (anonymous ? 0x800 : 0), 60);
  return Buffer.concat([head, ...fields]);
}
