import { generateKeyPairSync } from "node:crypto";
import { unixMillis } from "../../base/units.ts";
import { selfSigned } from "../../net/tls.ts";
import { certificateOf, type Signer } from "../../recorder/signature.ts";
import { START_MS } from "./recorder-samples.ts";

/** Signs recordings with a key that was made for it. */
export async function makeSigner(): Promise<Signer> {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = await selfSigned(privateKey.export({ type: "pkcs8", format: "der" }), "CN=Test", unixMillis(START_MS));
  return { privateKey, certificate: certificateOf(pem).raw };
}
