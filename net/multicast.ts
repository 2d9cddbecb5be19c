import { isIPv4 } from "node:net";

/** 224.0.0.0 to 239.255.255.255; the first 256 belong to protocols of the network itself (RFC 5771 4). */
const [FIRST, BEHIND] = [0xe0_00_01_00, 0xf0_00_00_00];

/** IPv4 multicast groups that follow one another. */
export interface GroupRange {
  /** The first, as a number of 32 bits. */
  readonly first: number;
  readonly count: number;
}

/** Reads `239.192.0.0/16`, or one group. Undefined for what is no such range, or reaches beyond the groups that are for applications. */
export function parseGroupRange(text: string): GroupRange | undefined {
  const [address = "", length = "32", rest] = text.split("/");
  if (!isIPv4(address) || rest !== undefined || !/^\d{1,2}$/.test(length) || Number(length) > 32) return undefined;
  const count = 2 ** (32 - Number(length));
  const number = address.split(".").reduce((sum, byte) => sum * 256 + Number(byte), 0);
  const first = Math.floor(number / count) * count;
  return first >= FIRST && first + count <= BEHIND ? { first, count } : undefined;
}

/** The group number `index`, from 0; undefined beyond the range. */
export function groupAt({ first, count }: GroupRange, index: number): string | undefined {
  if (index < 0 || index >= count) return undefined;
  return [24, 16, 8, 0].map((shift) => ((first + index) >>> shift) & 0xff).join(".");
}
