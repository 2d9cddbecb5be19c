import type { X509Certificate } from "node:crypto";
import { unixMillis } from "../../base/units.ts";
import type { SegmentSignature } from "../signature.ts";
import { signedAt, type Trust, trustIn, trustKeyOf } from "../trust.ts";
import type { Manifest } from "./manifest.ts";

/** Whom of the recorder's certificates to trust, and why what is in an export is not signed by those who must have. */
export function trustInExport(o: {
  /** Who signed list and manifest. */
  readonly exporter: X509Certificate | undefined;
  /** As it is enclosed. */
  readonly recorder: X509Certificate | undefined;
  readonly segments: readonly SegmentSignature[];
  readonly manifest: Manifest | undefined;
  /** Whom a person named. */
  readonly trust: Trust | undefined;
}): { readonly recorder: Trust; readonly distrust: readonly string[] } {
  const { exporter, segments, manifest, trust } = o;
  const present = [...(o.recorder ? [o.recorder] : []), ...segments.map(({ certificate }) => certificate)];
  const named = present.find(({ fingerprint256 }) => fingerprint256 === manifest?.certificates.recordings);
  const ofManifest = named === undefined ? trustIn([]) : trustKeyOf(named);
  const madeAt = unixMillis(Date.parse(manifest?.madeAt ?? "1970-01-01T00:00:00Z"));
  const isNamed = (one: X509Certificate): boolean => trust !== undefined && trust(one, madeAt) === undefined;
  // Who is trusted to have signed the export is trusted to say who the recorder is.
  const isByNamed = exporter !== undefined && isNamed(exporter);
  const recorder: Trust = (certificate, at) => {
    const why = trust === undefined ? ofManifest(certificate, at) : trust(certificate, at);
    return why !== undefined && isByNamed ? ofManifest(certificate, at) : why;
  };
  if (exporter === undefined) return { recorder, distrust: [] };
  const found = new Set<string>();
  const isMade = present.some((one) => recorder(one, madeAt) === undefined && exporter.verify(one.publicKey));
  const isExpected = trust !== undefined || manifest?.certificates.recordings !== undefined;
  if (isExpected && !isMade && !isByNamed)
    found.add(`the export is signed by ${exporter.fingerprint256}, which no certificate that is trusted here has made`);
  for (const { certificate, statement } of segments) {
    const why = recorder(certificate, signedAt(statement));
    if (why !== undefined) found.add(`recordings in it are ${why}`);
  }
  return { recorder, distrust: [...found] };
}
