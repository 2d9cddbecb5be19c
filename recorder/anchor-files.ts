import { isoOf, type UnixMillis } from "../base/units.ts";
import type { Files } from "./files.ts";
import { STATEMENTS_FOLDER } from "./removal-log.ts";

/** The anchors of a day. */
export interface AnchorFile {
  readonly path: string;
  /** `2026-11-24`, UTC. */
  readonly day: string;
}

const NAME = /^anchors-(\d{4,6}-\d\d-\d\d)\.txt$/;

/** Every line begins so. */
const BEGINNING = /^\{"seq":(\d{1,15}),/;

export function anchorFileOf(folder: string, at: UnixMillis): AnchorFile {
  const day = isoOf(at).slice(0, -"T13:05:09.120Z".length);
  return { path: `${folder}/${STATEMENTS_FOLDER}/anchors-${day}.txt`, day };
}

/** Those of an archive, the oldest first. */
export async function anchorFilesIn(files: Files, folder: string): Promise<readonly AnchorFile[]> {
  const names = (await files.list(`${folder}/${STATEMENTS_FOLDER}`)).files;
  return names
    .flatMap((name) => {
      const day = NAME.exec(name)?.[1];
      return day === undefined ? [] : [{ path: `${folder}/${STATEMENTS_FOLDER}/${name}`, day }];
    })
    .toSorted((a, b) => (a.day < b.day ? -1 : 1));
}

/** The number of a file's first anchor; undefined where it holds none. */
export async function firstSeqOf(files: Files, { path }: AnchorFile): Promise<number | undefined> {
  const file = await files.open(path, "read");
  try {
    const beginning = Buffer.alloc(32);
    const found = BEGINNING.exec(beginning.toString("latin1", 0, await file.read(beginning, 0)));
    return found === null ? undefined : Number(found[1]);
  } finally {
    await file.close();
  }
}
