import type { X509Certificate } from "node:crypto";
import { ifValid, isFault } from "../base/fault.ts";
import { H264_CODEC, H265_CODEC } from "../media/nal-codec.ts";
import { CameraVerifier } from "../media/signing/camera-verifier.ts";
import type { CameraTrust } from "../media/signing/certificates.ts";
import type { CameraFinding, CameraSigner, CameraVerdict } from "../media/signing/finding.ts";
import type { SigningScheme } from "../media/signing/scheme.ts";
import { checkChain, FOR_CAMERAS } from "./cms/chain.ts";
import { worstOf } from "./exit-code.ts";
import type { FilmLook } from "./export/film-look.ts";
import type { Fmp4Track } from "./fmp4.ts";
import { readSamples } from "./fragment-read.ts";
import { merged } from "./merged.ts";
import { streamOf } from "./naming.ts";
import type { Look } from "./verify-file.ts";

/** Where fragments are from. `isFirst`: of a file. */
interface About {
  readonly camera: string;
  readonly stream: string;
  readonly isFirst: boolean;
}

/** More than this between two files is time that was not recorded; clocks are corrected by less. */
const APART_US = 500_000;

/** What one stream's camera says of it, with signatures of its own. */
export interface CameraReport {
  readonly camera: string;
  readonly stream: string;
  /** In the order of their times; neighbours with the same verdict are one. */
  readonly findings: readonly CameraFinding[];
  readonly signers: readonly CameraSigner[];
  readonly schemes: readonly SigningScheme[];
}

/** Which exit code a finding asks for where nothing else is worse: what is missing may have been lost before it was recorded. */
const EXIT: Readonly<Record<CameraVerdict, 0 | 1 | 3>> = {
  ok: 0,
  changed: 1,
  missing: 3,
  untrusted: 3,
  unsigned: 0,
  unknown: 0,
};

/** 0: nothing is against it, 1: it was tampered with, 3: it cannot be said. `isAsked`: somebody named who must have signed. */
export function exitCodeOfCameras(reports: readonly CameraReport[], isAsked: boolean): number {
  const codeOf = (verdict: CameraVerdict): number => (verdict === "untrusted" && !isAsked ? 0 : EXIT[verdict]);
  return worstOf(reports.flatMap(({ findings }) => findings.map(({ verdict }) => codeOf(verdict))));
}

interface Watched {
  readonly codec: "H264" | "H265";
  readonly verifier: CameraVerifier;
  endUs: number;
}

/** Compares what was recorded with what cameras have signed themselves, stream by stream, in the order in which it is given. */
export class CameraSignatures {
  readonly #trust: CameraTrust | undefined;
  readonly #known: readonly X509Certificate[];
  readonly #watched = new Map<string, Watched>();
  readonly #reports = new Map<string, CameraReport>();

  /** `trusted`: authorities of cameras, or cameras themselves; absent: anybody. */
  constructor(trusted?: readonly X509Certificate[]) {
    this.#trust = trusted && ((chain, at) => whyNot(chain, trusted, at));
    this.#known = trusted?.filter(({ ca }) => !ca) ?? [];
  }

  /** Looks at the next file, fragment by fragment. */
  file(): Look {
    let isFirst = true;
    return (body, { header }) => {
      if (header === undefined) return;
      this.fragment({ ...header, isFirst }, body, header.tracks);
      isFirst = false;
    };
  }

  /** Looks at the next film of an export. */
  film({ camera, stream }: Pick<About, "camera" | "stream">): FilmLook {
    let isFirst = true;
    return (body, tracks) => {
      this.fragment({ camera, stream, isFirst }, body, tracks);
      isFirst = false;
    };
  }

  /** A fragment as it was recorded: all behind its `uuid` box, decrypted. What makes no sense is passed over, for others say so. */
  fragment(about: About, body: Buffer, tracks: readonly Fmp4Track[]): void {
    const track = tracks.findIndex(({ format }) => format.codec === "H264" || format.codec === "H265");
    const codec = tracks[track]?.format.codec;
    if (codec !== "H264" && codec !== "H265") return;
    const samples = ifValid(() => readSamples(body, tracks)) ?? [];
    const watched = this.#of(about, codec);
    for (const [index, sample] of samples.filter((one) => one.track === track).entries()) {
      const { presentUs: fromUs, durationTicks, decodeUs, discontinuity, data } = sample;
      const isApart = index === 0 && about.isFirst && Math.abs(decodeUs - watched.endUs) > APART_US;
      const durationUs = (durationTicks / (tracks[track]?.timescale ?? 1)) * 1_000_000;
      const time = { fromUs, toUs: fromUs + durationUs, isAfterLoss: discontinuity || isApart };
      ifValid(() => watched.verifier.picture(data, time));
      watched.endUs = decodeUs + durationUs;
    }
  }

  #of({ camera, stream }: Pick<CameraReport, "camera" | "stream">, codec: Watched["codec"]): Watched {
    const key = streamOf({ camera, stream });
    const before = this.#watched.get(key);
    if (before?.codec === codec) return before;
    if (before !== undefined) this.#finish(key, before);
    const options = { trust: this.#trust, known: this.#known };
    const verifier = new CameraVerifier(codec === "H264" ? H264_CODEC : H265_CODEC, options);
    const watched = { codec, verifier, endUs: 0 };
    this.#watched.set(key, watched);
    return watched;
  }

  #finish(key: string, { verifier }: Watched): void {
    const [camera = "", stream = ""] = key.split("/");
    const { findings, signers, schemes } = verifier.end();
    const before = this.#reports.get(key);
    this.#reports.set(key, {
      camera,
      stream,
      findings: merged([...(before?.findings ?? []), ...findings]),
      signers: [...(before?.signers ?? []), ...signers],
      schemes: [...new Set([...(before?.schemes ?? []), ...schemes])],
    });
  }

  /** Of streams whose cameras sign; there is no more. */
  end(): readonly CameraReport[] {
    for (const [key, watched] of this.#watched) this.#finish(key, watched);
    this.#watched.clear();
    return [...this.#reports.values()].filter(({ schemes }) => schemes.length > 0);
  }
}

function whyNot(
  [leaf, ...among]: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
  at: Parameters<CameraTrust>[1],
): string | undefined {
  if (leaf === undefined) return "it has no certificate";
  try {
    checkChain(leaf, { purpose: FOR_CAMERAS, among, trusted, at });
    return undefined;
  } catch (error) {
    return isFault(error, "denied") ? error.message : "its certificate cannot be read";
  }
}
