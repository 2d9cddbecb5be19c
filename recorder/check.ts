import { isFault } from "../base/fault.ts";
import type { Catalog } from "./catalog.ts";
import type { SegmentRow, StoredFile } from "./catalog-rows.ts";
import type { KeyFinder } from "./cipher.ts";
import { COPY } from "./copy-file.ts";
import { errorCode, type Files } from "./files.ts";
import { assertSafeId, NO_LINK } from "./integrity.ts";
import { isOurs, PART } from "./naming.ts";
import { firstRecentFolder } from "./recover.ts";
import { REMOVALS_FILE, removalsIn, STATEMENTS_FOLDER } from "./removal-log.ts";
import type { RemovedRange } from "./removals.ts";
import { scanSegment } from "./scan.ts";
import { readUnfinished } from "./unfinished-read.ts";
import type { Volume } from "./volume.ts";
import type { Volumes } from "./volumes.ts";

/** As a segment says that it follows no other one. */
const NOTHING_BEFORE = NO_LINK.toString("base64");

/** What segments may follow that is no segment yet: files that a disk which failed, or the end of the process, has left. */
interface Unfinished {
  /** Of all fragments in them, as hexadecimal: which of these was the last is not said there. */
  readonly links: ReadonlySet<string>;
  /** The cameras of those that cannot be read now. */
  readonly away: ReadonlySet<string>;
}

/** Something that is not as it should be, in words for people. */
export interface Finding {
  /** Below the folder of its volume; empty where it is of all of the volume. */
  readonly file: string;
  readonly volume: string;
  readonly what: string;
}

/** What is compared. */
interface CheckPlace {
  readonly volumes: Pick<Volumes, "all" | "here" | "main" | "pathOf">;
  readonly files: Files;
  readonly catalog: Catalog;
  readonly verify: boolean;
  readonly keys?: KeyFinder;
}

/**
 * Compares the catalog with the files, and with `verify` every byte of them with its hash. Changes nothing. What is being
 * recorded meanwhile is left out.
 */
export async function* check(o: CheckPlace): AsyncGenerator<Finding> {
  const { volumes, files, catalog } = o;
  const held = Map.groupBy(await catalog.volumes.held(), ({ volume }) => volume);
  for (const [volume, rows] of held) {
    if (volumes.here.includes(volume)) continue;
    const segments = rows.reduce((sum, row) => sum + row.segments, 0);
    yield { file: "", volume, what: `is not there now: ${segments} segments on it are not compared` };
  }
  for (const volume of volumes.all.filter(({ name }) => volumes.here.includes(name)))
    for (const camera of (await files.list(volume.folder)).folders.filter(isCamera))
      yield* checkFolders(o, volume, camera);
  const removals = await removalsIn(files, volumes.main.folder).catch((error: unknown) => {
    if (isFault(error, "invalid")) return "invalid" as const;
    throw error;
  });
  if (removals === "invalid" || removals?.valid === false)
    yield {
      file: `${STATEMENTS_FOLDER}/${REMOVALS_FILE}`,
      volume: volumes.main.name,
      what: "is no statement of what was removed, or is not as it was signed: the next start puts it aside",
    };
  const removed = removals === "invalid" || removals?.valid !== true ? undefined : removals.removals.ranges;
  const unfinished = await unfinishedIn(o);
  for (const { camera } of await catalog.volumes.totals())
    for (const stream of await catalog.segments.streams(camera)) {
      const ranges = removed?.filter((one) => one.camera === camera && one.stream === stream);
      yield* checkStream({ ...o, ranges, unfinished }, camera, stream);
    }
}

/** The segments of a stream, each by itself, and the chain from one to the next. */
async function* checkStream(
  o: CheckPlace & {
    /** What was removed of the stream; undefined where nothing states that. */
    readonly ranges: readonly RemovedRange[] | undefined;
    readonly unfinished: Unfinished;
  },
  camera: string,
  stream: string,
): AsyncGenerator<Finding> {
  // Segments follow each other as they were recorded, which is not their order in time where a clock was set back.
  const seals = new Set(o.ranges?.map(({ link }) => Buffer.from(link, "hex").toString("base64")));
  const followers: (StoredFile & { readonly previous: string })[] = [];
  /** Chains of which something was seen: that of what was recorded live, and one for each fetch from the camera's own recording. */
  const begun = new Set<number | null | undefined>();
  let cursor = { startUs: 0, file: "" };
  for (let page = await o.catalog.segments.after(camera, stream, cursor); page.length > 0; ) {
    for (const row of page) {
      const isRemoved = o.ranges?.some(({ fromUs, toUs }) => fromUs <= row.startUs && row.endUs <= toUs) === true;
      cursor = row;
      seals.add(Buffer.from(row.seal).toString("base64"));
      const { file, volume } = row;
      const path = o.volumes.pathOf(row);
      if (path === undefined) continue;
      const { problems, previous } = await examine({ ...o, isRemoved }, path, row).catch(unreadable);
      for (const what of problems) yield { file, volume, what };
      // What was stated and then not removed, for a crash came between, has nothing before it.
      if (previous === undefined || isRemoved) continue;
      // Where nothing is stated, what came before the oldest one has gone by age.
      const isExcused = o.ranges === undefined && !begun.has(row.fetchedUs);
      begun.add(row.fetchedUs);
      if (!isExcused) followers.push({ file, volume, previous });
    }
    page = await o.catalog.segments.after(camera, stream, cursor);
  }
  for (const { file, volume, previous } of followers)
    if (!seals.has(previous) && previous !== NOTHING_BEFORE && !o.unfinished.links.has(hexOf(previous)))
      yield {
        file,
        volume,
        what: o.unfinished.away.has(camera)
          ? "does not follow another segment that is here: perhaps one that was left unfinished on a volume that is not there now"
          : "does not follow another segment: the one before it is missing, or was changed",
      };
}

async function unfinishedIn({ volumes, files, catalog, verify, keys }: CheckPlace): Promise<Unfinished> {
  const links = new Set<string>();
  const away = new Set<string>();
  for (const stored of await catalog.opened()) {
    const path = volumes.pathOf(stored);
    if (path === undefined) away.add(stored.file.split("/", 1)[0] ?? "");
    else for (const link of (await readUnfinished(files, path + PART, { verify, keys }))?.links ?? []) links.add(link);
  }
  return { links, away };
}

function hexOf(base64: string): string {
  return Buffer.from(base64, "base64").toString("hex");
}

function isCamera(name: string): boolean {
  try {
    assertSafeId(name);
    return true;
  } catch {
    return false;
  }
}

/** Files of a volume that the catalog does not know. */
async function* checkFolders(
  { files, catalog }: CheckPlace,
  { name: volume, folder }: Volume,
  camera: string,
): AsyncGenerator<Finding> {
  const firstRecent = await firstRecentFolder(catalog, camera, volume);
  for (const day of (await files.list(`${folder}/${camera}`)).folders.filter(isOurs.day))
    for (const hour of (await files.list(`${folder}/${camera}/${day}`)).folders.filter(isOurs.hour)) {
      const place = `${camera}/${day}/${hour}`;
      const names = (await files.list(`${folder}/${place}`)).files;
      const next = (does: string): string => (place >= firstRecent ? `: the next start ${does} it` : "");
      // Asked for after the folder was read: a file that is sealed in between is known by then.
      const known = await catalog.segments.filesBelow(place, volume);
      const expected = await expectedOn(catalog, volume);
      for (const name of names) {
        const file = `${place}/${name}`;
        const final = file.endsWith(PART) ? file.slice(0, -PART.length) : file;
        if (known.has(final) || expected.has(final)) continue;
        if (!isOurs.segment(name)) yield { file, volume, what: "is no file of the recorder" };
        else if (file !== final)
          yield { file, volume, what: `is unfinished, and nobody is writing it${next("finishes")}` };
        else yield { file, volume, what: `is not in the catalog${next("enters")}` };
      }
    }
}

/** Files that come to be, or go: a row for them is neither needed nor missing. */
async function expectedOn(catalog: Catalog, volume: string): Promise<ReadonlySet<string>> {
  const listed = [...(await catalog.opened()), ...(await catalog.doomed.all())].filter((one) => one.volume === volume);
  const moves = (await catalog.moves.all()).filter(({ source, target }) => source === volume || target === volume);
  return new Set([...listed, ...moves].flatMap(({ file }) => [file, file + COPY]));
}

/** What the system refuses to read is a finding as any other. */
function unreadable(error: unknown): Awaited<ReturnType<typeof examine>> {
  const code = errorCode(error);
  if (code === undefined) throw error;
  return {
    problems: [`cannot be read (${code}): the disk fails here, or its rights are not the bridge's`],
    previous: undefined,
  };
}

async function examine(
  {
    files,
    verify,
    keys,
    isRemoved,
  }: CheckPlace & { /** Whether it is stated to be removed. */ readonly isRemoved: boolean },
  path: string,
  row: SegmentRow,
): Promise<{ readonly problems: readonly string[]; readonly previous: string | undefined }> {
  if (!(await files.exists(path))) {
    const why = isRemoved
      ? ": retention has removed it, as is stated, and a power cut has undone its row's removal"
      : "";
    return { problems: [`is in the catalog and not on the disk${why}`], previous: undefined };
  }
  const file = await files.open(path, "read");
  try {
    const scan = await scanSegment(file, verify, keys);
    if (scan.header === undefined)
      return { problems: ["cannot be read: its beginning is damaged"], previous: undefined };
    const { header, fragments } = scan;
    const problems: string[] = [];
    if (header.camera !== row.camera || header.stream !== row.stream)
      problems.push(`belongs to ${header.camera}/${header.stream}, the catalog says ${row.camera}/${row.stream}`);
    if (verify && scan.protection !== undefined && scan.cipher === undefined)
      problems.push("is encrypted, and its key is not here: its bytes were not compared");
    const size = await file.size();
    if (size !== row.bytes) problems.push(`has ${size} bytes, the catalog says ${row.bytes}`);
    if (!scan.sealed)
      problems.push(`is damaged after ${scan.goodBytes} of ${size} bytes (${fragments.length} fragments are good)`);
    else if (!scan.link.equals(row.seal))
      problems.push("is not the file that was sealed: its last link is another one");
    if (fragments[0]?.startUs !== row.startUs) problems.push("begins at another time than the catalog says");
    if ((header.fetchedUs ?? null) !== row.fetchedUs)
      problems.push(
        "says otherwise than the catalog whether, and when, it was fetched from the camera's own recording",
      );
    return { problems, previous: header.previous.toString("base64") };
  } finally {
    await file.close();
  }
}
