import type { X509Certificate } from "node:crypto";
import type { VendorInfo } from "./document.ts";

/** What the camera's own signature says of a stretch. */
export const CAMERA_VERDICTS = [
  "ok", // every picture is as the camera signed it
  "changed",
  "missing", // the camera signed more than is here, or its signature is not here
  "unsigned", // the camera did not sign it
  "untrusted", // it is as it was signed, by somebody who is not trusted
  "unknown", // it cannot be told, and why is said
] as const;
export type CameraVerdict = (typeof CAMERA_VERDICTS)[number];

/** A stretch with one verdict. Times in microseconds since 1970. */
export interface CameraFinding {
  readonly fromUs: number;
  readonly toUs: number;
  readonly verdict: CameraVerdict;
  readonly why?: string;
}

/** Who signed in a stream. */
export interface CameraSigner {
  /** Undefined where nobody vouches for the key. */
  readonly certificate: X509Certificate | undefined;
  /** Of the certificate, or of the key where there is none: SHA-256. */
  readonly fingerprint: string;
  readonly vendor: VendorInfo | undefined;
  /** Groups, and parts of groups, whose signature was good. */
  groups: number;
}
