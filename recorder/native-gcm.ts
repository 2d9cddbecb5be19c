import { isNativeOff, loadNative } from "../base/native.ts";

/** A message of the native cipher that has not ended. Known to it alone. */
export type NativeState = object & { readonly nativeState: never };

/**
 * What `native/gcm.c` can do: AES-256-GCM by the OpenSSL within Node.js, from memory of the caller's into memory of the caller's. Throws a
 * TypeError for anything else than is said here.
 */
export interface NativeGcm {
  /** A message under a key of 32 bytes and a nonce of 12. */
  begin(key: Buffer, nonce: Buffer, encrypts: boolean): NativeState;
  /** What is authenticated and not encrypted, before the first turn. */
  bind(state: NativeState, bytes: Buffer): void;
  /** The next piece. `to` has as many bytes as `from`, and is the same memory, or has nothing in common with it. */
  turn(state: NativeState, from: Buffer, to: Buffer): void;
  /** Ends what was encrypted, and puts its tag into `tag`, of 16 bytes. */
  seal(state: NativeState, tag: Buffer): void;
  /** Ends what was decrypted: whether it, and what was bound, are what was sealed under this tag. */
  open(state: NativeState, tag: Buffer): boolean;
}

/** Test case 16 of the GCM specification (McGrew and Viega, 2005), also in NIST's vectors. */
const KNOWN = {
  key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
  nonce: "cafebabefacedbaddecaf888",
  bound: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
  plain:
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
  encrypted:
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
  tag: "76fc6ece0f4e1768cddf8853bb2d551b",
};

let loaded: { readonly gcm: NativeGcm | undefined } | undefined;

/**
 * The native cipher, loaded when it is first asked for. Undefined where it was not built, does not load (a Node.js that shows no OpenSSL), is
 * another version than this program, does not encrypt as the specification has it, or is switched off.
 */
export function nativeGcm(): NativeGcm | undefined {
  if (isNativeOff()) return undefined;
  loaded ??= { gcm: load() };
  return loaded.gcm;
}

/** How recordings are encrypted and decrypted, in a few words for the log. */
export function encryptingBy(gcm: NativeGcm | undefined): string {
  return gcm === undefined ? "Node.js alone" : "the native cipher";
}

function load(): NativeGcm | undefined {
  const gcm = loadNative<NativeGcm>("gcm", ["begin", "bind", "turn", "seal", "open"]);
  return gcm instanceof Error || !isRight(gcm) ? undefined : gcm;
}

/** Whether it makes of a known message what is known of it, and refuses another tag. Another OpenSSL than it was built for must not go unnoticed. */
export function isRight(gcm: NativeGcm): boolean {
  const { key, nonce, bound, plain, encrypted, tag } = KNOWN;
  const begin = (encrypts: boolean): NativeState => {
    const state = gcm.begin(hex(key), hex(nonce), encrypts);
    gcm.bind(state, hex(bound));
    return state;
  };
  try {
    const [bytes, made] = [hex(plain), hex(tag).fill(0)];
    const sealing = begin(true);
    gcm.turn(sealing, bytes, bytes);
    gcm.seal(sealing, made);
    if (bytes.toString("hex") !== encrypted || made.toString("hex") !== tag) return false;
    const opens = (by: Buffer): boolean => {
      const opening = begin(false);
      gcm.turn(opening, hex(encrypted), bytes);
      return gcm.open(opening, by) && bytes.toString("hex") === plain;
    };
    made[0] = (made[0] ?? 0) ^ 1;
    return opens(hex(tag)) && !opens(made);
  } catch {
    return false;
  }
}

function hex(text: string): Buffer {
  return Buffer.from(text, "hex");
}
