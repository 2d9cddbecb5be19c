import { readdir } from "node:fs/promises";
import { isIP } from "node:net";
import { userInfo } from "node:os";
import { type Audit, openAuditLog } from "../auth/audit.ts";
import { type AuthSchema, authMigrations } from "../auth/auth-schema.ts";
import { systemClock } from "../base/clock.ts";
import { openDatabase } from "../base/database.ts";
import { Fault } from "../base/fault.ts";
import { silentLog } from "../base/log.ts";
import { Secret } from "../base/secret.ts";
import type { TransportSetting } from "../bridge/camera.ts";
import { type CameraSchema, cameraMigrations } from "../bridge/camera-schema.ts";
import { adoptCamera } from "../bridge/camera-side/adopt.ts";
import { newCameraOf } from "../bridge/camera-side/new-camera.ts";
import { readCa } from "../bridge/camera-side/site-authority.ts";
import { assertMaySendBy } from "../bridge/camera-side/transport.ts";
import { type CameraRecord, CameraStore, cameraIdFor } from "../bridge/camera-store.ts";
import { DATABASE_FILE, openDataFolder } from "../bridge/data-folder.ts";
import { recordingsOf, type Settings } from "../bridge/settings.ts";
import { cameraSide } from "../net/sides.ts";
import { UPSTREAM_TRANSPORTS } from "../rtsp/wire/transport.ts";
import { readSettings } from "./settings-file.ts";

/** Where the camera's password is read from: arguments can be seen by everybody on the machine. */
const PASSWORD = "VIADUCT_CAMERA_PASSWORD";

interface Work {
  readonly settings: Settings;
  readonly store: CameraStore;
  readonly audit: Audit;
}

export interface AddCameraOptions {
  readonly config: string;
  readonly name?: string;
  readonly user?: string;
  readonly transport: string;
  readonly plainText?: boolean;
}

/** Works on the cameras of a stopped bridge; the data folder's lock keeps a running one out. */
async function withCameras(config: string, work: (parts: Work) => Promise<void>): Promise<void> {
  const settings = await readSettings(config);
  const folder = await openDataFolder(settings.dataFolder);
  try {
    const database = await openDatabase<AuthSchema & CameraSchema>(folder.file(DATABASE_FILE), {
      ...authMigrations,
      ...cameraMigrations,
    });
    const audit = openAuditLog({ file: folder.file("audit.log"), clock: systemClock, log: silentLog() });
    try {
      await work({ settings, store: new CameraStore(database.query, folder.sealer), audit });
    } finally {
      await audit.close();
      await database.close();
    }
  } finally {
    await folder.close();
  }
}

function record(audit: Audit, action: string, camera: string, why: string): void {
  audit.record({ who: userInfo().username, action, camera, interface: "cli", outcome: "allowed", why });
}

export async function listCameras(options: { readonly config: string; readonly json?: boolean }): Promise<void> {
  await withCameras(options.config, async ({ store }) => {
    const list = (await store.list()).map(({ id, name, ip, transport, plainText, streams }) => {
      return { id, name, ip, transport, plainText, streams: streams.map((stream) => stream.name) };
    });
    if (options.json === true) process.stdout.write(`${JSON.stringify(list, undefined, 2)}\n`);
    else if (list.length === 0) process.stdout.write("There are no cameras.\n");
    else
      for (const { id, name, ip, transport, plainText } of list)
        process.stdout.write(
          `${id}  ${ip}  ${transport}  ${plainText ? "plain text allowed" : "TLS alone"}  ${name}\n`,
        );
  });
}

/** `target`: an RTSP address, or the IP address of a camera with ONVIF. */
export async function addCamera(target: string, options: AddCameraOptions): Promise<void> {
  const transport = settingOf(options.transport);
  const plainText = options.plainText === true;
  assertMaySendBy(transport, plainText);
  await withCameras(options.config, async ({ settings, store, audit }) => {
    const { cameraSide: ours, clientSide } = settings;
    const adopted = await adoptCamera({
      target: isIP(target) === 0 ? { rtsp: target } : { ip: target, xaddrs: [] },
      plainText,
      ca: ours.ca === undefined ? undefined : await readCa(ours.ca),
      ...(options.user === undefined
        ? {}
        : { credentials: { user: options.user, password: new Secret(process.env[PASSWORD] ?? "") } }),
      side: cameraSide({ interfaces: ours.interfaces, clientAddresses: clientSide.addresses }),
      clock: systemClock,
      log: silentLog(),
      onProgress: (step) => void process.stderr.write(`${step}…\n`),
    });
    const camera = newCameraOf(adopted, { ...options, plainText, transport });
    const cameras = await store.list();
    assertNew(camera, cameras);
    const used = new Set([...cameras.map(({ id }) => id), ...(await store.retired()), ...(await recorded(settings))]);
    const id = cameraIdFor(camera.name, (candidate) => used.has(candidate));
    await store.add({ ...camera, id, adoptedAt: systemClock.now() });
    record(audit, "adopt-camera", id, plainText ? "adopted, plain text allowed" : "adopted, inside TLS alone");
    process.stdout.write(`${id} is adopted; it is recorded when the bridge runs.\n`);
  });
}

export async function removeCamera(id: string, options: { readonly config: string }): Promise<void> {
  await withCameras(options.config, async ({ store, audit }) => {
    await known(id, store);
    await store.remove(id);
    record(audit, "remove-camera", id, "removed");
    process.stdout.write(`${id} is removed; its recordings stay until they are too old.\n`);
  });
}

export async function setCameraTransport(
  id: string,
  setting: string,
  options: { readonly config: string },
): Promise<void> {
  const transport = settingOf(setting);
  await withCameras(options.config, async ({ store, audit }) => {
    assertMaySendBy(transport, (await known(id, store)).plainText);
    await store.setTransport(id, transport);
    record(audit, "set-transport", id, transport);
    process.stdout.write(`${id} will be asked to send by ${transport}.\n`);
  });
}

async function known(id: string, store: CameraStore): Promise<CameraRecord> {
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

function assertNew(camera: ReturnType<typeof newCameraOf>, cameras: readonly CameraRecord[]): void {
  const same = cameras.find(({ ip, streams }) => ip === camera.ip && streams[0].url === camera.streams[0].url);
  if (same !== undefined) throw new Fault("wrong-state", `this camera is already adopted as ${same.id}`);
}

/** Cameras that there are recordings of: no other one gets their names. */
async function recorded(settings: Settings): Promise<readonly string[]> {
  try {
    return await readdir(recordingsOf(settings));
  } catch {
    return [];
  }
}
