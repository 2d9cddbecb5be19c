import { createHmac } from "node:crypto";
import { equalInConstantTime } from "../base/secret.ts";
import { SECOND, type UnixMillis } from "../base/units.ts";

/** What every authenticator takes: SHA-1, six digits, thirty seconds (RFC 6238 4.1, 5.2). */
const STEP_MS = 30 * SECOND;
const DIGITS = 6;

/** Steps before and behind the present one that count: clocks of telephones are off (RFC 6238 5.2). */
const SKEW = 1;

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The step at which `code` is right around that instant, if it is newer than `last`; undefined for a code that is wrong or used. */
export function stepOf(key: Buffer, code: string, at: UnixMillis, last: number): number | undefined {
  const now = Math.floor(at / STEP_MS);
  let found: number | undefined;
  // All of them, so that the time does not tell which one it was.
  for (let step = now - SKEW; step <= now + SKEW; step += 1)
    if (equalInConstantTime(codeAt(key, step), code) && step > last) found ??= step;
  return found;
}

/** The code of one step (RFC 4226 5.3). */
function codeAt(key: Buffer, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac("sha1", key).update(counter).digest();
  const offset = (mac.at(-1) ?? 0) & 0x0f;
  const number = (mac.readUInt32BE(offset) & 0x7fff_ffff) % 10 ** DIGITS;
  return String(number).padStart(DIGITS, "0");
}

/** RFC 4648 6, without padding. */
export function base32(bytes: Buffer): string {
  let [text, bits, count] = ["", 0, 0];
  for (const byte of bytes) {
    bits = (bits << 8) | byte;
    for (count += 8; count >= 5; count -= 5) text += BASE32[(bits >>> (count - 5)) & 31];
    bits &= 0xff;
  }
  return count === 0 ? text : text + BASE32[(bits << (5 - count)) & 31];
}

/** What authenticators read, as a link or a QR code. */
export function otpauthUri(key: Buffer, name: string): string {
  const label = `Viaduct:${encodeURIComponent(name)}`;
  return `otpauth://totp/${label}?secret=${base32(key)}&issuer=Viaduct&algorithm=SHA1&digits=${DIGITS}&period=${STEP_MS / SECOND}`;
}
