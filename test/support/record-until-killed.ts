// Records without end, as fast as the disk takes it, until the parent kills it. One line of output for every state of
// the disk that was acknowledged: the number of the last frame that a process which comes after must find.
import { writeSync } from "node:fs";
import { systemClock } from "../../base/clock.ts";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { Archive } from "../../recorder/archive.ts";
import { openRing } from "./keys.ts";
import { GOP, NumberedFrames } from "./numbered-frames.ts";
import { VIDEO_TRACK } from "./recorder-samples.ts";

const [folder = "", first = "0", encryption, flushMs = "3"] = process.argv.slice(2);
// Before anything is touched: some are killed while they repair what the one before has left.
writeSync(1, "-1\n");
const { ring } = await openRing(folder);
const archive = await Archive.open({
  folder,
  clock: systemClock,
  log: silentLog(),
  metrics: new Metrics(),
  settings: { segmentMs: 4000, flushMs: Number(flushMs), ...(encryption === "full" && { encryption }) },
  keys: ring,
});
const recorder = archive.recorder("cam", "main");
recorder.describe([VIDEO_TRACK]);
const frames = new NumberedFrames();
for (let index = Number(first); ; index += GOP) {
  for (let one = 0; one < GOP; one += 1) recorder.push(frames.group(index + one));
  await recorder.idle();
  // The frames before this group are cut and written; this group is still in memory.
  if (index > Number(first)) writeSync(1, `${index - 1}\n`);
}
