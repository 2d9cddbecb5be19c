import { WebSessions } from "../../auth/sessions.ts";
import type { UnixMillis } from "../../base/units.ts";
import { isoOf, unixMillis } from "../../base/units.ts";
import type { BridgedCamera } from "../../bridge/camera.ts";
import { DOORS, type Guarded } from "../../scripts/doors.ts";
import { FEEDS } from "../../web/sockets.ts";
import { operationsOf, TABLES } from "../wsdl/table-values.ts";
import type { TestBridge } from "./bridge.ts";
import { eventually } from "./bridge.ts";
import { askedWith, CALLS, written } from "./onvif-calls.ts";
import { OnvifClient, type Reply, type ServicePrefix, texts } from "./onvif-client.ts";
import { onvifEndpoint } from "./onvif-endpoint.ts";
import { exchange, type OnvifLogin } from "./onvif-site.ts";
import { RtspsClient } from "./rtsps-client.ts";
import type { WebClient } from "./web-client.ts";
import { routesOf } from "./web-routes.ts";

/** What came of knocking at a door. */
export interface Knock {
  /** Log in first; you may not, or it does not work; or whatever else was said. */
  readonly outcome: "stranger" | "refused" | "answered";
  /** Without what is of one request alone: ids, instants, and the name of the camera that was asked for. */
  readonly text: string;
  /** It speaks of the camera that is tried at all doors. */
  readonly mentions: boolean;
  /** It speaks of the oldest second of that camera's footage. */
  readonly tells: boolean;
}

/** Who knocks: nobody, or the account whose rights are changed from case to case. */
export interface Knocker {
  readonly web: Pick<WebClient, "cookie" | "feed" | "send">;
  readonly login: OnvifLogin | undefined;
  /** Of the account that is logged in at the pages. */
  readonly token: string | undefined;
}

/** One door of the running bridge. */
export interface Door {
  readonly interface: Guarded;
  readonly name: string;
  /** A camera is named in the request; otherwise the answer is about all of them, or none. */
  readonly names: boolean;
  knock(who: Knocker, camera: string): Promise<Knock>;
}

/** What is there to be asked for: made before rights are tried. */
export interface Stage {
  readonly bridge: TestBridge;
  /** The id of the camera that is tried. */
  readonly camera: string;
  readonly footage: { readonly from: UnixMillis; readonly to: UnixMillis };
  /** Who may everything. */
  readonly everything: OnvifLogin;
  /** An export of the account's own that is ready. */
  readonly exported: string;
  /** Tokens of things of the camera. */
  readonly preset: string;
  /** One that may be removed. */
  readonly spare: { preset?: string };
  readonly tour: string;
  readonly relay: string;
}

const INSTANT = /\d{4}-?\d\d-?\d\dT\d\d:?\d\d:?\d\d(?:\.\d+)?Z/g;

function knockOf(stage: Stage, outcome: Knock["outcome"], text: string, camera: string): Knock {
  const first = stage.footage.from;
  const instants = (text.match(INSTANT) ?? []).map((one) =>
    Date.parse(one.replace(/^(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?/, "$1-$2-$3T$4:$5:")),
  );
  const tells = instants.some((at) => at >= Math.floor(first) && at < first + 1000);
  return {
    outcome,
    text: text.replaceAll(camera, "CAMERA").replaceAll(INSTANT, "TIME"),
    // A summary has instants alone.
    mentions: text.includes(stage.camera) || tells,
    tells,
  };
}

/** Every route, every WebSocket, every operation and every presentation of a running bridge. */
export function doorsOf(stage: Stage): readonly Door[] {
  return [
    ...webDoors(stage),
    ...apiDoors(stage),
    ...feedDoors(stage),
    ...onvifDoors(stage),
    ...encoderDoors(stage),
    snapshotDoor(stage),
    ...rtspDoors(stage),
  ];
}

function webDoors(stage: Stage): readonly Door[] {
  const { parts } = stage.bridge.bridge;
  const options = {
    ...parts,
    sessions: new WebSessions({ accounts: parts.accounts, clock: parts.clock }),
    pages: "",
    addressesOf: { live: () => "", recorded: () => "" },
    about: () => ({ version: "", onvif: "" }),
  };
  const { from } = stage.footage;
  const range = { from: isoOf(from), to: isoOf(unixMillis(from + 1500)) };
  return routesOf(options).map(({ method, path }) => {
    const name = `${method} ${path}`;
    const ofCamera = path.startsWith("/api/cameras/:id/") && !path.includes(":stream");
    return {
      interface: "web",
      name,
      names: ofCamera || name === "POST /api/exports",
      async knock({ web }, camera) {
        const removesPreset = name === "DELETE /api/cameras/:id/presets/:preset";
        const id = ofCamera ? camera : path.startsWith("/api/exports") ? stage.exported : "no-such-id";
        const query = /\/(?:timeline|camera-signatures)$/.test(path) ? `?${new URLSearchParams(range).toString()}` : "";
        const at = path
          .replace(":id", id)
          .replace(":mark", path.endsWith(":mark") ? await markOf(stage, path) : "")
          .replace(":preset", removesPreset ? await presetOf(stage) : stage.preset)
          .replace(":kind", "role");
        const withoutText = path.endsWith("/fetches") ? range : undefined;
        const body =
          path === "/api/exports"
            ? { cameras: [camera], ...range }
            : path.includes("/presets")
              ? { name: "by a test" }
              : (withoutText ?? { ...range, text: "by a test" });
        // One's own session and exports go on.
        if (/^DELETE \/api\/(?:session|exports)/.test(name))
          return knockOf(stage, web.cookie === "" ? "stranger" : "answered", "", camera);
        const { status, text, json } = await web.send(method, at + query, method === "GET" ? {} : { body });
        if (name === "POST /api/exports" && status === 201)
          await web.send("DELETE", `/api/exports/${(json as { readonly id: string }).id}`);
        // Where a right over the product is held, it comes to what was sent, which is nothing that can be done.
        const refused = status === 403 || (status >= 400 && /\/api\/(?:cameras\/:id\/[^s]|exports)/.test(path));
        // Whoever hears that nothing is missing there was let in.
        const wasHeard = status === 400 && path.endsWith("/fetches");
        const said = status === 200 && path.endsWith("/file") ? stage.camera : text;
        return knockOf(
          stage,
          status === 401 ? "stranger" : refused && !wasHeard ? "refused" : "answered",
          `${status} ${said}`,
          camera,
        );
      },
    };
  });
}

/** One that is there to be removed, made anew where it was. */
async function presetOf({ bridge, camera, spare }: Stage): Promise<string> {
  const { control } = bridge.bridge.parts.watch.all().find(({ info }) => info.id === camera) as BridgedCamera;
  if (spare.preset !== undefined)
    await control.ptz("RemovePreset", { PresetToken: spare.preset }).catch(() => undefined);
  const { PresetToken } = await control.ptz("SetPreset", { PresetName: "spare" });
  spare.preset = PresetToken;
  return PresetToken;
}

/** One that is there to be removed. */
async function markOf({ bridge, camera, footage }: Stage, path: string): Promise<string> {
  const { journal } = bridge.bridge.parts.archive;
  const kind = path.includes("/locks/") ? "lock" : "bookmark";
  const range = { from: footage.from, to: footage.to, madeAt: footage.to };
  return (await journal.mark({ kind, camera, ...range, text: "by a test", who: "a test" })).id;
}

/** The same routes, for programs with a token: those that are theirs. */
function apiDoors(stage: Stage): readonly Door[] {
  const theirs = new Set(Object.values(DOORS.api).flat());
  return webDoors(stage)
    .filter(({ name }) => theirs.has(name))
    .map((door) => ({ ...door, interface: "api", knock: (who, camera) => door.knock(byToken(who), camera) }));
}

function byToken(who: Knocker): Knocker {
  const { token } = who;
  if (token === undefined) return who;
  const headers = { authorization: `Bearer ${token}`, cookie: "" };
  const web: Knocker["web"] = {
    cookie: "",
    feed: (path) => who.web.feed(path, headers),
    send: (method, path, more) => who.web.send(method, path, { ...more, headers }),
  };
  return { ...who, web };
}

function feedDoors(stage: Stage): readonly Door[] {
  return FEEDS.map((kind) => ({
    interface: "web",
    name: `WS /api/${kind}`,
    names: kind !== "events",
    async knock({ web }, camera) {
      const feed = await web.feed(`/api/${kind}${kind === "events" ? "" : `/${camera}`}`);
      if (typeof feed === "number") return knockOf(stage, "stranger", String(feed), camera);
      const { from } = stage.footage;
      if (kind === "playback") feed.send(Buffer.from(JSON.stringify({ type: "timeline", from, to: from + 1500 })));
      if (kind === "recorded-sound")
        feed.send(Buffer.from(JSON.stringify({ type: "read", run: 1, from, until: from + 1500 })));
      // Where nothing happens there is nothing to be heard, and who may not hear it, or move anything, is hung up on.
      const silent = (kind === "events" || kind === "ptz") && (await feed.alive());
      if (!silent) await Promise.race([feed.closed, eventually(() => feed.messages.length > 0)]);
      feed.close();
      const closed = await feed.closed;
      const text = feed.messages.map((one) => (Buffer.isBuffer(one) ? "media" : JSON.stringify(one))).join("\n");
      const refused = closed === 4403 || text.includes("unplayable");
      return knockOf(stage, refused ? "refused" : "answered", text, camera);
    },
  }));
}

/** At the path of the service, or of a subscription of the account's own. */
function onvifDoors(stage: Stage): readonly Door[] {
  const site = onvifEndpoint(stage.bridge);
  return TABLES.flatMap((table) =>
    operationsOf(table).map(([operation]): Door => {
      const prefix = table.prefix as ServicePrefix | "wsnt";
      const contents = prefix === "wsnt" ? [] : (CALLS[prefix][operation] ?? []);
      const content = contents.find((one) => one.includes("gate")) ?? contents[0] ?? OF_SUBSCRIPTIONS[operation];
      const ofSubscription = /PullPointSubscription$|SubscriptionManager$/.test(table.actions);
      return {
        interface: "onvif",
        name: `${prefix}:${operation}`,
        // What names several is answered as a list.
        names: content?.includes("gate") === true && !content.includes("yard"),
        async knock({ login }, camera) {
          const client = new OnvifClient(site, login, login === undefined ? "none" : "token");
          const reader =
            content?.startsWith("SAME") === true ? new OnvifClient(site, stage.everything, "token") : client;
          const plain = prefix === "wsnt" ? (content ?? "") : await askedWith(reader, prefix, content ?? "");
          const asked = plain
            .replaceAll("gate_0", `${camera}_${stage.relay}`)
            .replaceAll(">gate<", `>${camera}<`)
            .replaceAll('token="gate"', `token="${camera}"`)
            .replaceAll(">door<", `>${stage.preset}<`)
            .replaceAll(">round<", `>${stage.tour}<`)
            .replaceAll('token="round"', `token="${stage.tour}"`)
            .replaceAll("2025-12-30T12:00:00Z", isoOf(unixMillis(stage.footage.from + 1000)));
          const at = ofSubscription ? await subscription(client, login) : undefined;
          let reply = await client.call(prefix, operation, asked, false, at);
          // A person may have moved it at another door a moment ago, whom a system does not push away.
          if (isHeld(reply))
            await eventually(async () => {
              reply = await client.call(prefix, operation, asked);
              return !isHeld(reply);
            });
          if (at !== undefined && operation !== "Unsubscribe") await client.call("wsnt", "Unsubscribe", "", false, at);
          return knockOf(stage, outcomeOf(reply), reply.body, camera);
        },
      };
    }),
  );
}

function isHeld({ body }: Reply): boolean {
  return body.includes("Somebody else is moving this camera");
}

/** What operations of subscriptions are asked with. */
const OF_SUBSCRIPTIONS: Readonly<Record<string, string>> = {
  PullMessages: "<Timeout>PT0S</Timeout><MessageLimit>100</MessageLimit>",
  Seek: "<UtcTime>2026-01-01T00:00:00Z</UtcTime>",
  Renew: "<wsnt:TerminationTime>PT1M</wsnt:TerminationTime>",
  Subscribe: "<wsnt:ConsumerReference><wsa:Address>http://127.0.0.1:9/</wsa:Address></wsnt:ConsumerReference>",
};

async function subscription(client: OnvifClient, login: OnvifLogin | undefined): Promise<string> {
  if (login === undefined) return "/onvif/subscription/none";
  const made = await client.call("tev", "CreatePullPointSubscription");
  return new URL(texts(made.element, "Address")[0] ?? "").pathname;
}

function outcomeOf({ status, fault }: Reply): Knock["outcome"] {
  if (status === 401) return "stranger";
  return fault === undefined || fault.subcodes[0] === "ActionNotSupported" ? "answered" : "refused";
}

/** An encoder is set to another size than it has. */
function encoderDoors(stage: Stage): readonly Door[] {
  const site = onvifEndpoint(stage.bridge);
  return (["trt", "tr2"] as const).map((prefix) => ({
    interface: "onvif",
    name: `${prefix}:SetVideoEncoderConfiguration otherwise`,
    names: true,
    async knock({ login }, camera) {
      const reader = new OnvifClient(site, stage.everything, "token");
      const now = written(await reader.call(prefix, "GetVideoEncoderConfigurations"), prefix, stage.camera);
      const [width, height] = now.includes("Width>320<") ? [640, 360] : [320, 176];
      const wish = now
        .replace(/Width>\d+</, `Width>${width}<`)
        .replace(/Height>\d+</, `Height>${height}<`)
        .replace(`token="${stage.camera}"`, `token="${camera}"`);
      const client = new OnvifClient(site, login, login === undefined ? "none" : "token");
      const reply = await client.call(prefix, "SetVideoEncoderConfiguration", wish);
      return knockOf(stage, outcomeOf(reply), reply.body, camera);
    },
  }));
}

function snapshotDoor(stage: Stage): Door {
  const { https } = stage.bridge.bridge.parts.addresses().doors;
  return {
    interface: "onvif",
    name: "GET /onvif/snapshot",
    names: true,
    async knock({ login }, camera) {
      const headers = login === undefined ? {} : { authorization: basicOf(login) };
      const { status } = await exchange(
        {
          host: "127.0.0.1",
          port: https,
          path: `/onvif/snapshot/${camera}`,
          agent: false,
          rejectUnauthorized: false,
          headers,
        },
        true,
        undefined,
      );
      const outcome = status === 401 ? "stranger" : status === 403 ? "refused" : "answered";
      return knockOf(stage, outcome, String(status), camera);
    },
  };
}

/** What may be played, and what of it. */
function rtspDoors(stage: Stage): readonly Door[] {
  const { rtsps } = stage.bridge.bridge.parts.addresses().doors;
  const described = (name: string, path: string, part: RegExp, headers: readonly string[] = []): Door => ({
    interface: "rtsp",
    name,
    names: true,
    async knock({ login }, camera) {
      const client = await RtspsClient.open(rtsps);
      const credentials = login === undefined ? [] : [`Authorization: ${basicOf(login)}`];
      const { status, body } = await client.ask("DESCRIBE", `rtsps://127.0.0.1${path}/${camera}`, [
        ...credentials,
        ...headers,
      ]);
      client.close();
      const text = body.toString();
      const refused = status === 403 || (status === 200 && !part.test(text));
      return knockOf(
        stage,
        status === 401 ? "stranger" : refused ? "refused" : "answered",
        `${status} ${text}`,
        camera,
      );
    },
  });
  const played = (path: string): Door => ({
    interface: "rtsp",
    name: path,
    names: true,
    async knock({ login }, camera) {
      const client = await RtspsClient.open(rtsps);
      const { status, headers } = await client.play(
        `rtsps://127.0.0.1${path}/${camera}`,
        login ?? { name: "", secret: "" },
      );
      client.close();
      const text = `${status} ${headers.map(([name, value]) => (name.toLowerCase() === "range" ? value : "")).join("")}`;
      return knockOf(stage, status === 401 ? "stranger" : status === 403 ? "refused" : "answered", text, camera);
    },
  });
  return [
    played("/live"),
    played("/recorded"),
    ...["/live", "/recorded"].map((path) => described(`${path} with sound`, path, /^m=audio(?![\s\S]*?a=sendonly)/m)),
    // The simulated cameras send none that would be recorded.
    described("/live with metadata", "/live", /^m=application/m),
    described("/live with a back channel", "/live", /^a=sendonly/m, ["Require: www.onvif.org/ver20/backchannel"]),
  ];
}

function basicOf({ name, secret }: OnvifLogin): string {
  return `Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}`;
}
