import { readFile } from "node:fs/promises";
import { assertAlone } from "../auth/approval.ts";
import { Fault } from "../base/fault.ts";
import { MAIN_STREAM } from "../bridge/camera.ts";
import { type KeptFor, readKeptFor } from "../bridge/kept-for.ts";
import { type RecordingPlan, readRecordingPlan, recordingChange } from "../bridge/recording-plan.ts";
import type { Settings } from "../bridge/settings.ts";
import { MAIN_VOLUME } from "../recorder/volume.ts";
import { known, record, withCameras } from "./camera.ts";
import type { DataOptions } from "./data.ts";

export interface ChangeCameraOptions extends DataOptions {
  readonly stream: string;
  readonly record?: string;
  readonly hours?: string;
  readonly volume?: string;
  readonly event?: readonly string[];
  readonly before?: string;
  readonly after?: string;
  readonly pull?: string;
  readonly minDays?: string;
  readonly maxDays?: string;
  readonly maxGigabytes?: string;
}

/** When a stream is recorded and pulled, and what of its camera is kept; what is absent stays. */
export async function changeCamera(id: string, options: ChangeCameraOptions): Promise<void> {
  const { stream, record: mode, pull, volume } = options;
  const kept = keptIn(options);
  if (mode === undefined && volume === undefined && pull === undefined && Object.keys(kept).length === 0)
    throw new Fault("invalid", "say what to change: --record, --pull, --max-days (add --help for what there is)");
  const asked = mode === undefined ? undefined : await planOf(mode, options);
  const pulling = (["always", "on-demand"] as const).find((one) => one === pull);
  if (pull !== undefined && pulling === undefined) throw new Fault("invalid", "--pull is always or on-demand");
  await withCameras(options, async ({ settings, store, audit }) => {
    if (Object.keys(kept).length > 0) assertAlone(settings.approval.acts, "change-retention");
    const { retention, streams } = await known(id, store);
    const before = streams.find(({ name }) => name === stream);
    if (before === undefined) throw new Fault("not-found", `there is no stream ${stream} of ${id}`);
    const plan =
      asked === undefined && volume === undefined
        ? undefined
        : onVolume(readRecordingPlan(asked ?? before.recording), volume ?? before.recording.volume, settings);
    if (pulling !== undefined) {
      await store.setPulling(id, stream, pulling);
      const change = { before: before.pulling, after: pulling };
      record(audit, id, { action: "set-pulling", why: `${stream} ${pulling}`, ...change });
    }
    if (plan !== undefined) {
      await store.setRecording(id, stream, plan);
      record(audit, id, recordingChange(id, stream, before.recording, plan));
    }
    if (Object.keys(kept).length > 0) {
      const after = readKeptFor({ ...retention, ...kept });
      await store.setRetention(id, after);
      const change = { before: JSON.stringify(retention), after: JSON.stringify(after) };
      record(audit, id, { action: "set-retention", why: "recordings", ...change });
    }
    process.stdout.write(`${id}${stream === MAIN_STREAM ? "" : ` ${stream}`} is changed.\n`);
  });
}

function keptIn({ minDays, maxDays, maxGigabytes }: ChangeCameraOptions): Partial<Record<keyof KeptFor, number>> {
  return {
    ...(minDays === undefined ? {} : { minDays: Number(minDays) }),
    ...(maxDays === undefined ? {} : { maxDays: Number(maxDays) }),
    ...(maxGigabytes === undefined ? {} : { maxGigabytes: Number(maxGigabytes) }),
  };
}

/** The plan, to be recorded to a volume; `any` takes its name away. */
function onVolume(
  plan: RecordingPlan,
  volume: string | undefined,
  { recording: { volumes } }: Settings,
): RecordingPlan {
  if (volume === undefined || volume === "any") {
    const { volume: _before, ...rest } = plan;
    return rest;
  }
  const names = [MAIN_VOLUME, ...volumes.map(({ name }) => name)];
  if (!names.includes(volume))
    throw new Fault("invalid", `there is no volume ${volume} in the settings: there are ${names.join(", ")}, and any`);
  return { ...plan, volume };
}

async function planOf(mode: string, o: ChangeCameraOptions): Promise<object> {
  const events = { of: o.event, beforeSeconds: seconds(o.before), afterSeconds: seconds(o.after) };
  return {
    mode,
    ...(o.hours === undefined ? {} : { hours: await hoursIn(o.hours) }),
    ...(mode === "events" ? { events } : {}),
  };
}

function seconds(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

async function hoursIn(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    const tell = `${file} cannot be read, or is no JSON: it holds a time profile, as in the guide to recording`;
    throw new Fault("invalid", tell, { tell, cause });
  }
}
