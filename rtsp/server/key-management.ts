import { randomBytes } from "node:crypto";
import { isFault } from "../../base/fault.ts";
import type { UnixMillis } from "../../base/units.ts";
import { parseMikey, printMikey } from "../../media/mikey.ts";
import { MASTER_BYTES, type SrtpKeys, type SrtpSuite } from "../../media/srtp-cipher.ts";
import type { Datagrams } from "./datagrams.ts";
import type { Presentation } from "./host.ts";
import { RtspFault } from "./reply.ts";

const LIMITS = { characters: 2048 };

/** The keys of one track: for what we send, and for what the client reports. */
export interface TrackKeys {
  readonly outgoing: SrtpKeys;
  readonly incoming: SrtpKeys;
}

/** Keys that a description offers, one for each track. Each can be taken once, so that no key ever protects two sessions. */
export class KeyOffer {
  readonly suite: SrtpSuite;
  readonly #keys = new Map<number, SrtpKeys>();

  constructor(suite: SrtpSuite, tracks: number) {
    this.suite = suite;
    const { key, salt } = MASTER_BYTES[suite];
    for (let track = 0; track < tracks; track += 1)
      this.#keys.set(track, {
        suite,
        masterKey: randomBytes(key),
        masterSalt: randomBytes(salt),
        mki: Buffer.alloc(0),
      });
  }

  /** The value of `a=key-mgmt` (RFC 4567 3.1). */
  attribute(track: number, now: UnixMillis): string {
    const keys = this.#keys.get(track);
    return keys === undefined ? "" : `mikey ${printMikey(keys, { ssrc: 0, now }).toString("base64")}`;
  }

  take(track: number): SrtpKeys | undefined {
    const keys = this.#keys.get(track);
    this.#keys.delete(track);
    return keys;
  }
}

/** Keys for a description that is to have some. Fault 461 where there can be none: anything less would be in clear text. */
export function offerKeys({ srtp }: Presentation, tracks: number, datagrams: Datagrams): KeyOffer | undefined {
  if (srtp === undefined) return undefined;
  if (datagrams.srtp === undefined)
    throw new RtspFault(461, "invalid", "SRTP where it cannot be had", {
      tell: "SRTP is given over rtsps:// alone, and where it is switched on",
    });
  return new KeyOffer(srtp, tracks);
}

/**
 * The keys of a track, out of those that were offered and the `KeyMgmt` of its SETUP (RFC 4567 3.2). Clients mean two things by that:
 * the key of the whole stream, in place of ours, which has a name then (ONVIF Streaming, "Stream Initialization"); or the key of their own
 * reports (GStreamer's rtspsrc), without a name. Fault 463.
 */
export function agreeOnKeys(keyMgmt: string | undefined, offered: SrtpKeys | undefined): TrackKeys {
  const theirs = keyMgmt === undefined ? undefined : keysIn(keyMgmt);
  if (theirs !== undefined && (theirs.mki.length > 0 || offered === undefined))
    return { outgoing: theirs, incoming: theirs };
  if (offered === undefined) throw failure("neither our keys nor the client's");
  return { outgoing: offered, incoming: theirs ?? offered };
}

/** `prot=mikey;uri="…";data="…"`. */
function keysIn(value: string): SrtpKeys {
  const data = /^\s*prot\s*=\s*mikey\s*;(?:.*;)?\s*data\s*=\s*"([A-Za-z0-9+/=]+)"/i.exec(
    value.slice(0, LIMITS.characters),
  )?.[1];
  if (data === undefined) throw failure("no MIKEY in KeyMgmt");
  try {
    return parseMikey(Buffer.from(data, "base64"));
  } catch (thrown) {
    if (isFault(thrown, "invalid")) throw failure(thrown.message);
    throw thrown;
  }
}

function failure(why: string): RtspFault {
  return new RtspFault(463, "invalid", why, {
    tell: "no keys for SRTP: ask DESCRIBE with ?srtp in the address, or send a MIKEY message in KeyMgmt",
  });
}
