import { Fault } from "../base/fault.ts";
import type { StoredFile } from "./catalog-rows.ts";
import { SegmentCipher } from "./cipher.ts";
import { describeTracks } from "./describe.ts";
import { isNoAnswer } from "./disk-turns.ts";
import type { ReadyFragment } from "./fragmenter.ts";
import type { Link } from "./integrity.ts";
import { PART } from "./naming.ts";
import { SegmentFile } from "./segment.ts";
import type { StreamNotes } from "./stream-notes.ts";
import type { Volume } from "./volume.ts";
import type { WriterContext } from "./writer-context.ts";

/** What a segment begins with. */
interface SegmentBeginning {
  readonly camera: string;
  readonly stream: string;
  readonly fetchedUs: number | undefined;
  readonly volume: Volume;
  readonly fragment: ReadyFragment;
  readonly previous: Link;
  readonly cipher: SegmentCipher | undefined;
}

/**
 * Makes the file of a segment, under a name that no volume has. Rejects as the disk does; `left` is told of a file that a disk that
 * hangs may make later.
 */
export async function createSegment(
  context: WriterContext,
  notes: StreamNotes,
  { volume, fragment, ...beginning }: SegmentBeginning,
  left: (file: StoredFile) => void,
): Promise<SegmentFile> {
  const { files, signer, memory } = context;
  let announced: StoredFile | undefined;
  return SegmentFile.create({
    files,
    volume,
    ...beginning,
    plan: fragment.plan,
    startUs: fragment.startUs,
    signer,
    memory,
    announce: async (file) => {
      const stored = { file, volume: volume.name };
      announced = stored;
      // Where the catalog cannot tell, the files do.
      const isFree = (await notes.asked((catalog) => catalog.opening(stored))) ?? !(await isThere(context, file));
      // After a power cut, nobody would look for it among the folders of that time.
      if (isFree && beginning.fetchedUs !== undefined) await notes.noted((catalog) => catalog.sync());
      return isFree;
    },
  }).catch(async (error: unknown) => {
    const stored = announced;
    if (stored !== undefined && isNoAnswer(error)) left(stored);
    else if (stored !== undefined) await notes.noted((catalog) => catalog.abandoned(stored));
    throw error;
  });
}

/** Whether a volume that is there has a file of this name. */
async function isThere({ files, volumes }: WriterContext, file: string): Promise<boolean> {
  for (const volume of volumes.all) {
    const path = volumes.pathOf({ file, volume: volume.name });
    if (path !== undefined && ((await files.exists(path)) || (await files.exists(path + PART)))) return true;
  }
  return false;
}

/** With what a new segment is encrypted; undefined where it is not to be. Fault `unavailable` where it cannot be. */
export async function cipherFor(
  { encryption, keys }: WriterContext,
  camera: string,
  { plan, startUs }: ReadyFragment,
): Promise<SegmentCipher | undefined> {
  if (encryption === undefined) return undefined;
  // Never in clear because a key is missing.
  if (keys === undefined) throw new Fault("unavailable", "there are no keys to encrypt with");
  try {
    const key = await keys.forRecording(camera, startUs);
    return SegmentCipher.create(key, encryption, describeTracks(plan.tracks));
  } catch (cause) {
    throw new Fault("unavailable", "no key can be had to encrypt with", { cause });
  }
}
