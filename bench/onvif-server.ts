import { createServer } from "node:http";
import { type IServerOptions, listen as listenSoap } from "soap";
import { Accounts } from "../auth/accounts.ts";
import { Leases } from "../auth/leases.ts";
import { CAMERA_RIGHTS, type CameraRight } from "../auth/right.ts";
import { HttpAuthenticator } from "../auth/scheme/http.ts";
import { UsernameTokenVerifier } from "../auth/scheme/usernametoken.ts";
import { Throttle } from "../auth/throttle.ts";
import { systemClock as clock } from "../base/clock.ts";
import { openDatabase } from "../base/database.ts";
import { silentLog } from "../base/log.ts";
import { Metrics } from "../base/metrics.ts";
import { Sealer } from "../base/seal.ts";
import { DAY } from "../base/units.ts";
import type { BridgedCamera } from "../bridge/camera.ts";
import { NO_CONTROLS } from "../bridge/camera-control.ts";
import { Addresses } from "../bridge/client-side/addresses.ts";
import { FrontDoor } from "../bridge/client-side/front-door.ts";
import type { EventHistory } from "../bridge/client-side/onvif/site.ts";
import { onvifPart } from "../bridge/client-side/onvif-part.ts";
import { PtzHolders } from "../bridge/client-side/ptz-holders.ts";
import { Watch } from "../bridge/client-side/watch.ts";
import { DeviceScopes } from "../bridge/device-scopes.ts";
import { EventBus } from "../bridge/event-bus.ts";
import { MadeProfiles } from "../bridge/made-profiles.ts";
import { type SiteSchema, siteMigrations } from "../bridge/site-schema.ts";
import type { Track } from "../media/track.ts";
import { parseXml } from "../wsdl/parse-xml.ts";
import { printWsdl } from "../wsdl/print-wsdl.ts";
import { MEDIA } from "../wsdl/tables/trt.ts";
import type { XmlElement } from "../wsdl/xml.ts";

// An ONVIF server with cameras that are not there: ours behind its real front door, with log-ins and rights, or npm's soap, which has
// neither and is given as an object what ours has answered, by standard input. Or an HTTP server of Node.js that answers the same text to all.

const [kind = "viaduct", cameras = "64", accountCount = "1"] = process.argv.slice(2);
process.on("disconnect", () => process.exit(0));
if (kind === "viaduct") await viaduct();
else process.once("message", (answer) => (kind === "http" ? plainHttp : nodeSoap)(String(answer)));
if (kind !== "viaduct") process.send?.({ port: 0, logins: [] });

async function viaduct(): Promise<void> {
  const log = silentLog();
  const metrics = new Metrics();
  const database = await openDatabase<SiteSchema>(":memory:", siteMigrations);
  const accounts = await Accounts.open({ query: database.query, sealer: new Sealer(Buffer.alloc(32, 7)), clock, log });
  const throttle = new Throttle(clock);
  const audit = { record: () => undefined };
  const list = Array.from({ length: Number(cameras) }, (_, index) => camera(index + 1));
  const directory = { list: () => list, find: (id: string) => list.find(({ info }) => info.id === id) };
  let addresses = new Addresses({ https: 0, http: 0, rtsps: 8322, rtsp: 8554 });
  const watch = new Watch(directory, audit, new Leases({ accounts, audit, clock }));
  const part = onvifPart({
    uuid: "5f5a69c2-e0ae-504f-829b-00fcee1ab001",
    version: "bench",
    watch,
    ptzHolders: new PtzHolders({ clock, audit, watch }),
    bus: new EventBus(clock, log),
    authenticator: new HttpAuthenticator({ accounts, clock, realm: "Viaduct", door: "onvif", throttle }),
    usernameTokens: new UsernameTokenVerifier({ accounts, clock, throttle }),
    addresses: () => addresses,
    clientAddresses: ["127.0.0.1"],
    clientNames: [],
    discoverable: false,
    profileScopes: [],
    multicast: undefined,
    srtp: false,
    retentionMs: 30 * DAY,
    // Nobody searches.
    history: {} as EventHistory,
    recordings: { setRecording: () => Promise.resolve() },
    profiles: await MadeProfiles.open({ query: database.query, accounts: new Set() }),
    scopes: await DeviceScopes.open(database.query),
    clock,
    log,
    metrics,
    audit,
  });
  const door = new FrontDoor({ onvif: part, web: undefined, metrics, metricsToken: undefined, ready: () => true, log });
  const { port } = await door.listen("127.0.0.1", 0, undefined);
  addresses = new Addresses({ https: 8443, http: port, rtsps: 8322, rtsp: 8554 });
  const grants = (Object.keys(CAMERA_RIGHTS) as CameraRight[]).map(
    (right) => ({ right, cameras: "any", interfaces: "any" }) as const,
  );
  const logins = [];
  for (let count = 0; count < Number(accountCount); count += 1) {
    const name = `vms-${count}`;
    const { secret } = await accounts.createIntegration({ name, grants });
    logins.push({ name, secret: secret.reveal() });
  }
  process.send?.({ port, logins });
}

function camera(number: number): BridgedCamera {
  const video: Track = {
    kind: "video",
    codec: "H264",
    encoding: "H264",
    payloadType: 96,
    clockRateHz: 90_000,
    channels: 1,
    fmtp: "profile-level-id=42C028;sprop-parameter-sets=Z0LAKNoB4AiflwEQAAADABAAAAMDSPFCQqA=,aM4PyA==",
  };
  const since = clock.now();
  const stream = {
    name: "main",
    number,
    pulling: "always",
    recording: { plan: { mode: "continuous" }, state: "recording" },
    connection: { state: "online", since },
    transport: "tcp",
    readers: 1,
    tracks: [video],
  };
  const info = {
    id: `camera-${number}`,
    name: `Camera ${number}`,
    connection: stream.connection,
    streams: [stream],
    recording: true,
  };
  // Nobody plays: what is not looked at by the ONVIF services is left out.
  return {
    info,
    streams: [{ info: stream }],
    control: { controls: NO_CONTROLS },
    removed: new AbortController().signal,
  } as unknown as BridgedCamera;
}

/** Answers GetProfiles with what ours has answered, and GetStreamUri. */
function nodeSoap(answer: string): void {
  const body = parseXml(answer, { elements: 50_000 }).children.find(({ name }) => name === "Body");
  const profiles = objectOf(body?.children[0] as XmlElement);
  const uri = {
    MediaUri: {
      "tt:Uri": "rtsp://127.0.0.1:8554/live/camera-1",
      "tt:InvalidAfterConnect": false,
      "tt:InvalidAfterReboot": false,
      "tt:Timeout": "PT0S",
    },
  };
  const port = { GetProfiles: () => profiles, GetStreamUri: () => uri };
  const server = createServer((_request, response) => response.writeHead(404).end());
  server.listen(0, "127.0.0.1", () => {
    const { port: at } = server.address() as { port: number };
    const wsdl = printWsdl([MEDIA], `http://127.0.0.1:${at}/media`);
    const services = { Viaduct: { [MEDIA.prefix]: port } };
    listenSoap(server, { path: "/media", services, xml: wsdl, forceSoap12Headers: true } as IServerOptions);
    process.send?.({ port: at });
  });
}

/** What there is before anything of ours: a body is read, and a text is sent. */
function plainHttp(answer: string): void {
  const server = createServer((request, response) => {
    request.resume().once("end", () => {
      response.writeHead(200, { "Content-Type": "application/soap+xml", "Content-Length": Buffer.byteLength(answer) });
      response.end(answer);
    });
  });
  server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as { port: number }).port }));
}

/** As npm's soap takes it: children of another namespace by their prefixes, attributes apart. */
function objectOf(element: XmlElement): object {
  const made: Record<string, unknown> = {};
  if (element.attributes.length > 0)
    made["attributes"] = Object.fromEntries(element.attributes.map(({ name, value }) => [name, value]));
  for (const child of element.children) {
    const name = child.ns === MEDIA.namespace ? child.name : `tt:${child.name}`;
    const value = child.children.length === 0 && child.attributes.length === 0 ? child.text : objectOf(child);
    const before = made[name];
    made[name] = before === undefined ? value : [before, value].flat();
  }
  return made;
}
