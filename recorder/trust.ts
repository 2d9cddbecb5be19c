import type { X509Certificate } from "node:crypto";
import { isFault } from "../base/fault.ts";
import { spkiOf } from "../base/spki.ts";
import { type UnixMillis, unixMillis } from "../base/units.ts";
import { checkChain, FOR_RECORDINGS } from "./cms/chain.ts";
import type { Statement } from "./signature.ts";

/**
 * Whose signatures are taken: undefined, or why one of a certificate that says that it was made `at` that time is not. `among`: what came with
 * it, of authorities between it and the one that is trusted.
 */
export type Trust = (
  certificate: X509Certificate,
  at: UnixMillis,
  among?: readonly X509Certificate[],
) => string | undefined;

/**
 * What a person names: `certificates` are taken whatever their dates are; those that lead to one of `authority` where they were good at the
 * time of the signature and are for signing documents.
 */
export function trustIn(certificates: readonly X509Certificate[], authority: readonly X509Certificate[] = []): Trust {
  const named = new Set(certificates.map(({ fingerprint256 }) => fingerprint256));
  const keys = new Set(certificates.map(spkiOf));
  // What was read of one is kept with it, and nearly all are the same.
  let last: X509Certificate | undefined;
  return (given, at, among = []) => {
    const { fingerprint256 } = given;
    if (named.has(fingerprint256)) return undefined;
    const certificate = last?.fingerprint256 === fingerprint256 ? last : given;
    last = certificate;
    const why = authority.length === 0 ? undefined : whyNot(certificate, { trusted: authority, among, at });
    if (authority.length > 0 && why === undefined) return undefined;
    const other = keys.has(spkiOf(certificate))
      ? `signed by another certificate of the same key, ${fingerprint256}: give it with --certificate too if it is the bridge's`
      : `signed by another certificate, ${fingerprint256}`;
    return why === undefined ? other : `${other}: ${why}`;
  };
}

/**
 * Where nobody named a certificate: those of this one's key, for the certificate of a key may change. One that says that it signed itself
 * must have; what others have issued, the caller compares.
 */
export function trustKeyOf(signer: X509Certificate): Trust {
  const key = spkiOf(signer);
  return (certificate) => {
    const { fingerprint256, subject, issuer, publicKey } = certificate;
    if (fingerprint256 === signer.fingerprint256) return undefined;
    return spkiOf(certificate) === key && (subject !== issuer || certificate.verify(publicKey))
      ? undefined
      : `signed by another certificate, ${fingerprint256}`;
  };
}

/** When a segment was signed, as it says itself. One whose recording broke off was signed later. */
export function signedAt({ endUs, fetchedUs }: Statement): UnixMillis {
  return unixMillis(Math.floor(Math.max(endUs, fetchedUs ?? 0) / 1000));
}

function whyNot(
  leaf: X509Certificate,
  o: Pick<Parameters<typeof checkChain>[1], "trusted" | "among" | "at">,
): string | undefined {
  try {
    checkChain(leaf, { purpose: FOR_RECORDINGS, ...o });
    return undefined;
  } catch (error) {
    return isFault(error, "denied") ? error.message : "its certificate cannot be read";
  }
}
