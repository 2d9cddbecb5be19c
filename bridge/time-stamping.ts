import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { certificatesOf } from "../recorder/cms/chain.ts";
import { diskFiles } from "../recorder/files.ts";
import { TimeStampLog } from "../recorder/time-stamp-log.ts";
import { readCa } from "./certificates-file.ts";
import { TimeStampAuthority } from "./client-side/time-stamp-authority.ts";
import { TimeStamper } from "./client-side/time-stamper.ts";
import { recordingsOf, type Settings } from "./settings.ts";

/** Begins to have anchors stamped; undefined where that is switched off. Faults of reading certificates. */
export async function startTimeStamping(
  settings: Settings,
  o: { readonly clock: Clock; readonly log: Log; readonly metrics: Metrics },
): Promise<TimeStamper | undefined> {
  const { timeStamps } = settings.recording;
  if (timeStamps === undefined) return undefined;
  const { ca, serverCa } = timeStamps;
  const { clock, log, metrics } = o;
  const stamper = new TimeStamper({
    stamps: new TimeStampLog(recordingsOf(settings), diskFiles),
    authority: new TimeStampAuthority({
      settings: timeStamps,
      trusted: certificatesOf(await readCa(ca, "recording.timeStamps.ca")),
      serverCa: serverCa === undefined ? undefined : await readCa(serverCa, "recording.timeStamps.serverCa"),
      cameraInterfaces: settings.cameraSide.interfaces,
      clock,
    }),
    clock,
    log,
  });
  metrics.measure("viaduct_anchors_unstamped", "Anchors that wait for a time stamp", () => stamper.waiting);
  return stamper;
}
