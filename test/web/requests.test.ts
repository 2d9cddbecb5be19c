import { expect } from "chai";
import type { WebClient } from "../support/web-client.ts";
import { PASSWORD, startWebSite, type WebSite } from "../support/web-site.ts";

describe("requests to the web API", () => {
  let site: WebSite;
  let admin: WebClient;

  before(async () => {
    site = await startWebSite();
    admin = await site.administrator();
  });
  after(() => site.close());

  describe("from another site's page are refused", () => {
    const names = (): readonly string[] => site.accounts.list().map(({ name }) => name);
    const rows: readonly (readonly [why: string, headers: Readonly<Record<string, string>>])[] = [
      ["by Origin", { origin: "https://evil.example", "sec-fetch-site": "none" }],
      ["from another port of this machine", { origin: "https://127.0.0.1:1", "sec-fetch-site": "none" }],
      ["from an opaque origin", { origin: "null", "sec-fetch-site": "none" }],
      ["by Sec-Fetch-Site", { "sec-fetch-site": "cross-site" }],
      ["from a sibling host", { "sec-fetch-site": "same-site" }],
    ];
    for (const [why, headers] of rows)
      it(why, async () => {
        const body = { name: "planted", watching: {} };
        const { status, json } = await admin.send("POST", "/api/accounts", { body, headers });
        expect({ status, json }).to.deep.equal({
          status: 403,
          json: { error: "Requests from other sites are refused." },
        });
        expect(names()).to.deep.equal(["admin"]);
      });

    it("from a page without TLS at our own address", async () => {
      const headers = { origin: admin.origin.replace("https", "http") };
      expect((await admin.send("DELETE", "/api/session", { headers })).status).to.equal(403);
    });

    it("with every method that changes something", async () => {
      const headers = { origin: "https://evil.example" };
      for (const [method, path] of [
        ["POST", "/api/session"],
        ["DELETE", "/api/session"],
        ["PATCH", "/api/accounts/x"],
        ["PUT", "/api/anything"],
      ] as const)
        expect((await admin.send(method, path, { headers })).status, `${method} ${path}`).to.equal(403);
    });

    it("unlike those of a program, which sends neither header and no cookie that it was not given", async () => {
      const headers = { origin: "", "sec-fetch-site": "" };
      expect((await admin.send("GET", "/api/accounts", { headers })).status).to.equal(200);
      expect((await admin.send("DELETE", "/api/accounts/none", { headers })).status).to.equal(404);
    });
  });

  it("with a query that lacks something get a sentence", async () => {
    const { status, json } = await admin.send("GET", "/api/directory/corp/explain");
    expect(status).to.equal(400);
    expect((json as { error: string }).error).to.match(/^user: /);
  });

  describe("with a body that cannot be used get a sentence", () => {
    const log = (body: unknown, headers: Readonly<Record<string, string>> = {}) =>
      site.stranger().send("POST", "/api/session", { body, headers });
    const good = JSON.stringify({ name: "admin", password: PASSWORD });

    const rows: readonly (readonly [
      why: string,
      body: unknown,
      headers: Readonly<Record<string, string>>,
      error: string | RegExp,
    ])[] = [
      ["of a form", good, { "content-type": "application/x-www-form-urlencoded" }, "Send application/json."],
      ["of plain text", good, { "content-type": "text/plain" }, "Send application/json."],
      ["that is not JSON", "{name: admin}", {}, "The request is not valid JSON."],
      ["that is empty", "", {}, "The request is not valid JSON."],
      ["that is not UTF-8", Buffer.from('{"name":"\xff","password":1}', "latin1"), {}, /^password: /],
      ["that is a list", [], {}, /^request: .*expected object/],
      ["that lacks a field", { name: "admin" }, {}, /^password: /],
      ["with a field of another type", { name: ["admin"], password: PASSWORD }, {}, /^name: .*expected string/],
      ["with a field too many", { name: "admin", password: PASSWORD, admin: true }, {}, /^request: .*"admin"/],
      ["over the limit", `{"name":"${"x".repeat(70_000)}"}`, {}, "body too large"],
      // The rest never comes: an answer to somebody who still sends may be lost where the connection is closed behind it.
      ["over the limit by far", good, { "content-length": "5000000" }, "body too large"],
      ["that is compressed", good, { "content-encoding": "gzip" }, "Content-Encoding is not supported"],
    ];
    for (const [why, body, headers, error] of rows)
      it(why, async () => {
        const { status, json } = await log(body, headers);
        expect(status).to.equal(400);
        const told = (json as { error: string }).error;
        if (typeof error === "string") expect(told).to.equal(error);
        else expect(told).to.match(error);
      });

    it("with keys that JavaScript's objects have from elsewhere", async () => {
      for (const key of ["__proto__", "constructor", "prototype", "toString"]) {
        const { status, json } = await log(`{"name":"admin","password":"${PASSWORD}","${key}":{"admin":true}}`);
        expect(status, key).to.equal(400);
        expect((json as { error: string }).error, key).to.include(key);
      }
      expect(Object.hasOwn(Object.prototype, "admin")).to.equal(false);
    });

    it("and a body is taken with a charset in its type", async () => {
      const { status } = await log(good, { "content-type": "Application/JSON; charset=utf-8" });
      expect(status).to.equal(204);
    });
  });

  it("do nothing by rights that end before all of them is there", async () => {
    const ada = await site.person("ada", [{ right: "manage-accounts", cameras: "any", interfaces: "any" }]);
    const { id = "" } = site.accounts.named("ada") ?? {};
    const body = { name: "mole", watching: {} };
    const { status } = await ada.send("POST", "/api/accounts", {
      body,
      meanwhile: () => site.accounts.change(id, { enabled: false }),
    });
    expect([status, site.accounts.named("mole")]).to.deep.equal([401, undefined]);
    await site.accounts.remove(id);
  });

  describe("do what they say", () => {
    it("start a scan, and adopt with and without a log-in", async () => {
      await admin.send("POST", "/api/discovery/scan", { body: { targets: ["10.1.0.0/24"] } });
      const target = { find: "urn:uuid:1" };
      const adopted = await admin.send("POST", "/api/discovery/adopt", {
        body: { target, name: "Gate", user: "service", password: "c4mera-pass" },
      });
      expect(adopted.json).to.deep.equal({ id: "gate", name: "Gate" });
      const rtsp = { rtsp: "rtsp://10.1.0.9/", sub: "rtsp://10.1.0.9/small" };
      await admin.send("POST", "/api/discovery/adopt", {
        body: { target: rtsp, user: "", transport: "udp", plainText: true },
      });
      const [scan, first, second] = site.discovery.calls;
      expect(scan).to.deep.equal(["startScan", ["10.1.0.0/24"]]);
      expect(JSON.parse(JSON.stringify(first))).to.deep.equal([
        "adopt",
        target,
        { name: "Gate", credentials: { user: "service", password: "[secret]" } },
      ]);
      expect(second).to.deep.equal(["adopt", rtsp, { transport: "udp", plainText: true }]);
    });

    it("tell by what a camera sends, and have it send another way", async () => {
      site.camera("gate");
      const { cameras } = (await admin.send("GET", "/api/cameras")).json as {
        cameras: { transport: unknown; streams: unknown }[];
      };
      expect(cameras[0]?.transport).to.equal("auto");
      expect(cameras[0]?.streams).to.deep.equal([
        {
          name: "main",
          number: 1,
          pulling: "always",
          recording: { plan: { mode: "continuous" }, state: "starting" },
          connection: { state: "connecting", since: 0 },
          transport: "tcp",
          readers: 0,
          tracks: [],
          address: "rtsp://x/live/gate/main",
        },
      ]);
      const change = (body: unknown): Promise<{ readonly status: number }> =>
        admin.send("PATCH", "/api/cameras/gate", { body });
      expect((await change({ transport: "udp" })).status).to.equal(204);
      expect(site.discovery.calls.at(-1)).to.deep.equal(["setTransport", "gate", "udp"]);
      for (const body of [{ transport: "pigeon" }, {}, { transport: "udp", name: "x" }])
        expect((await change(body)).status).to.equal(400);
    });

    it("leave each change of a camera in the audit log, under the names of the commands", async () => {
      const before = site.audited.length;
      await admin.send("PATCH", "/api/cameras/gate", { body: { transport: "udp" } });
      await admin.send("PATCH", "/api/cameras/gate/streams/main", { body: { pulling: "on-demand" } });
      await admin.send("DELETE", "/api/cameras/gate");
      const common = { who: "admin", camera: "gate", subject: "gate", interface: "web", address: "127.0.0.1" };
      const entry = { ...common, outcome: "allowed" };
      expect(site.audited.slice(before).filter(({ action }) => action !== "adopt-camera")).to.deep.equal([
        { ...entry, action: "set-transport", why: "udp", before: "auto", after: "udp" },
        { ...entry, action: "set-pulling", why: "main on-demand", before: "always", after: "on-demand" },
        { ...entry, action: "remove-camera", why: "removed" },
      ]);
    });

    it("have recordings of a camera kept as long as it is set, which the audit log has", async () => {
      site.camera("gate");
      const change = (retention: unknown): Promise<{ readonly status: number }> =>
        admin.send("PATCH", "/api/cameras/gate", { body: { retention } });
      expect((await change({ minDays: 3, maxDays: 30, maxGigabytes: 500 })).status).to.equal(204);
      expect(site.discovery.calls.at(-1)).to.deep.equal([
        "setRetention",
        "gate",
        { minDays: 3, maxDays: 30, maxGigabytes: 500 },
      ]);
      expect(site.audited.at(-1)).to.deep.include({
        action: "set-retention",
        camera: "gate",
        before: "{}",
        after: '{"minDays":3,"maxDays":30,"maxGigabytes":500}',
      });
      for (const wrong of [{ minDays: 31, maxDays: 30 }, { maxDays: 0 }, { days: 3 }, "for ever"])
        expect((await change(wrong)).status, JSON.stringify(wrong)).to.equal(400);
    });

    it("have a stream pulled always, or on demand", async () => {
      site.camera("gate");
      const change = (body: unknown): Promise<{ readonly status: number }> =>
        admin.send("PATCH", "/api/cameras/gate/streams/main", { body });
      expect((await change({ pulling: "always" })).status).to.equal(204);
      expect(site.discovery.calls.at(-1)).to.deep.equal(["setPulling", "gate", "main", "always"]);
      for (const body of [{ pulling: "sometimes" }, {}, { pulling: "always", name: "x" }])
        expect((await change(body)).status).to.equal(400);
    });

    it("have a stream recorded as a plan says, which the audit log has with what was before", async () => {
      site.camera("gate");
      const change = (recording: unknown): Promise<{ readonly status: number; readonly json: unknown }> =>
        admin.send("PATCH", "/api/cameras/gate/streams/main", { body: { recording } });
      const hours = { zone: "Europe/Copenhagen", weekly: [{ days: [1, 2, 3, 4, 5], from: "22:00", to: "06:00" }] };
      expect((await change({ mode: "schedule", hours })).status).to.equal(204);
      const plan = { mode: "schedule", hours: { ...hours, exceptions: [] } };
      expect(site.discovery.calls.at(-1)).to.deep.equal(["setRecording", "gate", "main", plan]);
      expect(site.audited.at(-1)).to.deep.include({
        who: "admin",
        action: "set-recording",
        camera: "gate",
        why: "main schedule",
        before: '{"mode":"continuous"}',
        after: JSON.stringify(plan),
      });
      for (const wrong of [{ mode: "schedule" }, { mode: "sometimes" }, { mode: "events", events: { of: ["x"] } }])
        expect((await change(wrong)).status, JSON.stringify(wrong)).to.equal(400);
    });

    it("show who may not set up cameras whether a stream is recorded, and not when", async () => {
      site.camera("gate");
      const guard = await site.person("guard", [{ right: "live", cameras: "any", interfaces: "any" }]);
      const { cameras } = (await guard.send("GET", "/api/cameras")).json as {
        cameras: { streams: { recording: unknown }[] }[];
      };
      expect(cameras[0]?.streams[0]?.recording).to.deep.equal({ state: "starting" });
    });

    it("make, change and remove accounts of external systems, and tell the secret once", async () => {
      site.camera("gate");
      const made = await admin.send("POST", "/api/accounts", { body: { name: "vms", watching: { live: ["gate"] } } });
      const { id, secret } = made.json as { id: string; secret: string };
      expect(made.status).to.equal(201);
      expect(secret).to.match(/^\w{20}$/);
      const listed = async (): Promise<unknown> =>
        ((await admin.send("GET", "/api/accounts")).json as { accounts: { id: string }[] }).accounts.find(
          (account) => account.id === id,
        );
      const none = { live: [], playback: [], audio: [], metadata: [], talk: [] };
      const watching = { ...none, live: ["gate"] };
      const shown = { roles: [], watching, effective: watching, others: [], narrowed: false };
      const vms = {
        id,
        name: "vms",
        kind: "integration",
        enabled: true,
        secondFactor: null,
        directory: null,
        arming: null,
        temporaryPassword: false,
        secrets: { former: null, lastUse: null },
        ...shown,
      };
      expect(await listed()).to.deep.equal(vms);
      await admin.send("PATCH", `/api/accounts/${id}`, {
        body: { enabled: false, watching: { playback: "any", talk: ["gate"] } },
      });
      expect(await listed()).to.deep.equal({
        ...vms,
        enabled: false,
        watching: { ...none, playback: "any", talk: ["gate"] },
        effective: { ...none, playback: "any", talk: ["gate"] },
      });
      expect((await admin.send("DELETE", `/api/accounts/${id}`)).status).to.equal(204);
      expect(await listed()).to.equal(undefined);
      expect((await admin.send("DELETE", `/api/accounts/${id}`)).status).to.equal(404);
    });

    it("cannot remove the last administrator", async () => {
      const id = site.accounts.list().find(({ name }) => name === "admin")?.id ?? "";
      const { status, json } = await admin.send("DELETE", `/api/accounts/${id}`);
      expect({ status, json }).to.deep.equal({
        status: 409,
        json: { error: "nobody would be left who may manage accounts" },
      });
    });

    it("change nothing where nothing is named, and no person's rights by what external systems watch", async () => {
      const id = site.accounts.list().find(({ name }) => name === "admin")?.id ?? "";
      const change = async (body: unknown): Promise<unknown> => {
        const { status, json } = await admin.send("PATCH", `/api/accounts/${id}`, { body });
        return [status, (json as { error: string }).error];
      };
      expect(await change({})).to.deep.equal([400, "Say what to change: enabled, watching, or both."]);
      expect(await change({ watching: { live: "any" } })).to.deep.equal([
        400,
        "What may be watched is chosen for external systems; admin is a person.",
      ]);
      expect(await change({ watching: { live: [""] } })).to.satisfy(([status]: readonly unknown[]) => status === 400);
    });

    it("are told the same of what is not there and of a path that does not exist", async () => {
      const nothing = { error: "There is no such thing, or it is not for you." };
      for (const [method, path] of [
        ["GET", "/api/nothing"],
        ["POST", "/api/cameras"],
        ["PATCH", "/api/accounts/none"],
      ] as const) {
        const { status, json } = await admin.send(method, path, { body: { enabled: false } });
        expect({ status, json }, `${method} ${path}`).to.deep.equal({ status: 404, json: nothing });
      }
    });
  });
});
