/** What a scripted LDAP server answers to a request. */
export type Answer = (request: Buffer) => Buffer;

/** An element of BER with the content. */
export function element(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const length =
    body.length < 128
      ? Buffer.from([body.length])
      : Buffer.from([0x84, ...[24, 16, 8, 0].map((shift) => (body.length >> shift) & 0xff)]);
  return Buffer.concat([Buffer.from([tag]), length, body]);
}

export function sequence(...content: readonly Buffer[]): Buffer {
  return element(0x30, ...content);
}

export function integer(value: number): Buffer {
  return element(0x02, Buffer.from([value]));
}

export function octets(text: string): Buffer {
  return element(0x04, Buffer.from(text));
}

/** A SearchResultDone without entries, for the message of that number. */
export function LDAP_OK(id: number): Buffer {
  return sequence(integer(id), element(0x65, element(0x0a, Buffer.from([0])), octets(""), octets("")));
}
