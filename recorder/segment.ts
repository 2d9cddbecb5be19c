import { Fault } from "../base/fault.ts";
import type { TimeQuality } from "../media/group.ts";
import { copyBytes } from "../media/packed-bytes.ts";
import type { ReusedMemory } from "../media/reused-memory.ts";
import { BOX_HEADER_BYTES, box, boxesIn, fullBox, u32 } from "./box.ts";
import { blind, type Part, type SegmentCipher } from "./cipher.ts";
import { isNoAnswer } from "./disk-turns.ts";
import { errorCode, type Files, type OpenFile } from "./files.ts";
import { fragmentHead, initSegment } from "./fmp4.ts";
import type { ReadyFragment, SegmentPlan } from "./fragmenter.ts";
import { FRAGMENT_BOX_BYTES, fragmentBox, type Link, linkOf, PRFT_BYTES, prft, segmentBox } from "./integrity.ts";
import { folderOf, PART, segmentPath } from "./naming.ts";
import { Pace } from "./pace.ts";
import { type Signer, signatureBox } from "./signature.ts";
import type { Volume } from "./volume.ts";

const LIMITS = {
  /** Of each video sample, where encryption is light: parameter sets and the beginning of the first slices. */
  hiddenBytes: 2048,
  /** Segments of one camera that begin in the same millisecond: other streams, and clocks that were set back. */
  namesakes: 100,
};

/** Where a fragment stands in its file and in time. */
export interface FragmentExtent {
  /** Of its `uuid` box. */
  readonly offset: number;
  /** All of it in the file: `uuid`, `prft`, `moof`, `mdat`; or `uuid` and the cipher box. */
  readonly bytes: number;
  readonly key: boolean;
  readonly time: TimeQuality;
  readonly startUs: number;
  readonly endUs: number;
}

/** What the index that closes a file needs besides. */
export interface FragmentPlace extends FragmentExtent {
  /** Of `moof` from the beginning of the file; 0 where it is encrypted. */
  readonly moofOffset: number;
}

/** Who signs a segment, and what of it only its making knows. */
interface Signing {
  readonly signer: Signer;
  readonly camera: string;
  readonly stream: string;
  readonly fetchedUs?: number | undefined;
  readonly previous: Link;
}

/**
 * A segment while it is written: one file, with `.part` behind its name until it is sealed. `format.md` says what stands
 * in it. Calls must not overlap. After a method has failed, only {@link abandon} may be called.
 */
export class SegmentFile {
  /** Final name, below the folder of its volume. */
  readonly file: string;
  readonly volume: string;
  /** The whole of it. */
  readonly path: string;
  readonly plan: SegmentPlan;
  readonly cipher: SegmentCipher | undefined;
  readonly #signer: Signing | undefined;
  readonly #opening: Link;
  /** Boxes of the fragments, for the signature. */
  readonly #heads: Buffer[] = [];
  /** Fragments that are written. Grows. */
  readonly fragments: FragmentPlace[] = [];
  readonly #files: Files;
  readonly #handle: OpenFile;
  readonly #memory: ReusedMemory | undefined;
  /** Of what is written completely. */
  #bytes = 0;
  #link: Link;
  #header: Buffer | undefined;
  #dirty = false;

  private constructor(o: {
    files: Files;
    path: string;
    file: string;
    volume: string;
    handle: OpenFile;
    plan: SegmentPlan;
    cipher: SegmentCipher | undefined;
    plain: Buffer;
    header: Buffer;
    signing: Signing | undefined;
    memory: ReusedMemory | undefined;
  }) {
    this.#files = o.files;
    this.path = o.path;
    this.#handle = o.handle;
    this.#header = o.header;
    this.#link = linkOf(o.plain);
    this.#opening = this.#link;
    this.#signer = o.signing;
    this.file = o.file;
    this.volume = o.volume;
    this.plan = o.plan;
    this.cipher = o.cipher;
    this.#memory = o.memory;
  }

  /** Makes the file, empty. `announce` is told the name before it exists; false: it is taken. */
  static async create(o: {
    readonly files: Files;
    readonly volume: Pick<Volume, "name" | "folder">;
    readonly camera: string;
    readonly stream: string;
    /** As {@link SegmentHeader.fetchedUs}. */
    readonly fetchedUs?: number | undefined;
    readonly plan: SegmentPlan;
    readonly startUs: number;
    readonly previous: Link;
    /** Absent: nothing is encrypted. */
    readonly cipher?: SegmentCipher | undefined;
    /** Absent: the segment is not signed. */
    readonly signer?: Signer | undefined;
    /** Where samples lie while they are encrypted and written. */
    readonly memory?: ReusedMemory | undefined;
    readonly announce: (file: string) => Promise<boolean>;
  }): Promise<SegmentFile> {
    const { files, plan, cipher } = o;
    for (let counter = 0; counter < LIMITS.namesakes; counter += 1) {
      const file = segmentPath(o.camera, o.startUs, counter);
      const path = `${o.volume.folder}/${file}`;
      if ((await files.exists(path)) || (await files.exists(path + PART))) continue;
      if (!(await o.announce(file))) continue;
      const handle = await openNew(files, path);
      if (handle === undefined) continue;
      const init = initSegment(plan.tracks);
      const own = segmentBox({ ...o, ...plan, fetchedUs: o.fetchedUs });
      const plain = Buffer.concat([init, own]);
      const moovAt = boxesIn(init)[1]?.start ?? 0;
      const header = (await cipher?.header(init.subarray(0, moovAt), init.subarray(moovAt), own)) ?? plain;
      return new SegmentFile({
        files,
        path,
        file,
        volume: o.volume.name,
        handle,
        plan,
        cipher,
        plain,
        header,
        signing: o.signer && { ...o, signer: o.signer },
        memory: o.memory,
      });
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

  /** Resolves when the fragment is with the system: it survives the end of this process, not yet a power cut. Its samples stay as they are. */
  async append(ready: ReadyFragment): Promise<void> {
    const media = this.#memory?.take(ready.bytes) ?? Buffer.allocUnsafeSlow(ready.bytes);
    try {
      await this.#append(ready, media);
    } catch (error) {
      // A disk that hangs may look at it when it answers, also after it was written to another one.
      if (isNoAnswer(error)) this.#memory?.lose(media);
      else this.#memory?.give(media);
      throw error;
    }
    this.#memory?.give(media);
  }

  /** `media`: room for the samples, where they are encrypted. */
  async #append(ready: ReadyFragment, media: Buffer): Promise<void> {
    let at = 0;
    for (const { samples } of ready.runs) for (const { data } of samples) at = copyBytes(data, media, at);
    const sequence = this.fragments.length + 1;
    const times = ready.runs.flatMap(({ id, references }) =>
      references.flatMap((one) => (one === undefined ? [] : [prft({ trackId: id, ...one })])),
    );
    const head = fragmentHead({ sequence, tracks: ready.runs });
    const lead = this.cipher === undefined ? times : [blind(), ...times];
    const parts = [...[...lead, head].map(hidden), ...this.#mediaParts(ready, media)];
    const { header, body } = await this.#close(sequence, ready, parts);
    const bytes = body.reduce((sum, one) => sum + one.length, header.length);
    const opening = this.#header;
    await this.#handle.write(opening === undefined ? [header, ...body] : [opening, header, ...body], this.#bytes);
    this.#dirty = true;
    this.#header = undefined;
    const offset = this.#bytes + (opening?.length ?? 0);
    this.#bytes = offset + bytes;
    this.#link = linkOf(header);
    if (this.#signer !== undefined) this.#heads.push(header);
    this.fragments.push({
      offset,
      bytes,
      moofOffset: this.cipher === undefined ? offset + FRAGMENT_BOX_BYTES + times.length * PRFT_BYTES : 0,
      key: ready.key,
      time: ready.time,
      startUs: ready.startUs,
      endUs: ready.endUs,
    });
  }

  /** Hashes and encrypts. */
  async #close(
    sequence: number,
    { key, time, startUs, endUs }: ReadyFragment,
    parts: readonly Part[],
  ): Promise<{ readonly header: Buffer; readonly body: readonly Buffer[] }> {
    const plain = parts.map(({ bytes }) => bytes);
    const length = plain.reduce((sum, bytes) => sum + bytes.length, 0);
    const hash = await new Pace().hash(plain);
    const header = fragmentBox({ sequence, key, time, startUs, endUs, length, hash, previous: this.#link });
    return { header, body: (await this.cipher?.encrypt(sequence, [header], parts)) ?? plain };
  }

  /** The samples in order, and which of their bytes stay in clear. */
  #mediaParts({ runs }: ReadyFragment, media: Buffer): readonly Part[] {
    if (this.cipher?.protection.mode !== "light") return [hidden(media)];
    let at = 0;
    return runs.flatMap(({ id, samples }) => {
      const format = this.plan.tracks.find((one) => one.id === id)?.format;
      const isVideo = format !== undefined && "width" in format;
      return samples.flatMap(({ data: { length } }) => {
        const bytes = media.subarray(at, at + length);
        at += length;
        if (!isVideo || length <= LIMITS.hiddenBytes) return hidden(bytes);
        const clear = { bytes: bytes.subarray(LIMITS.hiddenBytes), clear: true };
        return [hidden(bytes.subarray(0, LIMITS.hiddenBytes)), clear];
      });
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
    const index = this.cipher === undefined ? randomAccess(this.plan, this.fragments) : CLOSING;
    const signature =
      this.#signer === undefined
        ? []
        : [
            signatureBox(
              { ...this.#signer, header: this.#opening, heads: this.#heads, recovered: false },
              this.#signer.signer,
            ),
          ];
    const end = [...signature, index];
    await this.#handle.write(end, this.#bytes);
    await this.#handle.datasync();
    await this.#handle.close();
    await this.#files.rename(this.path + PART, this.path);
    await this.#files.syncFolder(folderOf(this.path));
    for (const { length } of end) this.#bytes += length;
    return true;
  }

  /** Leaves the file as it is for recovery, or removes it when it is empty. Never rejects. */
  async abandon(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    if (this.fragments.length === 0) await this.#files.remove(this.path + PART).catch(() => undefined);
  }
}

function hidden(bytes: Buffer): Part {
  return { bytes, clear: false };
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
  const isTaken = await files.exists(path).catch(async (error: unknown) => {
    await handle.close();
    throw error;
  });
  if (!isTaken) return handle;
  await handle.close();
  await files.remove(path + PART);
  return undefined;
}

/** What an encrypted segment ends with: its places are those of the decrypted file, which has an index of its own. */
export const CLOSING = box("mfra", fullBox("mfro", 0, 0, u32(BOX_HEADER_BYTES + 16)));

/** `mfra`: where players that seek find the fragments that begin with a key frame (ISO/IEC 14496-12 8.8.9). */
export function randomAccess(
  plan: Pick<SegmentPlan, "tracks" | "zeroUs">,
  fragments: readonly Pick<FragmentPlace, "startUs" | "moofOffset" | "key">[],
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
