import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { selfSigned } from "../net/tls.ts";
import type { Signer } from "../recorder/signature.ts";
import type { DataFolder } from "./data-folder.ts";

/** Beside the databases; for everybody to know. */
const CERTIFICATE_FILE = "evidence-cert.pem";

/**
 * Who signs recordings here: an Ed25519 key that is made at the first start, kept under the master key and never leaves the
 * machine, and its certificate, `evidence-cert.pem`. Fault `invalid` where another key's certificate stands there.
 */
export async function loadSigner(folder: DataFolder, clock: Clock): Promise<Signer> {
  let stored = folder.keys.get("signing");
  if (stored === undefined) {
    stored = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "der" });
    await folder.keys.put("signing", stored);
  }
  const privateKey = createPrivateKey({ key: stored, format: "der", type: "pkcs8" });
  const file = folder.file(CERTIFICATE_FILE);
  const present = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new Fault("unavailable", `cannot read ${file}`, { cause: error });
  });
  const pem = present ?? (await selfSigned(stored, "CN=Viaduct recordings", clock.now()));
  if (present === undefined) await writeFile(file, pem, { mode: 0o600, flush: true });
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
