import { isoOf, type UnixMillis } from "../base/units.ts";
import type { Files } from "./files.ts";
import { STATEMENTS_FOLDER } from "./removal-log.ts";
import { readText } from "./whole-text.ts";

const LIMITS = {
  /** Of the anchors of one day. */
  fileBytes: 512 * 1024 * 1024,
};

/** The anchors of a day, or their time stamps. */
export interface AnchorFile {
  readonly path: string;
  /** `2026-11-24`, UTC. */
  readonly day: string;
}

const NAMES = {
  anchors: /^anchors-(\d{4,6}-\d\d-\d\d)\.txt$/,
  timeStamps: /^time-stamps-(\d{4,6}-\d\d-\d\d)\.txt$/,
} as const;

/** Every line begins so. */
const BEGINNING = /^\{"seq":(\d{1,15}),/;

export function anchorFileOf(folder: string, at: UnixMillis): AnchorFile {
  const day = isoOf(at).slice(0, -"T13:05:09.120Z".length);
  return { path: `${folder}/${STATEMENTS_FOLDER}/anchors-${day}.txt`, day };
}

/** Where the time stamps of the anchors of a day are. */
export function timeStampFileOf(folder: string, { day }: Pick<AnchorFile, "day">): string {
  return `${folder}/${STATEMENTS_FOLDER}/time-stamps-${day}.txt`;
}

/** Those of an archive, the oldest first. */
export function anchorFilesIn(files: Files, folder: string): Promise<readonly AnchorFile[]> {
  return filesOf("anchors", files, folder);
}

/** The files with time stamps of an archive, the oldest first. */
export function timeStampFilesIn(files: Files, folder: string): Promise<readonly AnchorFile[]> {
  return filesOf("timeStamps", files, folder);
}

async function filesOf(kind: keyof typeof NAMES, files: Files, folder: string): Promise<readonly AnchorFile[]> {
  const names = (await files.list(`${folder}/${STATEMENTS_FOLDER}`)).files;
  return names
    .flatMap((name) => {
      const day = NAMES[kind].exec(name)?.[1];
      return day === undefined ? [] : [{ path: `${folder}/${STATEMENTS_FOLDER}/${name}`, day }];
    })
    .toSorted((a, b) => (a.day < b.day ? -1 : 1));
}

/** The lines of a file of anchors. What has no line end was cut by a crash. Errors of the disk; Fault `invalid` where it is too long. */
export async function anchorLinesOf(files: Files, { path }: AnchorFile): Promise<readonly string[]> {
  return (await readText(files, path, LIMITS.fileBytes))?.split("\n").slice(0, -1) ?? [];
}

/** The number of a file's first anchor; undefined where it holds none. */
export async function firstSeqOf(files: Files, { path }: AnchorFile): Promise<number | undefined> {
  const file = await files.open(path, "read");
  try {
    const beginning = Buffer.alloc(32);
    return seqOf(beginning.toString("latin1", 0, await file.read(beginning, 0)));
  } finally {
    await file.close();
  }
}

/** The number of the anchor that a line begins with; undefined where it is none. */
export function seqOf(line: string): number | undefined {
  const found = BEGINNING.exec(line);
  return found === null ? undefined : Number(found[1]);
}
