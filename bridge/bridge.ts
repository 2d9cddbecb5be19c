import type { X509Certificate } from "node:crypto";
import { Accounts } from "../auth/accounts.ts";
import { ApiTokens } from "../auth/api-tokens.ts";
import { Approvals } from "../auth/approvals.ts";
import type { AuditLog } from "../auth/audit/log.ts";
import { Leases } from "../auth/leases.ts";
import { type BearerTokens, bearerTokens } from "../auth/scheme/bearer.ts";
import { HttpAuthenticator } from "../auth/scheme/http.ts";
import { UsernameTokenVerifier } from "../auth/scheme/usernametoken.ts";
import { SecondFactors } from "../auth/second-factors.ts";
import { Throttle } from "../auth/throttle.ts";
import type { Clock } from "../base/clock.ts";
import { openDatabase } from "../base/database.ts";
import { Fault } from "../base/fault.ts";
import { type Closable, Lifecycle } from "../base/lifecycle.ts";
import type { Log } from "../base/log.ts";
import { Metrics } from "../base/metrics.ts";
import { Secret } from "../base/secret.ts";
import { DAY, SECOND } from "../base/units.ts";
import { DiscoveryServer } from "../discovery/server/hello.ts";
import { nativeSender, sendingBy } from "../net/native.ts";
import { cameraSide } from "../net/sides.ts";
import { loadIdentity } from "../net/tls.ts";
import type { Archive } from "../recorder/archive.ts";
import { encryptingBy, nativeGcm } from "../recorder/native-gcm.ts";
import { RtspServer } from "../rtsp/server/server.ts";
import { Tunnels } from "../rtsp/server/tunnels.ts";
import { RtspWebSockets } from "../rtsp/server/web-sockets.ts";
import { AuditForwarding } from "./audit-forwarding.ts";
import { openAudit } from "./audit-log.ts";
import { Cameras } from "./camera-side/cameras.ts";
import { EdgeFill } from "./camera-side/edge/fill.ts";
import { Finds } from "./camera-side/finds.ts";
import { CameraStore } from "./camera-store.ts";
import { readCa, readCaCertificates } from "./certificates-file.ts";
import { Addresses } from "./client-side/addresses.ts";
import type { ForwardState } from "./client-side/audit-forwarder.ts";
import type { Exports } from "./client-side/exports/exports.ts";
import { FrontDoor, type HttpPart } from "./client-side/front-door.ts";
import { onvifPart } from "./client-side/onvif-part.ts";
import { listenForCameras } from "./client-side/own-doors.ts";
import { PtzHolders } from "./client-side/ptz-holders.ts";
import { REFUSALS_FILE } from "./client-side/refusal.ts";
import { Refusals } from "./client-side/refusals.ts";
import { rtspHost } from "./client-side/rtsp.ts";
import type { TimeStamper } from "./client-side/time-stamper.ts";
import { Watch } from "./client-side/watch.ts";
import { codeSendersOf, tellOfLimits } from "./code-senders.ts";
import { consumersOf } from "./consumers.ts";
import { DATABASE_FILE, openDataFolder } from "./data-folder.ts";
import { DeviceScopes } from "./device-scopes.ts";
import { DirectoryDesk } from "./directory/desk.ts";
import { Directories } from "./directory/directories.ts";
import { HEAD_WITH_TICKET_BYTES, KerberosLogIns, REPLAY_CACHE_FILE, workingGssapi } from "./directory/kerberos.ts";
import type { NtlmLogIns } from "./directory/ntlm.ts";
import { startNtlm } from "./directory/start-ntlm.ts";
import { DirectoryStore } from "./directory/store.ts";
import type { EdgeFetches } from "./edge-fetches.ts";
import { EventBus } from "./event-bus.ts";
import { EventKeeper } from "./event-keeper.ts";
import { MadeProfiles } from "./made-profiles.ts";
import { cameraDevicesOf, userLevelsOf } from "./onvif-settings.ts";
import { openArchive } from "./open-archive.ts";
import { openCertificates } from "./open-certificates.ts";
import { openExports } from "./open-exports.ts";
import { openJwt } from "./open-jwt.ts";
import { OwnEvents, publishLogInFailed, publishStorage } from "./own-events.ts";
import type { Discovery } from "./ports.ts";
import { resealSecrets } from "./reseal.ts";
import { hostsOf, multicastPlanOf, portRangeOf, type Settings } from "./settings.ts";
import { loadSigner } from "./signing.ts";
import { tellOfEnds } from "./signing-certificate.ts";
import { type SiteSchema, siteMigrations } from "./site-schema.ts";
import { startTimeStamping } from "./time-stamping.ts";
import { tokenPlaceOf } from "./token-settings.ts";

/** The realm of every digest challenge. Secrets are bound to nothing but this string, so it never changes. */
const REALM = "Viaduct";

/** How long one part may take to stop before the others go on. Sealing segments on a slow disk takes some seconds. */
const CLOSE_LIMIT_MS = 15 * SECOND;

const MEGABYTE = 1e6;

/** The audit log to be read. */
export interface AuditTrail {
  /** The folder in which its files are. */
  readonly path: string;
  readonly forwarding: () => readonly ForwardState[];
}

/** What the pages and the command line work with. */
export interface BridgeParts {
  readonly accounts: Accounts;
  readonly factors: SecondFactors;
  readonly tokens: ApiTokens;
  /** Those, and what others have issued. */
  readonly bearers: BearerTokens;
  readonly approvals: Approvals;
  readonly audit: AuditLog;
  readonly auditTrail: AuditTrail;
  readonly watch: Watch;
  readonly ptzHolders: PtzHolders;
  readonly archive: Archive;
  /** Whose cameras' signatures are trusted; anybody's where undefined. */
  readonly cameraMakers: readonly X509Certificate[] | undefined;
  readonly leases: Leases;
  readonly refusals: Refusals;
  readonly desk: DirectoryDesk;
  /** Absent where it is off. */
  readonly kerberos: KerberosLogIns | undefined;
  readonly ntlm: NtlmLogIns | undefined;
  readonly discovery: Discovery;
  /** What was recorded when. */
  readonly footage: Pick<Archive, "meantStream" | "source" | "spans" | "gaps" | "fetchedSpans">;
  readonly exports: Exports;
  /** What is fetched from cameras' own recordings. */
  readonly fetches: EdgeFetches;
  readonly clock: Clock;
  readonly log: Log;
  readonly addresses: () => Addresses;
  /** How many RTSP sessions an account plays at the moment. */
  readonly rtspSessions: (accountName: string) => number;
}

export interface BridgeOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** Asks for the passphrase of the master key; absent where nobody can be asked. */
  readonly passphrase?: (() => Promise<Secret>) | undefined;
  /** Makes the pages; absent where none are served. */
  readonly web?: (parts: BridgeParts) => HttpPart & Partial<Closable>;
  /** Where cameras listen for WS-Discovery probes; 3702 if absent. */
  readonly cameraDiscoveryPort?: number;
}

/** A running bridge. */
export interface Bridge extends Closable {
  readonly parts: BridgeParts;
  /** The first address that is served, for messages to people. */
  readonly address: string;
  /** SHA-256 of the certificate, for people who compare it at the first connection. */
  readonly fingerprint: string;
}

/** Starts everything in order: folder, accounts, recorder, cameras, and last the doors, so that nobody is let in early. */
export async function startBridge(o: BridgeOptions): Promise<Bridge> {
  const life = new Lifecycle(o.clock, o.log);
  try {
    return await start(o, life);
  } catch (error) {
    await life.close(CLOSE_LIMIT_MS);
    throw error;
  }
}

async function start(o: BridgeOptions, life: Lifecycle): Promise<Bridge> {
  const { settings, clock, log } = o;
  const { clientSide } = settings;
  const metrics = new Metrics();
  let ready = false;
  metrics.measure("viaduct_ready", "1 when everything is started", () => (ready ? 1 : 0));

  const folder = await life.start("data folder", () =>
    openDataFolder(settings.dataFolder, { passphrase: o.passphrase, token: tokenPlaceOf(settings) }),
  );
  // Of a rotation of the master key that broke off.
  await resealSecrets(folder);
  const database = await life.start("database", () =>
    openDatabase<SiteSchema>(folder.file(DATABASE_FILE), siteMigrations),
  );
  const signer = await loadSigner(folder, clock);
  await life.start("the ends of certificates", () => tellOfEnds(folder, { clock, log }));
  const audit = await life.start("audit log", () => openAudit(folder, settings, { clock, log }));
  const forwarding = await life.start("forwarding of the audit log", () =>
    AuditForwarding.start({ folder, settings, version: o.version, audit, clock, log }),
  );
  const bus = new EventBus(clock, log);
  const throttle = new Throttle(clock, (address, account) => publishLogInFailed(bus, address, account));
  const factors: SecondFactors = await SecondFactors.open({
    query: database.query,
    sealer: folder.sealer,
    clock,
    senders: codeSendersOf(settings, clock),
    reached: tellOfLimits({ audit, log, metrics, nameOf: (id) => accounts.find(id)?.name }),
  });
  const { secondFactor: factorDemand } = settings.accounts;
  let approvals: Approvals | undefined;
  const logInWaits = (id: string): boolean => approvals?.logInWaits(id) !== false;
  const shared = { query: database.query, clock, log, throttle };
  const accounts = await life.start("accounts", () =>
    Accounts.open({
      ...shared,
      sealer: folder.sealer,
      factors,
      factorDemand,
      logInWaits,
      armingEnded: ({ name }) =>
        audit.record({
          who: "viaduct",
          action: "disarm",
          subject: name,
          interface: "bridge",
          outcome: "allowed",
          why: "its time is over",
        }),
    }),
  );
  const tokens = await life.start("API tokens", () => ApiTokens.open({ ...shared, accounts, audit }));
  const jwts = await openJwt(settings, { accounts, throttle, audit, clock, log });
  if (jwts !== undefined) await life.start("tokens of others", () => jwts);
  const certificates = await openCertificates(settings, { accounts, throttle, audit, clock, log });
  if (certificates !== undefined) await life.start("certificates of clients", () => certificates);
  const bearers = bearerTokens(tokens, jwts, certificates);
  approvals = await life.start("approvals", () =>
    Approvals.open({ query: database.query, accounts, audit, settings: settings.approval, clock }),
  );
  const refusals = await life.start("what was refused", () =>
    Refusals.open({ file: folder.file(REFUSALS_FILE), stateOf: (name) => accounts.stateOf(name), audit, clock, log }),
  );
  let stamper: TimeStamper | undefined;
  const anchored = (): void => stamper?.look();
  const archive = await life.start("recorder", () =>
    openArchive(settings, { keys: folder.keys, signer, audit, clock, log, metrics, anchored }),
  );
  stamper = await startTimeStamping(settings, { clock, log, metrics });
  if (stamper !== undefined) await life.start("time stamps", () => stamper);
  const side = cameraSide({ interfaces: settings.cameraSide.interfaces, clientAddresses: clientSide.addresses });
  const ca = settings.cameraSide.ca === undefined ? undefined : await readCa(settings.cameraSide.ca, "cameraSide.ca");
  const store = new CameraStore(database.query, folder.sealer);
  const lingerMs = settings.cameraSide.lingerSeconds * SECOND;
  const preRollBytes = settings.recording.preRollMegabytes * MEGABYTE;
  const cameras = await life.start("cameras", () =>
    Cameras.start({ store, bus, side, ca, archive, preRollBytes, lingerMs, clock, log, metrics }),
  );
  const fetches = await life.start("cameras' own recordings", () => {
    const { edge, maxAgeDays } = settings.recording;
    return new EdgeFill({
      settings: edge,
      maxAgeMs: maxAgeDays * DAY,
      cameras,
      archive,
      side,
      ca,
      audit,
      bus,
      clock,
      log,
      metrics,
    });
  });
  await life.start("events", () => new OwnEvents({ bus, cameras, clock }));
  archive.troubles.watch((trouble) => publishStorage(bus, trouble));
  const keeper = await life.start("kept events", () => new EventKeeper({ bus, journal: archive.journal, clock, log }));
  const finds = await life.start("discovery of cameras", () => {
    const port = o.cameraDiscoveryPort === undefined ? {} : { port: o.cameraDiscoveryPort };
    return new Finds({ side, cameras, ca, recording: settings.recording.newCameras, clock, log, ...port });
  });

  const leases = await life.start("leases", () => new Leases({ accounts, audit, clock }));
  const directoryStore = new DirectoryStore(database.query, folder.sealer);
  const directories = await life.start("directories", () =>
    Directories.open(
      settings.directory,
      { accounts, audit, leases, clock, log, store: directoryStore },
      { scheduled: true },
    ),
  );
  const kerberos =
    settings.kerberos &&
    new KerberosLogIns(settings.kerberos, {
      gssapi: await workingGssapi(settings.kerberos),
      directory: (name) => directories.get(name),
      throttle,
      replayCache: folder.file(REPLAY_CACHE_FILE),
    });
  const ntlm =
    settings.ntlm &&
    (await startNtlm(settings.ntlm, life, { directory: (name) => directories.get(name), throttle, clock, log }));
  const watch = new Watch(cameras, audit, leases);
  const { cameraCa } = settings.recording;
  const cameraMakers = cameraCa === undefined ? undefined : await readCaCertificates(cameraCa, "recording.cameraCa");
  const exporting = await life.start("exports", () =>
    openExports(settings, {
      cameraMakers,
      folder,
      recorder: signer,
      version: o.version,
      archive,
      accounts,
      watch,
      leases,
      audit,
      approvals,
      clock,
      log,
    }),
  );
  const ptzHolders = await life.start("moves of cameras", () => new PtzHolders({ clock, audit, watch }));
  let addresses: Addresses | undefined;
  const made = (): Addresses => {
    if (addresses === undefined) throw new Fault("unavailable", "a client asked before everything listened");
    return addresses;
  };
  const parts: BridgeParts = {
    auditTrail: { path: settings.dataFolder, forwarding: () => forwarding.states },
    accounts,
    factors,
    tokens,
    bearers,
    approvals,
    audit,
    watch,
    ptzHolders,
    archive,
    cameraMakers,
    leases,
    refusals,
    desk: new DirectoryDesk({ directories, accounts, audit, approvals, store: directoryStore }),
    kerberos,
    ntlm,
    discovery: finds,
    footage: archive,
    exports: exporting,
    fetches,
    clock,
    log,
    addresses: made,
    rtspSessions: (accountName) => rtsp.sessions(accountName),
  };

  const logIns = { accounts, clock, realm: REALM, throttle, tokens: bearers };
  const authenticator = new HttpAuthenticator({ ...logIns, door: "rtsp" });
  const multicast = multicastPlanOf(clientSide);
  const host = rtspHost({ watch, bus, audit, authenticator, clock, multicast });
  const { udp } = clientSide;
  const range = udp.ports === undefined ? undefined : portRangeOf(udp.ports);
  const datagrams = {
    ...(udp.enabled ? { udp: { range } } : {}),
    ...(clientSide.srtp.enabled ? { srtp: { range } } : {}),
    ...(multicast === undefined ? {} : { multicast: { range } }),
  };
  const rtsp = await life.start(
    "RTSP",
    () => new RtspServer({ host, clock, log, metrics, refused: refusals.refused, ...datagrams }),
  );
  const identity = {
    ...(await loadIdentity(settings.dataFolder, hostsOf(clientSide), clock)),
    ...(clientSide.clientCertificates.enabled ? ({ asksForCertificate: true } as const) : {}),
  };

  const profiles = await MadeProfiles.open({
    query: database.query,
    accounts: new Set(accounts.list().map(({ id }) => id)),
  });
  const scopes = await DeviceScopes.open(database.query);
  const cameraDevices = cameraDevicesOf(clientSide.cameraDevices);
  const web = o.web?.(parts);
  const onvif = await life.start("ONVIF", async () =>
    onvifPart({
      uuid: folder.uuid,
      version: o.version,
      watch,
      bus,
      authenticator: new HttpAuthenticator({ ...logIns, door: "onvif" }),
      usernameTokens: new UsernameTokenVerifier({ accounts, clock, throttle }),
      addresses: made,
      clientAddresses: clientSide.addresses,
      clientNames: clientSide.names,
      discoverable: clientSide.discovery.enabled,
      profileScopes: clientSide.profileScopes,
      users: { accounts, approvals, levels: userLevelsOf(clientSide.userLevels) },
      multicast,
      srtp: clientSide.srtp.enabled,
      ptzHolders,
      consumers: await consumersOf(settings),
      cameraDevices,
      refused: refusals.refused,
      retentionMs: settings.recording.maxAgeDays * DAY,
      recordings: cameras,
      profiles,
      scopes,
      history: {
        journal: archive.journal,
        spans: (...range) => archive.spans(...range),
        newest: () => keeper.newest(),
      },
      clock,
      log,
      metrics,
      audit,
    }),
  );
  const tunnels = new Tunnels(rtsp, clock);
  const webSockets = new RtspWebSockets(rtsp);
  const door = await life.start("HTTP", () => {
    const token = settings.metrics.token;
    const metricsToken = token === undefined ? undefined : new Secret(token);
    return new FrontDoor({
      onvif,
      web,
      first: tunnels.first,
      rtsp: webSockets,
      metrics,
      metricsToken,
      ready: () => ready,
      tlsFailed: refusals.tlsFailed,
      ...(kerberos === undefined ? {} : { headBytes: HEAD_WITH_TICKET_BYTES }),
      log,
    });
  });
  await life.start("RTSP in HTTP", () => tunnels);
  await life.start("RTSP in WebSockets", () => webSockets);
  if (web?.close !== undefined) await life.start("pages", () => ({ close: () => web.close?.() }));

  let doors: Addresses["doors"] | undefined;
  for (const address of clientSide.addresses) {
    const https = await door.listen(address, clientSide.web.port, identity);
    const http = clientSide.onvifHttp.enabled
      ? await door.listen(address, clientSide.onvifHttp.port, undefined)
      : undefined;
    const rtsps = await rtsp.listen({ address, port: clientSide.rtsps.port, identity });
    const plain = clientSide.rtsp.enabled ? await rtsp.listen({ address, port: clientSide.rtsp.port }) : undefined;
    doors ??= { https: https.port, http: http?.port, rtsps: rtsps.port, rtsp: plain?.port };
  }
  addresses = new Addresses(doors as Addresses["doors"]);
  if (cameraDevices !== undefined) {
    const own = { doors: addresses.doors, addresses: clientSide.addresses, identity, door, rtsp, onvif };
    await listenForCameras(cameraDevices.own, own);
  }

  if (clientSide.discovery.enabled) {
    await life.start("discovery by clients", async () => {
      const server = new DiscoveryServer({
        addresses: clientSide.addresses,
        port: clientSide.discovery.port,
        devices: (local) => onvif.devices(local),
        clock,
        log,
      });
      await server.start();
      scopes.whenChanged(() => server.changed(`urn:uuid:${folder.uuid}`));
      return server;
    });
  }

  ready = true;
  const ways = { sending: sendingBy(nativeSender()), encrypting: encryptingBy(nativeGcm()) };
  log.info({ addresses: clientSide.addresses, doors, ...ways }, "ready");
  return {
    parts,
    address: clientSide.addresses[0] as string,
    fingerprint: identity.fingerprint,
    async close() {
      ready = false;
      log.info("stopping");
      await life.close(CLOSE_LIMIT_MS);
      log.info("stopped");
    },
  };
}
