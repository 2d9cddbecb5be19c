import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  generateKeyPairSync,
  type KeyObject,
  X509Certificate,
} from "node:crypto";
import { promisify } from "node:util";
import type { Clock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { isoOf, type UnixMillis } from "../base/units.ts";
import { putAside, readIfThere, writeWhole } from "../base/whole-file.ts";
import { issuedBy, selfSigned } from "../net/tls.ts";
import { certificatesOf } from "../recorder/cms/chain.ts";
import type { ExportSigner, Signer } from "../recorder/signature.ts";
import { CERTIFICATE_FILE, type DataFolder } from "./data-folder.ts";

/** What signs here: under which name its key is in the vault, and in which file of the data folder its certificate is. */
export const SIGNING = {
  recordings: { name: "signing", file: CERTIFICATE_FILE },
  exports: { name: "export", file: "export-cert.pem" },
} as const;

const SUBJECT = "CN=Viaduct recordings";

const EXPORT_BITS = 3072;
const makeRsa = promisify(generateKeyPair);

/**
 * Who signs recordings here: an Ed25519 key that is made at the first start, kept under the master key and never leaves the
 * machine, and its certificate, `evidence-cert.pem`: one that it makes itself, or an authority's. Where the key was lost with the
 * master key, the certificate of the lost one is kept as `evidence-cert.<date>.pem`. Fault `invalid` where another key's certificate stands there.
 */
export function loadSigner(folder: DataFolder, clock: Clock): Promise<Signer> {
  return load(folder, clock, {
    ...SIGNING.recordings,
    make: async () => generateKeyPairSync("ed25519").privateKey,
    certify: (pkcs8) => selfSigned(pkcs8, SUBJECT, clock.now()),
  });
}

/**
 * Who signs exports: an RSA key, for that is what ONVIF's export files and every tool take, made with the first export and kept as the
 * other one; its certificate, `export-cert.pem`, is made by the key that signs recordings, so that whoever trusts that one
 * need know no other. Where an authority has issued another one, one like that goes along with it.
 */
export async function loadExportSigner(folder: DataFolder, clock: Clock, recorder: Signer): Promise<ExportSigner> {
  const issuer = { pkcs8: recorder.privateKey.export({ type: "pkcs8", format: "der" }), name: SUBJECT };
  const certify = (pkcs8: Buffer): Promise<string> =>
    issuedBy(issuer, { pkcs8, name: "CN=Viaduct exports", now: clock.now() });
  const signer = await load(folder, clock, {
    ...SIGNING.exports,
    make: async () => (await makeRsa("rsa", { modulusLength: EXPORT_BITS })).privateKey,
    certify,
  });
  if (isMadeBy(recorder, signer)) return signer;
  const pem = await certify(signer.privateKey.export({ type: "pkcs8", format: "der" }));
  return { ...signer, vouched: new X509Certificate(pem).raw };
}

function isMadeBy({ privateKey }: Signer, { certificate }: Signer): boolean {
  return new X509Certificate(certificate).verify(createPublicKey(privateKey));
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
    await putAside(file, asideOf(o.file, clock.now()));
    stored = (await o.make()).export({ type: "pkcs8", format: "der" });
    await folder.keys.put(o.name, stored);
  }
  const privateKey = createPrivateKey({ key: stored, format: "der", type: "pkcs8" });
  const present = await readIfThere(file);
  const pem = present ?? (await o.certify(stored));
  if (present === undefined) await writeWhole(file, pem);
  return { privateKey, ...fitting(pem, privateKey, file) };
}

/** `evidence-cert.2026-11-24.pem`, `evidence-cert.2026-11-24-2.pem`, … */
export function asideOf(file: string, now: UnixMillis): (count: number) => string {
  const date = isoOf(now).slice(0, "2026-11-24".length);
  const stem = file.slice(0, file.lastIndexOf("."));
  return (count) => `${stem}.${date}${count === 1 ? "" : `-${count}`}.pem`;
}

/** Ours first, and behind it those of authorities. */
function fitting(pem: string, key: KeyObject, file: string): Pick<Signer, "certificate" | "authorities"> {
  try {
    const [own, ...authorities] = certificatesOf(pem);
    if (own?.checkPrivateKey(key) === true)
      return { certificate: own.raw, authorities: authorities.map(({ raw }) => raw) };
  } catch (cause) {
    throw new Fault("invalid", `${file} is no certificate`, { cause });
  }
  const tell = `${file} does not belong to the key that signs here: remove it, and one is made at the next start`;
  throw new Fault("invalid", tell, { tell });
}
