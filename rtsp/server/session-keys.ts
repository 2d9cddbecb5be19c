import { createHash } from "node:crypto";
import { Fault } from "../../base/fault.ts";
import { SrtpReceiver, SrtpSender } from "../../media/srtp.ts";
import type { SrtpKeys } from "../../media/srtp-cipher.ts";
import type { TrackKeys } from "./key-management.ts";

const LIMITS = {
  /** Keys of one session: two for each SETUP at most, of which there is another one when a client changes its ports. */
  keys: 128,
};

/** What protects a track, and opens what is reported of it. */
export interface Protection {
  readonly sender: SrtpSender;
  readonly receiver: SrtpReceiver;
}

/**
 * All keys that one session has had. One that a client gives again, or for several tracks, goes on where it is: no index is used
 * twice under it, and no report is taken twice (RFC 3711 9.1, 3.3.2).
 */
export class SessionKeys {
  readonly #known = new Map<string, Protection & { readonly mki: Buffer }>();

  /** Faults: `invalid` for a key that was known by another name, `busy` for too many. */
  protection({ outgoing, incoming }: TrackKeys): Protection {
    return { sender: this.#of(outgoing).sender, receiver: this.#of(incoming).receiver };
  }

  #of(keys: SrtpKeys): Protection {
    const digest = digestOf(keys);
    const known = this.#known.get(digest);
    if (known?.mki.equals(keys.mki) === false)
      throw new Fault("invalid", "a key by another name", { tell: "the key was given before, by another name (MKI)" });
    if (known !== undefined) return known;
    if (this.#known.size >= LIMITS.keys)
      throw new Fault("busy", `${LIMITS.keys} keys in one session`, { tell: "too many keys: begin another session" });
    const made = { sender: new SrtpSender(keys), receiver: new SrtpReceiver(keys), mki: keys.mki };
    this.#known.set(digest, made);
    return made;
  }
}

/** Names a key without telling it, and is compared without telling how far two are alike. */
function digestOf({ suite, masterKey, masterSalt }: SrtpKeys): string {
  return createHash("sha256").update(suite).update(masterKey).update(masterSalt).digest("base64");
}
