import { randomBytes } from "node:crypto";
import { Fault } from "../base/fault.ts";
import { ntpOf, type UnixMillis } from "../base/units.ts";
import { MASTER_BYTES, type SrtpKeys, type SrtpSuite } from "./srtp-cipher.ts";

const LIMITS = { bytes: 1024, payloads: 16, sessions: 32, mkiBytes: 16 };

/** Payloads (RFC 3830 6.1 and later). */
const LAST = 0;
const KEMAC = 1;
const TIMESTAMP = 5;
const POLICY = 10;
const RAND = 11;

const HEADER_BYTES = 10;
/** Policy, SSRC and ROC of one crypto session (RFC 3830 6.1.1). */
const SESSION_BYTES = 9;
const TIMESTAMP_BYTES: Readonly<Record<number, number>> = { 0: 8, 1: 8, 2: 4 };
const RAND_BYTES = 16;

/** A key without and with a salt of its own (RFC 3830 6.13). */
const TEK = 2;
const TEK_AND_SALT = 3;
/** The key has a name: the MKI. */
const NAMED = 1;

/** Parameters of an SRTP policy (RFC 3830 6.10.1; 20 is of RFC 7714's registration). */
const PARAMETER = {
  encryption: 0,
  encryptionKeyBytes: 1,
  authentication: 2,
  authenticationKeyBytes: 3,
  saltBytes: 4,
  prf: 5,
  srtpEncrypted: 7,
  srtcpEncrypted: 8,
  authenticated: 10,
  tagBytes: 11,
  aeadTagBytes: 20,
} as const;

const AES_CM = 1;
const AES_GCM = 6;
const HMAC_SHA1 = 1;

/** ONVIF Streaming, "MIKEY": what each algorithm's policy says. */
const POLICIES: Readonly<Record<SrtpSuite, readonly (readonly [type: number, value: number])[]>> = {
  AES_CM_128_HMAC_SHA1_80: [
    [PARAMETER.encryption, AES_CM],
    [PARAMETER.encryptionKeyBytes, 16],
    [PARAMETER.authentication, HMAC_SHA1],
    [PARAMETER.authenticationKeyBytes, 20],
    [PARAMETER.saltBytes, 14],
    [PARAMETER.prf, 0],
    [PARAMETER.srtpEncrypted, 1],
    [PARAMETER.srtcpEncrypted, 1],
    [PARAMETER.authenticated, 1],
    [PARAMETER.tagBytes, 10],
  ],
  AEAD_AES_128_GCM: [
    [PARAMETER.encryption, AES_GCM],
    [PARAMETER.encryptionKeyBytes, 16],
    [PARAMETER.authentication, 0],
    [PARAMETER.saltBytes, 12],
    [PARAMETER.prf, 0],
    [PARAMETER.srtpEncrypted, 1],
    [PARAMETER.srtcpEncrypted, 1],
    [PARAMETER.aeadTagBytes, 16],
  ],
};

/**
 * A MIKEY message that brings the keys of one SRTP stream in the clear, to be sent inside TLS (RFC 3830 3.1, 6; ONVIF Streaming, "MIKEY").
 * `ssrc`: of the stream, 0 where it is not known yet.
 */
export function printMikey(keys: SrtpKeys, o: { readonly ssrc: number; readonly now: UnixMillis }): Buffer {
  const header = Buffer.from([1, 0, TIMESTAMP, 0, 0, 0, 0, 0, 1, 0]);
  randomBytes(4).copy(header, 4);
  const session = Buffer.alloc(SESSION_BYTES);
  session.writeUInt32BE(o.ssrc >>> 0, 1);
  const ntp = ntpOf(o.now);
  const timestamp = Buffer.alloc(10);
  timestamp.writeUInt8(RAND, 0);
  timestamp.writeUInt32BE(ntp.seconds, 2);
  timestamp.writeUInt32BE(ntp.fraction, 6);
  const random = Buffer.concat([Buffer.of(POLICY, RAND_BYTES), randomBytes(RAND_BYTES)]);
  const parameters = Buffer.from(POLICIES[keys.suite].flatMap(([type, value]) => [type, 1, value]));
  const policy = Buffer.concat([Buffer.of(KEMAC, 0, 0), lengthOf(parameters), parameters]);
  const key = keyData(keys);
  const transport = Buffer.concat([Buffer.of(LAST, 0), lengthOf(key), key, Buffer.of(0)]);
  return Buffer.concat([header, session, timestamp, random, policy, transport]);
}

/** With AES-CM the salt stands behind the key, else by itself (ONVIF Streaming, "MIKEY"). */
function keyData({ suite, masterKey, masterSalt, mki }: SrtpKeys): Buffer {
  const joined = suite === "AES_CM_128_HMAC_SHA1_80";
  const key = joined ? Buffer.concat([masterKey, masterSalt]) : masterKey;
  const type = ((joined ? TEK : TEK_AND_SALT) << 4) | (mki.length === 0 ? 0 : NAMED);
  return Buffer.concat([
    Buffer.of(LAST, type),
    lengthOf(key),
    key,
    ...(joined ? [] : [lengthOf(masterSalt), masterSalt]),
    ...(mki.length === 0 ? [] : [Buffer.of(mki.length), mki]),
  ]);
}

function lengthOf(bytes: Buffer): Buffer {
  return Buffer.of(bytes.length >> 8, bytes.length & 0xff);
}

/**
 * Reads the keys of a message as {@link printMikey} makes it: pre-shared key, nothing encrypted nor authenticated by MIKEY itself, one
 * key. Without a policy it is AES-CM. Fault `invalid` for everything else.
 */
export function parseMikey(bytes: Buffer): SrtpKeys {
  const reader = new Reader(bytes);
  if (bytes.length > LIMITS.bytes) throw new Fault("invalid", `MIKEY of ${bytes.length} bytes`);
  const [version, type, first, , , , , , sessions = 0, map] = reader.take(HEADER_BYTES);
  if (version !== 1 || type !== 0 || map !== 0 || sessions > LIMITS.sessions)
    throw new Fault("invalid", `MIKEY version ${version}, type ${type}, map ${map} of ${sessions}`);
  reader.take(sessions * SESSION_BYTES);
  let suite: SrtpSuite = "AES_CM_128_HMAC_SHA1_80";
  let next = first ?? LAST;
  for (let count = 0; next !== LAST; count += 1) {
    if (count === LIMITS.payloads) throw new Fault("invalid", "MIKEY of too many payloads");
    const kind = next;
    next = reader.byte();
    if (kind === TIMESTAMP) reader.take(TIMESTAMP_BYTES[reader.byte()] ?? Number.NaN);
    else if (kind === RAND) reader.take(reader.byte());
    else if (kind === POLICY) suite = suiteOf(reader);
    else if (kind === KEMAC) return keysOf(reader, suite);
    else throw new Fault("invalid", `MIKEY payload ${kind}`);
  }
  throw new Fault("invalid", "MIKEY without keys");
}

function suiteOf(reader: Reader): SrtpSuite {
  reader.byte();
  if (reader.byte() !== 0) throw new Fault("invalid", "MIKEY for another protocol than SRTP");
  const inner = new Reader(reader.take(reader.length()));
  const said = new Map<number, number>();
  while (inner.left > 0) {
    const type = inner.byte();
    const value = inner.take(inner.byte());
    if (value.length !== 1) throw new Fault("invalid", `MIKEY parameter ${type} of ${value.length} bytes`);
    said.set(type, value[0] ?? 0);
  }
  const suite = said.get(PARAMETER.encryption) === AES_GCM ? "AEAD_AES_128_GCM" : "AES_CM_128_HMAC_SHA1_80";
  for (const [type, value] of POLICIES[suite]) {
    const asked = said.get(type) ?? value;
    // GStreamer says the tag's length (10) where the authentication key's belongs (gstmikey.c, 1.22).
    const known = type === PARAMETER.authenticationKeyBytes && asked === 10;
    if (asked !== value && !known) throw new Fault("invalid", `MIKEY parameter ${type} is ${asked}`);
  }
  return suite;
}

function keysOf(reader: Reader, suite: SrtpSuite): SrtpKeys {
  const encryption = reader.byte();
  const inner = new Reader(reader.take(reader.length()));
  if (encryption !== 0 || reader.byte() !== 0) throw new Fault("invalid", "MIKEY with encrypted or authenticated keys");
  inner.byte();
  const kinds = inner.byte();
  const [type, validity] = [kinds >> 4, kinds & 0xf];
  if (type !== TEK && type !== TEK_AND_SALT) throw new Fault("invalid", `MIKEY key of type ${type}`);
  if (validity !== 0 && validity !== NAMED) throw new Fault("invalid", `MIKEY key with validity of type ${validity}`);
  const key = inner.take(inner.length());
  const keyBytes = MASTER_BYTES[suite].key;
  const masterSalt = type === TEK_AND_SALT ? inner.take(inner.length()) : key.subarray(keyBytes);
  const masterKey = type === TEK_AND_SALT ? key : key.subarray(0, keyBytes);
  const mki = validity === NAMED ? inner.take(inner.byte()) : Buffer.alloc(0);
  if (masterKey.length !== keyBytes || masterSalt.length !== MASTER_BYTES[suite].salt || mki.length > LIMITS.mkiBytes)
    throw new Fault(
      "invalid",
      `MIKEY key of ${masterKey.length}, salt of ${masterSalt.length}, MKI of ${mki.length} bytes`,
    );
  return { suite, masterKey, masterSalt, mki };
}

/** Fault `invalid` beyond the end. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  take(count: number): Buffer {
    if (!(count <= this.left)) throw new Fault("invalid", `MIKEY is cut at byte ${this.#at}`);
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  byte(): number {
    return this.take(1).readUInt8();
  }

  length(): number {
    return this.take(2).readUInt16BE();
  }
}
