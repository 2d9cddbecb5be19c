import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { Fault } from "../base/fault.ts";
import type { TimeQuality } from "../media/group.ts";
import { box, fullBox, u32 } from "./box.ts";
import { errorCode, type Files, type OpenFile } from "./files.ts";
import { fragment, initSegment } from "./fmp4.ts";
import type { ReadyFragment, SegmentPlan } from "./fragmenter.ts";
import { FRAGMENT_BOX_BYTES, fragmentBox, type Link, linkOf, PRFT_BYTES, prft, segmentBox } from "./integrity.ts";
import { folderOf, PART, segmentPath } from "./naming.ts";

const LIMITS = {
  /** Hashing this much takes half a millisecond; then the loop goes round. */
  hashBytesPerTurn: 512 * 1024,
  hashPiece: 64 * 1024,
  /** Segments of one camera that begin in the same millisecond: other streams, and clocks that were set back. */
  namesakes: 100,
};

/** Where a fragment stands in its file. */
export interface FragmentPlace {
  /** Of its `uuid` box. */
  readonly offset: number;
  /** All of it: `uuid`, `prft`, `moof`, `mdat`. */
  readonly bytes: number;
  /** Of `moof` from the beginning of the file. */
  readonly moofOffset: number;
  readonly key: boolean;
  readonly time: TimeQuality;
  readonly startUs: number;
  readonly endUs: number;
}

/**
 * A segment while it is written: one file, with `.part` behind its name until it is sealed. `format.md` says what stands
 * in it. Calls must not overlap. After a method has failed, only {@link abandon} may be called.
 */
export class SegmentFile {
  /** Final name, below the archive's folder. */
  readonly file: string;
  readonly plan: SegmentPlan;
  /** Fragments that are written. Grows. */
  readonly fragments: FragmentPlace[] = [];
  readonly #files: Files;
  readonly #path: string;
  readonly #handle: OpenFile;
  /** Of what is written completely. */
  #bytes = 0;
  #link: Link;
  #header: Buffer | undefined;
  #dirty = false;

  private constructor(o: {
    files: Files;
    path: string;
    file: string;
    handle: OpenFile;
    plan: SegmentPlan;
    header: Buffer;
  }) {
    this.#files = o.files;
    this.#path = o.path;
    this.#handle = o.handle;
    this.#header = o.header;
    this.#link = linkOf(o.header);
    this.file = o.file;
    this.plan = o.plan;
  }

  /** Makes the file, empty. `announce` is told the name before it exists. */
  static async create(o: {
    readonly files: Files;
    readonly folder: string;
    readonly camera: string;
    readonly stream: string;
    readonly plan: SegmentPlan;
    readonly startUs: number;
    readonly previous: Link;
    readonly announce: (file: string) => Promise<void>;
  }): Promise<SegmentFile> {
    const { files, plan } = o;
    for (let counter = 0; counter < LIMITS.namesakes; counter += 1) {
      const file = segmentPath(o.camera, o.startUs, counter);
      const path = `${o.folder}/${file}`;
      if ((await files.exists(path)) || (await files.exists(path + PART))) continue;
      await o.announce(file);
      const handle = await openNew(files, path);
      if (handle === undefined) continue;
      const header = Buffer.concat([initSegment(plan.tracks), segmentBox({ ...o, ...plan })]);
      return new SegmentFile({ files, path, file, handle, plan, header });
    }
    throw new Fault("unavailable", `too many segments of ${o.camera} begin at the same instant`);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The last link of the chain so far. */
  get link(): Link {
    return this.#link;
  }

  /** Resolves when the fragment is with the system: it survives the end of this process, not yet a power cut. */
  async append(ready: ReadyFragment): Promise<void> {
    const sequence = this.fragments.length + 1;
    const times = ready.runs.flatMap(({ id, references }) =>
      references.flatMap((one) => (one === undefined ? [] : [prft({ trackId: id, ...one })])),
    );
    const body = [...times, ...fragment({ sequence, tracks: ready.runs })];
    let length = 0;
    for (const buffer of body) length += buffer.length;
    const header = fragmentBox({
      sequence,
      key: ready.key,
      time: ready.time,
      startUs: ready.startUs,
      endUs: ready.endUs,
      length,
      hash: await hashOf(body),
      previous: this.#link,
    });
    const lead = this.#header;
    await this.#handle.write(lead === undefined ? [header, ...body] : [lead, header, ...body], this.#bytes);
    this.#dirty = true;
    this.#header = undefined;
    const offset = this.#bytes + (lead?.length ?? 0);
    this.#bytes = offset + header.length + length;
    this.#link = linkOf(header);
    this.fragments.push({
      offset,
      bytes: header.length + length,
      moofOffset: offset + FRAGMENT_BOX_BYTES + times.length * PRFT_BYTES,
      key: ready.key,
      time: ready.time,
      startUs: ready.startUs,
      endUs: ready.endUs,
    });
  }

  /** Makes what is written survive a power cut. */
  async flush(): Promise<void> {
    if (!this.#dirty) return;
    this.#dirty = false;
    await this.#handle.datasync();
  }

  /** Ends the file: index, flush, final name. False where nothing was in it, and it is gone. */
  async seal(): Promise<boolean> {
    if (this.fragments.length === 0) {
      await this.abandon();
      return false;
    }
    const index = randomAccess(this.plan, this.fragments);
    await this.#handle.write([index], this.#bytes);
    await this.#handle.datasync();
    await this.#handle.close();
    await this.#files.rename(this.#path + PART, this.#path);
    await this.#files.syncFolder(folderOf(this.#path));
    this.#bytes += index.length;
    return true;
  }

  /** Leaves the file as it is for recovery, or removes it when it is empty. Never rejects. */
  async abandon(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    if (this.fragments.length === 0) await this.#files.remove(this.#path + PART).catch(() => undefined);
  }
}

async function openNew(files: Files, path: string): Promise<OpenFile | undefined> {
  const make = async (): Promise<OpenFile> => {
    await files.makeFolder(folderOf(path));
    return files.open(path + PART, "create");
  };
  // Retention removes empty folders, perhaps between the two steps.
  const handle = await make().catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return make();
    throw error;
  });
  // Between our look and our creation, another stream's file of this name may have been sealed.
  if (!(await files.exists(path))) return handle;
  await handle.close();
  await files.remove(path + PART);
  return undefined;
}

/** SHA-256 over all buffers, in pieces: no turn of the loop takes long, however large the fragment is. */
async function hashOf(buffers: readonly Buffer[]): Promise<Buffer> {
  const hash = createHash("sha256");
  let turn = 0;
  for (const buffer of buffers)
    for (let offset = 0; offset < buffer.length; offset += LIMITS.hashPiece) {
      const piece = buffer.subarray(offset, offset + LIMITS.hashPiece);
      hash.update(piece);
      turn += piece.length;
      if (turn < LIMITS.hashBytesPerTurn) continue;
      turn = 0;
      await setImmediate();
    }
  return hash.digest();
}

/** `mfra`: where players that seek find the fragments that begin with a key frame (ISO/IEC 14496-12 8.8.9). */
export function randomAccess(
  plan: Pick<SegmentPlan, "tracks" | "zeroUs">,
  fragments: readonly FragmentPlace[],
): Buffer {
  const track = plan.tracks.find((one) => "width" in one.format) ?? plan.tracks[0];
  const entries = fragments
    .filter((one) => one.key)
    .map((one) => {
      const entry = Buffer.alloc(19);
      const ticks = Math.max(0, Math.round(((one.startUs - plan.zeroUs) / 1_000_000) * (track?.timescale ?? 1)));
      entry.writeBigUInt64BE(BigInt(ticks), 0);
      entry.writeBigUInt64BE(BigInt(one.moofOffset), 8);
      entry.fill(1, 16); // first traf, first trun, first sample
      return entry;
    });
  const table = fullBox("tfra", 1, 0, u32(track?.id ?? 1, 0, entries.length), ...entries);
  const offsetBytes = 16;
  return box("mfra", table, fullBox("mfro", 0, 0, u32(8 + table.length + offsetBytes)));
}
