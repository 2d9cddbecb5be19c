import type { CameraFinding, CameraSigner } from "../media/signing/finding.ts";
import type { CameraReport } from "./camera-signatures.ts";
import { issuerOf, nameOf } from "./cms/chain.ts";
import type { Fmp4Track } from "./fmp4.ts";

/** Who signed, without the certificate itself. */
export interface SignerReport {
  readonly fingerprint: string;
  /** Null where nobody vouches for the key. */
  readonly name: string | null;
  readonly issuer: string | null;
  /** As it says itself. */
  readonly manufacturer?: string;
  readonly serial?: string;
  readonly firmware?: string;
  readonly groups: number;
}

/** What one stream's camera says of it, in plain values. Times in microseconds since 1970. */
export interface SignatureReport extends Omit<CameraReport, "signers"> {
  readonly findings: readonly CameraFinding[];
  readonly signers: readonly SignerReport[];
}

/** What a thread is made for: the certificates (PEM) of whom it trusts; anybody where undefined. */
export interface ThreadTask {
  readonly trusted: readonly string[] | undefined;
}

/** What a thread is told, one after the other. */
export type ThreadQuestion =
  | { readonly type: "end" }
  | {
      readonly type: "fragment";
      readonly about: { readonly camera: string; readonly stream: string; readonly isFirst: boolean };
      readonly body: Uint8Array;
      readonly tracks: readonly Fmp4Track[];
    };

export function signatureReportOf({ signers, ...report }: CameraReport): SignatureReport {
  return { ...report, signers: signers.map(signerReportOf) };
}

export function signerReportOf({ certificate, fingerprint, vendor, groups }: CameraSigner): SignerReport {
  return {
    fingerprint,
    name: certificate === undefined ? null : nameOf(certificate),
    issuer: certificate === undefined ? null : issuerOf(certificate),
    ...vendor,
    groups,
  };
}
