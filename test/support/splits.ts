/** Every way in which `bytes` can arrive in two pieces, and the one in which each byte comes alone. The pieces are copies. */
export function* splits(bytes: Buffer): Generator<readonly Buffer[]> {
  for (let at = 0; at <= bytes.length; at += 1)
    yield [Buffer.from(bytes.subarray(0, at)), Buffer.from(bytes.subarray(at))].filter((piece) => piece.length > 0);
  yield Array.from(bytes, (byte) => Buffer.of(byte));
}

/** `bytes` in pieces of the given lengths, over and over. */
export function pieces(bytes: Buffer, lengths: readonly number[]): readonly Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = lengths[found.length % lengths.length] ?? 1;
    found.push(Buffer.from(bytes.subarray(at, at + length)));
    at += length;
  }
  return found;
}
