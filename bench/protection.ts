import { generateKeyPairSync, randomBytes } from "node:crypto";
import type { UnixMillis } from "../base/units.ts";
import { selfSigned } from "../net/tls.ts";
import { certificateOf, type Signer } from "../recorder/signature.ts";
import type { RecordingKeys } from "../recorder/writer-context.ts";

const ID = "00".repeat(16);

/** One key for all recordings, kept nowhere. */
export function benchKeys(): RecordingKeys {
  const key = randomBytes(32);
  return {
    find: async () => key,
    forRecording: async () => ({ id: ID, key }),
    cameras: async () => [],
    shred: async () => 0,
  };
}

/** Signs with a key of its own, like a new installation. `at`: from when on its certificate is good. */
export async function benchSigner(at: UnixMillis): Promise<Signer> {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = await selfSigned(privateKey.export({ type: "pkcs8", format: "der" }), "CN=Bench", at);
  return { privateKey, certificate: certificateOf(pem).raw };
}
