import { createPublicKey, hash, type KeyObject } from "node:crypto";
import { isSignedBy, signText } from "../../base/sign.ts";

/** The action of lines by which everything before them is signed. */
export const CHECKPOINT = "checkpoint";

const DOMAIN = "viaduct audit checkpoint v1";

/** What stands in a checkpoint besides the number, the time and the hash of the line before. */
export interface Seal {
  /** The public key (SubjectPublicKeyInfo, DER, base64). */
  readonly key: string;
  readonly signature: string;
}

/** Where in the chain a checkpoint stands: with the hash of the line before it, all that came before is named. */
export interface Place {
  readonly seq: number;
  readonly time: string;
  readonly prev: string;
}

/** Signs checkpoints with one key. */
export class CheckpointSigner {
  readonly #privateKey: KeyObject;
  readonly #key: string;

  constructor(privateKey: KeyObject) {
    this.#privateKey = privateKey;
    this.#key = createPublicKey(privateKey).export({ type: "spki", format: "der" }).toString("base64");
  }

  seal(place: Place): Seal {
    return { key: this.#key, signature: signText(this.#privateKey, textOf(place)).toString("base64") };
  }
}

/** The key that signed a checkpoint, by its fingerprint; undefined where the signature is not over this place. */
export function signerOf(place: Place, { key, signature }: Seal): string | undefined {
  try {
    const der = Buffer.from(key, "base64");
    const publicKey = createPublicKey({ key: der, format: "der", type: "spki" });
    return isSignedBy(publicKey, textOf(place), Buffer.from(signature, "base64"))
      ? keyFingerprint(publicKey)
      : undefined;
  } catch {
    return undefined;
  }
}

/** SHA-256 of a public key (SubjectPublicKeyInfo), hexadecimal. */
export function keyFingerprint(publicKey: KeyObject): string {
  return hash("sha256", publicKey.export({ type: "spki", format: "der" }), "hex");
}

function textOf({ seq, time, prev }: Place): string {
  return `${DOMAIN}\n${seq}\n${time}\n${prev}\n`;
}
