import { argon2, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { Fault } from "../base/fault.ts";
import type { Secret } from "../base/secret.ts";
import { KEY_BYTES, unwrap, wrap } from "./wrap.ts";

const MARK = "viaduct-passphrase-1";
const CONTEXT = "viaduct master key v1";

/** Argon2id (RFC 9106): about a second of a core, once at the start. */
const COST = { memoryKib: 256 * 1024, passes: 3, parallelism: 1 };
const LIMITS = {
  /** What a file may ask for, so that a changed one does not take the machine. */
  memoryKib: 4 * 1024 * 1024,
  passes: 64,
  parallelism: 16,
};
const SALT_BYTES = 16;

const derive = promisify(argon2);

export function isUnderPassphrase(text: string): boolean {
  return text.startsWith(MARK);
}

/** Prints a master key encrypted under a passphrase: a mark, the cost, and in base64 the salt and what {@link wrap} makes. */
export async function printUnderPassphrase(passphrase: Secret, key: Buffer): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const wrapped = wrap(await stretch(passphrase, salt, COST), key, CONTEXT);
  const { memoryKib, passes, parallelism } = COST;
  const fields = [memoryKib, passes, parallelism, salt.toString("base64"), wrapped.toString("base64")];
  return `${MARK} ${fields.join(" ")}\n`;
}

/** Undefined where the passphrase is another one. Fault `invalid` where the text was changed. */
export async function openUnderPassphrase(
  text: string,
  file: string,
  ask: () => Promise<Secret>,
): Promise<Buffer | undefined> {
  const [, memory, passes, parallelism, salt = "", wrapped = ""] = text.trim().split(" ");
  const cost = { memoryKib: Number(memory), passes: Number(passes), parallelism: Number(parallelism) };
  for (const [name, limit] of Object.entries(LIMITS)) {
    const value = cost[name as keyof typeof cost];
    if (!Number.isInteger(value) || value < 1 || value > limit)
      throw new Fault("invalid", `${file} asks for ${name} ${value}: it was changed`);
  }
  const under = await stretch(await ask(), Buffer.from(salt, "base64"), cost);
  return unwrap(under, Buffer.from(wrapped, "base64"), CONTEXT);
}

function stretch(passphrase: Secret, nonce: Buffer, cost: typeof COST): Promise<Buffer> {
  return derive("argon2id", {
    message: Buffer.from(passphrase.reveal().normalize("NFC")),
    nonce,
    parallelism: cost.parallelism,
    tagLength: KEY_BYTES,
    memory: cost.memoryKib,
    passes: cost.passes,
  });
}
