import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import { Fault } from "./fault.ts";
import { Secret } from "./secret.ts";

const VERSION = "v1";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Keeps small secrets (camera passwords, integration secrets) unreadable at rest: AES-256-GCM under a key that is itself under the master key.
 *
 * `owner` is authenticated with the secret, so that a sealed value cannot be moved to another record.
 */
export class Sealer {
  /** Key objects, which Node.js takes several times faster than bytes. */
  readonly #key: KeyObject;
  readonly #former: KeyObject | undefined;

  /** `key`: 32 bytes. `former`, too: opens what was sealed before, and seals nothing. */
  constructor(key: Uint8Array, former?: Uint8Array) {
    for (const { length } of former === undefined ? [key] : [key, former])
      if (length !== 32) throw new Fault("invalid", `master key has ${length} bytes, not 32`);
    this.#key = createSecretKey(key);
    this.#former = former && createSecretKey(former);
  }

  /** Printable text: `v1.<base64url of nonce, ciphertext and tag>`. */
  seal(secret: Secret, owner: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv("aes-256-gcm", this.#key, nonce).setAAD(Buffer.from(`${VERSION}:${owner}`));
    const body = Buffer.concat([cipher.update(secret.reveal(), "utf8"), cipher.final()]);
    return `${VERSION}.${Buffer.concat([nonce, body, cipher.getAuthTag()]).toString("base64url")}`;
  }

  /** Throws `unavailable` when the key is another one, or the value was changed or belongs to another owner. */
  open(sealed: string, owner: string): Secret {
    const [version, body = ""] = sealed.split(".");
    const bytes = Buffer.from(body, "base64url");
    if (version !== VERSION || bytes.length < NONCE_BYTES + TAG_BYTES)
      throw new Fault("unavailable", `sealed value of ${owner} is not one of ours`);
    const clear = opened(this.#key, bytes, owner) ?? (this.#former && opened(this.#former, bytes, owner));
    if (clear !== undefined) return new Secret(clear.toString("utf8"));
    throw new Fault("unavailable", `sealed value of ${owner} does not open: wrong master key, or it was changed`);
  }
}

function opened(key: KeyObject, bytes: Buffer, owner: string): Buffer | undefined {
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(0, NONCE_BYTES))
    .setAAD(Buffer.from(`${VERSION}:${owner}`))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  const clear = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
  try {
    return Buffer.concat([clear, decipher.final()]);
  } catch {
    return undefined;
  }
}
