import { printed } from "../base/printed.ts";
import type { CameraSigner, CameraVerdict } from "../media/signing/finding.ts";
import { SCHEME_NAMES } from "../media/signing/scheme.ts";
import { type CameraReport, exitCodeOfCameras } from "../recorder/camera-signatures.ts";
import { signerReportOf } from "../recorder/camera-signatures-report.ts";
import { issuerOf, nameOf } from "../recorder/cms/chain.ts";
import { worstOf } from "../recorder/exit-code.ts";

const WORDS: Readonly<Record<CameraVerdict, string>> = {
  ok: "ok",
  changed: "changed",
  missing: "missing",
  unsigned: "unsigned",
  untrusted: "by somebody who is not trusted",
  unknown: "cannot be told",
};

const COMPARE =
  "Give the certificates of the cameras' maker with --camera-ca: anybody can sign for a camera with a key of their own.\n";

/** Prints what cameras have signed themselves. `timeOf`: of microseconds since 1970. */
export function printCameras(
  reports: readonly CameraReport[],
  { isAsked, timeOf }: { readonly isAsked: boolean; readonly timeOf: (us: number) => string },
): void {
  for (const { camera, stream, findings, signers, schemes } of reports) {
    for (const { fromUs, toUs, verdict, why } of findings) {
      const what = why === undefined ? WORDS[verdict] : `${WORDS[verdict]}: ${why}`;
      line(`${timeOf(fromUs)} ${timeOf(toUs)} ${camera}/${stream} signed by the camera: ${what}`);
    }
    const how = schemes.map((one) => SCHEME_NAMES[one]).join(", ");
    for (const signer of signers)
      line(`${signer.groups} groups of pictures of ${camera}/${stream} signed by ${signerWords(signer)} (${how})`);
  }
  if (!isAsked && reports.some(({ signers }) => signers.length > 0)) process.stdout.write(COMPARE);
}

/** The same for programs. */
export function plainCameras(reports: readonly CameraReport[], timeOf: (us: number) => string): readonly object[] {
  return reports.map(({ signers, findings, ...about }) => ({
    ...about,
    signers: signers.map(signerReportOf),
    findings: findings.map(({ fromUs, toUs, ...rest }) => ({ ...rest, from: timeOf(fromUs), to: timeOf(toUs) })),
  }));
}

/** Of what was recorded, and of what cameras signed: the worse one. */
export function worseExitCode(code: number, reports: readonly CameraReport[], isAsked: boolean): number {
  return worstOf([code, exitCodeOfCameras(reports, isAsked)]);
}

function signerWords({ certificate, fingerprint, vendor }: CameraSigner): string {
  const names = [vendor?.manufacturer, vendor?.serial].filter((one) => one !== undefined && one !== "");
  const device = names.length === 0 ? "" : `, which says that it is ${names.join(" ")}`;
  const whose =
    certificate === undefined
      ? "a key for which nobody vouches"
      : `${nameOf(certificate)}, issued by ${issuerOf(certificate)}`;
  return `${fingerprint}, ${whose}${device}`;
}

function line(text: string): void {
  process.stdout.write(`${printed(text)}\n`);
}
