import { generateKeyPairSync, hash, sign } from "node:crypto";

/** H.264: an SEI message of user data, and the UUID of Axis Signed Video. */
const SEI = Buffer.of(6, 5);
const UUID = Buffer.from("5369676e656420566964656f2e2e2e30", "hex");
/** Groups are linked and hashed as since release 2.0, and the message as it stands. */
const FLAGS = Buffer.of(0x30);
const SALT = Buffer.of(1);
const NONE = Buffer.alloc(32);

/** Signs groups of slices as an Axis camera does that has no chip, with a list of their hashes. */
export class SigningCamera {
  readonly #keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  #hashes: Buffer[] = [];
  #previous: Buffer = NONE;
  #counter = 0;

  /** A slice of its own. `starts`: with it, a group begins. */
  slice(nal: Buffer, starts: boolean): void {
    const own = hash("sha256", nal, "buffer");
    this.#hashes.push(starts ? own : hash("sha256", Buffer.concat([this.#hashes[0] ?? own, own]), "buffer"));
  }

  /** The message about the slices since the one before. */
  message(): Buffer {
    this.#counter += 1;
    const counts = Buffer.alloc(6);
    counts.writeUInt32BE(this.#counter);
    counts.writeUInt16BE(this.#hashes.length, 4);
    const group = hash("sha256", Buffer.concat([SALT, ...this.#hashes]), "buffer");
    const key = Buffer.from(this.#keys.publicKey.export({ type: "spki", format: "pem" }));
    const said = Buffer.concat([
      long(2, Buffer.concat([Buffer.of(2), key])),
      short(1, Buffer.concat([Buffer.of(4), counts, Buffer.of(2, 3, 8, 0), this.#previous, group])),
      long(4, Buffer.concat([Buffer.of(1), ...this.#hashes])),
    ]);
    this.#previous = this.#hashes[0] ?? NONE;
    this.#hashes = [];
    // The signature has as many bytes as it has: its place is always as large.
    const placeBytes = 80;
    const head = Buffer.concat([SEI, sizeOf(UUID.length + 1 + said.length + 3 + placeBytes), UUID, FLAGS, said]);
    const signature = sign("sha256", head, this.#keys.privateKey);
    const place = Buffer.alloc(placeBytes, 1);
    place.set([2, 0, 0, signature.length]);
    place.set(signature, 4);
    return Buffer.concat([head, long(5, place), Buffer.of(0x80)]);
  }
}

function sizeOf(bytes: number): Buffer {
  return Buffer.concat([Buffer.alloc(Math.floor(bytes / 255), 0xff), Buffer.of(bytes % 255)]);
}

function short(tag: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag, value.length), value]);
}

function long(tag: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag, value.length >> 8, value.length & 0xff), value]);
}
