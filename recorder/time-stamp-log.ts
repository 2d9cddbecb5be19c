import { ifValid } from "../base/fault.ts";
import { readAnchorText } from "./anchor.ts";
import { type AnchorFile, anchorFilesIn, anchorLinesOf, seqOf, timeStampFileOf } from "./anchor-files.ts";
import { TIME_STAMP_BYTES } from "./cms/time-stamp.ts";
import type { Files } from "./files.ts";
import { appendTo, readText } from "./whole-text.ts";

const LIMITS = {
  /** Of the time stamps of one day. */
  bytes: 64 * 1024 * 1024,
  /** Anchors that are still stamped: of the newest days, and so many. A stamp is good for all anchors before it, too. */
  days: 7,
  waiting: 500,
};

/** `<seq> TAB <token, base64>`. */
const LINE = /^(\d{1,15})\t([A-Za-z0-9+/]+={0,2})$/;

/** An anchor that has no time stamp. */
export interface Unstamped {
  readonly seq: number;
  /** What is to be stamped: SHA-256 of its text, hexadecimal. */
  readonly hash: string;
  /** The file that it is in. */
  readonly file: AnchorFile;
}

/** A line of time stamps; undefined where it is none. */
export type StampLine = { readonly seq: number; readonly token: Buffer } | undefined;

/** The time stamps of anchors, in files beside these. What is missing there is what waits: nothing else has to be remembered. */
export class TimeStampLog {
  readonly #folder: string;
  readonly #files: Files;

  /** `folder`: of the recordings. */
  constructor(folder: string, files: Files) {
    this.#folder = folder;
    this.#files = files;
  }

  /** The anchors that are to be stamped, the newest first. Errors of the disk; Fault `invalid` where a file is too long. */
  async unstamped(): Promise<readonly Unstamped[]> {
    const found: Unstamped[] = [];
    for (const file of (await anchorFilesIn(this.#files, this.#folder)).toReversed().slice(0, LIMITS.days)) {
      const lines = await stampLinesOf(this.#files, timeStampFileOf(this.#folder, file));
      const stamped = new Set(lines.map((one) => one?.seq));
      for (const line of (await anchorLinesOf(this.#files, file)).toReversed()) {
        const seq = seqOf(line);
        if (seq === undefined || stamped.has(seq)) continue;
        if (found.length >= LIMITS.waiting) return found;
        const read = ifValid(() => readAnchorText(line.slice(0, Math.max(0, line.lastIndexOf("\t")))));
        // What cannot be read is for `viaduct verify` to tell.
        if (read !== undefined) found.push({ seq, hash: read.hash, file });
      }
    }
    return found;
  }

  /** Puts a token, which the caller has checked, beside its anchor. Once this resolves, a power cut does not take it. */
  async keep({ seq, file }: Unstamped, token: Buffer): Promise<void> {
    const path = timeStampFileOf(this.#folder, file);
    const text = (await readText(this.#files, path, LIMITS.bytes - 2 * TIME_STAMP_BYTES)) ?? "";
    // What a crash has cut has no line end.
    const end = Buffer.byteLength(text.slice(0, text.lastIndexOf("\n") + 1));
    await appendTo(this.#files, path, Buffer.from(`${seq}\t${token.toString("base64")}\n`), end);
  }
}

/** The lines of a file with time stamps; none where there is no file. */
export async function stampLinesOf(files: Files, path: string): Promise<readonly StampLine[]> {
  const text = (await readText(files, path, LIMITS.bytes)) ?? "";
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const [, seq, token] = line.length > 2 * TIME_STAMP_BYTES ? [] : (LINE.exec(line) ?? []);
      return seq === undefined || token === undefined
        ? undefined
        : { seq: Number(seq), token: Buffer.from(token, "base64") };
    });
}
