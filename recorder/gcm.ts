import {
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type DecipherGCM,
  type KeyObject,
} from "node:crypto";
import { type NativeGcm, type NativeState, nativeGcm } from "./native-gcm.ts";
import { TAG_BYTES } from "./protection.ts";

const LIMITS = {
  /** Handed to node:crypto in one call: its results stay small enough to come from memory that is in the cache. */
  pieceBytes: 16 * 1024,
};

/** A message of AES-256-GCM (NIST SP 800-38D) on its way: first what is bound to it, then its bytes in order, then its end, once. */
interface GcmMessage {
  /** What is authenticated and not encrypted. */
  bind(piece: Buffer): void;
  /** Encrypts or decrypts `from` into `to`, which has as many bytes, and is the same memory or other memory. */
  turn(from: Buffer, to: Buffer): void;
}

/** A message that is encrypted. */
export interface GcmSealing extends GcmMessage {
  /** Ends it. */
  tag(): Buffer;
}

/** A message that is decrypted. Nobody may have what was decrypted before it has ended well. */
export interface GcmOpening extends GcmMessage {
  /** Ends it: whether all is as it was when it was sealed under this tag, by the same key. */
  opens(tag: Buffer): boolean;
}

/** A key, for any number of messages. A nonce has 12 bytes, and seals one message. */
export interface GcmKey {
  sealing(nonce: Buffer): GcmSealing;
  opening(nonce: Buffer): GcmOpening;
}

/** A key of 32 bytes: for the native cipher where it is there, which makes no memory, or else for node:crypto. Both come to the same bytes. */
export function gcmKey(key: Buffer): GcmKey {
  const native = nativeGcm();
  if (native !== undefined)
    return {
      sealing: (nonce) => new NativeMessage(native, native.begin(key, nonce, true)),
      opening: (nonce) => new NativeMessage(native, native.begin(key, nonce, false)),
    };
  const object = createSecretKey(key);
  return {
    sealing: (nonce) => new NodeSealing(object, nonce),
    opening: (nonce) => new NodeOpening(object, nonce),
  };
}

class NativeMessage implements GcmSealing, GcmOpening {
  readonly #native: NativeGcm;
  readonly #state: NativeState;

  constructor(native: NativeGcm, state: NativeState) {
    this.#native = native;
    this.#state = state;
  }

  bind(piece: Buffer): void {
    this.#native.bind(this.#state, piece);
  }

  turn(from: Buffer, to: Buffer): void {
    this.#native.turn(this.#state, from, to);
  }

  tag(): Buffer {
    const tag = Buffer.alloc(TAG_BYTES);
    this.#native.seal(this.#state, tag);
    return tag;
  }

  opens(tag: Buffer): boolean {
    return this.#native.open(this.#state, tag);
  }
}

class NodeSealing implements GcmSealing {
  readonly #cipher: CipherGCM;

  constructor(key: KeyObject, nonce: Buffer) {
    this.#cipher = createCipheriv("aes-256-gcm", key, nonce);
  }

  bind(piece: Buffer): void {
    this.#cipher.setAAD(piece);
  }

  turn(from: Buffer, to: Buffer): void {
    turnInPieces(this.#cipher, from, to);
  }

  tag(): Buffer {
    this.#cipher.final();
    return this.#cipher.getAuthTag();
  }
}

class NodeOpening implements GcmOpening {
  readonly #decipher: DecipherGCM;

  constructor(key: KeyObject, nonce: Buffer) {
    this.#decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  }

  bind(piece: Buffer): void {
    this.#decipher.setAAD(piece);
  }

  turn(from: Buffer, to: Buffer): void {
    turnInPieces(this.#decipher, from, to);
  }

  opens(tag: Buffer): boolean {
    this.#decipher.setAuthTag(tag);
    try {
      this.#decipher.final();
      return true;
    } catch {
      return false;
    }
  }
}

function turnInPieces(cipher: CipherGCM | DecipherGCM, from: Buffer, to: Buffer): void {
  for (let at = 0; at < from.length; at += LIMITS.pieceBytes) {
    const turned = cipher.update(from.subarray(at, at + LIMITS.pieceBytes));
    turned.copy(to, at);
    release(turned);
  }
}

/**
 * Gives back the memory of what node:crypto has returned, at once: it lies outside of the heap, where megabytes a second that wait
 * for the collector make it go through the whole heap again and again, which costs more than the encryption. The buffer is
 * empty afterwards. One that shares its memory with others stays as it is.
 */
export function release({ buffer, byteLength }: Buffer<ArrayBuffer>): void {
  if (buffer.byteLength === byteLength) buffer.transfer(0);
}
