import type { X509Certificate } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import { Accounts } from "../../auth/accounts.ts";
import { approvalSchema } from "../../auth/acts.ts";
import { ApiTokens } from "../../auth/api-tokens.ts";
import { Approvals } from "../../auth/approvals.ts";
import type { AuditEntry } from "../../auth/audit.ts";
import { type AuthSchema, authMigrations } from "../../auth/auth-schema.ts";
import { Leases } from "../../auth/leases.ts";
import type { Grant } from "../../auth/principal.ts";
import { bearerTokens } from "../../auth/scheme/bearer.ts";
import { SecondFactors } from "../../auth/second-factors.ts";
import { WebSessions } from "../../auth/sessions.ts";
import { Throttle } from "../../auth/throttle.ts";
import { openDatabase } from "../../base/database.ts";
import { Fault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { Sealer } from "../../base/seal.ts";
import { Secret } from "../../base/secret.ts";
import { DAY } from "../../base/units.ts";
import { type BridgedCamera, MAIN_STREAM, type StreamInfo } from "../../bridge/camera.ts";
import { Exports } from "../../bridge/client-side/exports/exports.ts";
import { FrontDoor } from "../../bridge/client-side/front-door.ts";
import { PtzHolders } from "../../bridge/client-side/ptz-holders.ts";
import type { Refusal } from "../../bridge/client-side/refusal.ts";
import { Watch } from "../../bridge/client-side/watch.ts";
import type { EdgeFetch } from "../../bridge/edge-fetches.ts";
import type { Discovery, DiscoveryEvent } from "../../bridge/ports.ts";
import type { PacketGroup } from "../../media/group.ts";
import type { LiveReader, LiveSource, RecordedSource, Span } from "../../media/source.ts";
import type { Track } from "../../media/track.ts";
import { loadIdentity } from "../../net/tls.ts";
import { CATALOG_FILE } from "../../recorder/archive-settings.ts";
import { Catalog } from "../../recorder/catalog.ts";
import type { Stamping } from "../../recorder/export/stamp.ts";
import { diskFiles } from "../../recorder/files.ts";
import { Journal } from "../../recorder/journal.ts";
import type { VolumeStatus } from "../../recorder/volume.ts";
import { createWeb, type WebOptions } from "../../web/app.ts";
import { noDirectories } from "./directory.ts";
import { makeSigners, type Signers } from "./exported.ts";
import { NO_CONTROL } from "./no-control.ts";
import { NO_SPEAKER } from "./no-speaker.ts";
import { oneVolume } from "./one-volume.ts";
import { unreadRecording } from "./unread-recording.ts";
import { VirtualClock } from "./virtual-clock.ts";
import { WebClient } from "./web-client.ts";

export const PASSWORD = "correct horse battery";

/** A camera in memory, that a test lets send and be removed. */
export interface ScriptedCamera extends BridgedCamera {
  readonly readers: ReadonlySet<LiveReader>;
  push(group: PacketGroup): void;
  describe(tracks: readonly Track[]): void;
  /** Until then `ready` waits. */
  flow(): void;
  remove(): void;
}

/** What was asked of the camera side, word by word. */
export interface ScriptedDiscovery extends Discovery {
  readonly calls: readonly (readonly unknown[])[];
  emit(event: DiscoveryEvent): void;
}

/** The web part of a bridge behind a real front door, with cameras that are not there and a clock that stands still. */
export interface WebSite {
  readonly options: WebOptions;
  readonly accounts: Accounts;
  readonly clock: VirtualClock;
  readonly audited: readonly AuditEntry[];
  /** Where the audit log is read. */
  readonly folder: string;
  readonly discovery: ScriptedDiscovery;
  readonly journal: Journal;
  /** What every camera has recorded. */
  readonly spans: Span[];
  /** What clients were refused, as a test puts it. */
  readonly refusals: Refusal[];
  /** Where exports are made. */
  readonly exportsFolder: string;
  /** Codes that were sent as e-mail, and as SMS. */
  readonly mails: readonly { readonly to: string; readonly code: string }[];
  readonly port: number;
  readonly plainPort: number;
  /** `recorded`: nothing may be read of it where it is absent. */
  camera(id: string, tracks?: readonly Track[], recorded?: RecordedSource, others?: readonly string[]): ScriptedCamera;
  /** Somebody who is not logged in. */
  stranger(): WebClient;
  /** Somebody with these rights, logged in. */
  person(name: string, grants: readonly Grant[]): Promise<WebClient>;
  /** The first administrator, logged in; made by set-up. */
  administrator(): Promise<WebClient>;
  close(): Promise<void>;
}

const STATE = { keepFreeBytes: 0, maxBytes: Number.POSITIVE_INFINITY, segments: 0, streams: 0 };
const VOLUMES: readonly VolumeStatus[] = [
  {
    ...STATE,
    name: "main",
    folder: "/r",
    role: "spare",
    state: "here",
    problem: undefined,
    freeBytes: 5e9,
    bytes: 1e9,
  },
  {
    ...STATE,
    name: "fast",
    folder: "/fast",
    role: "hot",
    state: "away",
    problem: "the volume fast is not there",
    freeBytes: undefined,
    bytes: 2e9,
  },
];

/** `recordings`: a folder that was recorded into, from which exports are made; nothing is recorded if absent. `approval`: what waits for a second person. `kerberos`, `ntlm`: log-ins by them; off if absent. */
export async function startWebSite(
  recordings?: {
    readonly folder: string;
    readonly stamp?: Stamping;
    readonly cameraMakers?: readonly X509Certificate[];
  } & Signers,
  approval: z.input<typeof approvalSchema> = {},
  kerberos?: WebOptions["kerberos"],
  ntlm?: WebOptions["ntlm"],
): Promise<WebSite> {
  const fetched: EdgeFetch[] = [];
  const folder = await mkdtemp(join(tmpdir(), "viaduct-web-"));
  const pages = await makePages(folder);
  const clock = new VirtualClock();
  const log = silentLog();
  const database = await openDatabase<AuthSchema>(":memory:", authMigrations);
  const sealed = { query: database.query, sealer: new Sealer(Buffer.alloc(32, 7)), clock };
  const mails: { to: string; code: string }[] = [];
  const mail = {
    send: async (to: string, code: Secret) => {
      if (to.startsWith("broken@")) throw new Fault("unavailable", "the server is away");
      mails.push({ to, code: code.reveal() });
    },
  };
  const sms = { ...mail, refusal: (to: string) => (to.startsWith("+45") ? undefined : "to +45 alone") };
  const factors = await SecondFactors.open({ ...sealed, senders: { mail, sms } });
  const accounts = await Accounts.open({ ...sealed, log, factors });
  const audited: AuditEntry[] = [];
  const audit = { record: (entry: AuditEntry) => void audited.push(entry) };
  const throttle = new Throttle(clock);
  const tokens = await ApiTokens.open({ query: database.query, accounts, throttle, audit, clock, log });
  const approvals = await Approvals.open({ ...sealed, accounts, audit, settings: approvalSchema.parse(approval) });
  const cameras = new Map<string, ScriptedCamera>();
  const discovery = scriptedDiscovery();
  const journal = await Journal.open(":memory:");
  const spans: Span[] = [];
  const leases = new Leases({ accounts, audit, clock });
  const refusals: Refusal[] = [];
  const directory = { list: () => [...cameras.values()], find: (id: string) => cameras.get(id) };
  const watch = new Watch(directory, audit, leases);
  const exportsFolder = join(folder, "exports");
  const catalog = await Catalog.open(recordings === undefined ? ":memory:" : join(recordings.folder, CATALOG_FILE));
  const place = { volumes: oneVolume(recordings?.folder ?? folder, catalog), files: diskFiles, catalog };
  const exports = await Exports.open({
    folder: exportsFolder,
    place,
    isOpen: () => false,
    signer: async () => recordings?.exporter ?? (await makeSigners()).exporter,
    recorder: recordings?.recorder.certificate ?? Buffer.alloc(0),
    stamp: recordings?.stamp,
    cameraMakers: recordings?.cameraMakers,
    software: "Viaduct test",
    installation: "test",
    keepMs: DAY,
    maxBytes: 1e9,
    keepFreeBytes: 0,
    sealer: new Sealer(Buffer.alloc(32, 7)),
    accounts,
    watch,
    leases,
    audit,
    approvals,
    clock,
    log,
  });
  const options: WebOptions = {
    accounts,
    factors,
    tokens,
    bearers: bearerTokens(tokens, undefined),
    approvals,
    audit,
    clock,
    log,
    pages,
    discovery,
    footage: {
      meantStream: () => Promise.resolve(MAIN_STREAM),
      source: (id, stream) =>
        cameras.get(id)?.streams.find(({ info }) => info.name === stream)?.recorded ?? unreadRecording([], undefined),
      spans: () => Promise.resolve([]),
      gaps: () => Promise.resolve([]),
      fetchedSpans: () => Promise.resolve([]),
    },
    refusals: { list: () => refusals },
    auditTrail: { path: folder, forwarding: () => [] },
    sessions: new WebSessions({ accounts, clock }),
    watch,
    ptzHolders: new PtzHolders({ clock, audit, watch }),
    exports,
    leases,
    addressesOf: {
      live: (id, stream) => `rtsp://x/live/${id}/${stream}`,
      recorded: (id) => `rtsp://x/recorded/${id}`,
    },
    desk: noDirectories(approvals),
    kerberos,
    ntlm,
    fetches: {
      list: (camera) => fetched.filter((one) => one.camera === camera),
      async ask(camera, span, by) {
        const fetch: EdgeFetch = {
          id: String(fetched.length),
          camera,
          ...span,
          by,
          begunAt: clock.now(),
          state: "running",
          endedAt: undefined,
          why: undefined,
        };
        fetched.unshift(fetch);
        return fetch;
      },
    },
    archive: {
      journal,
      spans: async (_camera, from, to) => spans.filter((span) => span.from < to && span.to > from),
      gaps: async () => [],
      fetchedSpans: async () => [],
      place,
      volumes: async () => VOLUMES,
      unnamedVolumes: async () => [{ name: "old", bytes: 3e9, segments: 30 }],
      async forgetVolume(name) {
        if (name !== "old") throw new Fault("not-found", name, { tell: `there was never a volume ${name}` });
        return 30;
      },
    },
    cameraMakers: recordings?.cameraMakers,
    about: () => ({ version: "1.2.3", onvif: "https://x/onvif/device_service" }),
  };
  const web = createWeb(options);
  const onvif = { handle: () => Promise.reject(new Error("no ONVIF here")) };
  const metrics = new Metrics();
  const door = new FrontDoor({ onvif, web, metrics, metricsToken: undefined, ready: () => true, log });
  const identity = await loadIdentity(join(folder, "identity"), ["127.0.0.1"], clock);
  const { port } = await door.listen("127.0.0.1", 0, identity);
  const { port: plainPort } = await door.listen("127.0.0.1", 0, undefined);
  const stranger = (): WebClient => new WebClient(port);
  return {
    folder,
    mails,
    refusals,
    options,
    accounts,
    clock,
    audited,
    discovery,
    journal,
    spans,
    exportsFolder,
    port,
    plainPort,
    stranger,
    camera(id, tracks, recorded, others) {
      const camera = scriptedCamera(id, tracks ?? [], () => cameras.delete(id), recorded, others);
      cameras.set(id, camera);
      return camera;
    },
    async person(name, grants) {
      await accounts.createPerson({ name, password: new Secret(PASSWORD), grants });
      const client = stranger();
      await client.logIn(name, PASSWORD);
      return client;
    },
    async administrator() {
      const client = stranger();
      const token = accounts.setUpToken()?.reveal();
      await client.send("POST", "/api/setup", { body: { token, name: "admin", password: PASSWORD } });
      return client;
    },
    async close() {
      approvals.close();
      web.close();
      await door.close();
      await exports.close();
      await tokens.close();
      await catalog.close();
      await database.close();
      await journal.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Built pages, and beside them what must never be served. */
async function makePages(folder: string): Promise<string> {
  const pages = join(folder, "dist");
  await mkdir(join(pages, "assets"), { recursive: true });
  await writeFile(join(pages, "index.html"), "<!doctype html><title>start</title>");
  await writeFile(join(pages, "assets/app-1a2b.js"), "export {};");
  await writeFile(join(folder, "secret.txt"), "not for you");
  await mkdir(join(folder, "dist-of-others"));
  await writeFile(join(folder, "dist-of-others/secret.txt"), "not for you");
  return pages;
}

/** A camera by itself. `forget` is called when it is removed. */
export function scriptedCamera(
  id: string,
  first: readonly Track[],
  forget: () => void,
  recorded: RecordedSource = unreadRecording([], undefined),
  others: readonly string[] = [],
): ScriptedCamera {
  let tracks = first;
  let flow = (): void => undefined;
  const flowing = new Promise<void>((resolve) => {
    flow = resolve;
  });
  const removal = new AbortController();
  const readers = new Set<LiveReader>();
  const streamInfo = (): StreamInfo => ({
    name: "main",
    number: 1,
    pulling: "always",
    recording: { plan: { mode: "continuous" }, state: "starting" },
    connection: { state: "connecting", since: 0 as never },
    transport: "tcp",
    readers: readers.size,
    tracks,
  });
  const live: LiveSource = {
    get tracks() {
      return tracks;
    },
    ready: (_limitMs, signal) =>
      Promise.race([
        flowing,
        new Promise<never>((_resolve, reject) => {
          signal?.addEventListener("abort", () => reject(new Fault("denied", "ended while waiting")), { once: true });
        }),
      ]),
    join(reader) {
      readers.add(reader);
      return () => readers.delete(reader);
    },
    requestKey: () => undefined,
    ssrc: () => 1,
  };
  return {
    get info() {
      return {
        id,
        name: `Camera ${id}`,
        manufacturer: undefined,
        model: undefined,
        connection: streamInfo().connection,
        transport: "auto" as const,
        retention: {},
        streams: [streamInfo(), ...others.map((name) => ({ ...streamInfo(), name }))] as const,
        recording: false,
        recordingProblem: undefined,
        unrecordable: [],
        quirks: [],
      };
    },
    streams: [
      {
        get info() {
          return streamInfo();
        },
        live,
        recorded,
      },
    ],
    recorded,
    speaker: NO_SPEAKER,
    control: NO_CONTROL,
    removed: removal.signal,
    readers,
    push: (group) => {
      for (const reader of readers) reader.deliver(group);
    },
    describe(next) {
      tracks = next;
      for (const reader of readers) reader.changed?.();
    },
    flow: () => flow(),
    remove() {
      forget();
      removal.abort();
    },
  };
}

function scriptedDiscovery(): ScriptedDiscovery {
  const calls: (readonly unknown[])[] = [];
  const listeners = new Set<(event: DiscoveryEvent) => void>();
  return {
    calls,
    scan: { running: false, probed: 0, total: 0, startedAt: undefined, failure: undefined },
    list: () => [],
    emit: (event) => {
      for (const listener of listeners) listener(event);
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    startScan(targets) {
      calls.push(["startScan", targets]);
      return Promise.resolve();
    },
    adopt(target, options) {
      calls.push(["adopt", target, options]);
      return Promise.resolve({ id: "gate", name: "Gate" });
    },
    setRetention(camera, retention) {
      calls.push(["setRetention", camera, retention]);
      return Promise.resolve();
    },
    setRecording(camera, stream, plan) {
      calls.push(["setRecording", camera, stream, plan]);
      return Promise.resolve();
    },
    setPulling(camera, stream, pulling) {
      calls.push(["setPulling", camera, stream, pulling]);
      return Promise.resolve();
    },
    setTransport(camera, setting) {
      calls.push(["setTransport", camera, setting]);
      return Promise.resolve();
    },
    remove(camera) {
      calls.push(["remove", camera]);
      return Promise.resolve();
    },
  };
}
