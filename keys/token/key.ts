import { constants, createHash, createPublicKey, type KeyObject, publicEncrypt, randomBytes } from "node:crypto";
import type { Attribute, Handle } from "pkcs11js";
import { KEY_BYTES } from "../wrap.ts";
import { unusable } from "./place.ts";
import type { TokenSession } from "./session.ts";

/** Of a pair that is made here; the largest that small tokens have is 4096. */
const RSA_BITS = 3072;
const RSA_EXPONENT = Buffer.from([1, 0, 1]);
const ID_BYTES = 8;

/** The hash in RSAES-OAEP and in its mask (RFC 8017 7.1), in the order in which they are tried. SoftHSM and older cards have SHA-1 alone. */
const OAEP_HASHES = ["sha256", "sha1"] as const;
export type OaepHash = (typeof OAEP_HASHES)[number];

/** An RSA key pair in a token. */
export interface TokenKey {
  /** SHA-256 of the public half (SubjectPublicKeyInfo), hexadecimal. */
  readonly fingerprint: string;
  readonly bits: number;
  /** The token gives the private half to nobody, not even to who has the PIN. */
  readonly stays: boolean;
  readonly publicKey: KeyObject;
  /** Decrypts what is encrypted for the public half; throws an error of the library where the token cannot. */
  decrypt(ciphertext: Buffer, hash: OaepHash): Buffer;
}

export function isOaepHash(text: string): text is OaepHash {
  return (OAEP_HASHES as readonly string[]).includes(text);
}

/** The pair with the label of the place; undefined where there is none. */
export function findKey({ token, library, place, session }: TokenSession): TokenKey | undefined {
  token.C_FindObjectsInit(session, [
    { type: library.CKA_CLASS, value: library.CKO_PRIVATE_KEY },
    { type: library.CKA_KEY_TYPE, value: library.CKK_RSA },
    { type: library.CKA_LABEL, value: place.key },
  ]);
  const [found, ...more] = token.C_FindObjects(session, 2);
  token.C_FindObjectsFinal(session);
  if (found === undefined) return undefined;
  if (more.length > 0) throw unusable(`token ${place.name} has several RSA keys ${place.key}: give one another label`);
  const read = (handle: Handle, ...types: readonly number[]): readonly Buffer[] =>
    token
      .C_GetAttributeValue(
        session,
        handle,
        types.map((type): Attribute => ({ type })),
      )
      .map(({ value }) => value);
  const [n, e] = read(found, library.CKA_MODULUS, library.CKA_PUBLIC_EXPONENT);
  const [sensitive, extractable] = read(found, library.CKA_SENSITIVE, library.CKA_EXTRACTABLE);
  const publicKey = createPublicKey({
    key: { kty: "RSA", n: numberOf(n), e: numberOf(e) },
    format: "jwk",
  });
  const bits = publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
  return {
    publicKey,
    bits,
    fingerprint: createHash("sha256")
      .update(publicKey.export({ type: "spki", format: "der" }))
      .digest("hex"),
    stays: sensitive?.[0] === 1 && extractable?.[0] === 0,
    decrypt(ciphertext, hash) {
      const [hashAlg, mgf] =
        hash === "sha256" ? [library.CKM_SHA256, library.CKG_MGF1_SHA256] : [library.CKM_SHA_1, library.CKG_MGF1_SHA1];
      // No label (RFC 8017 7.1), as Node.js has none; the source of it is to be named nonetheless.
      const parameter = { type: library.CK_PARAMS_RSA_OAEP, hashAlg, mgf, source: 1 };
      token.C_DecryptInit(session, { mechanism: library.CKM_RSA_PKCS_OAEP, parameter }, found);
      return token.C_Decrypt(session, ciphertext, Buffer.alloc(Math.ceil(bits / 8)));
    },
  };
}

/** Makes the pair of the place, which never leaves the token. */
export function makeKey({ token, library, place, session }: TokenSession): void {
  const both: readonly Attribute[] = [
    { type: library.CKA_TOKEN, value: true },
    { type: library.CKA_LABEL, value: place.key },
    { type: library.CKA_ID, value: randomBytes(ID_BYTES) },
  ];
  token.C_GenerateKeyPair(
    session,
    { mechanism: library.CKM_RSA_PKCS_KEY_PAIR_GEN },
    [
      ...both,
      { type: library.CKA_ENCRYPT, value: true },
      { type: library.CKA_MODULUS_BITS, value: RSA_BITS },
      { type: library.CKA_PUBLIC_EXPONENT, value: RSA_EXPONENT },
    ],
    [
      ...both,
      { type: library.CKA_PRIVATE, value: true },
      { type: library.CKA_SENSITIVE, value: true },
      { type: library.CKA_EXTRACTABLE, value: false },
      { type: library.CKA_DECRYPT, value: true },
    ],
  );
}

/** Encrypts for the public half in the first way in which the token was just seen to decrypt. */
export function encryptFor(key: TokenKey, secret: Buffer): { readonly hash: OaepHash; readonly ciphertext: Buffer } {
  const hash = decryptsBy(key);
  if (hash === undefined)
    throw unusable("the token decrypts by RSA-OAEP (CKM_RSA_PKCS_OAEP) neither with SHA-256 nor with SHA-1");
  return { hash, ciphertext: encrypt(key, secret, hash) };
}

/** Tries it with as much as a master key; undefined where the token decrypts in no way that there is. */
export function decryptsBy(key: TokenKey): OaepHash | undefined {
  const trial = randomBytes(KEY_BYTES);
  return OAEP_HASHES.find((hash) => {
    try {
      return key.decrypt(encrypt(key, trial, hash), hash).equals(trial);
    } catch {
      return false;
    }
  });
}

/** As JSON Web Keys have it (RFC 7518 6.3.1). */
function numberOf(bytes: Buffer | undefined): string {
  return (bytes ?? Buffer.alloc(0)).toString("base64url");
}

function encrypt({ publicKey }: TokenKey, secret: Buffer, oaepHash: OaepHash): Buffer {
  return publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, secret);
}
