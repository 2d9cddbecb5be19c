import { ByteReader } from "../../base/bytes.ts";
import { Fault } from "../../base/fault.ts";
import type { SigningScheme } from "./scheme.ts";

const LIMITS = {
  tags: 32,
};

/** How the tags of a format are written. */
interface TagForm {
  /** Behind which nothing of a message is signed. */
  readonly signature: number;
  /** Tags whose length has one byte, and not two. */
  readonly short: ReadonlySet<number>;
}

/** ONVIF Media Signing, "TLV tags"; of Axis the tags "general" and "crypto info" are the short ones. */
const FORMS: Readonly<Record<SigningScheme, TagForm>> = {
  "onvif-media-signing": { signature: 3, short: new Set() },
  "axis-signed-video": { signature: 5, short: new Set([1, 7]) },
};

/** The values of a message's tags, by their numbers. Fault `invalid`. */
export function readTags(tags: Buffer, scheme: SigningScheme): ReadonlyMap<number, readonly Buffer[]> {
  const found = new Map<number, Buffer[]>();
  const reader = new ByteReader(tags);
  const { short } = FORMS[scheme];
  for (let count = 0; reader.remaining > 0; count += 1) {
    if (count === LIMITS.tags) throw new Fault("invalid", `more than ${LIMITS.tags} tags`);
    const tag = reader.u8();
    const length = short.has(tag) ? reader.u8() : reader.u16();
    found.set(tag, [...(found.get(tag) ?? []), reader.view(length)]);
  }
  return found;
}

/** Where the signature begins; undefined where there is none before the tags end or make no sense. */
export function signatureAt(tags: Buffer, scheme: SigningScheme): number | undefined {
  const { signature, short } = FORMS[scheme];
  for (let at = 0; at + 3 <= tags.length; ) {
    const tag = tags[at] ?? 0;
    if (tag === signature) return at;
    at += short.has(tag) ? 2 + (tags[at + 1] ?? 0) : 3 + tags.readUInt16BE(at + 1);
  }
  return undefined;
}
