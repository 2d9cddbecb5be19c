import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { H264_CODEC, H265_CODEC, type NalCodec } from "../../media/nal-codec.ts";
import { CameraVerifier } from "../../media/signing/camera-verifier.ts";
import type { CameraTrust } from "../../media/signing/certificates.ts";
import { signingSchemeOf } from "../../media/signing/sei.ts";
import { nalsIn } from "../../sim/played.ts";

const FOLDER = join(import.meta.dirname, "../media/signing/vectors");
/** Of the films: five pictures a second. */
const PICTURE_US = 200_000;

/** What begins with a picture's first slice, or with what stands before it. */
export type AccessUnit = readonly Buffer[];

/** A film that a camera has signed, picture by picture. */
export interface SignedFilm {
  readonly codec: NalCodec;
  readonly pictures: readonly AccessUnit[];
}

export function signedPath(name: string): string {
  return join(FOLDER, name);
}

/** The film as a byte stream. */
export function signedBytes(name: string): Buffer {
  return readFileSync(signedPath(name));
}

export function signedFilm(name: string): SignedFilm {
  const codec = name.endsWith(".265") ? H265_CODEC : H264_CODEC;
  const pictures: Buffer[][] = [];
  let isOpen = false;
  for (const nal of nalsIn(signedBytes(name))) {
    const isSlice = codec.vcl(codec.type(nal));
    const begins = isSlice ? ((nal[codec.headerBytes] ?? 0) & 0x80) !== 0 : isOpen;
    if (pictures.length === 0 || (begins && isOpen)) pictures.push([]);
    isOpen = isSlice;
    pictures.at(-1)?.push(nal);
  }
  return { codec, pictures };
}

export function signingCertificate(name: string): X509Certificate {
  return new X509Certificate(signedBytes(name));
}

export function sampleOf(nals: AccessUnit): Buffer {
  return Buffer.concat(
    nals.flatMap((nal) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(nal.length);
      return [length, nal];
    }),
  );
}

/** Whether a NAL unit is a message of the camera's signature. */
export function isMessage({ codec }: SignedFilm): (nal: Buffer) => boolean {
  return (nal) => signingSchemeOf(nal, codec) !== undefined;
}

/** What the verifier says, one line a stretch, with times in tenths of a second. `lost`: pictures before which something was lost. */
export function saidOf(
  { codec, pictures }: SignedFilm,
  o: {
    readonly trust?: CameraTrust;
    readonly known?: readonly X509Certificate[];
    readonly lost?: readonly number[];
  } = {},
): readonly string[] {
  const verifier = new CameraVerifier(codec, o);
  for (const [index, nals] of pictures.entries()) {
    const fromUs = index * PICTURE_US;
    const isAfterLoss = o.lost?.includes(index) === true;
    verifier.picture(sampleOf(nals), { fromUs, toUs: fromUs + PICTURE_US, isAfterLoss });
  }
  return verifier.end().findings.map(({ fromUs, toUs, verdict, why }) => {
    const what = why === undefined ? verdict : `${verdict}: ${why}`;
    return `${fromUs / 100_000}-${toUs / 100_000} ${what}`;
  });
}

/** What is said of the end of a film, whose signature comes later. */
export const DANGLING = "unknown: its signature stands behind the end of what is here";

/** What is said beside `ok`, and of the end. */
export function accused(film: SignedFilm, o?: Parameters<typeof saidOf>[1]): readonly string[] {
  return saidOf(film, o).filter((line) => !line.endsWith(" ok") && !line.endsWith(DANGLING));
}
