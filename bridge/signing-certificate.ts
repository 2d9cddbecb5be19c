import { createPrivateKey, type KeyObject, type X509Certificate } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { Fault, ifValid } from "../base/fault.ts";
import type { Closable } from "../base/lifecycle.ts";
import type { Log } from "../base/log.ts";
import { DAY, type UnixMillis } from "../base/units.ts";
import { keepCopy, readIfThere, writeWhole } from "../base/whole-file.ts";
import { certificateRequest } from "../net/tls.ts";
import { certificatesOf, checkOrder, FOR_RECORDINGS, issuerOf, nameOf } from "../recorder/cms/chain.ts";
import { certificateOf, MAX_CERTIFICATE_BYTES } from "../recorder/signature.ts";
import type { DataFolder } from "./data-folder.ts";
import { asideOf, loadExportSigner, loadSigner, SIGNING } from "./signing.ts";

/** Certificates from ours to the authority's root. */
const MAX_CHAIN = 6;

/** How long before its end it is told. */
const WARN_MS = 30 * DAY;

/** Of which key a certificate is. */
export type Signing = keyof typeof SIGNING;
export const SIGNINGS = Object.keys(SIGNING) as readonly Signing[];

/** Asks an authority for a certificate of a key that signs (PKCS #10, PEM); `name` as in RFC 4514. Fault `invalid`. */
export async function requestCertificate(
  folder: DataFolder,
  { of, name, clock }: { readonly of: Signing; readonly name: string; readonly clock: Clock },
): Promise<string> {
  // It is made with the first export: who wants that one to have the certificate asks before.
  if (of === "exports") await loadExportSigner(folder, clock, await loadSigner(folder, clock));
  return certificateRequest(keyIn(folder, of), name);
}

/**
 * From the next start on, what is signed carries this certificate of an authority: the first one of `pem`, with those up to the authority
 * behind it. The one before is kept beside it; resolves with its file. Fault `invalid`, and nothing is changed, where they are not for our
 * key, not for signing, not in order or not valid now.
 */
export async function installCertificate(
  folder: DataFolder,
  pem: string,
  { of, now }: { readonly of: Signing; readonly now: UnixMillis },
): Promise<string | undefined> {
  const key = createPrivateKey({ key: keyIn(folder, of), format: "der", type: "pkcs8" });
  const chain = issuedChain(pem, { key, of, now });
  const name = SIGNING[of].file;
  const file = folder.file(name);
  const text = chain.map((one) => one.toString()).join("");
  if ((await readIfThere(file)) === text) throw refused(`it is the one that ${of} are signed with already`);
  const before = await keepCopy(file, asideOf(name, now));
  await writeWhole(file, text);
  return before;
}

/** Whose certificate what is signed carries, and until when it is valid, for people. */
export interface CertificateInUse {
  readonly name: string;
  readonly issuer: string;
  readonly until: string;
}

/** Undefined before there is one, and where it cannot be read. */
export async function certificateInUse(folder: DataFolder, of: Signing): Promise<CertificateInUse | undefined> {
  const found = await certificateIn(folder, of);
  return found && { name: nameOf(found), issuer: issuerOf(found), until: found.validToDate.toISOString() };
}

/**
 * Says so, at once and then once a day, where a certificate ends in a month or has ended: signing goes on, but by `--ca` nothing of then is
 * trusted. Until it is closed.
 */
export async function tellOfEnds(
  folder: Pick<DataFolder, "file">,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<Closable> {
  const all = await Promise.all(SIGNINGS.map(async (of) => ({ of, certificate: await certificateIn(folder, of) })));
  const look = (): void => {
    for (const { of, certificate } of all)
      if (certificate !== undefined && certificate.validToDate.getTime() - clock.now() <= WARN_MS)
        log.warn(
          { until: certificate.validTo },
          `the certificate of the key that signs ${of} ends: ask the authority for a new one`,
        );
  };
  look();
  const timer = clock.every(DAY, look);
  return { close: () => timer.cancel() };
}

async function certificateIn(folder: Pick<DataFolder, "file">, of: Signing): Promise<X509Certificate | undefined> {
  const pem = await readIfThere(folder.file(SIGNING[of].file));
  return pem === undefined ? undefined : ifValid(() => certificateOf(pem));
}

function keyIn({ keys }: DataFolder, of: Signing): Buffer {
  const stored = keys.get(SIGNING[of].name);
  if (stored !== undefined) return stored;
  const when = of === "exports" ? "with the first export, or request" : "when the bridge starts for the first time";
  const tell = `there is no key yet that signs ${of}: it is made ${when}`;
  throw new Fault("wrong-state", tell, { tell });
}

function issuedChain(
  pem: string,
  { key, of, now }: { readonly key: KeyObject; readonly of: Signing; readonly now: UnixMillis },
): readonly X509Certificate[] {
  const begun = pem.split("-----BEGIN CERTIFICATE-----").length - 1;
  const chain = reading(() => certificatesOf(pem));
  if (chain.length !== begun) throw refused("one of its certificates is cut off");
  if (chain.length > MAX_CHAIN) throw refused(`more than ${MAX_CHAIN} certificates are no chain`);
  const own = chain.findIndex((one) => one.checkPrivateKey(key));
  if (own === -1)
    throw refused(
      `it is of another key: ask for one with \`viaduct keys request${of === "exports" ? " --for exports" : ""}\`, and give what the authority made of that`,
    );
  if (own > 0)
    throw refused("the certificate of the bridge's key has to be the first one, before those of authorities");
  if ((chain[0]?.raw.length ?? 0) > MAX_CERTIFICATE_BYTES)
    throw refused("it is too long for all that is signed to carry it");
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
