import { isoOf, unixMillis } from "../base/units.ts";

/** The name of a file that is being written ends so; it loses the ending when it is sealed. */
export const PART = ".part";

/**
 * Where a segment stands below the archive's folder: `front-door/2026-11-24/13/05-09.120Z-0.mp4`, by the UTC of its
 * beginning. `counter` tells apart what began in the same millisecond. Camera ids are checked by whoever takes them in.
 */
export function segmentPath(camera: string, startUs: number, counter: number): string {
  const iso = isoOf(unixMillis(Math.floor(startUs / 1000)));
  const [date = "", time = ""] = iso.split("T");
  const [hour = "", minute = "", second = ""] = time.split(":");
  return `${camera}/${date}/${hour}/${minute}-${second}-${counter}.mp4`;
}

const DAY_FOLDER = /^\d{4,6}-\d\d-\d\d$/;
const HOUR_FOLDER = /^\d\d$/;
const SEGMENT_FILE = /^\d\d-\d\d\.\d{3}Z-\d+\.mp4(?:\.part)?$/;

/** Whether a folder or file is one of those that {@link segmentPath} names; others in the archive are left alone. */
export const isOurs = {
  day: (name: string): boolean => DAY_FOLDER.test(name),
  hour: (name: string): boolean => HOUR_FOLDER.test(name),
  segment: (name: string): boolean => SEGMENT_FILE.test(name),
};

/** `front-door/main`: a stream among all that there are. */
export function streamOf({ camera, stream }: { readonly camera: string; readonly stream: string }): string {
  return `${camera}/${stream}`;
}

/** `front-door/2026-11-24/13` of a segment's path. */
export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}
