import type { X509Certificate } from "node:crypto";
import { type UnixMillis, unixMillis } from "../../base/units.ts";
import type { SignatureReport } from "../../recorder/camera-signatures-report.ts";
import { type CutPlace, type CutSegment, cut, type Missing } from "../../recorder/export/cut.ts";
import { SignatureWatch } from "../../recorder/signature-watch.ts";

const LIMITS = {
  /** Stretches that are told. */
  missing: 100,
};

/** Which recordings are to be compared with what their camera signed. */
export interface SignedStretch {
  readonly camera: string;
  readonly stream: string;
  readonly from: UnixMillis;
  readonly to: UnixMillis;
}

/** How far it is, and, last of all, what came of it. */
export type SignatureProgress =
  | { readonly type: "at"; readonly at: UnixMillis; readonly bytes: number }
  | {
      readonly type: "compared";
      /** What was there, from the first key frame; undefined: nothing. */
      readonly stretch: { readonly from: UnixMillis; readonly to: UnixMillis } | undefined;
      /** Undefined where the camera signed nothing of it. */
      readonly report: SignatureReport | undefined;
      /** What could not be read, and why. */
      readonly missing: readonly Missing[];
    };

/**
 * Compares a stretch of one stream with what its camera signed, fragment by fragment, in a thread of its own where it signs. `oldest`: what was
 * captured before is not read, in milliseconds since 1970; asked again and again. Ends with `signal`, and rejects with its reason.
 */
export async function* recordedSignatures(
  place: CutPlace,
  { camera, stream, from, to }: SignedStretch,
  o: {
    /** Authorities of cameras; absent: anybody. */
    readonly trusted: readonly X509Certificate[] | undefined;
    readonly oldest: () => number;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<SignatureProgress> {
  const missing: Missing[] = [];
  const watch = new SignatureWatch(o.trusted);
  try {
    const range = { camera, stream, fromUs: from * 1000, toUs: to * 1000, notBeforeUs: () => o.oldest() * 1000 };
    const miss = (one: Missing): void => {
      o.signal.throwIfAborted();
      // The key frame before the beginning may be too old, which is nobody's loss.
      if (one.toUs > range.fromUs && missing.length < LIMITS.missing) missing.push(one);
    };
    let segment: CutSegment | undefined;
    let stretch: { readonly from: UnixMillis; readonly to: UnixMillis } | undefined;
    for await (const fragment of cut(place, range, miss)) {
      o.signal.throwIfAborted();
      const isFirst = fragment.segment !== segment;
      ({ segment } = fragment);
      const { body, box } = fragment;
      const about = { camera, stream, isFirst };
      await watch.fragment({ about, body, tracks: segment.tracks, fromUs: box.startUs, toUs: box.endUs });
      const at = unixMillis(Math.floor(fragment.box.endUs / 1000));
      stretch = { from: stretch?.from ?? unixMillis(Math.floor(fragment.box.startUs / 1000)), to: at };
      yield { type: "at", at, bytes: fragment.body.length };
    }
    const [report] = await watch.end();
    // Whoever is told may take their time.
    await watch.close();
    yield { type: "compared", stretch, report, missing };
  } finally {
    await watch.close();
  }
}
