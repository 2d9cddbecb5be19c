import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { isoOf } from "../base/units.ts";
import { putAside, readIfThere, writeWhole } from "../base/whole-file.ts";
import { selfSigned } from "../net/tls.ts";
import type { Signer } from "../recorder/signature.ts";
import { CERTIFICATE_FILE, type DataFolder } from "./data-folder.ts";

/**
 * Who signs recordings here: an Ed25519 key that is made at the first start, kept under the master key and never leaves the
 * machine, and its certificate, `evidence-cert.pem`. Where the key was lost with the master key, the certificate of the lost one is kept
 * as `evidence-cert.<date>.pem`. Fault `invalid` where another key's certificate stands there.
 */
export async function loadSigner(folder: DataFolder, clock: Clock): Promise<Signer> {
  const file = folder.file(CERTIFICATE_FILE);
  let stored = folder.keys.get("signing");
  if (stored === undefined) {
    const date = isoOf(clock.now()).slice(0, "2026-11-24".length);
    await putAside(file, (count) => `evidence-cert.${date}${count === 1 ? "" : `-${count}`}.pem`);
    stored = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "der" });
    await folder.keys.put("signing", stored);
  }
  const privateKey = createPrivateKey({ key: stored, format: "der", type: "pkcs8" });
  const present = await readIfThere(file);
  const pem = present ?? (await selfSigned(stored, "CN=Viaduct recordings", clock.now()));
  if (present === undefined) await writeWhole(file, pem);
  return { privateKey, certificate: fitting(pem, privateKey, file) };
}

function fitting(pem: string, key: KeyObject, file: string): Buffer {
  try {
    const certificate = new X509Certificate(pem);
    if (certificate.checkPrivateKey(key)) return certificate.raw;
  } catch (cause) {
    throw new Fault("invalid", `${file} is no certificate`, { cause });
  }
  const tell = `${file} does not belong to the key that signs recordings: remove it, and one is made at the next start`;
  throw new Fault("invalid", tell, { tell });
}
