import { constants, createHash, type KeyObject, privateEncrypt, randomBytes } from "node:crypto";
import { Fault } from "../../base/fault.ts";

const HASH_BYTES = 32;
const HASH = "sha256";

/**
 * RSASSA-PSS with SHA-256 and MGF1 with SHA-256 (RFC 8017 8.1.1), of what was hashed already: `node:crypto` signs no hash, and to hash
 * everything once more for it is a third of what an export costs. The power of the private key is OpenSSL's; what stands here is the
 * encoding of the hash alone (RFC 8017 9.1.1). Fault `invalid` where the key is no RSA key, or has no room for hash and salt.
 */
export function signPss(hash: Buffer, key: KeyObject, saltBytes: number): Buffer {
  const { modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  const bytes = Math.ceil(modulusLength / 8);
  if (
    key.asymmetricKeyType !== "rsa" ||
    hash.length !== HASH_BYTES ||
    modulusLength - 1 < 8 * (HASH_BYTES + saltBytes) + 9
  )
    throw new Fault("invalid", `a ${key.asymmetricKeyType} key of ${modulusLength} bits cannot sign so`);
  return privateEncrypt(
    { key, padding: constants.RSA_NO_PADDING },
    encode(hash, randomBytes(saltBytes), modulusLength, bytes),
  );
}

/** EMSA-PSS (RFC 8017 9.1.1): as many bits as the modulus has, less one, in as many bytes as the modulus has. */
function encode(hash: Buffer, salt: Buffer, modulusBits: number, bytes: number): Buffer {
  const encoded = Buffer.alloc(bytes);
  const bits = modulusBits - 1;
  const start = bytes - Math.ceil(bits / 8);
  const salted = createHash(HASH).update(Buffer.alloc(8)).update(hash).update(salt).digest();
  const data = encoded.subarray(start, bytes - HASH_BYTES - 1);
  data[data.length - salt.length - 1] = 1;
  salt.copy(data, data.length - salt.length);
  const mask = mgf1(salted, data.length);
  for (let at = 0; at < data.length; at += 1) data[at] = (data[at] as number) ^ (mask[at] as number);
  data[0] = (data[0] as number) & (0xff >> (8 * (bytes - start) - bits));
  salted.copy(encoded, bytes - HASH_BYTES - 1);
  encoded[bytes - 1] = 0xbc;
  return encoded;
}

/** A mask from a seed (RFC 8017 B.2.1). */
function mgf1(seed: Buffer, bytes: number): Buffer {
  const counter = Buffer.alloc(4);
  const blocks = Array.from({ length: Math.ceil(bytes / HASH_BYTES) }, (_, index) => {
    counter.writeUInt32BE(index);
    return createHash(HASH).update(seed).update(counter).digest();
  });
  return Buffer.concat(blocks).subarray(0, bytes);
}
