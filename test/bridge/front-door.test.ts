import { mkdtemp, rm } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { expect } from "chai";
import { systemClock } from "../../base/clock.ts";
import { type Fault, isFault } from "../../base/fault.ts";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import { Secret } from "../../base/secret.ts";
import { FrontDoor, type FrontDoorOptions } from "../../bridge/client-side/front-door.ts";
import { type Identity, loadIdentity } from "../../net/tls.ts";
import { missing } from "../support/peer.ts";

const TOKEN = "a-token-of-the-configuration";
const NOT_FOUND = { status: 404, text: "not found\n" };

describe("the front door", () => {
  let folder = "";
  let identity: Identity;
  let door: FrontDoor | undefined;

  before(async () => {
    folder = await mkdtemp(`${tmpdir()}/viaduct-door-`);
    identity = await loadIdentity(folder, ["127.0.0.1"], systemClock);
  });
  after(() => rm(folder, { recursive: true, force: true }));
  afterEach(() => door?.close());

  /** Parts that say who they are; returns where HTTPS and HTTP are. */
  async function open(more: Partial<FrontDoorOptions> = {}, address = "127.0.0.1") {
    const metrics = new Metrics();
    metrics.measure("viaduct_ready", "1 when everything is started", () => 1);
    const part = (name: string) => ({
      handle: (_request: IncomingMessage, response: import("node:http").ServerResponse) => void response.end(name),
    });
    door = new FrontDoor({
      onvif: part("onvif"),
      web: part("web"),
      metrics,
      metricsToken: undefined,
      ready: () => true,
      log: silentLog(),
      ...more,
    });
    const { port: tls } = await door.listen(address, 0, identity);
    const { port: plain } = await door.listen(address, 0, undefined);
    return {
      https: (path: string, headers = {}) => get(httpsRequest, { host: address, port: tls, path, headers }),
      http: (path: string, headers = {}) => get(httpRequest, { host: address, port: plain, path, headers }),
    };
  }

  it("leads to ONVIF, to pages, and to health", async () => {
    const { https } = await open();
    const paths = ["/onvif/device_service", "/", "/api/session", "/onvifx", "/healthz", "/readyz", "/healthz?x"];
    const texts = await Promise.all(paths.map(async (path) => (await https(path)).text));
    expect(texts).to.deep.equal(["onvif", "web", "web", "web", "ok\n", "ready\n", "ok\n"]);
  });

  it("shows neither pages nor their API without TLS", async () => {
    const { http } = await open();
    expect((await http("/onvif/device_service")).text).to.equal("onvif");
    expect((await http("/healthz")).text).to.equal("ok\n");
    for (const path of ["/", "/index.html", "/api/session", "/api/live/gate", "/%"])
      expect(await http(path), path).to.deep.equal(NOT_FOUND);
    const upgrade = { connection: "Upgrade", upgrade: "websocket" };
    expect(await http("/api/live/gate", upgrade).catch((error: NodeJS.ErrnoException) => error.code)).to.equal(
      "ECONNRESET",
    );
  });

  it("leads WebSockets of RTSP to RTSP by both doors, and no others", async () => {
    const paths: string[] = [];
    const upgrade = ({ url = "" }: IncomingMessage, socket: Socket): void => {
      paths.push(url);
      socket.end("HTTP/1.1 418 I am RTSP\r\nConnection: close\r\n\r\n");
    };
    const { http, https } = await open({ rtsp: { upgrade } });
    const headers = { connection: "Upgrade", upgrade: "websocket" };
    for (const get of [http, https]) {
      expect((await get("/onvif/rtsp?x", headers)).status).to.equal(418);
      for (const path of ["/onvif/rtspx", "/onvif/device_service", "/rtsp"])
        expect(await get(path, headers).catch((error: NodeJS.ErrnoException) => error.code)).to.equal("ECONNRESET");
    }
    expect(paths).to.deep.equal(["/onvif/rtsp?x", "/onvif/rtsp?x"]);
  });

  it("serves no pages where there are none", async () => {
    const { https } = await open({ web: undefined });
    expect(await https("/")).to.deep.equal(NOT_FOUND);
    expect((await https("/onvif/device_service")).text).to.equal("onvif");
  });

  it("is alive but not ready while the bridge starts and stops", async () => {
    let ready = false;
    const { http, https } = await open({ ready: () => ready });
    for (const now of [false, true, false]) {
      ready = now;
      const expected = now ? { status: 200, text: "ready\n" } : { status: 503, text: "not ready\n" };
      expect(await http("/readyz")).to.deep.equal(expected);
      expect(await https("/readyz")).to.deep.equal(expected);
      expect(await http("/healthz")).to.deep.equal({ status: 200, text: "ok\n" });
    }
  });

  it("answers 500, without a word of why, where a part fails", async () => {
    const onvif = { handle: () => Promise.reject(new Error("the details")) };
    const { https } = await open({ onvif });
    expect(await https("/onvif/device_service")).to.deep.equal({ status: 500, text: "internal error\n" });
  });

  describe("at /metrics", () => {
    it("shows numbers to this machine", async () => {
      const { http, https } = await open();
      for (const { status, text } of [await http("/metrics"), await https("/metrics")]) {
        expect(status).to.equal(200);
        expect(text).to.include("\nviaduct_ready 1\n");
      }
    });

    it("takes nobody whom a proxy brings for this machine", async () => {
      const { http } = await open();
      for (const name of ["Forwarded", "Via", "X-Forwarded-For", "X-Real-IP"])
        expect(await http("/metrics", { [name]: "for=192.0.2.1" }), name).to.deep.equal(NOT_FOUND);
    });

    it("wants the token of this machine, too, where one is configured", async () => {
      const { http } = await open({ metricsToken: new Secret(TOKEN) });
      expect(await http("/metrics")).to.deep.equal(NOT_FOUND);
      expect((await http("/metrics", { authorization: `Bearer ${TOKEN}`, Via: "1.1 proxy" })).status).to.equal(200);
    });

    it("shows them to others with the configured token alone, and does not tell what was wrong", async function () {
      const own = Object.values(networkInterfaces())
        .flat()
        .find((one) => one?.internal === false && one.family === "IPv4")?.address;
      if (own === undefined) return missing(this, "an IPv4 address besides loopback");
      const { http, https } = await open({ metricsToken: new Secret(TOKEN) }, own);
      for (const authorization of [`Bearer ${TOKEN}`, `bearer ${TOKEN}`])
        expect((await https("/metrics", { authorization })).status, authorization).to.equal(200);
      for (const authorization of [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        `Bearer ${TOKEN}x`,
        `Basic ${TOKEN}`,
        TOKEN,
      ]) {
        expect(await https("/metrics", { authorization }), authorization).to.deep.equal(NOT_FOUND);
        expect(await http("/metrics", { authorization }), authorization).to.deep.equal(NOT_FOUND);
      }
    });

    it("shows nothing to others where no token is configured, whatever they send", async function () {
      const own = Object.values(networkInterfaces())
        .flat()
        .find((one) => one?.internal === false && one.family === "IPv4")?.address;
      if (own === undefined) return missing(this, "an IPv4 address besides loopback");
      const { https } = await open({}, own);
      for (const authorization of ["", "Bearer undefined", `Bearer ${TOKEN}`])
        expect(await https("/metrics", { authorization }), authorization).to.deep.equal(NOT_FOUND);
    });
  });

  it("says which address and port it cannot have", async () => {
    await open();
    const taken = door?.listeners[0]?.port ?? 0;
    const fault = await door?.listen("127.0.0.1", taken, identity).catch((error: unknown) => error);
    expect(isFault(fault, "unavailable")).to.equal(true);
    expect((fault as Fault).tell).to.match(new RegExp(`^cannot listen on 127\\.0\\.0\\.1 port ${taken}: .*EADDRINUSE`));
    const elsewhere = await door?.listen("198.51.100.1", 0, identity).catch((error: unknown) => error);
    expect((elsewhere as Fault).tell).to.include("cannot listen on 198.51.100.1 port 0");
  });

  it("closes though clients keep their connections open", async () => {
    const { https } = await open();
    const agent = new (await import("node:https")).Agent({ keepAlive: true });
    const port = door?.listeners[0]?.port;
    await get(httpsRequest, { host: "127.0.0.1", port, path: "/healthz", agent });
    await door?.close();
    agent.destroy();
    expect(await https("/healthz").catch((error: NodeJS.ErrnoException) => error.code)).to.equal("ECONNREFUSED");
  });
});

function get(
  request: typeof httpRequest | typeof httpsRequest,
  options: import("node:https").RequestOptions,
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent: false, rejectUnauthorized: false, ...options }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.once("error", reject);
    sent.end();
  });
}
