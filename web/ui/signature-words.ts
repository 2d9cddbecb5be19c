import type { CameraSigner, CameraVerdict } from "./api.ts";

/** What a camera's own signature says of a stretch, behind "signed by the camera". */
export const VERDICT_WORDS: Readonly<Record<CameraVerdict, string>> = {
  ok: "as the camera signed it",
  changed: "changed",
  missing: "something is missing",
  unsigned: "not signed",
  untrusted: "by somebody who is not trusted",
  unknown: "cannot be told",
};

export function signerWords({ name, issuer, fingerprint }: CameraSigner): string {
  return name === null
    ? `a key for which nobody vouches (SHA-256 ${fingerprint})`
    : `${name}, issued by ${issuer ?? "nobody"} (SHA-256 ${fingerprint})`;
}
