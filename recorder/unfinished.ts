import type { Log } from "../base/log.ts";
import type { StoredFile } from "./catalog-rows.ts";
import { recoverPart } from "./recover-part.ts";
import type { SegmentFile } from "./segment.ts";
import type { StreamNotes } from "./stream-notes.ts";
import type { WriterContext } from "./writer-context.ts";

const LIMITS = {
  /** Files that wait for their disk; the next start finds the others. */
  files: 64,
};

/** Whose files they are, and where their place is. */
interface UnfinishedPlace {
  readonly camera: string;
  readonly stream: string;
  readonly context: WriterContext;
  readonly log: Log;
  readonly notes: StreamNotes;
}

/** `keepBytes`: what is behind them was not known to be written, and may have been written elsewhere; 0 where nothing was. */
interface LeftFile extends StoredFile {
  readonly keepBytes: number;
}

/** The files of one stream that an error of their disk left unfinished, to be sealed when it is back. */
export class UnfinishedFiles {
  readonly #o: UnfinishedPlace;
  #files: LeftFile[] = [];

  constructor(o: UnfinishedPlace) {
    this.#o = o;
  }

  /** Leaves a segment as it is, for later: until then it is not known what of it is there. */
  async leave(segment: SegmentFile, problem: string): Promise<void> {
    const { notes } = this.#o;
    await segment.abandon();
    const left = { file: segment.file, volume: segment.volume, keepBytes: segment.bytes };
    this.add(left);
    // The next start would not know.
    await notes.noted((catalog) => catalog.left(left, left.keepBytes));
    const [first, last] = [segment.fragments[0], segment.fragments.at(-1)];
    if (first === undefined || last === undefined) return;
    notes.recorded({ endUs: last.endUs, link: segment.link });
    const why = `${problem}: what was being written is looked for when the disk is back`;
    await notes.missed(first.startUs, last.endUs, { cause: "disk", why });
  }

  /** Nothing was written to it yet, if it is there at all. */
  add(file: StoredFile): void {
    this.#files = [...this.#files, { keepBytes: 0, ...file }].slice(-LIMITS.files);
  }

  /** Seals what can be reached now, and enters it. */
  async salvage(): Promise<void> {
    const { camera, stream, context, log, notes } = this.#o;
    const { volumes } = context;
    const files = this.#files;
    this.#files = [];
    for (const left of files) {
      const volume = volumes.find(left.volume);
      if (volume === undefined || (volumes.all.length > 1 && !volumes.isUsable(volume))) {
        this.#files.push(left);
        continue;
      }
      try {
        const row = await recoverPart({ ...context, log, volume }, left.file, left.keepBytes);
        if (row === undefined) {
          await notes.noted((catalog) => catalog.abandoned(left));
          continue;
        }
        notes.add(row);
        await notes.noted((catalog) => catalog.gaps.filled(camera, stream, row.startUs, row.endUs));
      } catch (err) {
        log.warn({ err, file: left.file }, "an unfinished segment cannot be sealed yet");
        this.#files.push(left);
      }
    }
    await notes.enter();
  }
}
