import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { Fault } from "../base/fault.ts";

/** Bytes of every symmetric key here. */
export const KEY_BYTES = 32;

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** A raw public key of X25519 (RFC 7748). */
const POINT_BYTES = 32;
/** What stands before the 32 bytes in a SubjectPublicKeyInfo of X25519 (RFC 8410 4). */
const SPKI_PREFIX = Buffer.from("302a300506032b656e032100", "hex");

/**
 * Encrypts a key or another small secret under a key (AES-256-GCM, random nonce): nonce, ciphertext, tag. `context` says
 * what it is and whose; it is authenticated, so that a wrapped key cannot be put in another's place.
 */
export function wrap(under: Uint8Array, secret: Uint8Array, context: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", under, nonce).setAAD(Buffer.from(context));
  return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
}

/** Undefined where the key or the context is another one, or the bytes were changed. */
export function unwrap(under: Uint8Array, wrapped: Uint8Array, context: string): Buffer | undefined {
  const bytes = Buffer.from(wrapped);
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", under, bytes.subarray(0, NONCE_BYTES))
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** A new pair of X25519 keys. */
export function makePair(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync("x25519");
}

/**
 * Encrypts a secret for whoever holds the private key to `publicKey` (X25519), and for nobody else, the sender included:
 * a new pair for each secret, HKDF-SHA-256 over what both sides share, AES-256-GCM. Made like HPKE's base mode (RFC 9180),
 * and not its wire format. The ephemeral public key, then what {@link wrap} makes.
 */
export function sealTo(publicKey: KeyObject, secret: Uint8Array, context: string): Buffer {
  const ephemeral = makePair();
  const key = sharedKey(ephemeral.privateKey, publicKey, ephemeral.publicKey, publicKey);
  return Buffer.concat([pointOf(ephemeral.publicKey), wrap(key, secret, context)]);
}

/** Undefined where the private key is another one, or the bytes were changed. */
export function openSealed(privateKey: KeyObject, sealed: Uint8Array, context: string): Buffer | undefined {
  const bytes = Buffer.from(sealed);
  if (bytes.length < POINT_BYTES) return undefined;
  try {
    const ephemeral = keyOfPoint(bytes.subarray(0, POINT_BYTES));
    const key = sharedKey(privateKey, ephemeral, ephemeral, createPublicKey(privateKey));
    return unwrap(key, bytes.subarray(POINT_BYTES), context);
  } catch {
    // A point of small order has no shared secret.
    return undefined;
  }
}

function sharedKey(own: KeyObject, other: KeyObject, ephemeral: KeyObject, recipient: KeyObject): Buffer {
  const shared = diffieHellman({ privateKey: own, publicKey: other });
  const salt = Buffer.concat([pointOf(ephemeral), pointOf(recipient)]);
  return Buffer.from(hkdfSync("sha256", shared, salt, "viaduct sealed key v1", KEY_BYTES));
}

function pointOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: "spki", format: "der" }).subarray(-POINT_BYTES);
}

function keyOfPoint(point: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, point]), format: "der", type: "spki" });
}

/** A key of X25519 from its PEM; a Fault `invalid` for anything else. */
export function readKey(pem: string | Buffer, kind: "public" | "private"): KeyObject {
  let key: KeyObject;
  try {
    key = kind === "public" ? createPublicKey(pem) : createPrivateKey(pem);
  } catch (cause) {
    throw new Fault("invalid", `that is no ${kind} key in PEM`, { cause });
  }
  if (key.asymmetricKeyType !== "x25519")
    throw new Fault("invalid", `a key of ${key.asymmetricKeyType ?? "another kind"}, where X25519 is wanted`);
  return key;
}
