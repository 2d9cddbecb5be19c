import { createPrivateKey, generateKeyPair, generateKeyPairSync, type KeyObject, X509Certificate } from "node:crypto";
import { promisify } from "node:util";
import type { Clock } from "../base/clock.ts";
import { Fault, ifValid } from "../base/fault.ts";
import type { Closable } from "../base/lifecycle.ts";
import type { Log } from "../base/log.ts";
import { DAY, isoOf, type UnixMillis } from "../base/units.ts";
import { keepCopy, putAside, readIfThere, writeWhole } from "../base/whole-file.ts";
import { certificateRequest, issuedBy, selfSigned } from "../net/tls.ts";
import { certificatesOf, checkOrder, FOR_RECORDINGS, issuerOf, nameOf } from "../recorder/cms/chain.ts";
import { certificateOf, MAX_CERTIFICATE_BYTES, type Signer } from "../recorder/signature.ts";
import { CERTIFICATE_FILE, type DataFolder } from "./data-folder.ts";

const EXPORT_CERTIFICATE_FILE = "export-cert.pem";
const SUBJECT = "CN=Viaduct recordings";

/** Certificates from ours to the authority's root. */
const MAX_CHAIN = 6;

/** How long before its end it is told. */
const WARN_MS = 30 * DAY;

const EXPORT_BITS = 3072;
const makeRsa = promisify(generateKeyPair);

/**
 * Who signs recordings here: an Ed25519 key that is made at the first start, kept under the master key and never leaves the
 * machine, and its certificate, `evidence-cert.pem`: one that it makes itself, or an authority's. Where the key was lost with the
 * master key, the certificate of the lost one is kept as `evidence-cert.<date>.pem`. Fault `invalid` where another key's certificate stands there.
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

/** Asks an authority for a certificate of the key that signs recordings (PKCS #10, PEM); `name` as in RFC 4514. Fault `invalid`. */
export function requestCertificate(folder: DataFolder, name: string): Promise<string> {
  return certificateRequest(signingKeyIn(folder), name);
}

/**
 * From the next start on, recordings carry this certificate of an authority: the first one of `pem`, with those up to the authority behind it.
 * The one before is kept beside it; resolves with its file. Fault `invalid`, and nothing is changed, where they are not for our key, not for
 * signing, not in order or not valid now.
 */
export async function installCertificate(
  folder: DataFolder,
  pem: string,
  now: UnixMillis,
): Promise<string | undefined> {
  const key = createPrivateKey({ key: signingKeyIn(folder), format: "der", type: "pkcs8" });
  const chain = issuedChain(pem, key, now);
  const file = folder.file(CERTIFICATE_FILE);
  const text = chain.map((one) => one.toString()).join("");
  if ((await readIfThere(file)) === text) throw refused("it is the one that recordings are signed with already");
  const before = await keepCopy(file, asideOf(CERTIFICATE_FILE, now));
  await writeWhole(file, text);
  return before;
}

/** For people: whose certificate recordings carry, and until when it is valid; undefined before the first start, and where it cannot be read. */
export async function signingCertificate(
  folder: DataFolder,
): Promise<{ readonly name: string; readonly issuer: string; readonly until: string } | undefined> {
  const pem = await readIfThere(folder.file(CERTIFICATE_FILE));
  const found = pem && ifValid(() => certificateOf(pem));
  if (!found) return undefined;
  return { name: nameOf(found), issuer: issuerOf(found), until: found.validToDate.toISOString() };
}

/**
 * Says so, at once and then once a day, where the certificate ends in a month or has ended: recording goes on, but by `--ca` nothing of then is
 * trusted. Until it is closed.
 */
export function tellOfEnd(
  { certificate }: Signer,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Closable {
  const { validTo, validToDate } = certificateOf(certificate);
  const look = (): void => {
    if (validToDate.getTime() - clock.now() > WARN_MS) return;
    log.warn(
      { until: validTo },
      "the certificate of the key that signs recordings ends: ask the authority for a new one",
    );
  };
  look();
  const timer = clock.every(DAY, look);
  return { close: () => timer.cancel() };
}

function signingKeyIn({ keys }: DataFolder): Buffer {
  const stored = keys.get("signing");
  if (stored !== undefined) return stored;
  const tell = "there is no key yet that signs recordings: it is made when the bridge starts for the first time";
  throw new Fault("wrong-state", tell, { tell });
}

function issuedChain(pem: string, key: KeyObject, now: UnixMillis): readonly X509Certificate[] {
  const begun = pem.split("-----BEGIN CERTIFICATE-----").length - 1;
  const chain = reading(() => certificatesOf(pem));
  if (chain.length !== begun) throw refused("one of its certificates is cut off");
  if (chain.length > MAX_CHAIN) throw refused(`more than ${MAX_CHAIN} certificates are no chain`);
  const own = chain.findIndex((one) => one.checkPrivateKey(key));
  if (own === -1)
    throw refused(
      "it is of another key: ask for one with `viaduct keys request`, and give what the authority made of that",
    );
  if (own > 0)
    throw refused("the certificate of the bridge's key has to be the first one, before those of authorities");
  if ((chain[0]?.raw.length ?? 0) > MAX_CERTIFICATE_BYTES)
    throw refused("it is too long for each recording to carry it");
  reading(() => checkOrder(chain, { purpose: FOR_RECORDINGS, at: now }));
  return chain;
}

function reading<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw refused(cause instanceof Fault ? cause.message : "a certificate in it cannot be read", cause);
  }
}

function refused(why: string, cause?: unknown): Fault {
  const tell = `the certificate is not taken: ${why}. Nothing was changed`;
  return new Fault("invalid", tell, { tell, cause });
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
  return { privateKey, certificate: fitting(pem, privateKey, file) };
}

/** `evidence-cert.2026-11-24.pem`, `evidence-cert.2026-11-24-2.pem`, … */
function asideOf(file: string, now: UnixMillis): (count: number) => string {
  const date = isoOf(now).slice(0, "2026-11-24".length);
  const stem = file.slice(0, file.lastIndexOf("."));
  return (count) => `${stem}.${date}${count === 1 ? "" : `-${count}`}.pem`;
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
