import type { X509Certificate } from "node:crypto";
import { spkiOf } from "../../base/spki.ts";
import { unixMillis } from "../../base/units.ts";
import type { SegmentSignature } from "../signature.ts";
import { signedAt, type Trust, trustIn, trustKeyOf } from "../trust.ts";
import type { EnclosedCertificates } from "./enclosed.ts";
import type { Manifest } from "./manifest.ts";

/** Whom of the recorder's certificates to trust, and why what is in an export is not signed by those who must have. */
export function trustInExport(o: {
  /** Who signed list and manifest. */
  readonly exporter: X509Certificate | undefined;
  readonly enclosed: EnclosedCertificates;
  readonly segments: readonly SegmentSignature[];
  readonly manifest: Manifest | undefined;
  /** Whom a person named. */
  readonly trust: Trust | undefined;
}): { readonly recorder: Trust; readonly distrust: readonly string[] } {
  const { exporter, enclosed, segments, manifest, trust } = o;
  const { authorities, vouched } = enclosed;
  const present = [
    ...(enclosed.recorder ? [enclosed.recorder] : []),
    ...segments.map(({ certificate }) => certificate),
  ];
  const named = present.find(({ fingerprint256 }) => fingerprint256 === manifest?.certificates.recordings);
  const ofManifest = named === undefined ? trustIn([]) : trustKeyOf(named);
  const madeAt = unixMillis(Date.parse(manifest?.madeAt ?? "1970-01-01T00:00:00Z"));
  const isNamed = (one: X509Certificate): boolean =>
    trust !== undefined && trust(one, madeAt, authorities) === undefined;
  // Who is trusted to have signed the export is trusted to say who the recorder is.
  const isByNamed = exporter !== undefined && isNamed(exporter);
  const recorder: Trust = (certificate, at) => {
    const why = trust === undefined ? ofManifest(certificate, at) : trust(certificate, at);
    return why !== undefined && isByNamed ? ofManifest(certificate, at) : why;
  };
  if (exporter === undefined) return { recorder, distrust: [] };
  const found = new Set<string>();
  const ofKey = [exporter, ...(vouched !== undefined && spkiOf(vouched) === spkiOf(exporter) ? [vouched] : [])];
  const isMadeBy = (one: X509Certificate): boolean => ofKey.some((of) => of.verify(one.publicKey));
  const isMade = present.some((one) => recorder(one, madeAt) === undefined && isMadeBy(one));
  const isExpected = trust !== undefined || manifest?.certificates.recordings !== undefined;
  if (isExpected && !isMade && !isByNamed)
    found.add(`the export is signed by ${exporter.fingerprint256}, which no certificate that is trusted here has made`);
  for (const { certificate, statement } of segments) {
    const why = recorder(certificate, signedAt(statement));
    if (why !== undefined) found.add(`recordings in it are ${why}`);
  }
  return { recorder, distrust: [...found] };
}
