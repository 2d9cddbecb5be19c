import {
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  type DecipherGCM,
  timingSafeEqual,
} from "node:crypto";
import { Fault } from "../base/fault.ts";

/** How packets are protected, by the names of the IANA registry of SRTP protection profiles. */
export type SrtpSuite = "AES_CM_128_HMAC_SHA1_80" | "AEAD_AES_128_GCM";

/** What both ends have to know. Never logged. */
export interface SrtpKeys {
  readonly suite: SrtpSuite;
  readonly masterKey: Buffer;
  readonly masterSalt: Buffer;
  /** Stands in each packet and names the key (RFC 3711 3.1, MKI); empty where packets have none. */
  readonly mki: Buffer;
}

/** Bytes of a suite's master key and salt (RFC 3711 8.2, RFC 7714 12). */
export const MASTER_BYTES: Readonly<Record<SrtpSuite, { readonly key: number; readonly salt: number }>> = {
  AES_CM_128_HMAC_SHA1_80: { key: 16, salt: 14 },
  AEAD_AES_128_GCM: { key: 16, salt: 12 },
};

/** Of the key derivation: what a session key is for (RFC 3711 4.3.2). Those of SRTCP are 3 more. */
const LABELS = { encryption: 0, authentication: 1, salt: 2 } as const;
const SRTCP_LABELS = 3;

const SESSION_KEY_BYTES = 16;
const HMAC_KEY_BYTES = 20;
const HMAC_TAG_BYTES = 10;
const GCM_TAG_BYTES = 16;

/** Protects and opens packets of one kind, RTP or RTCP, under session keys. Knows bytes and positions, not their history. */
export interface SrtpCipher {
  /** Bytes that a packet becomes longer by, without MKI and SRTCP's index. */
  readonly tagBytes: number;
  /** The tag belongs to the ciphertext, and stands at its end; else it stands at the end of the packet. */
  readonly isAead: boolean;
  /**
   * Encrypts `content` and authenticates it with the header, `clear`, and the trailer. Never twice with the same index under one key
   * and SSRC.
   */
  seal(clear: Buffer, content: Buffer, at: PacketPlace): { readonly content: Buffer; readonly tag: Buffer };
  /** Undefined for what was not sealed so. */
  open(clear: Buffer, content: Buffer, tag: Buffer, at: PacketPlace): Buffer | undefined;
}

/** Which packet it is. */
export interface PacketPlace {
  readonly ssrc: number;
  /** SRTP: 48 bits; SRTCP: 31. */
  readonly index: number;
  /** SRTP: the roll-over counter; SRTCP: the E flag and the index (RFC 3711 4.2). */
  readonly trailer: Buffer;
}

/** Session keys out of the master key, for RTP or for RTCP (RFC 3711 4.3, RFC 7714 11). Fault `invalid` for keys of a wrong length. */
export function srtpCipher({ suite, masterKey, masterSalt }: SrtpKeys, kind: "rtp" | "rtcp"): SrtpCipher {
  const wanted = MASTER_BYTES[suite];
  if (masterKey.length !== wanted.key || masterSalt.length !== wanted.salt)
    throw new Fault("invalid", `${suite} with a key of ${masterKey.length} and a salt of ${masterSalt.length} bytes`);
  const first = kind === "rtp" ? 0 : SRTCP_LABELS;
  const derive = (label: number, bytes: number): Buffer => derived(masterKey, masterSalt, first + label, bytes);
  const key = derive(LABELS.encryption, SESSION_KEY_BYTES);
  const salt = derive(LABELS.salt, wanted.salt);
  return suite === "AEAD_AES_128_GCM"
    ? gcm(key, salt, kind)
    : counterMode(key, salt, derive(LABELS.authentication, HMAC_KEY_BYTES));
}

/** AES in counter mode over the salt with a label in it (RFC 3711 4.3.1, 4.3.3; the rate of derivation is 0). */
export function derived(masterKey: Buffer, masterSalt: Buffer, label: number, bytes: number): Buffer {
  const counter = Buffer.alloc(16);
  masterSalt.copy(counter);
  counter.writeUInt8((counter[7] ?? 0) ^ label, 7);
  return createCipheriv("aes-128-ctr", masterKey, counter).update(Buffer.alloc(bytes));
}

/** AES-CM and HMAC-SHA1 (RFC 3711 4.1.1, 4.2.1). */
export function counterMode(sessionKey: Buffer, salt: Buffer, authenticationKey: Buffer): SrtpCipher {
  // Handing over plain bytes each time costs five times as much.
  const [key, macKey] = [createSecretKey(sessionKey), createSecretKey(authenticationKey)];
  const stream = (content: Buffer, { ssrc, index }: PacketPlace): Buffer => {
    const counter = Buffer.alloc(16);
    salt.copy(counter);
    counter.writeUInt32BE((counter.readUInt32BE(4) ^ ssrc) >>> 0, 4);
    xorIndex(counter, 8, index);
    return createCipheriv("aes-128-ctr", key, counter).update(content);
  };
  const tagOf = (clear: Buffer, encrypted: Buffer, trailer: Buffer): Buffer =>
    createHmac("sha1", macKey).update(clear).update(encrypted).update(trailer).digest().subarray(0, HMAC_TAG_BYTES);
  return {
    tagBytes: HMAC_TAG_BYTES,
    isAead: false,
    seal(clear, content, at) {
      const encrypted = stream(content, at);
      return { content: encrypted, tag: tagOf(clear, encrypted, at.trailer) };
    },
    open(clear, content, tag, at) {
      return timingSafeEqual(tagOf(clear, content, at.trailer), tag) ? stream(content, at) : undefined;
    },
  };
}

/** AES-GCM (RFC 7714 8, 9). The roll-over counter is part of the IV; SRTCP's index is authenticated besides. */
export function gcm(sessionKey: Buffer, salt: Buffer, kind: "rtp" | "rtcp"): SrtpCipher {
  const key = createSecretKey(sessionKey);
  const start = <T extends CipherGCM | DecipherGCM>(cipher: T, clear: Buffer, trailer: Buffer): T => {
    cipher.setAAD(kind === "rtp" ? clear : Buffer.concat([clear, trailer]));
    return cipher;
  };
  const ivOf = ({ ssrc, index }: PacketPlace): Buffer => {
    const iv = Buffer.from(salt);
    iv.writeUInt32BE((iv.readUInt32BE(2) ^ ssrc) >>> 0, 2);
    xorIndex(iv, 6, index);
    return iv;
  };
  return {
    tagBytes: GCM_TAG_BYTES,
    isAead: true,
    seal(clear, content, at) {
      const cipher = start(createCipheriv("aes-128-gcm", key, ivOf(at)), clear, at.trailer);
      const encrypted = cipher.update(content);
      cipher.final();
      return { content: encrypted, tag: cipher.getAuthTag() };
    },
    open(clear, content, tag, at) {
      const decipher = start(createDecipheriv("aes-128-gcm", key, ivOf(at)), clear, at.trailer);
      decipher.setAuthTag(tag);
      const plain = decipher.update(content);
      try {
        decipher.final();
      } catch {
        return undefined;
      }
      return plain;
    },
  };
}

/** 48 bits. */
function xorIndex(bytes: Buffer, at: number, index: number): void {
  bytes.writeUIntBE(bytes.readUIntBE(at, 2) ^ Math.floor(index / 2 ** 32), at, 2);
  bytes.writeUInt32BE((bytes.readUInt32BE(at + 2) ^ (index % 2 ** 32)) >>> 0, at + 2);
}
