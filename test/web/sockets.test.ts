import { once } from "node:events";
import { Socket } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { expect } from "chai";
import { WebSocket } from "ws";
import type { Grant } from "../../auth/principal.ts";
import { HOUR, MINUTE } from "../../base/units.ts";
import { track } from "../media/codec-fixture.ts";
import { eventually } from "../support/bridge.ts";
import type { WebClient } from "../support/web-client.ts";
import { type ScriptedCamera, startWebSite, type WebSite } from "../support/web-site.ts";

const ENDED = 4403;
const HIDDEN = { type: "unplayable", why: "This camera is not there, or you may not watch it." };

const UPGRADE = "GET /api/live/gate HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

const on = (right: Grant["right"], ...cameras: readonly string[]): Grant => ({
  right,
  cameras: new Set(cameras),
  interfaces: "any",
});

describe("WebSockets of the pages", () => {
  let site: WebSite;
  let gate: ScriptedCamera;
  let guard: WebClient;
  let names = 0;

  const idOf = (name: string): string => site.accounts.list().find((one) => one.name === name)?.id ?? "";
  const person = (...grants: readonly Grant[]): Promise<WebClient> => {
    names += 1;
    return site.person(`person ${names}`, grants);
  };

  /** TLS on a connection that does not close its end when the bridge does. */
  const dial = async (): Promise<{ raw: Socket; socket: TLSSocket }> => {
    const raw = new Socket({ allowHalfOpen: true });
    raw.connect(site.port, "127.0.0.1");
    const socket = connect({ socket: raw, rejectUnauthorized: false });
    for (const one of [raw, socket]) one.on("error", () => undefined);
    await once(socket, "secureConnect");
    return { raw, socket };
  };

  beforeEach(async () => {
    site = await startWebSite();
    gate = site.camera("gate", [track("JPEG")]);
    gate.flow();
    site.camera("yard").flow();
    guard = await site.person("guard", [on("live", "gate"), on("playback", "yard")]);
  });
  afterEach(() => site.close());

  describe("are refused", () => {
    it("to a stranger, and to a session that is over", async () => {
      expect(await site.stranger().feed("/api/live/gate")).to.equal(401);
      const copy = site.stranger();
      copy.cookie = guard.cookie;
      await guard.send("DELETE", "/api/session");
      expect(await copy.feed("/api/live/gate")).to.equal(401);
    });

    it("to pages of other sites, which browsers let connect with our cookie", async () => {
      for (const headers of [
        { origin: "https://evil.example" },
        { origin: guard.origin.replace("https", "http") },
        { origin: "null" },
        { origin: "" },
        { "sec-fetch-site": "cross-site" },
      ])
        expect(await guard.feed("/api/live/gate", headers), JSON.stringify(headers)).to.equal(401);
      expect(gate.readers.size).to.equal(0);
    });

    it("beyond 64 of one account, until one closes", async () => {
      const feeds = await Promise.all(Array.from({ length: 64 }, () => guard.openFeed("/api/live/gate")));
      expect(await guard.feed("/api/live/gate")).to.equal(429);
      const other = await person(on("live", "gate"));
      (await other.openFeed("/api/live/gate")).close();
      feeds[0]?.close();
      await eventually(async () => {
        const feed = await guard.feed("/api/live/gate");
        return typeof feed !== "number";
      });
    });

    it("to clients that break off at once, without harm to others", async () => {
      for (let index = 0; index < 20; index += 1) {
        const { raw, socket } = await dial();
        socket.write(UPGRADE, () => raw.resetAndDestroy());
        await once(raw, "close");
      }
      expect((await guard.send("GET", "/api/session")).status).to.equal(200);
    });

    it("and do not keep the bridge from closing where the client keeps its end open", async () => {
      const { raw, socket } = await dial();
      socket.write(UPGRADE);
      socket.resume();
      await once(socket, "end");
      await site.close();
      raw.destroy();
      site = await startWebSite();
    });
  });

  describe("show a camera", () => {
    it("to whoever may watch it live, and to nobody else, who all hear the same", async () => {
      expect((await guard.openFeed("/api/live/gate")).messages).to.deep.equal([]);
      await eventually(() => gate.readers.size === 1);
      const manager = await person({ right: "adopt-camera", cameras: "any", interfaces: "any" });
      for (const [client, camera, why] of [
        [guard, "yard", "seen, but not watched live"],
        [guard, "none", "not there"],
        [await person(on("live", "yard")), "gate", "hidden"],
        [manager, "gate", "a right of another kind"],
      ] as const) {
        const feed = await client.openFeed(`/api/live/${camera}`);
        expect(await feed.closed, why).to.equal(ENDED);
        expect(feed.messages, why).to.deep.equal([HIDDEN]);
      }
      expect(gate.readers.size).to.equal(1);
    });

    for (const [feed, right] of [
      ["sound", "live"],
      ["recorded-sound", "playback"],
    ] as const)
      it(`with its ${feed} to whoever may see and hear it, for as long as both hold`, async () => {
        site.camera("gate", [track("PCMU")]).flow();
        const may = [on(right, "gate"), on("audio", "gate")];
        const sound = { type: "unplayable", why: "This camera is not there, or you may not hear it." };
        for (const [grants, camera] of [
          [may.slice(0, 1), "gate"],
          [may.slice(1), "gate"],
          [[...may, on("search", "yard")], "yard"],
          [may, "none"],
        ] as const) {
          const opened = await (await person(...grants)).openFeed(`/api/${feed}/${camera}`);
          expect([await opened.closed, opened.messages]).to.deep.equal([ENDED, [sound]]);
        }
        for (const left of may) {
          const listener = await person(...may);
          const { json } = await listener.send("GET", "/api/cameras");
          expect(
            (json as { cameras: Record<string, unknown>[] }).cameras.map(({ mayHear, mayHearRecorded }) => [
              mayHear,
              mayHearRecorded,
            ]),
          ).to.deep.equal([[right === "live", right === "playback"]]);
          const opened = await listener.openFeed(`/api/${feed}/gate`);
          await site.accounts.change(idOf(`person ${names}`), { grants: [left] });
          expect([await opened.closed, opened.messages], left.right).to.deep.equal([ENDED, []]);
        }
      });

    it("until the page closes, which leaves no reader behind", async () => {
      const feed = await guard.openFeed("/api/live/gate");
      await eventually(() => gate.readers.size === 1);
      feed.close();
      await eventually(() => gate.readers.size === 0);
    });

    const ends: readonly (readonly [why: string, end: () => unknown])[] = [
      ["the account is disabled", () => site.accounts.change(idOf("guard"), { enabled: false })],
      ["the account is removed", () => site.accounts.remove(idOf("guard"))],
      ["the right is taken away", () => site.accounts.change(idOf("guard"), { grants: [on("playback", "gate")] })],
      ["the camera is removed", () => gate.remove()],
      ["the person logs out", () => guard.send("DELETE", "/api/session")],
      ["the session is twelve hours old", () => site.clock.advance(12 * HOUR)],
    ];
    for (const [why, end] of ends) {
      it(`until ${why}`, async () => {
        const feed = await guard.openFeed("/api/live/gate");
        await eventually(() => gate.readers.size === 1);
        await end();
        expect(await feed.closed).to.equal(ENDED);
        await eventually(() => gate.readers.size === 0);
      });

      it(`not at all when ${why} before the camera sends`, async () => {
        gate = site.camera("gate");
        const feed = await guard.openFeed("/api/live/gate");
        await end();
        expect(await feed.closed).to.equal(ENDED);
        expect(gate.readers.size).to.equal(0);
      });
    }

    it("also while nobody touches the page", async () => {
      const feed = await guard.openFeed("/api/live/gate");
      await eventually(() => gate.readers.size === 1);
      await site.clock.advance(2 * HOUR);
      feed.close();
      await eventually(() => gate.readers.size === 0);
      expect((await guard.send("GET", "/api/cameras")).status).to.equal(200);
      await site.clock.advance(30 * MINUTE);
      expect((await guard.send("GET", "/api/cameras")).status).to.equal(401);
    });

    it("and close where what a page asks for is not of sound", async () => {
      site.camera("gate", [track("PCMU")]);
      const listener = await person(on("playback", "gate"), on("audio", "gate"));
      for (const asked of [
        "nonsense",
        JSON.stringify({ type: "key-frame", at: 1 }),
        JSON.stringify({ type: "read", run: 1, from: 2, until: 1, backward: true }),
        JSON.stringify({ type: "read", run: 1, from: 1, until: 2, stream: "main" }),
      ]) {
        const feed = await listener.openFeed("/api/recorded-sound/gate");
        feed.send(Buffer.from(asked));
        expect(await feed.closed, asked).to.equal(4400);
      }
    });

    it("and close for paths that are none", async () => {
      for (const path of [
        "/api/nothing",
        "/api/live/",
        "/api/live/a%2fb",
        "/api/live/gate/main/x",
        `/api/live/${"x".repeat(65)}`,
      ])
        expect(await (await guard.openFeed(path)).closed, path).to.equal(1008);
    });

    it("and do not pile up answers to pings that nobody reads", async () => {
      const PINGS = 150_000;
      const ws = new WebSocket(`wss://127.0.0.1:${site.port}/api/live/gate`, {
        rejectUnauthorized: false,
        headers: { origin: guard.origin, cookie: guard.cookie },
      });
      await once(ws, "open");
      let answered = 0;
      let last = "";
      ws.on("pong", (data: Buffer) => {
        answered += 1;
        last = data.toString();
      });
      ws.pause();
      const ping = "x".repeat(125);
      for (let count = 1; count < PINGS; count += 1) ws.ping(ping);
      await new Promise<void>((resolve) => ws.ping(ping, true, () => resolve()));
      ws.resume();
      await eventually(() => {
        ws.ping("last");
        return last === "last";
      });
      expect(answered).to.be.within(1, PINGS - 1);
      ws.terminate();
    });

    it("and take next to nothing from the page", async () => {
      const feed = await guard.openFeed("/api/live/gate");
      feed.send(Buffer.alloc(1024));
      feed.send(Buffer.alloc(1025));
      expect(await feed.closed).to.be.oneOf([1006, 1009]);
    });
  });

  describe("tell of cameras that are found", () => {
    const found = { type: "adopting", id: "x", step: "connecting" } as const;

    it("to those who may adopt", async () => {
      const installer = await person({ right: "adopt-camera", cameras: "any", interfaces: "any" });
      const feed = await installer.openFeed("/api/events");
      site.discovery.emit(found);
      await eventually(() => feed.messages.length > 0);
      expect(feed.messages).to.deep.equal([found]);
      await installer.send("DELETE", "/api/session");
      expect(await feed.closed).to.equal(ENDED);
    });

    it("until one does not read what it is told", async () => {
      const installer = await person({ right: "adopt-camera", cameras: "any", interfaces: "any" });
      const ws = new WebSocket(`wss://127.0.0.1:${site.port}/api/events`, {
        rejectUnauthorized: false,
        headers: { origin: installer.origin, cookie: installer.cookie },
      });
      await once(ws, "open");
      ws.pause();
      const closed = once(ws, "close");
      const long = { ...found, id: "x".repeat(512 * 1024) };
      // More than all buffers between them hold.
      for (let count = 0; count < 64; count += 1) {
        site.discovery.emit(long);
        await new Promise((resolve) => setImmediate(resolve));
      }
      ws.resume();
      expect((await closed)[0]).to.equal(1006);
    });

    it("and to nobody else", async () => {
      const feed = await guard.openFeed("/api/events");
      expect(await feed.closed).to.equal(ENDED);
      site.discovery.emit(found);
      expect(feed.messages).to.deep.equal([]);
    });
  });
});

describe("the list of cameras", () => {
  it("holds what the caller may see, and what may be done with it", async () => {
    const site = await startWebSite();
    try {
      for (const id of ["gate", "yard", "roof"]) site.camera(id, [track("H264")]);
      const guard = await site.person("guard", [on("live", "gate"), on("playback", "yard")]);
      const { json } = await guard.send("GET", "/api/cameras");
      const listed = (json as { cameras: Record<string, unknown>[] }).cameras;
      expect(listed.map(({ id, mayWatch, mayPlayBack }) => [id, mayWatch, mayPlayBack])).to.deep.equal([
        ["gate", true, false],
        ["yard", false, true],
      ]);
      expect(JSON.stringify(json)).not.to.include("roof");
      const nobody = await site.person("nobody", []);
      expect((await nobody.send("GET", "/api/cameras")).json).to.deep.equal({ cameras: [] });
    } finally {
      await site.close();
    }
  });
});
