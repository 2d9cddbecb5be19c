import { createPublicKey, hash, type KeyObject, type X509Certificate } from "node:crypto";
import { ifValid } from "../../base/fault.ts";
import { whyNotAttested } from "./axis-attestation.ts";
import { readChain, type SigningDocument, type VendorInfo } from "./document.ts";
import { WHY } from "./why.ts";

const LIMITS = {
  /** That are remembered. */
  read: 16,
};

/** With which a camera may have signed. */
export interface SigningKey {
  readonly key: KeyObject;
  /** Whose the key is, up to an authority; empty where nobody says so. */
  readonly chain: readonly X509Certificate[];
  /** Of the first certificate, or of the key where there is none: SHA-256, as certificates' fingerprints are written. */
  readonly fingerprint: string;
  /** Why it is nobody's in particular, whoever is trusted. */
  readonly distrust: string | undefined;
}

/** The key of a chain's first certificate. */
export function keyOf(chain: readonly [X509Certificate, ...X509Certificate[]]): SigningKey {
  const [{ publicKey: key, fingerprint256: fingerprint }] = chain;
  return { key, chain, fingerprint, distrust: undefined };
}

interface Shown {
  /** The user's, and not the maker's. */
  readonly isOfUser: boolean;
  readonly key: SigningKey;
}

/** The keys that messages show. Cameras show the same again and again: what was read is remembered. */
export class ShownKeys {
  readonly #read = new Map<string, SigningKey | undefined>();

  /** What makes no sense is left out. */
  in({ chains, key, attested }: SigningDocument, vendor: VendorInfo | undefined): readonly Shown[] {
    const shown = chains.map(({ isOfUser, pem }) => ({ isOfUser, key: this.#once([pem], () => certified(pem)) }));
    const { report, pem } = attested ?? {};
    const isAttested = report !== undefined && report.length > 0;
    const serial = vendor?.serial;
    const own =
      key === undefined
        ? // Made in the factory, with a certificate of its own.
          pem !== undefined && !isAttested && this.#once([pem], () => certified(pem))
        : this.#once([key, report, pem, Buffer.from(serial ?? "")], () => ofAxis(key, attested, serial));
    return [...shown, { isOfUser: false, key: own === false ? undefined : own }].flatMap(({ isOfUser, key: one }) =>
      one === undefined ? [] : [{ isOfUser, key: one }],
    );
  }

  #once(of: readonly (Buffer | undefined)[], read: () => SigningKey | undefined): SigningKey | undefined {
    const text = of.map((one) => one?.toString("latin1") ?? "").join("\n");
    const key = this.#read.has(text) ? this.#read.get(text) : read();
    if (this.#read.size >= LIMITS.read) this.#read.clear();
    this.#read.set(text, key);
    return key;
  }
}

function certified(pem: Buffer): SigningKey | undefined {
  const [leaf, ...rest] = ifValid(() => readChain(pem)) ?? [];
  return leaf && keyOf([leaf, ...rest]);
}

/** A key, for which a chip vouches where it has one. */
function ofAxis(
  pem: Buffer,
  attested: SigningDocument["attested"],
  serial: string | undefined,
): SigningKey | undefined {
  const key = publicKeyIn(pem);
  if (key === undefined) return undefined;
  const [by, ...rest] = attested === undefined ? [] : (ifValid(() => readChain(attested.pem)) ?? []);
  const bare = { key, chain: [], fingerprint: fingerprintOf(key) };
  if (attested === undefined || by === undefined) return { ...bare, distrust: WHY.bareKey };
  const distrust = whyNotAttested(key, { report: attested.report, by, serial });
  return distrust === undefined
    ? { key, chain: [by, ...rest], fingerprint: by.fingerprint256, distrust }
    : { ...bare, distrust };
}

function publicKeyIn(pem: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: pem, format: "pem", type: "spki" });
  } catch {
    return undefined;
  }
}

function fingerprintOf(key: KeyObject): string {
  const digest = hash("sha256", key.export({ format: "der", type: "spki" }), "hex").toUpperCase();
  return digest.replaceAll(/(..)(?!$)/g, "$1:");
}
