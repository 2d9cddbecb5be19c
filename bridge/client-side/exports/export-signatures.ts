import type { X509Certificate } from "node:crypto";
import { asFault } from "../../../base/fault.ts";
import type { Log } from "../../../base/log.ts";
import type { SignatureReport } from "../../../recorder/camera-signatures-report.ts";
import type { CutSegment } from "../../../recorder/export/cut.ts";
import type { ExportMaking } from "../../../recorder/export/make-export.ts";
import { SignatureWatch } from "../../../recorder/signature-watch.ts";
import type { Job } from "./job.ts";

const LIMITS = {
  /** Of one camera, that are told. */
  signers: 10,
};

type Told = NonNullable<Job["signatures"]>;

/** Compares what goes into an export with what its cameras signed. No export fails by it: where it does, nothing is told. */
export class ExportSignatures {
  readonly #watch: SignatureWatch;
  readonly #log: Log;
  #segment: CutSegment | undefined;
  #isBroken = false;

  /** `trusted`: authorities of cameras; absent: anybody. Close it. */
  constructor(trusted: readonly X509Certificate[] | undefined, log: Log) {
    this.#watch = new SignatureWatch(trusted);
    this.#log = log;
  }

  readonly look: NonNullable<ExportMaking["look"]> = async ({ id: camera, stream }, { segment, box, body }) => {
    const isFirst = segment !== this.#segment;
    this.#segment = segment;
    const about = { camera, stream, isFirst };
    const { startUs: fromUs, endUs: toUs } = box;
    await this.#try(() => this.#watch.fragment({ about, body, tracks: segment.tracks, fromUs, toUs }));
  };

  /** Of cameras that sign; there is no more. Undefined where it failed. */
  async end(): Promise<Told | undefined> {
    return this.#try(async () => (await this.#watch.end()).map(toldOf));
  }

  async close(): Promise<void> {
    await this.#watch.close();
  }

  async #try<T>(work: () => Promise<T>): Promise<T | undefined> {
    if (this.#isBroken) return undefined;
    try {
      return await work();
    } catch (error) {
      this.#isBroken = true;
      this.#log.error({ err: asFault(error) }, "what cameras signed of an export was not compared");
      return undefined;
    }
  }
}

/** For how long what was said, and by whom it was signed. */
function toldOf({ camera, findings, signers }: SignatureReport): Told[number] {
  const byVerdict = Map.groupBy(findings, ({ verdict }) => verdict);
  return {
    camera,
    verdicts: [...byVerdict].map(([verdict, all]) => ({
      verdict,
      seconds: Math.round(all.reduce((sum, { fromUs, toUs }) => sum + toUs - fromUs, 0) / 100_000) / 10,
    })),
    signers: signers.slice(0, LIMITS.signers).map(({ fingerprint, name, issuer }) => ({ fingerprint, name, issuer })),
  };
}
