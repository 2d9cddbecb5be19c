import type { Clock } from "../base/clock.ts";
import { asFault } from "../base/fault.ts";
import type { Log } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { certificatesOf } from "../recorder/cms/chain.ts";
import type { Stamping } from "../recorder/export/stamp.ts";
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
  const { clock, log, metrics } = o;
  const authority = await timeStampAuthority(settings, clock);
  if (authority === undefined) return undefined;
  const stamper = new TimeStamper({
    stamps: new TimeStampLog(recordingsOf(settings), diskFiles),
    authority,
    clock,
    log,
  });
  metrics.measure("viaduct_anchors_unstamped", "Anchors that wait for a time stamp", () => stamper.waiting);
  return stamper;
}

/** Who stamps anchors and exports; undefined where nobody is named. Faults of reading certificates. */
export async function timeStampAuthority(
  settings: Pick<Settings, "recording" | "cameraSide">,
  clock: Clock,
): Promise<TimeStampAuthority | undefined> {
  const { timeStamps } = settings.recording;
  if (timeStamps === undefined) return undefined;
  const { ca, serverCa } = timeStamps;
  return new TimeStampAuthority({
    settings: timeStamps,
    trusted: certificatesOf(await readCa(ca, "recording.timeStamps.ca")),
    serverCa: serverCa === undefined ? undefined : await readCa(serverCa, "recording.timeStamps.serverCa"),
    cameraInterfaces: settings.cameraSide.interfaces,
    clock,
  });
}

/** Has exports stamped, and says `why` where that fails; undefined where nobody is named. Faults of reading certificates. */
export async function stampingOf(
  settings: Pick<Settings, "recording" | "cameraSide">,
  { clock, failed }: { readonly clock: Clock; readonly failed: (why: string) => void },
): Promise<Stamping | undefined> {
  const authority = await timeStampAuthority(settings, clock);
  return (
    authority &&
    (async (hash, signal) => {
      try {
        return await authority.stamp(hash, signal);
      } catch (error) {
        if (!signal.aborted) failed(asFault(error).message);
        throw error;
      }
    })
  );
}
