/** What stands before the instant of sending, so that a reader finds it wherever a relay has put it. */
export const MARK = Buffer.from("viaduct-bench-at", "latin1");

const BYTES = 8;

/** The instant now, on the clock that all processes of this machine share, in bytes that look like no start code. */
export function instantNow(): Buffer {
  const now = process.hrtime.bigint();
  return Buffer.from(Array.from({ length: BYTES }, (_, byte) => Number((now >> BigInt(7 * byte)) & 0x7fn) | 0x80));
}

/** How long ago the instant behind a mark at `offset` was, in milliseconds. */
export function ageOf(bytes: Buffer, offset: number): number {
  let sent = 0n;
  for (let byte = 0; byte < BYTES; byte += 1)
    sent |= BigInt((bytes[offset + MARK.length + byte] ?? 0) & 0x7f) << BigInt(7 * byte);
  const now = process.hrtime.bigint() & ((1n << BigInt(7 * BYTES)) - 1n);
  return Number(now - sent) / 1e6;
}
