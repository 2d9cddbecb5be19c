import { X509Certificate } from "node:crypto";
import { printed } from "../../base/printed.ts";
import type { TimeQuality } from "../../media/group.ts";
import { SCHEME_NAMES } from "../../media/signing/scheme.ts";
import { issuerOf, nameOf } from "../cms/chain.ts";
import type { ExportSigner } from "../signature.ts";
import { EXPORT_FILES, type Manifest, type ManifestFilm } from "./manifest.ts";
import type { StampOfExport } from "./stamp.ts";

/** How the times of a film are known, in words. */
const TIME_WORDS: Readonly<Record<TimeQuality, string>> = {
  camera: "by the camera's clock, which agreed with the recorder's",
  corrected: "by the camera's clock while it was being corrected: up to a tenth too fast or too slow",
  arrival: "by the recorder's clock, when the picture arrived: late by what camera and network take",
  jumped: "by the recorder's clock, with a jump of time in it",
};

/** The same of what was fetched from a camera's own recording. */
const FETCHED_TIME_WORDS: Readonly<Record<TimeQuality, string>> = {
  ...TIME_WORDS,
  camera: "by the camera's clock, which agreed with the recorder's when it was fetched",
  corrected: "by the camera's clock, less what that was wrong by when it was fetched",
};

/** How to check a time stamp; `tsa.pem` is what the authority publishes. */
const STAMP_WORDS = `5. When was it signed, by somebody else's clock? With the certificates that the authority publishes, as tsa.pem:

     openssl ts -verify -data ${EXPORT_FILES.manifestSignature} -in ${EXPORT_FILES.timeStamp} -token_in -CAfile tsa.pem

`;

/** The other way to know the certificate, where an authority has issued it. */
function authorityWords({ certificate, authorities = [] }: ExportSigner): string {
  const leaf = new X509Certificate(certificate);
  if (issuerOf(leaf) === "itself" || authorities.length === 0) return "";
  return `   Or it was issued by an authority that you trust, whose certificate you have as authority.pem, and has the name of those people:

     openssl verify -CAfile authority.pem -untrusted ${EXPORT_FILES.authorities} ${EXPORT_FILES.exporter}
     openssl x509 -in ${EXPORT_FILES.exporter} -noout -subject -issuer
     ${printed(`${nameOf(leaf)}, issued by ${issuerOf(leaf)}`)}

`;
}

function signedWords(schemes: ManifestFilm["signedByCamera"] = []): string {
  const names = schemes.map((one) => SCHEME_NAMES[one]).join(", ");
  return names === ""
    ? ""
    : `\n    signed by the camera itself, in its pictures (${names}), for programs that know this`;
}

function fetchedWords(at: string | undefined): string {
  return at === undefined
    ? ""
    : `\n    not recorded live: the connection to the camera was gone, or the recorder did not run. It was fetched from the camera's own recording, ${at}, and signed as it was then`;
}

interface ReadmeDetails {
  readonly protectedBy: "password" | "nothing";
  readonly stamped: StampOfExport;
  readonly signer: ExportSigner;
}

/** What whoever gets an export needs to know, in plain words. */
export function readmeOf(manifest: Manifest, { protectedBy, stamped, signer }: ReadmeDetails): string {
  const { certificates, asked } = manifest;
  const films = manifest.films.map(
    ({ path, from, to, time, fetchedAt, asRecorded, signedByCamera }) =>
      `  ${path}\n    ${from} to ${to}; times ${fetchedAt === undefined ? TIME_WORDS[time] : FETCHED_TIME_WORDS[time]}${asRecorded ? "" : "; tracks were left out"}${fetchedWords(fetchedAt)}${signedWords(signedByCamera)}`,
  );
  const cameras = manifest.cameras.flatMap(({ name, id, stream, note, gaps, leftOut }) => [
    `  ${printed(name)} (${id}, stream ${stream}): ${note}`,
    ...leftOut.map((what) => `    without ${what}`),
    ...gaps.map(({ from, to, reason }) => `    missing ${from} to ${to}: ${printed(reason)}`),
  ]);
  return `EXPORTED RECORDINGS

Asked for by ${manifest.askedBy}, made ${manifest.madeAt} by ${manifest.software}
Reason: ${manifest.reason === "" ? "none was given" : printed(manifest.reason)}
Asked for: ${asked.from} to ${asked.to}
All times are UTC.

WHAT IS HERE

${cameras.join("\n")}

${films.join("\n")}

  ${EXPORT_FILES.viewer}      plays the films in a browser, offline, and shows what is missing
  ${EXPORT_FILES.manifest}    all of this, for programs
  ${EXPORT_FILES.anchors}     where it is there: what the recorder signed each hour of all that it had, as far as these recordings are named in it
${protectedBy === "password" ? "\nThis came in an encrypted ZIP file. What you unpacked of it is not encrypted any more.\n" : ""}
HOW TO PLAY IT

Open ${EXPORT_FILES.viewer}, or any film with VLC, ffplay or another player. Where a browser does not know a format (H.265, JPEG), VLC does.

HOW TO CHECK IT, WITHOUT THE PROGRAM THAT MADE IT

1. Whose signature is it? The fingerprint (SHA-256) of the certificate must be the one that you were told on another way, by the people
   whose recordings these are - not only here, for whoever forges this can write another one:

     openssl x509 -in ${EXPORT_FILES.exporter} -noout -fingerprint -sha256
     ${certificates.export}

${authorityWords(signer)}2. Are list and manifest as they were signed? Both must say "CMS Verification successful" (or "Verification successful"):

     openssl cms -verify -binary -inform DER -in ${EXPORT_FILES.sumsSignature} -content ${EXPORT_FILES.sums} -CAfile ${EXPORT_FILES.exporter} -partial_chain -purpose any -out /dev/null
     openssl cms -verify -binary -inform DER -in ${EXPORT_FILES.manifestSignature} -content ${EXPORT_FILES.manifest} -CAfile ${EXPORT_FILES.exporter} -partial_chain -purpose any -out /dev/null

3. Are all files as they were listed? Each must say OK:

     sha256sum -c ${EXPORT_FILES.sums}        (Windows: certutil -hashfile FILE SHA256, and compare)

4. What is in a film?

     ffprobe FILE

${stamped.token === undefined ? "" : STAMP_WORDS}Each film is an "ONVIF export file": its own signature (RSASSA-PSS, SHA-256) is in it, for programs that know this format.

WITH THE PROGRAM THAT MADE IT (Viaduct, open source), second by second, also what happened to a film that was changed:

     npx viaduct verify FOLDER-OR-ZIP --certificate CERTIFICATE

CERTIFICATE: evidence-cert.pem of the recorder, that you were given on another way. Its fingerprint:
     ${certificates.recordings ?? "the recordings are not signed"}

WHAT THIS DOES NOT SHOW: that the camera saw what it showed; that the recorder's clock was right (${stamped.words}); what
was done before the recorder signed, by somebody who had taken it over.
`;
}
