import { Fault } from "../../../base/fault.ts";
import type { Secret } from "../../../base/secret.ts";
import { MINUTE, SECOND, unixMillis } from "../../../base/units.ts";
import { makeExport } from "../../../recorder/export/make-export.ts";
import { ZipBundle } from "../../../recorder/export/zip-writer.ts";
import { errorCode, type Files } from "../../../recorder/files.ts";
import type { Made } from "./export-queue.ts";
import { ExportSignatures } from "./export-signatures.ts";
import type { ExportsParts } from "./exports-parts.ts";
import type { Job } from "./job.ts";
import type { Spool } from "./spool.ts";

const LIMITS = {
  /** Between two looks whether what is being recorded is sealed; and how long a segment may take to its end. */
  lookMs: 2 * SECOND,
  sealingMs: 11 * MINUTE,
};

/**
 * Makes the file of a job. What is still being recorded is waited for, so that it is signed. `oldest`: what was captured before may not
 * be had, in milliseconds since 1970. Rejects with the reason of `signal`, and leaves nothing then.
 */
export async function runJob(
  job: Job,
  o: ExportsParts,
  how: {
    readonly spool: Spool;
    readonly signal: AbortSignal;
    readonly oldest: () => number;
    readonly password: Secret | undefined;
    readonly progress: (bytes: number) => void;
  },
): Promise<Made> {
  const { clock, place } = o;
  const { spool, progress } = how;
  const to = unixMillis(job.to);
  const until = clock.monotonic() + LIMITS.sealingMs;
  while (job.cameras.some(({ id }) => o.isOpen(id, job.stream, to)) && clock.monotonic() < until)
    await clock.sleep(LIMITS.lookMs, how.signal);
  how.signal.throwIfAborted();
  const signer = await o.signer();
  const now = clock.now();
  const path = spool.partOf(job);
  const bundle = new ZipBundle(await place.files.open(path, "create"), { password: how.password, modified: now });
  const signed = new ExportSignatures(o.cameraMakers, o.log);
  try {
    const { films, cameras } = await makeExport(
      {
        id: job.id,
        from: unixMillis(job.from),
        to,
        cameras: job.cameras.map(({ id, name, leftOut }) => ({
          id,
          name,
          stream: job.stream,
          leftOut: new Set(leftOut),
          notBeforeUs: () => how.oldest() * 1000,
        })),
        askedBy: job.who,
        askedThrough: job.interface,
        reason: job.reason,
      },
      {
        place,
        bundle,
        protectedBy: how.password === undefined ? "nothing" : "password",
        signer,
        recorder: o.recorder,
        stamp: o.stamp,
        software: o.software,
        installation: o.installation,
        now,
        signal: how.signal,
        progress,
        look: signed.look,
      },
    );
    const signatures = await signed.end();
    await spool.finish(job);
    const gaps = cameras.reduce((sum, camera) => sum + camera.gaps.length, 0);
    const oldest = Math.min(...films.map(({ from }) => Date.parse(from)));
    const bytes = await sizeOf(place.files, spool.fileOf(job));
    return { bytes, films: films.length, gaps, oldest, ...(signatures && { signatures }) };
  } catch (error) {
    await bundle.abandon().catch(() => undefined);
    await spool.discard(job);
    if (errorCode(error) !== "ENOSPC") throw error;
    throw new Fault("unavailable", "disk full", { tell: "the disk became full meanwhile", cause: error });
  } finally {
    await signed.close();
  }
}

async function sizeOf(files: Files, path: string): Promise<number> {
  const file = await files.open(path, "read");
  try {
    return await file.size();
  } finally {
    await file.close();
  }
}
