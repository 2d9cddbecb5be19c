import { join } from "node:path";
import { expect } from "chai";
import type { Peer } from "./peer.ts";

/** A player on GStreamer's rtspsrc, for Python with `gi.repository.Gst`. */
export const GST_WATCH = join(import.meta.dirname, "gst-watch.py");

/** What GStreamer makes of one track of `url`, whose other tracks come too: `count` buffers, as they are where nothing decodes them. */
export async function watchTrackInGStreamer(
  python: Peer,
  url: string,
  o: { readonly medium: "video" | "audio" | "application"; readonly decode: string; readonly count: number },
): Promise<Buffer> {
  const how = ["--medium", o.medium, "--decode", o.decode, "--frames", String(o.count)];
  const { code, stdout, stderr } = await python.run([GST_WATCH, url, ...how]);
  expect([code, stderr], url.replace(/^.*@/, "")).to.deep.equal([0, ""]);
  return stdout;
}
