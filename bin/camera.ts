import { readdir } from "node:fs/promises";
import { isIP } from "node:net";
import { assertAlone } from "../auth/approval.ts";
import type { Audit, AuditEntry } from "../auth/audit.ts";
import { systemClock } from "../base/clock.ts";
import { Fault } from "../base/fault.ts";
import { silentLog } from "../base/log.ts";
import { Secret } from "../base/secret.ts";
import { openAudit } from "../bridge/audit-log.ts";
import type { TransportSetting } from "../bridge/camera.ts";
import { adoptCamera } from "../bridge/camera-side/adopt.ts";
import { newCameraOf } from "../bridge/camera-side/new-camera.ts";
import { holdsLogIn } from "../bridge/camera-side/rtsp-address.ts";
import { saveCamera } from "../bridge/camera-side/save-camera.ts";
import { assertMaySendBy } from "../bridge/camera-side/transport.ts";
import { type CameraRecord, CameraStore } from "../bridge/camera-store.ts";
import { readCa } from "../bridge/certificates-file.ts";
import { recordingsOf, type Settings } from "../bridge/settings.ts";
import { cameraSide } from "../net/sides.ts";
import { CATALOG_FILE } from "../recorder/archive-settings.ts";
import { Catalog } from "../recorder/catalog.ts";
import { UPSTREAM_TRANSPORTS } from "../rtsp/wire/transport.ts";
import { type DataOptions, withDatabase } from "./data.ts";
import { operator } from "./operator.ts";

/** Where the camera's password is read from: arguments can be seen by everybody on the machine. */
const PASSWORD = "VIADUCT_CAMERA_PASSWORD";

interface Work {
  readonly settings: Settings;
  readonly store: CameraStore;
  readonly audit: Audit;
}

export interface AddCameraOptions extends DataOptions {
  readonly name?: string;
  readonly user?: string;
  readonly transport: string;
  readonly plainText?: boolean;
}

/** With the cameras of a stopped bridge. */
export async function withCameras(options: DataOptions, work: (parts: Work) => Promise<void>): Promise<void> {
  await withDatabase(options, async ({ settings, folder, database }) => {
    const audit = openAudit(folder, settings, { clock: systemClock, log: silentLog() });
    try {
      await work({ settings, store: new CameraStore(database.query, folder.sealer), audit });
    } finally {
      audit.close();
    }
  });
}

/** Writes what was changed of a camera to the audit log, under the names that the pages use. */
export function record(
  audit: Audit,
  camera: string,
  change: Pick<AuditEntry, "action" | "why" | "before" | "after">,
): void {
  audit.record({ who: operator(), camera, subject: camera, interface: "cli", outcome: "allowed", ...change });
}

export async function listCameras(options: DataOptions & { readonly json?: boolean }): Promise<void> {
  await withCameras(options, async ({ store }) => {
    const list = (await store.list()).map(({ id, name, ip, transport, plainText, streams }) => {
      const recording = Object.fromEntries(streams.map((stream) => [stream.name, stream.recording]));
      return { id, name, ip, transport, plainText, streams: streams.map((stream) => stream.name), recording };
    });
    if (options.json === true) process.stdout.write(`${JSON.stringify(list, undefined, 2)}\n`);
    else if (list.length === 0) process.stdout.write("There are no cameras.\n");
    else
      for (const { id, name, ip, transport, plainText, recording } of list) {
        const recorded = Object.entries(recording).map(([stream, { mode }]) => `${stream} ${mode}`);
        process.stdout.write(
          `${id}  ${ip}  ${transport}  ${plainText ? "plain text allowed" : "TLS alone"}  recorded: ${recorded.join(", ")}  ${name}\n`,
        );
      }
  });
}

/** `target`: an RTSP address, or the IP address of a camera with ONVIF. */
export async function addCamera(target: string, options: AddCameraOptions): Promise<void> {
  if (holdsLogIn(target))
    throw new Fault(
      "invalid",
      `everybody on this machine can read the address: use --user, and ${PASSWORD} for the password`,
    );
  const transport = settingOf(options.transport);
  const plainText = options.plainText === true;
  assertMaySendBy(transport, plainText);
  await withCameras(options, async ({ settings, store, audit }) => {
    const { cameraSide: ours, clientSide } = settings;
    const adopted = await adoptCamera({
      target: isIP(target) === 0 ? { rtsp: target } : { ip: target, xaddrs: [] },
      plainText,
      ca: ours.ca === undefined ? undefined : await readCa(ours.ca, "cameraSide.ca"),
      ...(options.user === undefined
        ? {}
        : { credentials: { user: options.user, password: new Secret(process.env[PASSWORD] ?? "") } }),
      side: cameraSide({ interfaces: ours.interfaces, clientAddresses: clientSide.addresses }),
      clock: systemClock,
      log: silentLog(),
      onProgress: (step) => void process.stderr.write(`${step}…\n`),
    });
    const recording = settings.recording.newCameras;
    const camera = newCameraOf(adopted, { ...options, plainText, transport, recording });
    const { id } = await saveCamera(camera, { store, recorded: () => recorded(settings), clock: systemClock });
    const why = plainText ? "adopted, plain text allowed" : "adopted, inside TLS alone";
    record(audit, id, { action: "adopt-camera", why });
    process.stdout.write(`${id} is adopted; it is recorded when the bridge runs.\n`);
  });
}

export async function removeCamera(id: string, options: DataOptions): Promise<void> {
  await withCameras(options, async ({ settings, store, audit }) => {
    assertAlone(settings.approval.acts, "remove-camera");
    await known(id, store);
    await store.remove(id);
    record(audit, id, { action: "remove-camera", why: "removed" });
    process.stdout.write(`${id} is removed; its recordings stay until they are too old.\n`);
  });
}

export async function setCameraTransport(id: string, setting: string, options: DataOptions): Promise<void> {
  const transport = settingOf(setting);
  await withCameras(options, async ({ store, audit }) => {
    const { plainText, transport: before } = await known(id, store);
    assertMaySendBy(transport, plainText);
    await store.setTransport(id, transport);
    record(audit, id, { action: "set-transport", why: transport, before, after: transport });
    process.stdout.write(`${id} will be asked to send by ${transport}.\n`);
  });
}

export async function known(id: string, store: CameraStore): Promise<CameraRecord> {
  const camera = (await store.list()).find((one) => one.id === id);
  if (camera === undefined) throw new Fault("not-found", `there is no camera ${id}`);
  return camera;
}

function settingOf(text: string): TransportSetting {
  const setting = (["auto", ...UPSTREAM_TRANSPORTS] as const).find((one) => one === text);
  if (setting === undefined)
    throw new Fault("invalid", `the transport must be auto, ${UPSTREAM_TRANSPORTS.join(", ")}`);
  return setting;
}

/** By the folder, which has one for each camera and is made with the first recording, and by the catalog, which knows of other disks. */
async function recorded(settings: Settings): Promise<readonly string[]> {
  const folder = recordingsOf(settings);
  try {
    const below = await readdir(folder);
    if (!below.includes(CATALOG_FILE)) return below;
    const catalog = await Catalog.open(`${folder}/${CATALOG_FILE}`);
    try {
      return [...below, ...(await catalog.volumes.totals()).map(({ camera }) => camera)];
    } finally {
      await catalog.close();
    }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    const tell = `cannot tell of which cameras there are recordings: ${(cause as Error).message}`;
    throw new Fault("unavailable", tell, { tell, cause });
  }
}
