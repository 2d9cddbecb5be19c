import { createPrivateKey, generateKeyPair, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { promisify } from "node:util";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { isoOf } from "../base/units.ts";
import { putAside, readIfThere, writeWhole } from "../base/whole-file.ts";
import { issuedBy, selfSigned } from "../net/tls.ts";
import type { Signer } from "../recorder/signature.ts";
import { CERTIFICATE_FILE, type DataFolder } from "./data-folder.ts";

const EXPORT_CERTIFICATE_FILE = "export-cert.pem";
const SUBJECT = "CN=Viaduct recordings";

const EXPORT_BITS = 3072;
const makeRsa = promisify(generateKeyPair);

/**
 * Who signs recordings here: an Ed25519 key that is made at the first start, kept under the master key and never leaves the
 * machine, and its certificate, `evidence-cert.pem`. Where the key was lost with the master key, the certificate of the lost one is kept
 * as `evidence-cert.<date>.pem`. Fault `invalid` where another key's certificate stands there.
 */
export function loadSigner(folder: DataFolder, clock: Clock): Promise<Signer> {
  return load(folder, clock, {
    name: "signing",
    file: CERTIFICATE_FILE,
    make: async () => generateKeyPairSync("ed25519").privateKey,
    certify: (pkcs8) => selfSigned(pkcs8, SUBJECT, clock.now()),
  });
}

/**
 * Who signs exports: an RSA key, for that is what ONVIF's export files and every tool take, made with the first export and kept as the
 * other one; its certificate, `export-cert.pem`, is made by the key that signs recordings, so that whoever trusts that one
 * need know no other.
 */
export function loadExportSigner(folder: DataFolder, clock: Clock, recorder: Signer): Promise<Signer> {
  const issuer = { pkcs8: recorder.privateKey.export({ type: "pkcs8", format: "der" }), name: SUBJECT };
  return load(folder, clock, {
    name: "export",
    file: EXPORT_CERTIFICATE_FILE,
    make: async () => (await makeRsa("rsa", { modulusLength: EXPORT_BITS })).privateKey,
    certify: (pkcs8) => issuedBy(issuer, { pkcs8, name: "CN=Viaduct exports", now: clock.now() }),
  });
}

async function load(
  folder: DataFolder,
  clock: Clock,
  o: {
    readonly name: "signing" | "export";
    readonly file: string;
    readonly make: () => Promise<KeyObject>;
    readonly certify: (pkcs8: Buffer) => Promise<string>;
  },
): Promise<Signer> {
  const file = folder.file(o.file);
  let stored = folder.keys.get(o.name);
  if (stored === undefined) {
    const date = isoOf(clock.now()).slice(0, "2026-11-24".length);
    const stem = o.file.slice(0, o.file.lastIndexOf("."));
    await putAside(file, (count) => `${stem}.${date}${count === 1 ? "" : `-${count}`}.pem`);
    stored = (await o.make()).export({ type: "pkcs8", format: "der" });
    await folder.keys.put(o.name, stored);
  }
  const privateKey = createPrivateKey({ key: stored, format: "der", type: "pkcs8" });
  const present = await readIfThere(file);
  const pem = present ?? (await o.certify(stored));
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
  const tell = `${file} does not belong to the key that signs here: remove it, and one is made at the next start`;
  throw new Fault("invalid", tell, { tell });
}
