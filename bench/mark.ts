/** What stands before the instant of sending, so that a reader finds it wherever a relay has put it. */
export const MARK = Buffer.from("PERFLATENCYSTAMP", "latin1");

/** Hexadecimal digits behind it: nanoseconds on the clock that all processes of this machine share. They look like no start code. */
const DIGITS = 16;

export const MARKED_BYTES = MARK.length + DIGITS;

export function instantNow(): Buffer {
  return Buffer.from(process.hrtime.bigint().toString(16).padStart(DIGITS, "0"), "latin1");
}

/** How long ago the instant behind a mark at `offset` was, in milliseconds. */
export function ageOf(bytes: Buffer, offset: number): number {
  const sent = BigInt(`0x${bytes.toString("latin1", offset + MARK.length, offset + MARKED_BYTES)}`);
  return Number(process.hrtime.bigint() - sent) / 1e6;
}
