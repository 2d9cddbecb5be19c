import { type ChildProcess, fork } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Fault } from "../base/fault.ts";
import { createLog } from "../base/log.ts";
import { makeSecret, type Secret } from "../base/secret.ts";
import type { Bridge } from "../bridge/bridge.ts";
import { type Settings, settingsSchema } from "../bridge/settings.ts";
import type { FleetOrder, FleetReply } from "./demo-cameras.ts";
import { runBridge } from "./run.ts";
import { stopSignal } from "./stop.ts";

export interface DemoOptions {
  readonly cameras: string;
  readonly listen: string;
  readonly data?: string;
  readonly verbose?: boolean;
}

/** Simulated cameras have addresses of their own on the loopback network, as real ones have on theirs. */
const CAMERA_NETWORK = "127.0.1.0/24";
const CAMERA_NAMES = ["Gate", "Entrance", "Car park", "Loading bay", "Corridor", "Roof", "Server room", "Workshop"];
const MAX_CAMERAS = 16;
const CAMERA_USER = "service";

/** Everything that a person needs to look around, printed once. */
interface Handout {
  readonly web: string;
  readonly onvif: string;
  readonly fingerprint: string;
  readonly person: { readonly name: string; readonly password: Secret };
  readonly integration: { readonly name: string; readonly secret: Secret };
  readonly live: readonly string[];
}

/** Simulated cameras and a bridge that finds and adopts them by itself, with log-ins that hold until it stops. */
export async function demo(options: DemoOptions, version: string): Promise<void> {
  const count = Number(options.cameras);
  if (!Number.isInteger(count) || count < 1 || count > MAX_CAMERAS)
    throw new Fault("invalid", `--cameras must be 1 to ${MAX_CAMERAS}`);
  const stopped = stopSignal();
  const folder = options.data === undefined ? await mkdtemp(join(tmpdir(), "viaduct-demo-")) : resolve(options.data);
  const discoveryPort = await freeUdpPort();
  const cameraPassword = makeSecret(12);
  let fleet: ChildProcess | undefined;
  let bridge: Bridge | undefined;
  try {
    fleet = await startFleet(count, discoveryPort, cameraPassword);
    bridge = await runBridge({
      settings: await settingsFor(folder, options.listen),
      version,
      log: createLog(options.verbose === true ? "info" : "error"),
      cameraDiscoveryPort: discoveryPort,
    });
    await adoptAll(bridge, count, cameraPassword);
    process.stdout.write(words(await handOut(bridge), version, options.data === undefined));
    await Promise.race([stopped, once(fleet, "exit")]);
  } finally {
    process.stdout.write("\nStopping…\n");
    await bridge?.close();
    if (fleet?.connected === true) fleet.disconnect();
    if (options.data === undefined) await rm(folder, { recursive: true, force: true });
  }
}

async function startFleet(count: number, discoveryPort: number, password: Secret): Promise<ChildProcess> {
  const child = fork(join(import.meta.dirname, "demo-cameras.ts"), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const order: FleetOrder = {
    cameras: Array.from({ length: count }, (_, index) => ({
      name: CAMERA_NAMES[index] ?? `Camera ${index + 1}`,
      address: `127.0.1.${index + 1}`,
    })),
    user: CAMERA_USER,
    password: password.reveal(),
    discoveryPort,
  };
  child.send(order);
  const [reply] = (await Promise.race([once(child, "message"), once(child, "exit")])) as [FleetReply | number | null];
  if (typeof reply === "object" && reply !== null && "ready" in reply) return child;
  const why = typeof reply === "object" && reply !== null ? reply.failed : "their process ended";
  throw new Fault("unavailable", `the simulated cameras did not start: ${why}`);
}

/** The settings of a demo: everything on one address, plain protocols too where nobody but this machine can listen in. */
async function settingsFor(folder: string, listen: string): Promise<Settings> {
  const local = listen.startsWith("127.") || listen === "::1";
  const at = (port: number): Promise<number> => portNear(listen, port);
  return settingsSchema.parse({
    dataFolder: folder,
    cameraSide: { interfaces: [CAMERA_NETWORK] },
    clientSide: {
      addresses: [listen],
      names: local ? ["localhost"] : [],
      web: { port: await at(8443) },
      rtsps: { port: await at(8322) },
      rtsp: { enabled: local, port: await at(8554) },
      udp: { enabled: local },
      onvifHttp: { enabled: local, port: await at(8080) },
    },
    recording: { maxGigabytes: 2, maxAgeDays: 1 },
  } satisfies Parameters<typeof settingsSchema.parse>[0]);
}

async function adoptAll(bridge: Bridge, count: number, password: Secret): Promise<void> {
  const { discovery } = bridge.parts;
  const credentials = { user: CAMERA_USER, password };
  const adoptions: Promise<unknown>[] = [];
  const adoptOne = (id: string): void => {
    // They are in this machine.
    adoptions.push(discovery.adopt({ find: id }, { credentials, plainText: true }));
  };
  const known = new Set<string>();
  await new Promise<void>((done, fail) => {
    const stop = discovery.listen((event) => {
      if (event.type === "found" && event.find.adoptedAs === undefined && !known.has(event.find.id)) {
        known.add(event.find.id);
        adoptOne(event.find.id);
        if (known.size === count) finish();
      }
      if (event.type === "scan" && !event.scan.running) finish();
    });
    const finish = (): void => {
      stop();
      done();
    };
    discovery.startScan([CAMERA_NETWORK]).catch(fail);
  });
  if (known.size < count)
    throw new Fault("unavailable", `only ${known.size} of ${count} simulated cameras answered on the loopback network`);
  await Promise.all(adoptions);
}

async function handOut(bridge: Bridge): Promise<Handout> {
  const { accounts, watch } = bridge.parts;
  const addresses = bridge.parts.addresses();
  const person = { name: "admin", password: makeSecret(16) };
  const token = accounts.setUpToken();
  if (token !== undefined)
    await accounts.setUp(token.reveal(), person.name, person.password.reveal(), {
      address: "127.0.0.1",
      port: 0,
      tls: true,
    });
  const { account, secret } = await accounts.createIntegration({
    name: `vms-${makeSecret(4).reveal().toLowerCase()}`,
    grants: [
      { right: "live", cameras: "any", interfaces: "any" },
      { right: "playback", cameras: "any", interfaces: "any" },
      { right: "audio", cameras: "any", interfaces: "any" },
    ],
  });
  const who = accounts.principalOf(account.id);
  return {
    web: addresses.web(bridge.address),
    onvif: addresses.onvif(bridge.address, false),
    fingerprint: bridge.fingerprint,
    person,
    integration: { name: account.name, secret },
    live: (who === undefined ? [] : watch.visible(who, "rtsp")).map((camera) =>
      addresses.rtsp("live", camera.info.id, bridge.address),
    ),
  };
}

function words(handout: Handout, version: string, passing: boolean): string {
  const { integration, person, live } = handout;
  const withLogIn = (url: string): string =>
    url.replace("://", `://${integration.name}:${integration.secret.reveal()}@`);
  const first = live[0] ?? "";
  return `
Viaduct ${version} is running with ${live.length} simulated cameras.

  Pages     ${handout.web}
            name ${person.name}   password ${person.password.reveal()}
            The certificate is made by this installation: the browser asks once. SHA-256 fingerprint:
            ${handout.fingerprint}

  ONVIF     ${handout.onvif}
            name ${integration.name}   secret ${integration.secret.reveal()}

  RTSP      the same name and secret
${live.map((url) => `            ${url}\n`).join("")}
  Try       ffplay -rtsp_transport tcp '${withLogIn(first)}'
  Recorded  ffplay -rtsp_transport tcp '${withLogIn(first.replace("/live/", "/recorded/"))}?at=-30s'

These log-ins hold until you stop with Ctrl-C${passing ? "; recordings are deleted then (--data FOLDER keeps them)" : ""}.
`;
}

/** `wanted`, or a free port where something else has it. */
async function portNear(address: string, wanted: number): Promise<number> {
  for (const port of [wanted, 0]) {
    const server = createServer();
    const bound = await new Promise<number | undefined>((done) => {
      server.once("error", () => done(undefined));
      server.listen({ host: address, port }, () => done((server.address() as { port: number }).port));
    });
    if (bound === undefined) continue;
    await new Promise((done) => server.close(done));
    return bound;
  }
  const tell = `cannot listen on ${address}: is it an address of this machine?`;
  throw new Fault("unavailable", tell, { tell });
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}
