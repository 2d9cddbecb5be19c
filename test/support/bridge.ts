import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server as NetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CameraRight } from "../../auth/right.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { type Log, silentLog } from "../../base/log.ts";
import { makeSecret, Secret } from "../../base/secret.ts";
import { runBridge } from "../../bin/run.ts";
import type { Bridge } from "../../bridge/bridge.ts";
import type { BridgedCamera } from "../../bridge/camera.ts";
import { settingsSchema } from "../../bridge/settings.ts";
import { startSimCamera } from "../../sim/camera.ts";
import type { SimCamera, SimCameraOptions } from "../../sim/camera-options.ts";

let networks = process.pid;

/** The first three numbers of a loopback network for cameras, so that suites in one process do not hear each other. */
export function nextCameraNetwork(): string {
  networks += 1;
  return `127.0.${10 + (networks % 240)}`;
}

export const CAMERA_LOGIN = { user: "service", password: new Secret("c4mera-pass") };

/** A bridge on loopback with simulated cameras, everything on ports of the system's choice. */
export interface TestBridge {
  readonly bridge: Bridge;
  readonly folder: string;
  readonly cameraNetwork: string;
  /** An address of the camera network for further cameras. */
  cameraAddress(): string;
  /** Starts a simulated camera on the camera network; it is closed with the bridge. */
  camera(options?: Partial<SimCameraOptions>): Promise<SimCamera>;
  /** Adopts by scanning for it; returns the camera's id. */
  adopt(camera: SimCamera): Promise<string>;
  /** Registers an external system; live and recorded video of all cameras are allowed unless said otherwise. */
  account(grants?: Readonly<Partial<Record<CameraRight, readonly string[] | "any">>>): Promise<Login>;
  /** Makes the first administrator, named `admin`. */
  administrator(password: string): Promise<void>;
  /** The cameras that the account sees over RTSP. */
  cameras(login: Login): readonly BridgedCamera[];
  /** One of them, as it is now; throws where it is none of them. */
  cameraOf(login: Login, id: string): BridgedCamera;
  /** `rtsp://name:secret@…/<path>`; rtsps where asked for. */
  rtsp(login: Login, path: string, scheme?: "rtsp" | "rtsps"): string;
  close(): Promise<void>;
}

export interface Login {
  readonly id: string;
  readonly name: string;
  readonly secret: string;
}

export async function startTestBridge(
  options: {
    readonly folder?: string;
    readonly segmentSeconds?: number;
    /** Ten minutes if absent: with a clock of a test, a disk would hang whenever time goes on. */
    readonly answerSeconds?: number;
    readonly lingerSeconds?: number;
    /** `none` for tests that look into files. */
    readonly encryption?: "none";
    readonly log?: Log;
    readonly clock?: Clock;
    /** Where clients are served; loopback if absent. */
    readonly clientAddress?: string;
    /** Live streams may be had by multicast. */
    readonly multicast?: boolean;
    /** Settings of devices of single cameras. */
    readonly cameraDevices?: object;
    /** File with the certificates of the cameras' authority. */
    readonly ca?: string;
    /** As it stands in a configuration file. */
    readonly directory?: readonly object[];
    /** Log-ins by Kerberos and NTLM, and what else is said of accounts, likewise. */
    readonly kerberos?: object;
    readonly ntlm?: object;
    readonly accounts?: object;
    /** What waits for a second person, likewise. */
    readonly approval?: object;
    readonly mail?: object;
    readonly sms?: object;
    /** Clients are asked for certificates. */
    readonly clientCertificates?: boolean;
    /** Whose certificates of clients are taken, as it stands in a configuration file. */
    readonly certificateAuthorities?: readonly object[];
    /** Issuers of tokens, likewise. */
    readonly jwt?: object;
    /** The folder of the catalog; below the data folder if absent. */
    readonly recordings?: string;
    /** Of recordings, likewise. */
    readonly volumes?: readonly object[];
    readonly timeStamps?: object;
    /** The first three numbers of an earlier bridge's camera network. */
    readonly network?: string;
  } = {},
): Promise<TestBridge> {
  const network = options.network ?? nextCameraNetwork();
  const clientAddress = options.clientAddress ?? "127.0.0.1";
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), "viaduct-test-")));
  const discoveryPort = await freeUdpPort();
  const bridge = await runBridge({
    settings: settingsSchema.parse({
      dataFolder: folder,
      cameraSide: { interfaces: [`${network}.0/24`], lingerSeconds: options.lingerSeconds ?? 10, ca: options.ca },
      clientSide: {
        addresses: [clientAddress],
        names: ["localhost"],
        web: { port: 0 },
        rtsps: { port: 0 },
        rtsp: { enabled: true, port: 0 },
        udp: { enabled: true },
        srtp: { enabled: true },
        multicast: { enabled: options.multicast === true },
        onvifHttp: { enabled: true, port: 0 },
        clientCertificates: {
          enabled: options.clientCertificates === true,
          authorities: options.certificateAuthorities ?? [],
        },
        ...(options.cameraDevices === undefined ? {} : { cameraDevices: options.cameraDevices }),
      },
      ...(options.directory === undefined ? {} : { directory: options.directory }),
      ...(options.kerberos === undefined ? {} : { kerberos: options.kerberos }),
      ...(options.ntlm === undefined ? {} : { ntlm: options.ntlm }),
      ...(options.accounts === undefined ? {} : { accounts: options.accounts }),
      ...(options.approval === undefined ? {} : { approval: options.approval }),
      ...(options.mail === undefined ? {} : { mail: options.mail }),
      ...(options.sms === undefined ? {} : { sms: options.sms }),
      ...(options.jwt === undefined ? {} : { jwt: options.jwt }),
      recording: {
        segmentSeconds: options.segmentSeconds ?? 10,
        flushSeconds: 0,
        answerSeconds: options.answerSeconds ?? 600,
        volumes: options.volumes ?? [],
        ...(options.recordings === undefined ? {} : { folder: options.recordings }),
        ...(options.timeStamps === undefined ? {} : { timeStamps: options.timeStamps }),
        ...(options.encryption === undefined ? {} : { encryption: options.encryption }),
      },
    }),
    version: "0.0.0-test",
    cameraDiscoveryPort: discoveryPort,
    log: options.log ?? silentLog(),
    ...(options.clock === undefined ? {} : { clock: options.clock }),
  });
  const cameras: SimCamera[] = [];
  let nextHost = 1;
  const { accounts, discovery } = bridge.parts;
  const cameraAddress = (): string => `${network}.${nextHost++}`;
  const seenBy = (login: Login): readonly BridgedCamera[] => {
    const who = accounts.principalOf(login.id);
    return who === undefined ? [] : bridge.parts.watch.visible(who, "rtsp");
  };
  return {
    bridge,
    folder,
    cameraNetwork: `${network}.0/24`,
    cameraAddress,
    async camera(more = {}) {
      const camera = await startSimCamera({
        name: `Camera ${cameras.length + 1}`,
        address: cameraAddress(),
        httpPort: 0,
        rtspPort: 0,
        discoveryPort,
        user: CAMERA_LOGIN.user,
        password: CAMERA_LOGIN.password.reveal(),
        clock: systemClock,
        log: silentLog(),
        ...more,
      });
      cameras.push(camera);
      return camera;
    },
    async adopt(camera) {
      const { hostname } = new URL(camera.deviceUrl);
      await discovery.startScan([hostname]);
      const find = discovery.list().find((one) => one.ip === hostname);
      if (find === undefined) throw new Error(`${hostname} was not found`);
      return (await discovery.adopt({ find: find.id }, { credentials: CAMERA_LOGIN, plainText: true })).id;
    },
    async account(grants = { live: "any", playback: "any", audio: "any" }) {
      const name = `vms-${makeSecret(8).reveal().toLowerCase()}`;
      const lines = (Object.entries(grants) as [CameraRight, readonly string[] | "any"][]).map(
        ([right, which]) => ({ right, cameras: which === "any" ? which : new Set(which), interfaces: "any" }) as const,
      );
      const { account, secret } = await accounts.createIntegration({ name, grants: lines });
      return { id: account.id, name, secret: secret.reveal() };
    },
    async administrator(password) {
      const token = accounts.setUpToken()?.reveal() ?? "";
      await accounts.setUp(token, "admin", password, { address: "127.0.0.1", port: 1, tls: true });
    },
    cameras: seenBy,
    cameraOf(login, id) {
      const found = seenBy(login).find(({ info }) => info.id === id);
      if (found === undefined) throw new Error(`no camera ${id}`);
      return found;
    },
    rtsp(login, path, scheme = "rtsp") {
      const { doors } = bridge.parts.addresses();
      return `${scheme}://${login.name}:${login.secret}@${clientAddress}:${scheme === "rtsp" ? doors.rtsp : doors.rtsps}/${path}`;
    },
    async close() {
      await bridge.close();
      await Promise.all(cameras.map((camera) => camera.close()));
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves when `done` is true, looking again after each event-loop turn of a few milliseconds; the test's own limit ends it. */
export async function eventually(done: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await done())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/**
 * Ports that tests ask for. The system gives nobody one of them (Linux: `ip_local_port_range`), so that what is free is so still when it
 * is used, whatever connects meanwhile; other test processes begin elsewhere.
 */
const ASKED_FOR = { first: 10_000, last: 31_999, ofEachProcess: 100 } as const;
let ports = (process.pid % 220) * ASKED_FOR.ofEachProcess;

export function freeTcpPort(): Promise<number> {
  return freePort((port) => createServer().listen(port, "127.0.0.1"));
}

export function freeUdpPort(): Promise<number> {
  return freePort((port) => createSocket("udp4").bind(port, "127.0.0.1"));
}

async function freePort(take: (port: number) => NetServer | Socket): Promise<number> {
  for (;;) {
    const port = ASKED_FOR.first + (ports++ % (ASKED_FOR.last - ASKED_FOR.first + 1));
    const taken = take(port);
    const isFree = await once(taken, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    taken.close();
    await once(taken, "close");
    return port;
  }
}
